"""Rule 6: cash posts to the agent's ledger on arrival whatever the verdict, once per entry id."""

from __future__ import annotations

import pytest

from sync.limits import LIMITS
from tests.support.office_checks import balance, cash_of, open_cases, outcome_of, rows, suspense_of
from tests.support.raw_tablet import a_payment
from tests.support.small_office import COMMUNES


def paid(tablet, amount="@", **more):
    """Capture a payment whose amount is the text `amount`, as it stands in the JSON."""
    entry_id = tablet.ids.new_id()
    _, text = tablet.entry("payment_collected", a_payment(entry_id, [entry_id], "@") | more, entry_id)
    tablet.journal.append(text.replace('"@"', amount))
    return entry_id


KNOWN = {
    "unknown field": lambda tablet: paid(tablet, "5000", colour="red"),
    "unknown scheme": lambda tablet: paid(tablet, "5000", scheme="fire"),
    "NUL in its note": lambda tablet: paid(tablet, "5000", note="a\0b"),
    "too large": lambda tablet: paid(tablet, "5000", note="x" * LIMITS.entry_bytes),
    "too deep": lambda tablet: paid(tablet, "5000", note=[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]),
    "not a number beside it": lambda tablet: paid(tablet, "5000", note=float("nan")),
    "nobody's enrolment": lambda tablet: paid(tablet, "5000"),
    "no readable id": lambda tablet: tablet.append(
        "payment_collected", a_payment("x", ["y"], 5000), id="not-an-id"
    ),
    "no clocks": lambda tablet: tablet.append(
        "payment_collected", a_payment("x", ["y"], 5000), captured=None
    ),
}
UNKNOWN_AMOUNT = {
    "negative": "-5",
    "nothing": "0",
    "a fraction": "0.5",
    "a whole fraction": "5000.0",
    "text": '"5000"',
    "true": "true",
    "null": "null",
    "too much": "1000000001",
    "infinite": "1e999",
    "no number": "NaN",
    "5,000 digits": "9" * 5000,
    "named twice": '5000, "amount_vnd": 6000',
}


@pytest.mark.parametrize("name", KNOWN)
def test_cash_of_an_entry_that_is_not_applied_is_posted_once(shared_office, name):
    """[R6.3] Money is posted when it arrives, whatever the verdict, once per entry id.

    [R9.5] An entry that breaks a limit is quarantined alone; its money is used.
    """
    from tests.support.raw_tablet import a_tablet

    tablet, before = a_tablet(shared_office), cash_of(shared_office)
    KNOWN[name](tablet)
    answer = tablet.sync()
    assert answer.decisions[0] in {"quarantined", "held"}
    assert cash_of(shared_office) - before == 5_000
    tablet.sync(first_seq=1)
    tablet.enrolled_again().sync()
    assert cash_of(shared_office) - before == 5_000


@pytest.mark.parametrize("name", UNKNOWN_AMOUNT)
def test_an_amount_that_is_no_sum_posts_nothing_and_opens_a_case(shared_office, name):
    """[R6.4] No whole number from 1 to the limit: 0 posted, a case, flagged `amount_unknown`."""
    from tests.support.raw_tablet import a_tablet

    tablet = a_tablet(shared_office)
    before, cases = cash_of(shared_office), len(open_cases(shared_office))
    entry_id = paid(tablet, UNKNOWN_AMOUNT[name])
    verdict = tablet.sync().verdicts[0]
    assert (verdict["verdict"], verdict["flags"]) == ("quarantined", ["amount_unknown"])
    assert cash_of(shared_office) == before
    assert len(open_cases(shared_office)) == cases + 1
    tablet.enrolled_again().sync()
    assert len(open_cases(shared_office)) == cases + 1
    assert outcome_of(shared_office, entry_id)[0] == "quarantined"


@pytest.mark.parametrize("body", [None, [], "x", {}, {"allocations": []}, {"allocations": {"a": 1}}])
def test_a_payment_without_readable_allocations_opens_a_case(office, tablet, body):
    tablet.append("payment_collected", body)
    assert tablet.sync().verdicts[0]["flags"] == ["amount_unknown"]
    assert open_cases(office) == ["amount_unknown"]


def test_an_unknown_kind_brings_no_cash(office, tablet):
    tablet.append("cash_taken", a_payment("x", ["y"]))
    tablet.sync()
    assert cash_of(office) == 0


def test_held_cash_waits_in_suspense_and_settles_when_its_subject_arrives(office, tablet):
    """[R6.3] Money is posted against suspense until the payment is settled."""
    person = tablet.person()
    enrolment = tablet.ids.new_id()
    tablet.payment(enrolment)
    assert tablet.sync().decisions == ["applied", "held"]
    assert (cash_of(office), suspense_of(office)) == (300_000, 300_000)
    body = {"person": person, "area": COMMUNES[1], "scheme": "voluntary", "status": "new"}
    body |= {"from_month": "2020-06", "months": 3, "amount_due_vnd": 300_000}
    tablet.append("enrolment_recorded", body, enrolment)
    tablet.sync()
    assert (cash_of(office), suspense_of(office)) == (300_000, 0)
    assert balance(office, "contributions_due:voluntary") == -300_000


def test_a_transfer_is_a_claim_and_no_cash(office, tablet):
    enrolment = tablet.enrolment(tablet.person())
    tablet.payment(enrolment, method="transfer")
    tablet.sync()
    assert cash_of(office) == 0
    assert balance(office, f"transfer_claims:{office.agents['an']}") == 300_000


def test_a_voided_payment_takes_its_cash_back_and_pays_for_nothing(office, tablet):
    """[K2] Voiding a payment reverses its postings and makes its enrolments unpaid."""
    enrolment = tablet.enrolment(tablet.person())
    payment = tablet.payment(enrolment)
    tablet.append("entry_voided", {"target": payment, "reason": "nhầm"})
    assert tablet.sync().decisions == ["applied"] * 4
    assert cash_of(office) == balance(office, "contributions_due:voluntary") == 0
    assert rows(office, "SELECT paid_vnd FROM enrolment") == [(0,)]


def test_a_payment_of_another_scheme_stays_in_suspense(office, tablet):
    """[K1] A payment's enrolments are all of its scheme (`allocation_mismatch`)."""
    enrolment = tablet.enrolment(tablet.person(), scheme="health")
    tablet.payment(enrolment, scheme="voluntary")
    assert tablet.sync().verdicts[2]["code"] == "allocation_mismatch"
    assert (cash_of(office), suspense_of(office)) == (300_000, 300_000)
