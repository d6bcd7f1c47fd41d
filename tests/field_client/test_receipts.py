"""Receipts made at the door, their chain and numbers, and the offline cap."""

from __future__ import annotations

import pytest

from field_client.outbox import CaptureRefusedError
from field_client.receipts import CapReachedError, CapState, OfflineCap
from schemas.receipt_token import (
    ReceiptKind,
    is_signed_by,
    parse_receipt,
    payment_digest,
    receipt_link,
)
from schemas.signatures import from_base64url
from sync.clock import DAY_MS
from sync.codes import EntryCode


def receipt_bodies(client):
    return [entry.body for entry in client.outbox.entries_of_kind("receipt_issued")]


def test_a_receipt_covers_its_payment_and_is_signed_by_the_device(field, an_enrolment):
    client = field.enrolled()
    collected = client.actions.collect_payment([(an_enrolment(client), 415_800)])
    parsed = parse_receipt(collected.receipt.token)
    identity = client.identities.current()
    assert is_signed_by(parsed, identity.key.public)
    content = parsed.content
    assert (content.installation, content.counter, content.kind) == (4807, 1, ReceiptKind.VOLUNTARY)
    assert (content.amount_vnd, content.campaign, content.refers) == (415_800, 7, None)
    body = receipt_bodies(client)[0]
    raw = client.outbox.entry(collected.payment_id).raw
    assert content.digest == payment_digest(from_base64url(body["salt"]), raw)
    assert content.link == receipt_link(None, None, identity.certificate["text"])
    assert collected.receipt.number == "20-04807-00000001"


def test_receipts_are_chained_to_each_other_and_to_the_last_acknowledgement(field, an_enrolment):
    """[T5] `linked_ack` is the text of the last acknowledgement."""
    client = field.enrolled()
    enrolment = an_enrolment(client)
    first = client.actions.collect_payment([(enrolment, 1)]).receipt
    client.sync()
    second = client.actions.collect_payment([(enrolment, 2)]).receipt
    identity = client.identities.current()
    ack = client.identities.standing(identity.installation).last_ack["text"]
    assert receipt_bodies(client)[1]["linked_ack"] == ack
    expected = receipt_link(parse_receipt(first.token).sig_structure, ack, identity.certificate["text"])
    assert parse_receipt(second.token).content.link == expected
    assert second.counter == 2


def test_a_void_takes_the_receipt_back_with_a_signed_one(field, an_enrolment):
    """[T4] A void writes `entry_voided` and a receipt of kind 9 that refers to the voided one."""
    client = field.enrolled()
    collected = client.actions.collect_payment([(an_enrolment(client), 415_800)])
    void = client.actions.void_payment(collected.payment_id, "thu nhầm")
    content = parse_receipt(void.token).content
    assert (content.kind, content.amount_vnd, content.refers) == (ReceiptKind.VOID, 415_800, (4807, 1))
    body = receipt_bodies(client)[1]
    assert body["payment"] == collected.payment_id
    raw = client.outbox.entry(collected.payment_id).raw
    assert content.digest == payment_digest(from_base64url(body["salt"]), raw)
    assert [entry.body["target"] for entry in client.outbox.entries_of_kind("entry_voided")] == [
        collected.payment_id
    ]
    with pytest.raises(CaptureRefusedError) as refusal:
        client.actions.void_payment(collected.payment_id, "lần nữa")
    assert refusal.value.fault.code == EntryCode.ALREADY_VOIDED


def test_one_receipt_is_for_one_scheme(field, an_enrolment):
    client = field.enrolled()
    voluntary, health = an_enrolment(client), an_enrolment(client, "health")
    with pytest.raises(CaptureRefusedError) as refusal:
        client.actions.collect_payment([(voluntary, 1), (health, 1)])
    assert refusal.value.fault.code == EntryCode.ALLOCATION_MISMATCH
    assert client.receipts.receipts() == []


def test_a_refused_amount_burns_no_receipt_number(field, an_enrolment):
    client = field.enrolled()
    enrolment = an_enrolment(client)
    for amount in (0, -5, 1_000_000_001, True, 2.5):
        with pytest.raises(CaptureRefusedError) as refusal:
            client.actions.collect_payment([(enrolment, amount)])
        assert refusal.value.fault.code == EntryCode.AMOUNT_INVALID
    assert client.actions.collect_payment([(enrolment, 5)]).receipt.counter == 1


def test_only_own_voidable_entries_are_voided_once(field, an_enrolment, a_household):
    client = field.enrolled()
    enrolment = an_enrolment(client)
    client.actions.void_entry(enrolment, "ghi nhầm")
    attempts = {
        enrolment: EntryCode.ALREADY_VOIDED,
        a_household(client): EntryCode.REFERENCE_WRONG_KIND,
        client.outbox._ids.new_id(): EntryCode.NOT_OWN_ENTRY,
    }
    for target, code in attempts.items():
        with pytest.raises(CaptureRefusedError) as refusal:
            client.actions.void_entry(target, "x")
        assert refusal.value.fault.code == code


@pytest.mark.parametrize(
    ("cap", "collected", "state"),
    [
        (OfflineCap(receipts=5), 3, CapState.FREE),
        (OfflineCap(receipts=5), 4, CapState.WARNED),
        (OfflineCap(receipts=5), 5, CapState.REACHED),
        (OfflineCap(amount_vnd=1000), 7, CapState.FREE),
        (OfflineCap(amount_vnd=1000), 8, CapState.WARNED),
        (OfflineCap(amount_vnd=1000), 10, CapState.REACHED),
    ],
)
def test_the_cap_warns_at_80_percent_and_closes_the_form(field, an_enrolment, cap, collected, state):
    """[T12] Warns at 80 %, and refuses a new form at the offline cap."""
    client = field.enrolled()
    client.receipts.cap = cap
    enrolment = an_enrolment(client)
    for _ in range(collected):
        client.actions.collect_payment([(enrolment, 100)])
    assert client.receipts.cap_standing().state == state
    if state == CapState.REACHED:
        with pytest.raises(CapReachedError):
            client.receipts.require_room()
        client.actions.collect_payment([(enrolment, 100)])
    client.sync()
    assert client.receipts.cap_standing().state == CapState.FREE


def test_the_cap_counts_the_age_of_the_oldest_unacknowledged_receipt(field, an_enrolment):
    client = field.enrolled()
    client.actions.collect_payment([(an_enrolment(client), 100)])
    field.clock.ms += 12 * DAY_MS
    assert client.receipts.cap_standing().state == CapState.WARNED
    field.clock.ms += 2 * DAY_MS
    assert client.receipts.cap_standing().state == CapState.REACHED


def test_the_cap_is_inherited_by_enrolling_again(field, an_enrolment):
    client = field.enrolled()
    client.actions.collect_payment([(an_enrolment(client), 100)])
    client.enrol_again(field.server.new_code())
    assert client.receipts.cap_standing().receipts == 1


def test_a_receipt_is_found_by_its_printed_number_or_counter(field, an_enrolment):
    client = field.enrolled()
    receipt = client.actions.collect_payment([(an_enrolment(client), 100)]).receipt
    for text in ("20-04807-00000001", "1"):
        assert client.receipts.find(text).token == receipt.token
    for text in ("2", "x", "", "1-2", "20-04808-00000001", "²"):
        assert client.receipts.find(text) is None
