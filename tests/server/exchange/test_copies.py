"""Rule 3: what is refused of a copied or replaced tablet, and what a carried entry is told."""

from __future__ import annotations

import pytest

from tests.server.receipts.a_signing_tablet import Payment, SigningTablet
from tests.support.office_checks import count, incidents, rows, state_of
from tests.support.raw_tablet import a_household, a_tablet


@pytest.mark.parametrize("state", ["fenced", "superseded"])
def test_a_fenced_or_superseded_installation_reads_nothing(office, tablet, state):
    """[R3.3] A fenced or superseded installation is refused whole, reads included."""
    tablet.household(head_name="Lê Văn Tám")
    assert "Lê Văn Tám" in tablet.sync(pull=True).body.decode()
    if state == "fenced":
        twin = tablet.copied()
        twin.journal[0] = twin.journal[0].replace("Tám", "Năm")
        assert twin.post(twin.request(push=None)).code == "journal_forked"
    else:
        tablet.enrolled_again()
    assert state_of(office, tablet.installation) == state
    pull = {"have": [], "limit": 1000}
    reading = tablet.post(tablet.request(push=None, pull=pull))
    assert (reading.status, reading.code) == (403, f"installation_{state}")
    assert not {"rows", "grants"} & set(reading.json)
    tablet.household()
    assert tablet.sync(pull=True).code == f"installation_{state}"
    assert count(office, "entry") == 1


def test_a_duplicate_is_told_what_became_of_the_first(office, tablet):
    """[R3.5] Same id and same bytes: `duplicate`; the answer's `outcomes` say what became of it."""
    visit = tablet.visit(tablet.ids.new_id())
    bad = tablet.append("household_registered", a_household(colour="red"))
    assert tablet.sync().decisions == ["held", "quarantined"]
    answer = tablet.enrolled_again().sync()
    assert [(each["verdict"], each["code"]) for each in answer.verdicts] == [
        ("duplicate", "entry_already_received")
    ] * 2
    told = {each["id"]: (each["state"], each["code"]) for each in answer.json["outcomes"]}
    assert told == {visit: ("held", "reference_not_seen"), bad: ("quarantined", "field_unknown")}


@pytest.mark.parametrize(("is_replaced", "state"), [(False, "fenced"), (True, "superseded")])
def test_two_receipts_under_one_number_fence_who_signed_them_while_active(office, tablet, is_replaced, state):
    """[R3.8] Two different signed contents under one number fence the active installation."""
    enrolment = tablet.enrolment(tablet.person())
    for amount_vnd in (100_000, 200_000):
        signer = SigningTablet(tablet.key, tablet.number, tablet.installation)
        payment = tablet.payment(enrolment, amount_vnd=amount_vnd)
        tablet.append(
            "receipt_issued",
            signer.receipt(Payment(payment, tablet.journal[-1], {"scheme": "voluntary"}, amount_vnd)),
        )
    sender = tablet.enrolled_again() if is_replaced else tablet
    answer = sender.sync()
    assert answer.decisions == ["applied"] * 5 + ["quarantined"]
    assert answer.verdicts[5]["code"] == "receipt_number_reused"
    assert state_of(office, tablet.installation) == state
    assert incidents(office)["receipt_number_reused"] == (0 if is_replaced else 1)
    again = sender.sync()
    assert again.code == (None if is_replaced else "installation_fenced")


def test_a_receipt_covers_the_entry_that_was_first_under_its_payments_id(office, tablet):
    """[T10] The digest is that of its bytes, though the same push brings others under the id."""
    enrolment = tablet.enrolment(tablet.person())
    payment = tablet.payment(enrolment)
    signer = SigningTablet(tablet.key, tablet.number, tablet.installation)
    about = Payment(payment, tablet.journal[-1], {"scheme": "voluntary"}, 300_000)
    tablet.sync()
    tablet.append("household_registered", a_household(), payment)
    tablet.append("receipt_issued", signer.receipt(about))
    codes = [each["code"] for each in tablet.sync().verdicts]
    assert codes == ["entry_id_reused", None]


def test_a_true_receipt_is_kept_though_its_payments_id_is_something_else_by_now(office, tablet):
    """[T7] [T9] It waits for a person with its code, and the next receipt misses no number."""
    taken = tablet.ids.new_id()
    other = a_tablet(office, "binh")
    other.append("household_registered", a_household(), taken)
    other.sync()
    enrolment = tablet.enrolment(tablet.person())
    signer = SigningTablet(tablet.key, tablet.number, tablet.installation)
    for entry_id in (taken, tablet.ids.new_id()):
        payment = tablet.payment(enrolment, entry_id=entry_id)
        about = Payment(payment, tablet.journal[-1], {"scheme": "voluntary"}, 300_000)
        tablet.append("receipt_issued", signer.receipt(about))
    answer = tablet.sync()
    codes = [each["code"] for each in answer.verdicts[2:]]
    assert codes == ["entry_id_reused", "reference_wrong_kind", None, None]
    assert answer.verdicts[-1]["flags"] == []
    assert rows(office, "SELECT counter, state, code FROM receipt ORDER BY counter") == [
        (1, "quarantined", "reference_wrong_kind"),
        (2, "reconciled", None),
    ]
