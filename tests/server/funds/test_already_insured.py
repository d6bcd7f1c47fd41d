"""Who is insured gets no donated card: by the participant register, and by enrolments that were paid for."""

from __future__ import annotations

from datetime import date

import pytest

from server.funds.nominations import nominations_of
from tests.server.imports.builders import a_participant, imported
from tests.support.desk import a_supervisor
from tests.support.funds import FUND, FundOffice, a_fund, pools_and_fund
from tests.support.small_office import COMMUNES, DRIVE, small_office


@pytest.fixture
def office(any_database):
    """A small office with tablets, on each kind of database."""
    with small_office(any_database) as office:
        yield office
    office.runtime.transactions.engine.dispose()


@pytest.fixture
def fund(office):
    """The fund of that office; its people are over 60 and poor."""
    fund = FundOffice(office.runtime)
    fund.change(lambda change: pools_and_fund(change, a_fund()))
    return fund


def verdicts(fund):
    """Return (code, until) of each nomination in the order of capture."""
    views = fund.read(nominations_of, FUND, fund.day)
    return [(view.verdict.code and view.verdict.code.value, view.verdict.until) for view in views]


def numbered(fund, kind, value):
    """Let there be a person with a number; return the record's id."""
    return fund.person(**{f"{kind}_index": fund.desk.sealer.blind_index(kind, value)})


def test_whom_the_newest_line_of_the_register_shows_insured_is_excluded_until_it_ends(office, fund):
    author = a_supervisor(office)
    good = {"scheme": "health", "valid_to": date(2020, 6, 30)}
    lines = [
        a_participant(1, **good),
        a_participant(2, **good),
        a_participant(3, **good),
        a_participant(4, scheme="voluntary", valid_to=date(2020, 6, 30)),
    ]
    imported(office.runtime, author, "participants", *lines)
    lapsed = {"scheme": "health", "as_of": date(2020, 5, 1), "valid_to": date(2020, 4, 30)}
    imported(office.runtime, author, "participants", a_participant(3, **lapsed))
    people = [
        numbered(fund, "insurance_number", "7900000001"),
        numbered(fund, "national_id", "082100000002"),
        numbered(fund, "insurance_number", "7900000003"),
        numbered(fund, "insurance_number", "7900000004"),
        numbered(fund, "insurance_number", "7900000005"),
    ]
    for person in people:
        fund.nominate(person)
    insured = ("already_insured", date(2020, 6, 30))
    assert verdicts(fund) == [insured, insured, (None, None), (None, None), (None, None)]
    # On the last day of a card the next one may be given.
    office.clock.advance(days=49)
    assert fund.day == date(2020, 6, 30)
    assert verdicts(fund) == [(None, None)] * 5


def test_who_paid_for_health_insurance_at_a_door_is_excluded_and_who_did_not_pay_is_not(office, fund):
    tablet = office.tablet("an")
    with tablet.recording() as actions:
        people, enrolments = [], []
        for number, scheme in enumerate(("health", "health", "voluntary")):
            person = actions.register_person(
                full_name="Lê Thị Bưởi",
                area=COMMUNES[0],
                birth_date="1950-01-01",
                insurance_number=f"791234567{number}",
            )
            people.append(person)
            enrolments.append(
                actions.record_enrolment(
                    person=person,
                    scheme=scheme,
                    status="new",
                    from_month="2020-05",
                    months=3,
                    amount_due_vnd=201_150,
                    campaign=DRIVE,
                )
            )
        for enrolment in (enrolments[0], enrolments[2]):
            actions.collect_payment([(enrolment, 201_150)])
        for person in people:
            actions.record_consent(
                person=person, purpose="card_donation", decision="given", evidence="spoken"
            )
    assert tablet.sync().is_clean
    for person in people:
        fund.nominate(person)
    assert verdicts(fund) == [("already_insured", date(2020, 7, 31)), (None, None), (None, None)]
