"""Donations, nominations and handovers at the door, as the tablet keeps them."""

from __future__ import annotations

import pytest

from field_client.outbox import CaptureRefusedError
from field_client.purging import PURGED_AFTER_MS
from field_client.receipts import CapState, OfflineCap
from schemas.receipt_token import ReceiptKind, is_signed_by, parse_receipt, payment_digest, receipt_link
from schemas.signatures import from_base64url
from sync.codes import EntryCode
from tests.field_client.conftest import AREA

ALLOCATION = "5d1f3c52-0000-4000-8000-0000000000f2"
OTHER_ALLOCATION = "5d1f3c52-0000-4000-8000-0000000000f3"
NATIONAL_ID = "999188000001"
SCANNED = {"method": "id_scanned", "national_id": NATIONAL_ID}


def donate(client, amount_vnd=5_000_000, **changes):
    members = {"donor_class": "company", "donor": {"name": "Công ty Thử", "tax_code": "9990000001"}}
    return client.actions.record_donation(area=AREA, fund=12, amount_vnd=amount_vnd, **(members | changes))


def a_person(client, name="Lê Thị Bé"):
    return client.actions.register_person(full_name=name, area=AREA, national_id=NATIONAL_ID)


def consent(client, person, decision="given", purpose="card_donation"):
    return client.actions.record_consent(person=person, purpose=purpose, decision=decision, evidence="spoken")


def nominate(client, person, **optional):
    return client.actions.nominate(
        person=person, fund=12, pool="near_poor", evidence="near_poor_book", **optional
    )


def put_allocation(field, person, stage="issued", allocation=ALLOCATION):
    field.server.granted.add(f"area:{AREA}")
    record = {"person": person, "fund": 12, "pool": "near_poor", "months": 6, "stage": stage}
    field.server.put(
        f"area:{AREA}", "allocation", allocation, record | {"valid_from": None, "valid_to": None}
    )


def refused(code, field, action, *arguments, **named):
    with pytest.raises(CaptureRefusedError) as refusal:
        action(*arguments, **named)
    assert (refusal.value.fault.code, refusal.value.fault.field) == (code, field)


def test_the_receipt_of_a_donation_covers_it_and_names_the_fund(field):
    client = field.enrolled()
    given = donate(client)
    parsed = parse_receipt(given.receipt.token)
    identity = client.identities.current()
    assert is_signed_by(parsed, identity.key.public)
    content = parsed.content
    assert (content.installation, content.counter, content.kind) == (4807, 1, ReceiptKind.DONATION)
    assert (content.amount_vnd, content.campaign, content.refers) == (5_000_000, 12, None)
    (issued,) = client.outbox.entries_of_kind("receipt_issued")
    assert issued.body["payment"] == given.payment_id
    raw = client.outbox.entry(given.payment_id).raw
    assert content.digest == payment_digest(from_base64url(issued.body["salt"]), raw)
    assert content.link == receipt_link(None, None, identity.certificate["text"])
    assert "Công ty Thử" in raw


def test_donations_and_payments_are_numbered_in_one_chain(field, an_enrolment):
    client = field.enrolled()
    enrolment = an_enrolment(client)
    first = donate(client).receipt
    client.sync()
    second = client.actions.collect_payment([(enrolment, 415_800)]).receipt
    ack = client.identities.standing(client.identities.current().installation).last_ack["text"]
    certificate = client.identities.current().certificate["text"]
    expected = receipt_link(parse_receipt(first.token).sig_structure, ack, certificate)
    assert parse_receipt(second.token).content.link == expected
    assert (first.counter, second.counter) == (1, 2)


def test_a_donation_without_its_receipt_is_never_left_behind(field, monkeypatch):
    """[T4] `donation_received` and its `receipt_issued` are written in one transaction."""
    client = field.enrolled()
    before = client.outbox.head().seq

    def fail(*_args, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr(client.receipts, "_keep", fail)
    with client.recording(), pytest.raises(ZeroDivisionError):
        donate(client)
    assert client.outbox.head().seq == before
    assert client.receipts.receipts() == []


def test_the_void_of_a_donation_takes_its_receipt_back_with_a_signed_one(field):
    """[T4] A void of either writes `entry_voided` and then a receipt of kind 9 that refers to it."""
    client = field.enrolled()
    given = donate(client)
    void = client.actions.void_payment(given.payment_id, "nhầm quỹ")
    content = parse_receipt(void.token).content
    assert (content.kind, content.amount_vnd, content.campaign) == (ReceiptKind.VOID, 5_000_000, 12)
    assert content.refers == (4807, 1)
    issued = client.outbox.entries_of_kind("receipt_issued")[1]
    raw = client.outbox.entry(given.payment_id).raw
    assert content.digest == payment_digest(from_base64url(issued.body["salt"]), raw)
    assert [entry.body["target"] for entry in client.outbox.entries_of_kind("entry_voided")] == [
        given.payment_id
    ]
    refused(EntryCode.ALREADY_VOIDED, "target", client.actions.void_payment, given.payment_id, "lần nữa")
    refused(EntryCode.REFERENCE_WRONG_KIND, "target", client.actions.void_entry, given.payment_id, "x")


def test_a_refused_donation_burns_no_receipt_number(field):
    client = field.enrolled()
    for amount in (0, -5, 1_000_000_001, True, 2.5):
        refused(EntryCode.AMOUNT_INVALID, "amount_vnd", donate, client, amount)
    refused(EntryCode.FIELD_INVALID, "donor", donate, client, donor_class="anonymous")
    refused(EntryCode.FIELD_MISSING, "donor", donate, client, donor=None)
    refused(
        EntryCode.FIELD_INVALID, "fund", client.actions.remit_cash, fund=0, amount_vnd=1, destination="office"
    )
    assert client.outbox.head().seq == 0
    assert donate(client, donor_class="anonymous", donor=None).receipt.counter == 1


def test_donations_count_against_the_offline_cap(field, an_enrolment):
    """[T12] The cap is of all unacknowledged receipts, whatever the money is for."""
    client = field.enrolled()
    client.receipts.cap = OfflineCap(amount_vnd=1000)
    client.actions.collect_payment([(an_enrolment(client), 400)])
    donate(client, 399)
    assert client.receipts.cap_standing().state == CapState.FREE
    donate(client, 1)
    assert client.receipts.cap_standing().state == CapState.WARNED
    donate(client, 200)
    assert client.receipts.cap_standing().state == CapState.REACHED
    client.sync()
    assert client.receipts.cap_standing().state == CapState.FREE


def test_what_has_no_receipt_is_voided_once(field):
    client = field.enrolled()
    person = a_person(client)
    consent(client, person)
    remitted = client.actions.remit_cash(
        fund=12, amount_vnd=5_000_000, destination="bank_account", reference=" FT1 ", note=""
    )
    assert client.outbox.entry(remitted).body == {
        "fund": 12,
        "amount_vnd": 5_000_000,
        "destination": "bank_account",
        "reference": "FT1",
    }
    handed = client.actions.hand_over_card(allocation=ALLOCATION, proof=SCANNED, person=person)
    for target in (remitted, nominate(client, person), handed):
        client.actions.void_entry(target, "ghi nhầm")
        refused(EntryCode.ALREADY_VOIDED, "target", client.actions.void_entry, target, "lần nữa")


def test_a_nomination_rests_on_the_latest_own_consent_to_a_donated_card(field):
    client = field.enrolled()
    person = a_person(client)
    refused(EntryCode.FIELD_MISSING, "consent", nominate, client, person)
    consent(client, person, purpose="enrolment")
    refused(EntryCode.FIELD_MISSING, "consent", nominate, client, person)
    consent(client, person)
    latest = consent(client, person)
    assert client.outbox.entry(nominate(client, person)).body["consent"] == latest
    consent(client, person, "withdrawn")
    refused(EntryCode.FIELD_MISSING, "consent", nominate, client, person)


def test_a_consent_of_a_merged_record_is_the_persons(field):
    client = field.enrolled()
    part, whole = a_person(client), a_person(client, "Lê Thị Bé Hai")
    given = consent(client, part)
    field.server.granted.add(f"area:{AREA}")
    client.sync()
    record = {"area": AREA, "full_name": "Lê Thị Bé", "household": None, "last_entry": part}
    field.server.put(f"area:{AREA}", "person", part, record | {"merged_into": whole})
    field.server.put(f"area:{AREA}", "person", whole, record | {"last_entry": whole, "merged_into": None})
    put_allocation(field, whole)
    client.sync()
    assert client.actions.card_consent(whole) == given
    assert client.actions.card_consent(part) == given
    handed = client.actions.hand_over_card(allocation=ALLOCATION, proof=SCANNED, person=part)
    assert client.outbox.entry(handed).body["person"] == part


def test_a_card_goes_to_whom_it_was_allocated_to(field):
    client = field.enrolled()
    person, stranger = a_person(client), a_person(client, "Người Khác")
    put_allocation(field, person)
    client.sync()
    refused(
        EntryCode.NOT_THE_BENEFICIARY,
        "person",
        client.actions.hand_over_card,
        allocation=ALLOCATION,
        proof=SCANNED,
        person=stranger,
    )
    handed = client.actions.hand_over_card(allocation=ALLOCATION, proof=SCANNED)
    assert client.outbox.entry(handed).body["person"] == person


@pytest.mark.parametrize(
    ("proof", "where"),
    [
        ({"method": "id_scanned"}, "proof.national_id"),
        ({"method": "witness", "witness_phone": "99900000004"}, "proof.witness_name"),
        ({"method": "witness", "witness_name": "  "}, "proof.witness_name"),
    ],
)
def test_a_handover_without_proof_is_refused(field, proof, where):
    client = field.enrolled()
    person = a_person(client)
    refused(
        EntryCode.FIELD_MISSING,
        where,
        client.actions.hand_over_card,
        allocation=ALLOCATION,
        proof=proof,
        person=person,
    )


def test_the_cards_that_wait_are_those_of_the_area_that_nobody_handed_over(field):
    client = field.enrolled()
    person = a_person(client)
    put_allocation(field, person)
    put_allocation(field, person, "approved", OTHER_ALLOCATION)
    assert client.projection.waiting_cards() == []
    client.sync()
    issued, approved = client.projection.waiting_cards()
    assert (issued.allocation.record_id, issued.full_name, issued.is_issued) == (
        ALLOCATION,
        "Lê Thị Bé",
        True,
    )
    assert (approved.allocation.record_id, approved.is_issued) == (OTHER_ALLOCATION, False)
    put_allocation(field, person, "handed_over")
    client.sync()
    assert [card.allocation.record_id for card in client.projection.waiting_cards()] == [OTHER_ALLOCATION]
    field.server.remove(f"area:{AREA}", "allocation", OTHER_ALLOCATION)
    client.sync()
    assert client.projection.waiting_cards() == []


@pytest.mark.parametrize(("code", "waiting"), [(None, []), ("card_not_issued", [ALLOCATION])])
def test_an_own_handover_takes_its_card_off_the_list_unless_it_is_quarantined(field, code, waiting):
    client = field.enrolled()
    put_allocation(field, a_person(client))
    client.sync()
    client.actions.hand_over_card(allocation=ALLOCATION, proof=SCANNED)
    assert client.projection.waiting_cards() == []
    field.server.quarantine_kinds = {"card_handed_over": code} if code else {}
    client.sync()
    assert [card.allocation.record_id for card in client.projection.waiting_cards()] == waiting


def test_pulled_donations_and_nominations_keep_what_only_this_device_knows(field):
    client = field.enrolled()
    given = donate(client)
    person = a_person(client)
    consent(client, person)
    named = nominate(client, person, member=2)
    field.server.granted.add("agent:w1")
    donation = {
        "fund": 12,
        "amount_vnd": 5_000_000,
        "method": "cash",
        "day": "2020-05-23",
        "is_voided": False,
    }
    nomination = {"person": person, "fund": 12, "pool": "near_poor", "state": "approved", "code": None}
    field.server.put("agent:w1", "donation", given.payment_id, donation)
    field.server.put("agent:w1", "nomination", named, nomination)
    client.sync()
    (view,) = client.projection.views("donation")
    assert (view.fields["donor_class"], view.fields["day"], view.state) == (
        "company",
        "2020-05-23",
        "current",
    )
    (view,) = client.projection.views("nomination")
    assert (view.fields["member"], view.fields["state"]) == (2, "approved")


def test_proofs_and_evidence_are_purged_and_money_is_not(field):
    """[R10.1] Below the durable mark; donations, remittances and receipts stay whole."""
    client = field.enrolled()
    person = a_person(client)
    consent(client, person)
    given = donate(client)
    remitted = client.actions.remit_cash(fund=12, amount_vnd=5_000_000, destination="office", note="Nộp")
    named = nominate(client, person, evidence_number="CN-17", note="Mất việc", member=2)
    witness = {"method": "witness", "witness_name": "Trần Văn Thử", "witness_phone": "99900000004"}
    handed = client.actions.hand_over_card(allocation=ALLOCATION, proof=witness, person=person)
    raws = {each: client.outbox.entry(each).raw for each in (given.payment_id, remitted)}
    client.sync()
    field.server.durable_seq = client.outbox.head().seq
    field.clock.ms += PURGED_AFTER_MS
    client.sync()
    for each, raw in raws.items():
        assert (client.outbox.entry(each).is_purged, client.outbox.entry(each).raw) == (False, raw)
    consented = client.outbox.entries_of_kind("consent_recorded")[0].entry_id
    assert client.outbox.entry(named).body == {
        "person": person,
        "fund": 12,
        "pool": "near_poor",
        "consent": consented,
    }
    assert client.outbox.entry(handed).body == {"allocation": ALLOCATION, "person": person}
    for each in (named, handed):
        assert client.outbox.entry(each).is_purged
        for detail in ("CN-17", "Mất việc", "near_poor_book", "Trần Văn Thử", "99900000004"):
            assert detail not in client.outbox.entry(each).raw
    void = client.actions.void_payment(given.payment_id, "Nhầm")
    assert void.amount_vnd == 5_000_000


def test_a_carried_over_donation_keeps_its_receipt_and_counts(field):
    client = field.enrolled()
    given = donate(client)
    client.enrol_again(field.server.new_code())
    assert client.receipts.of_payment(given.payment_id).token == given.receipt.token
    assert client.receipts.cap_standing().amount_vnd == 5_000_000
    void = client.actions.void_payment(given.payment_id, "nhầm")
    assert parse_receipt(void.token).content.refers == (4807, 1)
    client.sync()
    journal = field.server.journal_of(client.identities.current().installation)
    assert [raw for raw in journal if given.payment_id in raw and "donation_received" in raw]
