"""Cards given into hands: to whom they may be given, and which of several handovers stands."""

from __future__ import annotations

import json

import pytest

from schemas.signatures import from_base64url
from server.funds.accounts import CARDS_HANDED, CARDS_ISSUED
from server.funds.issuing import return_card
from sync.scope import area_scope
from tests.support.desk import a_supervisor, decide
from tests.support.fund_decisions import approved
from tests.support.fund_doors import NATIONAL_ID, a_handover, fund_doors
from tests.support.funds import FUND
from tests.support.office_checks import incidents, outcome_of, rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES

SCANNED = {"method": "id_scanned", "national_id": NATIONAL_ID}


@pytest.fixture
def doors(office):
    """The office with a fund; in the end its ledger is what its rows ask for."""
    doors = fund_doors(office)
    yield doors
    assert doors.problems() == []


def handed(tablet, allocation, person, **more):
    """Capture a handover and return its id."""
    return tablet.append("card_handed_over", a_handover(allocation, person, **more))


def voided(tablet, target):
    """Capture the void of an entry and return its id."""
    return tablet.append("entry_voided", {"target": target, "reason": "Nhầm"})


def cards(doors):
    """Return how many cards are issued and not handed over, and how many are in hands."""
    return doors.standing.cards[CARDS_ISSUED], doors.standing.cards[CARDS_HANDED]


def handed_ids(office):
    """Return the handovers that the ledger has in hands."""
    found = rows(
        office,
        "SELECT entry_id FROM ledger_line WHERE account = 'cards_handed' GROUP BY entry_id "
        "HAVING sum(debit_cards - credit_cards) = 1",
    )
    return [entry_id for (entry_id,) in found]


def flagged(office):
    """Return the entries that are flagged as handed over twice, by verdict or by outcome."""
    in_verdict = rows(office, "SELECT entry_id FROM entry WHERE flags LIKE '%handed_over_twice%'")
    later = rows(office, "SELECT entry_id FROM outcome WHERE flags LIKE '%handed_over_twice%'")
    return {entry_id for (entry_id,) in (*in_verdict, *later)}


def reported(office):
    """Return the entries that an incident says were handed over twice."""
    found = rows(office, "SELECT entry_id FROM incident WHERE kind = 'handed_over_twice'")
    return sorted(entry_id for (entry_id,) in found)


def test_a_card_is_in_its_beneficiarys_hand(office, tablet, doors):
    person, allocation = doors.issued_card(tablet)
    assert doors.records("allocation")[allocation]["stage"] == "issued"
    handover = handed(tablet, allocation, person, proof=SCANNED)
    assert tablet.sync().verdicts[0]["flags"] == []
    assert cards(doors) == (0, 1)
    record = doors.records("allocation")[allocation]
    assert (record["stage"], record["person"], record["fund"]) == ("handed_over", person, FUND)
    assert record["scope"] == area_scope(COMMUNES[1])
    [(proof, sealed)] = rows(office, "SELECT proof, sealed FROM handover")
    assert proof == "id_scanned"
    opened = office.runtime.sealer.open(from_base64url(sealed), "handover.sealed", handover)
    assert json.loads(opened) == {"national_id": NATIONAL_ID}


def test_a_handover_of_nothing_known_is_quarantined(tablet, doors):
    """[K9] What names an allocation that the office does not have is quarantined."""
    person = tablet.person()
    handed(tablet, "0" * 8 + "-0000-7000-8000-" + "0" * 12, person)
    verdict = tablet.sync().verdicts[1]
    assert (verdict["code"], verdict["field"]) == ("allocation_unknown", "allocation")


def test_a_card_that_is_not_issued_or_was_taken_back_is_not_handed_over(office, tablet, doors):
    """[K10] A card that is not issued, or was taken back, is quarantined (`card_not_issued`)."""
    person, nomination = doors.beneficiary(tablet)
    early = handed(tablet, approved(doors.funds, nomination), person)
    tablet.sync()
    assert outcome_of(office, early) == ("quarantined", "card_not_issued")
    other, allocation = doors.issued_card(tablet, "082150000002")
    doors.funds.act(return_card, allocation, "Không gặp được")
    late = handed(tablet, allocation, other)
    tablet.sync()
    assert outcome_of(office, late) == ("quarantined", "card_not_issued")
    assert cards(doors) == (0, 0)


def test_a_card_is_not_handed_to_somebody_else(office, tablet, doors):
    """[K10] A handover to somebody whom the allocation does not name is `not_the_beneficiary`."""
    person, allocation = doors.issued_card(tablet)
    stranger = tablet.person()
    handed(tablet, allocation, stranger)
    wrong = {"method": "id_scanned", "national_id": "082150000009"}
    handed(tablet, allocation, person, proof=wrong)
    found = [(each["code"], each["field"]) for each in tablet.sync().verdicts[1:]]
    assert found == [("not_the_beneficiary", "person"), ("not_the_beneficiary", "proof.national_id")]
    assert cards(doors) == (1, 0)


def test_merged_records_are_one_beneficiary(office, tablet, doors):
    """[K10] Merged records are one person, with each other's numbers."""
    person, allocation = doors.issued_card(tablet)
    twin = tablet.person(birth_date="1950-01-01")
    tablet.sync()
    merge = {"record_type": "person", "from": twin, "into": person}
    decide(office, a_supervisor(office), "records_merged", **merge)
    handed(tablet, allocation, twin, proof=SCANNED)
    assert tablet.sync().decisions == ["applied"]
    assert cards(doors) == (0, 1)


def test_whoever_has_no_number_on_record_may_show_any(tablet, doors):
    person, allocation = doors.issued_card(tablet, national_id=None)
    handed(tablet, allocation, person, proof=SCANNED)
    assert tablet.sync().decisions == ["applied"]


def test_a_handover_waits_for_its_person(office, tablet, doors):
    """[R7.1] What the server has not seen in effect is held."""
    _, allocation = doors.issued_card(tablet)
    stranger = tablet.ids.new_id()
    handover = handed(tablet, allocation, stranger)
    assert tablet.sync().decisions == ["held"]
    tablet.append("person_registered", {"full_name": "Lê Thị Bưởi", "area": COMMUNES[1]}, stranger)
    tablet.sync()
    assert outcome_of(office, handover) == ("quarantined", "not_the_beneficiary")


def two_handovers(office, tablet, doors):
    """Return an allocation with two tablets that handed it over, the earlier one first, not yet sent."""
    person, allocation = doors.issued_card(tablet)
    other = a_tablet(office, "binh")
    office.clock.advance(hours=1)
    early = handed(tablet, allocation, person)
    office.clock.advance(hours=1)
    late = handed(other, allocation, person)
    return allocation, other, early, late


@pytest.mark.parametrize("is_early_first", [True, False])
def test_the_earliest_handover_stands_in_either_order(office, tablet, doors, is_early_first):
    """[K11] The lowest (upper end, id) stands in any order; every other is flagged and an incident."""
    allocation, other, early, late = two_handovers(office, tablet, doors)
    first, second = (tablet, other) if is_early_first else (other, tablet)
    assert first.sync().decisions == second.sync().decisions == ["applied"]
    assert handed_ids(office) == [early]
    assert (reported(office), flagged(office)) == ([late], {late})
    assert incidents(office) == {"handed_over_twice": 1}
    assert doors.records("allocation")[allocation]["stage"] == "handed_over"


def test_two_handovers_of_one_push_are_told_apart(office, tablet, doors):
    person, allocation = doors.issued_card(tablet)
    ids = [handed(tablet, allocation, person) for _ in range(3)]
    answer = tablet.sync()
    assert [each["flags"] for each in answer.verdicts] == [[], *[["handed_over_twice"]] * 2]
    assert handed_ids(office) == ids[:1]
    assert reported(office) == ids[1:]


def test_a_void_lets_the_other_handover_stand_and_stand_again(office, tablet, doors):
    """[K2] Voiding reverses; [K11] of the handovers that are not voided the lowest stands."""
    allocation, other, early, late = two_handovers(office, tablet, doors)
    other.sync()
    tablet.sync()
    voided(tablet, early)
    tablet.sync()
    assert handed_ids(office) == [late]
    office.clock.advance(hours=-2)
    third_tablet = a_tablet(office)
    person = rows(office, "SELECT person_id FROM handover")[0][0]
    third = handed(third_tablet, allocation, person)
    office.clock.advance(hours=2)
    third_tablet.sync()
    assert handed_ids(office) == [third]
    voided(third_tablet, third)
    third_tablet.sync()
    assert handed_ids(office) == [late]
    steps = rows(office, "SELECT DISTINCT step FROM ledger_line WHERE entry_id = :id ORDER BY step", id=late)
    assert [step for (step,) in steps] == [
        "handover",
        "handover:2",
        "handover:3",
        "handover_lost",
        "handover_lost:2",
    ]
    voided(other, late)
    other.sync()
    assert cards(doors) == (1, 0)
    assert doors.records("allocation")[allocation]["stage"] == "issued"
    assert reported(office) == [late]


def test_a_handover_and_its_void_in_one_push_leave_nothing(office, tablet, doors):
    person, allocation = doors.issued_card(tablet)
    voided(tablet, handed(tablet, allocation, person))
    assert tablet.sync().decisions == ["applied", "applied"]
    assert (handed_ids(office), reported(office)) == ([], [])
    assert doors.records("allocation")[allocation]["stage"] == "issued"


@pytest.mark.parametrize("is_early_first", [True, False])
def test_two_tablets_hand_one_card_over_at_once(office, tablet, doors, overlapping, is_early_first):
    """[L1] An allocation's name is locked before its handovers are read."""
    _, other, early, late = two_handovers(office, tablet, doors)
    first, second = (tablet, other) if is_early_first else (other, tablet)
    assert overlapping(first, second) == (["applied"], ["applied"])
    assert handed_ids(office) == [early]
    assert (reported(office), flagged(office)) == ([late], {late})
