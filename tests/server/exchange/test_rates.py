"""Amounts due held against the rate tables, first members, consents: flagged, and never refused."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.rate_tables import published_rows
from schemas.rates import Quote
from server.office.actions import OfficeRuleError, load_rates
from server.outreach.queries import dues_against_tables, dues_by_id
from tests.support.office_checks import cash_of, rows
from tests.support.small_office import COMMUNES

# In 2020: 22 % of 1,000,000 less 10 % of 22 % of 700,000, three months; 4.5 % of 1,490,000, three months.
VOLUNTARY = {"scheme": "voluntary", "income_vnd": 1_000_000, "category": "other", "months": 3}
VOLUNTARY_DUE = 3 * (220_000 - 15_400)
HEALTH = {"scheme": "health", "member": 1, "months": 3}
HEALTH_DUE = 3 * 67_050


@pytest.fixture
def rated(office):
    """An office with the published tables."""
    office.change(lambda change: load_rates(change, published_rows()))
    return office


def flags_of(answer):
    return {verdict["id"]: verdict["flags"] for verdict in answer.verdicts}


def dues(office, entry_id):
    with office.runtime.transactions.reading() as connection:
        return dues_by_id(connection, [entry_id])[entry_id]


def test_a_wrong_amount_is_flagged_beside_the_expected_one_and_its_money_taken(rated, tablet):
    """[K7] A wrong amount, or an income that cannot be chosen, is flagged and never refused."""
    person = tablet.person(tablet.household())
    right = tablet.enrolment(person, **VOLUNTARY, amount_due_vnd=VOLUNTARY_DUE)
    wrong = tablet.enrolment(person, **VOLUNTARY, amount_due_vnd=600_000)
    paid = tablet.payment(wrong, amount_vnd=600_000)
    answer = tablet.sync()
    assert answer.decisions == ["applied"] * 5
    flags = flags_of(answer)
    assert (flags[right], flags[wrong], flags[paid]) == ([], ["amount_differs"], [])
    assert dues(rated, wrong) == (600_000, VOLUNTARY_DUE)
    assert cash_of(rated) == 600_000
    with rated.runtime.transactions.reading() as connection:
        assert dues_against_tables(connection) == {"agree": 1, "differ": 1, "unchecked": 0}


@pytest.mark.parametrize(
    ("terms", "flag"),
    [
        ({"income_vnd": 650_000}, "income_not_allowed"),
        ({"income_vnd": 1_010_000}, "income_not_allowed"),
        ({"income_vnd": 90_000_000}, "income_not_allowed"),
        ({"months": 24}, "amount_unchecked"),
        ({**HEALTH, "support": "near_poor"}, "amount_unchecked"),
        ({**HEALTH, "member": 2}, "amount_differs"),
    ],
)
def test_what_the_tables_do_not_allow_or_know_is_applied_and_flagged(rated, tablet, terms, flag):
    person = tablet.person(tablet.household())
    enrolment = tablet.enrolment(person, **{**VOLUNTARY, **terms}, amount_due_vnd=300_000)
    answer = tablet.sync()
    assert answer.decisions[-1] == "applied"
    assert flags_of(answer)[enrolment] == [flag]


def test_what_was_not_declared_is_not_checked_and_not_flagged(rated, tablet):
    enrolment = tablet.enrolment(tablet.person(tablet.household()))
    assert flags_of(tablet.sync())[enrolment] == []
    assert dues(rated, enrolment) == (300_000, None)


def test_an_office_without_tables_says_that_it_could_not_check(office, tablet):
    enrolment = tablet.enrolment(tablet.person(tablet.household()), **VOLUNTARY)
    assert flags_of(tablet.sync())[enrolment] == ["amount_unchecked"]


def test_a_second_first_member_of_a_household_in_a_year_is_flagged(rated, tablet):
    household = tablet.household()
    first, second = tablet.person(household), tablet.person(household)
    alone = tablet.person()
    members = {"health": HEALTH | {"amount_due_vnd": HEALTH_DUE}}
    one = tablet.enrolment(first, **members["health"])
    two = tablet.enrolment(second, **members["health"])
    elsewhere = [tablet.enrolment(alone, **members["health"]) for _ in range(2)]
    flags = flags_of(tablet.sync())
    assert (flags[one], flags[two]) == ([], ["first_member_twice"])
    # A person without a household is nobody's member.
    assert [flags[each] for each in elsewhere] == [[], []]
    third = tablet.enrolment(tablet.person(household), **members["health"])
    assert flags_of(tablet.sync())[third] == ["first_member_twice"]


def test_a_first_member_whose_enrolment_is_void_leaves_the_place_free(rated, tablet):
    household = tablet.household()
    mistaken = tablet.enrolment(tablet.person(household), **HEALTH, amount_due_vnd=HEALTH_DUE)
    tablet.sync()
    tablet.append("entry_voided", {"target": mistaken, "reason": "nhầm người"})
    tablet.sync()
    right = tablet.enrolment(tablet.person(household), **HEALTH, amount_due_vnd=HEALTH_DUE)
    assert flags_of(tablet.sync())[right] == []


def test_an_enrolment_that_others_pay_wholly_counts_as_paid(office, tablet):
    person = tablet.person(tablet.household())
    officer = {"kind": "officer", "id": office.officers[0]}
    enrolment = tablet.enrolment(person, **HEALTH, amount_due_vnd=0, promoter=officer)
    assert tablet.sync().decisions == ["applied"] * 3
    states = rows(office, f"SELECT indicator, state FROM credit WHERE fact_id = '{enrolment}'")
    assert ("persuaded", "counted") in states


def test_a_body_of_version_1_is_not_checked(rated, tablet):
    """[V3] A body of an earlier release is told by its own shape and lifted to today's."""
    body = {"from_day": "2020-06-01", "income_vnd": 1_000_000, "months": 3}
    person = tablet.person(tablet.household())
    enrolment = tablet.append(
        "enrolment_recorded",
        {"person": person, "area": COMMUNES[1], "scheme": "voluntary", "status": "new", "amount_due_vnd": 1}
        | body,
    )
    assert flags_of(tablet.sync())[enrolment] == []


def test_tables_reach_every_tablet_and_it_quotes_without_network(rated):
    client = rated.tablet("an")
    client.sync()
    assert len(client.replica.records("rate")) == len(published_rows())
    assert client.quote(VOLUNTARY) == Quote(660_000, 46_200, 0, VOLUNTARY_DUE)


def test_a_table_that_is_loaded_again_takes_the_place_of_its_row(rated, tablet):
    wages = next(row for row in published_rows() if row["valid_from"] == "2019-07-01")
    dearer = {**wages, "values": {"amount_vnd": 1_600_000}}
    rated.change(lambda change: load_rates(change, [dearer]))
    enrolment = tablet.enrolment(tablet.person(tablet.household()), **HEALTH, amount_due_vnd=216_000)
    assert flags_of(tablet.sync())[enrolment] == []
    broken = {**wages, "values": {}}
    with pytest.raises(OfficeRuleError, match="amount_vnd"):
        rated.change(lambda change: load_rates(change, [broken]))


def consent(tablet, person, decision, **more):
    body = {"person": person, "purpose": "renewal_reminders", "decision": decision, "evidence": "spoken"}
    return tablet.append("consent_recorded", body | more)


def test_the_latest_consent_of_a_purpose_stands_and_travels_with_the_person(office, tablet):
    person = tablet.person(tablet.household(), birth_date=date(1970, 1, 1).isoformat())
    consent(tablet, person, "given")
    office.clock.advance(seconds=300)
    consent(tablet, person, "given", purpose="card_donation")
    consent(tablet, person, "withdrawn")
    assert tablet.sync().decisions == ["applied"] * 5
    client = office.tablet("an")
    client.sync()
    record = client.replica.record("person", person)
    assert record["consents"] == {"card_donation": "given", "renewal_reminders": "withdrawn"}


def test_a_consent_that_was_withdrawn_later_stands_whichever_arrives_first(office, tablet):
    """[K8] Of the consents to one purpose the latest stands, in any order of arrival, with the person."""
    from tests.support.raw_tablet import a_tablet

    person = tablet.person(tablet.household())
    tablet.sync()
    other = a_tablet(office, "binh")
    other.sync()
    consent(tablet, person, "given")
    office.clock.advance(seconds=3600)
    consent(other, person, "withdrawn")
    other.sync()
    tablet.sync()
    client = office.tablet("an")
    client.sync()
    assert client.replica.record("person", person)["consents"] == {"renewal_reminders": "withdrawn"}


def test_a_consent_of_somebody_not_seen_yet_waits(office, tablet):
    from tests.support.raw_tablet import a_tablet

    person = tablet.person(tablet.household())
    other = a_tablet(office, "binh")
    consent(other, person, "given")
    assert other.sync().decisions == ["held"]
    tablet.sync()
    assert rows(office, "SELECT state FROM outcome WHERE kind = 'consent_recorded'") == [("applied",)]
