"""Donations, remittances and nominations from doors: judged, kept, voided, and their money."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from schemas.signatures import from_base64url
from server.exchange.fund_derivation import door_differences
from sync.scope import agent_scope
from tests.support.desk import a_supervisor, decide, refusal
from tests.support.fund_doors import a_consent, a_donation, a_nomination, a_remittance, fund_doors
from tests.support.funds import FUND
from tests.support.office_checks import balance, cash_of, open_cases, outcome_of, rows, suspense_of
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES

ANY = "any"


@pytest.fixture
def doors(office):
    """The office with a fund; in the end its ledger is what its rows ask for."""
    doors = fund_doors(office)
    yield doors
    assert doors.problems() == []


def donated(tablet, **more):
    """Capture a donation and return its id."""
    return tablet.append("donation_received", a_donation(**more))


def voided(tablet, target):
    """Capture the void of an entry and return its id."""
    return tablet.append("entry_voided", {"target": target, "reason": "Nhầm"})


def test_cash_given_at_a_door_is_the_funds_and_in_the_agents_hands(office, tablet, doors):
    """[R6.3] The money is posted when it arrives and settled when the entry is in effect."""
    donation = donated(tablet)
    answer = tablet.sync()
    assert answer.decisions == ["applied"]
    assert answer.verdicts[0]["flags"] == []
    assert (cash_of(office), suspense_of(office)) == (500_000, 0)
    assert doors.standing.free_vnd == {ANY: 10_500_000}
    assert doors.standing.in_hands_vnd == {ANY: 500_000}
    [row] = rows(office, "SELECT donor_class, sealed, area_key, amount_vnd, worker_id FROM donation")
    assert row[0] == "company"
    assert row[2:] == (COMMUNES[1], 500_000, office.agents["an"])
    opened = office.runtime.sealer.open(from_base64url(row[1]), "donation.sealed", donation)
    assert json.loads(opened)["name"] == "Công ty Thử"
    assert doors.records("donation")[donation] == {
        "fund": FUND,
        "amount_vnd": 500_000,
        "method": "cash",
        "day": "2020-05-12",
        "is_voided": False,
        "scope": agent_scope(office.agents["an"]),
    }


def test_a_transfer_is_claimed_until_a_statement_shows_it(tablet, doors):
    donated(tablet, method="transfer", restriction={"kind": "pool", "key": "elderly"})
    tablet.sync()
    assert doors.standing.claimed_vnd == {"pool:elderly": 500_000}
    assert doors.standing.free_vnd == {ANY: 10_000_000}


@pytest.mark.parametrize("kind", ["cash", "transfer"])
def test_a_voided_donation_leaves_nothing_behind(office, tablet, doors, kind):
    """[K2] Voiding a donation reverses its postings, with fund and bucket."""
    donation = donated(tablet, method=kind, restriction={"kind": "area", "key": COMMUNES[1]})
    if kind == "cash":
        tablet.sync()
    void = voided(tablet, donation)
    assert set(tablet.sync().decisions) == {"applied"}
    assert (cash_of(office), suspense_of(office)) == (0, 0)
    assert set(doors.standing.free_vnd.values()) <= {0, 10_000_000}
    assert not any(doors.standing.claimed_vnd.values())
    assert balance(office, f"transfer_claims:{office.agents['an']}") == 0
    assert rows(office, "SELECT voided_by FROM donation") == [(void,)]
    assert doors.records("donation")[donation]["is_voided"] is True
    voided(tablet, donation)
    assert tablet.sync().verdicts[0]["code"] == "already_voided"


def test_a_void_that_comes_first_waits_for_its_donation(office, tablet, doors):
    other = a_tablet(office)
    donation = tablet.ids.new_id()
    voided(other, donation)
    assert other.sync().decisions == ["held"]
    tablet.append("donation_received", a_donation(), donation)
    tablet.sync()
    assert outcome_of(office, donation) == ("voided", None)
    assert cash_of(office) == 0


def test_another_agents_donation_cannot_be_voided(office, tablet, doors):
    """[K2] Only entries of the same worker can be voided."""
    donation = donated(tablet)
    tablet.sync()
    binh = a_tablet(office, "binh")
    voided(binh, donation)
    assert binh.sync().verdicts[0]["code"] == "not_own_entry"
    assert cash_of(office) == 500_000


UNKNOWN = {
    "fund": (a_donation(fund=8), "fund_unknown", "fund"),
    "pool": (a_donation(restriction={"kind": "pool", "key": "nobody"}), "pool_unknown", "restriction.key"),
    "area": (
        a_donation(restriction={"kind": "area", "key": "00000@2004-01-01"}),
        "area_unknown",
        "restriction.key",
    ),
    "own area": (a_donation(area="00000@2004-01-01"), "area_unknown", "area"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_names_something_unknown_is_quarantined_and_its_cash_stays(office, tablet, doors, name):
    """[K9] What names a fund or a pool that the office does not have is quarantined.

    [R7.2] Unknown office data is quarantined, not held.
    """
    body, code, field = UNKNOWN[name]
    tablet.append("donation_received", body)
    verdict = tablet.sync().verdicts[0]
    assert (verdict["verdict"], verdict["code"], verdict["field"]) == ("quarantined", code, field)
    assert (cash_of(office), suspense_of(office)) == (500_000, 500_000)
    assert rows(office, "SELECT 1 FROM donation") == []
    tablet.enrolled_again().sync()
    assert cash_of(office) == 500_000


def test_an_unknown_amount_posts_nothing_until_the_desk_corrects_it(office, tablet, doors):
    """[R6.4] The amount is `amount_vnd` of a donation; no whole number from 1 posts 0.

    [D4] An amount that was unknown is posted by the correction and its case closed.
    """
    donation = donated(tablet, amount_vnd=0)
    verdict = tablet.sync().verdicts[0]
    assert (verdict["verdict"], verdict["flags"]) == ("quarantined", ["amount_unknown"])
    assert (cash_of(office), open_cases(office)) == (0, ["amount_unknown"])
    corrected = a_donation(amount_vnd=70_000)
    decide(office, a_supervisor(office), "entry_corrected", target=donation, body=corrected)
    assert outcome_of(office, donation) == ("applied", None)
    assert (cash_of(office), open_cases(office)) == (70_000, [])
    assert doors.standing.in_hands_vnd == {ANY: 70_000}


@pytest.mark.parametrize(
    ("changed", "field"), [({"amount_vnd": 400_000}, "amount_vnd"), ({"method": "transfer"}, "method")]
)
def test_a_correction_cannot_change_what_was_posted(office, tablet, doors, changed, field):
    """[D4] Another sum or method than the posted one is refused (`allocation_mismatch`)."""
    donation = donated(tablet, fund=8)
    tablet.sync()
    body = a_donation(**changed)
    refused = refusal(office, a_supervisor(office), "entry_corrected", target=donation, body=body)
    assert refused == ("allocation_mismatch", f"body.{field}")
    assert suspense_of(office) == 500_000


@pytest.mark.parametrize(("days", "flags"), [(8, []), (9, ["fund_not_open"])])
def test_what_is_given_after_the_funds_last_day_is_flagged(office, tablet, doors, days, flags):
    """[K9] A donation or nomination outside the fund's days is flagged `fund_not_open`, never refused."""
    office.clock.advance(days=days)
    donated(tablet)
    verdict = tablet.sync().verdicts[0]
    assert (verdict["verdict"], verdict["flags"]) == ("applied", flags)
    assert doors.standing.in_hands_vnd == {ANY: 500_000}


def test_a_remittance_takes_cash_out_of_hands_and_a_void_puts_it_back(office, tablet, doors):
    """[K13] A remittance is applied whatever the books say that the agent still has."""
    remitted = tablet.append("cash_remitted", a_remittance())
    assert tablet.sync().decisions == ["applied"]
    assert cash_of(office) == -300_000
    assert doors.standing.in_transit_vnd == 300_000
    voided(tablet, remitted)
    tablet.sync()
    assert cash_of(office) == doors.standing.in_transit_vnd == 0
    tablet.append("cash_remitted", a_remittance(fund=8))
    assert tablet.sync().verdicts[0]["code"] == "fund_unknown"
    assert cash_of(office) == 0


def test_a_nomination_waits_for_its_person_and_consent(office, tablet, doors):
    """[R7.1] What the server has not seen in effect is held."""
    other = a_tablet(office)
    person, consent = other.ids.new_id(), other.ids.new_id()
    nomination = tablet.append("beneficiary_nominated", a_nomination(person, consent, evidence_number="12"))
    assert tablet.sync().decisions == ["held"]
    other.append("person_registered", {"full_name": "Lê Thị Bưởi", "area": COMMUNES[1]}, person)
    other.sync()
    assert outcome_of(office, nomination)[0] == "held"
    other.append("consent_recorded", a_consent(person), consent)
    other.sync()
    assert outcome_of(office, nomination) == ("applied", None)
    [(area, consent_id, sealed)] = rows(office, "SELECT area_key, consent_id, sealed FROM nomination")
    assert (area, consent_id) == (COMMUNES[1], consent)
    opened = office.runtime.sealer.open(from_base64url(sealed), "nomination.sealed", nomination)
    assert json.loads(opened) == {"number": "12"}
    assert doors.records("nomination")[nomination] == {
        "person": person,
        "fund": FUND,
        "pool": "elderly",
        "state": "waiting",
        "code": None,
        "scope": agent_scope(office.agents["an"]),
    }
    voided(tablet, nomination)
    tablet.sync()
    assert doors.records("nomination")[nomination]["state"] == "voided"


@pytest.mark.parametrize(
    ("consent", "flags"),
    [
        ({}, []),
        ({"decision": "withdrawn"}, ["consent_missing"]),
        ({"purpose": "enrolment"}, ["consent_missing"]),
    ],
)
def test_a_nomination_without_the_persons_consent_is_flagged(tablet, doors, consent, flags):
    """[K12] Flagged `consent_missing` where the standing consent to a donated card is not given."""
    person = tablet.person()
    tablet.append("beneficiary_nominated", a_nomination(person, _consented(tablet, person, **consent)))
    verdict = tablet.sync().verdicts[-1]
    assert (verdict["verdict"], verdict["flags"]) == ("applied", flags)


def test_a_nomination_to_an_unknown_pool_or_fund_is_quarantined(tablet, doors):
    """[K9] What names a fund or a pool that the office does not have is quarantined."""
    person = tablet.person()
    consent = _consented(tablet, person)
    tablet.append("beneficiary_nominated", a_nomination(person, consent, pool="nobody"))
    tablet.append("beneficiary_nominated", a_nomination(person, consent, fund=8))
    codes = [(verdict["code"], verdict["field"]) for verdict in tablet.sync().verdicts[2:]]
    assert codes == [("pool_unknown", "pool"), ("fund_unknown", "fund")]


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ("UPDATE donation SET amount_vnd = 600000", "amount_vnd is 600000, should be 500000"),
        ("UPDATE donation SET bucket = 'pool:elderly'", "bucket is pool:elderly, should be any"),
        ("UPDATE donation SET sealed = NULL", "sealed is something else, should be what the entry says"),
        ("UPDATE donation SET voided_by = NULL", "voided_by is None, should be {void}"),
        ("DELETE FROM donation", "entry_id is None, should be a row"),
    ],
)
def test_a_row_that_is_not_what_its_entry_says_is_found(office, tablet, change, differing):
    fund_doors(office)
    donation = donated(tablet)
    void = voided(tablet, donation)
    tablet.sync()
    assert found_differences(office) == []
    kept = rows(office, "SELECT * FROM donation")
    with office.runtime.transactions.writing() as connection:
        connection.execute(text(change))
        assert [str(each) for each in door_differences(connection, office.runtime.sealer)] == [
            f"donation {donation}: {differing.format(void=void)}"
        ]
        connection.rollback()
    assert rows(office, "SELECT * FROM donation") == kept


def found_differences(office):
    """Return where rows are not what the entries' bytes say."""
    with office.runtime.transactions.reading() as connection:
        return door_differences(connection, office.runtime.sealer)


def test_an_entry_of_a_door_is_kept_once_however_often_it_comes(office, tablet, doors):
    person = tablet.person()
    donated(tablet)
    tablet.append("cash_remitted", a_remittance())
    tablet.append("beneficiary_nominated", a_nomination(person, _consented(tablet, person)))
    first = tablet.sync().verdicts
    assert tablet.sync(first_seq=1).verdicts == first
    assert set(tablet.enrolled_again().sync().decisions) == {"duplicate"}
    for table in ("donation", "remittance", "nomination"):
        assert rows(office, f"SELECT count(*) FROM {table}") == [(1,)]
    assert cash_of(office) == 200_000


def _consented(tablet, person, **more):
    return tablet.append("consent_recorded", a_consent(person, **more))
