"""Edits carry the entry that they are based on; conflicts are kept field by field (design §5)."""

from __future__ import annotations

import pytest

from tests.support.desk import a_supervisor, decide, refusal
from tests.support.office_checks import count, rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES


def amend(tablet, record, base, kind="household", **values):
    """Append an amendment and return its id."""
    return tablet.append(f"{kind}_amended", {kind: record, "base": base, "set": values})


def test_an_edit_in_sight_of_the_one_before_conflicts_with_nothing(office, tablet):
    """[M3] Amend, amend: no conflict with oneself."""
    household = tablet.household()
    first = amend(tablet, household, household, head_name="Một")
    second = amend(tablet, household, first, head_name="Hai")
    amend(tablet, household, second, head_name="Ba")
    assert tablet.sync().decisions == ["applied"] * 4
    assert rows(office, "SELECT head_name, version FROM household") == [("Ba", 4)]
    assert count(office, "edit_conflict") == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_edits_of_one_field_keep_both_values_and_the_conflict(office, order):
    """[M4] Losers, authors and entries are kept; which value stands does not depend on who arrives first."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = an.household()
    an.sync()
    first = amend(an, household, household, head_name="Của An", members=4)
    office.clock.advance(hours=1)
    second = amend(binh, household, household, head_name="Của Bình", address="Số 9")
    answers = [(an, binh)[index].sync() for index in order]
    assert answers[0].decisions == ["applied"]
    assert (answers[1].decisions, answers[1].verdicts[0]["flags"]) == (["merged"], ["conflict"])
    assert rows(office, "SELECT head_name, members, address FROM household") == [("Của Bình", 4, "Số 9")]
    found = rows(office, "SELECT field, winner_entry_id, loser_entry_id, state FROM edit_conflict")
    assert found == [("head_name", second, first, "open")]
    assert count(office, "entry") == 3


def test_edits_of_different_fields_or_to_the_same_value_do_not_conflict(office):
    """[M3] Field by field, and not where they set the same value."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = an.household()
    an.sync()
    amend(an, household, household, head_name="Giống nhau", members=4)
    amend(binh, household, household, head_name="Giống nhau", address="Số 9")
    an.sync()
    assert binh.sync().decisions == ["applied"]
    assert count(office, "edit_conflict") == 0


def test_an_edit_whose_base_has_not_arrived_is_held(office):
    """[M2] A base the server lacks: held."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = an.household()
    an.sync()
    base = amend(an, household, household, head_name="Một")
    later = amend(binh, household, base, head_name="Hai")
    assert binh.sync().decisions == ["held"]
    an.sync()
    assert rows(office, "SELECT state FROM outcome WHERE entry_id = :id", id=later) == [("applied",)]
    assert rows(office, "SELECT head_name FROM household") == [("Hai",)]
    assert count(office, "edit_conflict") == 0


def test_a_number_that_makes_two_persons_one_moves_their_facts_into_one_contest(office):
    an, binh = a_tablet(office), a_tablet(office, "binh")
    first = an.person(national_id="000190000001")
    an.enrolment(first)
    an.sync()
    office.clock.advance(hours=1)
    second = binh.person()
    binh.enrolment(second)
    binh.sync()
    amend(binh, second, second, "person", national_id="000190000001")
    assert binh.sync().decisions == ["applied"]
    states = rows(office, "SELECT state FROM credit WHERE indicator = 'voluntary_enrolled'")
    assert sorted(states) == [("counted",), ("duplicate",)]
    assert count(office, "duplicate_candidate") == 1


def test_a_shared_number_is_noted_once_however_often_the_person_is_amended(office, tablet):
    tablet.person(national_id="000190000001")
    twin = tablet.person(national_id="000190000001")
    last = amend(tablet, twin, twin, "person", phone="0912345678")
    last = amend(tablet, twin, last, "person", national_id="000190000001")
    tablet.sync()
    amend(tablet, twin, last, "person", national_id="000190000001", sex="male")
    assert tablet.sync().decisions == ["applied"]
    assert count(office, "duplicate_candidate") == 1


def test_a_person_who_moves_house_takes_the_new_area(office, tablet):
    far = tablet.household(COMMUNES[0])
    person = tablet.person(tablet.household())
    amend(tablet, person, person, "person", household=far)
    tablet.sync()
    assert rows(office, "SELECT area_key FROM person") == [(COMMUNES[0],)]


def test_clearing_a_field_and_setting_it_conflict(office):
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = an.household(members=4)
    an.sync()
    amend(an, household, household, members=None)
    office.clock.advance(hours=1)
    amend(binh, household, household, members=5)
    an.sync()
    assert binh.sync().decisions == ["merged"]
    assert rows(office, "SELECT members FROM household") == [(5,)]


def a_dispute(office):
    """Return two tablets, a household of which they said different things, and the two entries."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = an.household()
    an.sync()
    first = amend(an, household, household, head_name="Của An", members=4)
    office.clock.advance(hours=1)
    second = amend(binh, household, household, head_name="Của Bình", members=5)
    an.sync()
    binh.sync()
    return an, binh, household, first, second


def test_a_decision_closes_the_conflicts_on_the_fields_that_it_sets(office):
    """[M6] A desk amendment stands, and closes what it saw; losers are kept."""
    an, _binh, household, first, second = a_dispute(office)
    author = a_supervisor(office)
    values = {"head_name": "Của An"}
    decide(office, author, "household_amended", household=household, base=second, set=values)
    assert rows(office, "SELECT head_name, members FROM household") == [("Của An", 5)]
    found = rows(office, "SELECT field, winner_entry_id, loser_entry_id, state FROM edit_conflict ORDER BY 1")
    assert found == [("head_name", second, first, "resolved"), ("members", second, first, "open")]
    shown = [row["record"] for row in an.sync(pull=True).json["rows"] if row["type"] == "household"]
    assert shown[-1]["head_name"] == "Của An"
    assert shown[-1]["last_entry"] not in {first, second}, "the base of the next edit is the decision"


def test_a_decision_stands_over_an_edit_of_the_same_moment(office):
    """[D1] A decision is later than everything it saw, also within one millisecond."""
    an, _binh, household, first, _second = a_dispute(office)
    last = amend(an, household, first, head_name="Cùng lúc")
    an.sync()
    author = a_supervisor(office)
    for name in ("Một", "Hai"):
        [(last,)] = rows(office, "SELECT last_entry FROM household")
        decide(office, author, "household_amended", household=household, base=last, set={"head_name": name})
        assert rows(office, "SELECT head_name FROM household") == [(name,)]


def test_an_edit_that_the_office_did_not_see_opens_a_conflict_with_its_decision(office):
    """[M6] Only what the decision saw is closed."""
    an, binh, household, first, second = a_dispute(office)
    author = a_supervisor(office)
    unseen = amend(an, household, first, head_name="Chưa thấy")
    an.sync()
    # Of two edits of one moment, neither of which saw the other, the ids decide.
    office.clock.advance(seconds=60)
    decide(
        office,
        author,
        "household_amended",
        household=household,
        base=second,
        set={"head_name": "Của An", "members": 4},
    )
    open_ones = rows(office, "SELECT field, loser_entry_id FROM edit_conflict WHERE state = 'open'")
    assert ("head_name", unseen) in open_ones
    assert not any(field == "members" for field, _ in open_ones)
    office.clock.advance(hours=1)
    amend(binh, household, second, members=6)
    assert binh.sync().verdicts[0]["flags"] == ["conflict"]


def test_a_decision_on_no_entry_of_the_record_is_refused(office):
    _an, _binh, household, _first, _second = a_dispute(office)
    other = a_tablet(office).household()
    author = a_supervisor(office)
    body = {"household": household, "base": other, "set": {"members": 4}}
    assert refusal(office, author, "household_amended", **body) == ("reference_not_seen", "base")
