"""Merging duplicates is an edge between records: credits follow it, and taking it away restores them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.exchange.derivation import quota_differences
from server.exchange.desk import DeskRefusedError
from server.quotas.actions import define_indicator
from server.quotas.rules import Indicator
from tests.support.desk import a_supervisor, decide, refusal
from tests.support.office_checks import rows
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import COMMUNES, SmallOffice, small_office


@pytest.fixture
def supervisor(office):
    return a_supervisor(office)


def merge(office, author, kind, source, target) -> str:
    """Merge one record into another; return the entry that did it."""
    verdict = decide(
        office, author, "records_merged", **{"record_type": kind, "from": source, "into": target}
    )
    assert verdict.entry_id is not None
    return verdict.entry_id


def states(office, indicator="voluntary_enrolled"):
    """Return the state of each fact's credit."""
    found = rows(office, "SELECT fact_id, state FROM credit WHERE indicator = :code", code=indicator)
    return dict(found)


def test_facts_of_merged_persons_contest_one_credit_and_part_again(office, supervisor):
    """[C1] [C2] Credits follow the edge for both contests; un-merging restores what was before."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    first, second = an.person(), binh.person()
    early = an.enrolment(first)
    an.sync()
    office.clock.advance(hours=1)
    late = binh.enrolment(second)
    binh.sync()
    before = rows(office, "SELECT * FROM credit ORDER BY fact_id, indicator")
    merged = merge(office, supervisor, "person", second, first)
    assert states(office) == {early: "counted", late: "duplicate"}
    assert rows(office, "SELECT person_id FROM enrolment WHERE entry_id = :id", id=late) == [(second,)]
    decide(office, supervisor, "records_unmerged", merge=merged)
    assert rows(office, "SELECT * FROM credit ORDER BY fact_id, indicator") == before


def test_a_merged_person_has_the_numbers_of_all(office, supervisor):
    """[C1] One identity: what shares a number with any of them contests with all of them."""
    tablet = a_tablet(office)
    bare, numbered = tablet.person(), tablet.person(national_id="000190000001")
    third = tablet.person(national_id="000190000001")
    facts = [tablet.enrolment(each) for each in (bare, numbered, third)]
    tablet.sync()
    merge(office, supervisor, "person", numbered, bare)
    assert sorted(states(office).values()) == ["counted", "duplicate", "duplicate"]
    assert set(states(office)) == set(facts)


def test_entries_that_come_later_for_the_merged_record_keep_working(office, supervisor):
    """[C3] Facts keep the id that they addressed."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    first, second = an.person(), binh.person()
    early = an.enrolment(first)
    an.sync()
    binh.sync()
    merge(office, supervisor, "person", second, first)
    office.clock.advance(hours=1)
    late = binh.enrolment(second)
    edit = binh.append("person_amended", {"person": second, "base": second, "set": {"sex": "female"}})
    assert binh.sync().decisions == ["applied", "applied"]
    assert states(office) == {early: "counted", late: "duplicate"}
    assert rows(office, "SELECT sex, last_entry FROM person WHERE id = :id", id=second) == [("female", edit)]


def test_a_number_given_to_a_merged_person_moves_the_facts_of_all(office, supervisor):
    an, binh = a_tablet(office), a_tablet(office, "binh")
    first, second = an.person(), an.person()
    own = an.enrolment(first)
    an.sync()
    office.clock.advance(hours=1)
    other = binh.enrolment(binh.person(national_id="000190000001"))
    binh.sync()
    merge(office, supervisor, "person", second, first)
    number = {"national_id": "000190000001"}
    binh.append("person_amended", {"person": second, "base": second, "set": number})
    binh.sync()
    assert states(office) == {own: "counted", other: "duplicate"}


def test_visits_to_merged_households_contest_too(office, supervisor):
    """[C1] Households as persons."""
    indicator = Indicator("visited", "visit", is_unique=True)
    zone = office.runtime.config.time_zone
    office.change(lambda change: define_indicator(change, zone, indicator, "Đến nhà", "Visited"))
    tablet = a_tablet(office)
    first, second, third = (tablet.household() for _ in range(3))
    for household in (first, second, third):
        tablet.visit(household)
    tablet.sync()
    inner = merge(office, supervisor, "household", third, second)
    merge(office, supervisor, "household", second, first)
    assert sorted(states(office, "visited").values()) == ["counted", "duplicate", "duplicate"]
    tablet.visit(third)
    tablet.sync()
    assert sorted(states(office, "visited").values()) == ["counted", *["duplicate"] * 3]
    decide(office, supervisor, "records_unmerged", merge=inner)
    assert sorted(states(office, "visited").values()) == ["counted", "counted", "duplicate", "duplicate"]


def test_tablets_learn_of_a_merge_and_of_its_end(office, supervisor):
    """[C4] The record travels with `merged_into`."""
    tablet = a_tablet(office)
    first, second = tablet.household(), tablet.household()
    tablet.sync()

    def shown():
        answer = tablet.sync(pull=True).json["rows"]
        return {row["id"]: row["record"]["merged_into"] for row in answer if row["type"] == "household"}

    merged = merge(office, supervisor, "household", second, first)
    assert shown() == {first: None, second: first}
    decide(office, supervisor, "records_unmerged", merge=merged)
    assert shown() == {first: None, second: None}


def test_what_cannot_be_merged_is_refused_with_its_code(office, supervisor):
    """[C5] Cycles, what is merged already, other communes, other types, what is undone."""
    tablet = a_tablet(office)
    one, two, three = (tablet.person() for _ in range(3))
    far, near = tablet.household(COMMUNES[0]), tablet.household()
    tablet.sync()

    def refused(kind, source, target):
        body = {"record_type": kind, "from": source, "into": target}
        return refusal(office, supervisor, "records_merged", **body)

    merged = merge(office, supervisor, "person", two, one)
    assert refused("person", one, one) == ("merge_cycle", "into")
    assert refused("person", one, two) == ("merge_cycle", "into")
    assert refused("person", two, three) == ("already_merged", "from")
    assert refused("household", far, near) == ("merge_across_areas", "into")
    assert refused("person", near, one) == ("reference_wrong_kind", "from")
    assert refused("person", one, tablet.ids.new_id()) == ("reference_not_seen", "into")
    decide(office, supervisor, "records_unmerged", merge=merged)
    assert refusal(office, supervisor, "records_unmerged", merge=merged) == ("not_merged", "merge")
    merge(office, supervisor, "person", one, two)


PEOPLE = 4
# Two of them share a number.
NUMBERS = (None, "000190000001", "000190000001", None)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enrol"), st.integers(0, PEOPLE - 1), st.integers(0, 1)),
        st.tuples(st.just("merge"), st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("unmerge"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("number"), st.integers(0, PEOPLE - 1), st.integers(2, 3)),
        st.tuples(st.just("sync"), st.integers(0, 1), st.just(0)),
    ),
    min_size=1,
    max_size=10,
)


@contextmanager
def a_fresh_office() -> Iterator[SmallOffice]:
    with (
        tempfile.TemporaryDirectory() as folder,
        small_office(f"sqlite:///{folder}/o.sqlite3") as found,
    ):
        yield found
        found.runtime.transactions.engine.dispose()


class History:
    """Two tablets and a supervisor; entries are captured now and arrive when their tablet syncs."""

    def __init__(self, office: SmallOffice) -> None:
        self.office = office
        self.author = a_supervisor(office)
        self.tablets = (a_tablet(office), a_tablet(office, "binh"))
        first = self.tablets[0]
        self.people = [first.person(national_id=number) for number in NUMBERS]
        self.last = dict(zip(self.people, self.people, strict=True))
        first.sync()
        self.merges: list[str] = []

    def take(self, step: tuple[str, int, int]) -> None:
        """Do one step; what the rules refuse is left out."""
        what, number, other = step
        self.office.clock.advance(seconds=60)
        match what:
            case "enrol":
                self.tablets[other].enrolment(self.people[number])
            case "number":
                self._amend(self.tablets[0], self.people[number], f"00019000000{other}")
            case "sync":
                self.tablets[number].sync()
            case "merge":
                body = {"record_type": "person", "from": self.people[number], "into": self.people[other]}
                try:
                    verdict = decide(self.office, self.author, "records_merged", **body)
                except DeskRefusedError:
                    return
                self.merges.append(str(verdict.entry_id))
            case "unmerge" if number < len(self.merges):
                decide(self.office, self.author, "records_unmerged", merge=self.merges.pop(number))

    def _amend(self, tablet: RawTablet, person: str, national_id: str) -> None:
        body = {"person": person, "base": self.last[person], "set": {"national_id": national_id}}
        self.last[person] = tablet.append("person_amended", body)

    def deliver(self) -> None:
        for tablet in self.tablets:
            tablet.sync()

    def differences(self) -> list[str]:
        with self.office.runtime.transactions.reading() as connection:
            return [str(each) for each in quota_differences(connection, self.office.runtime)]

    def credits(self):
        return rows(self.office, "SELECT * FROM credit ORDER BY fact_id, indicator")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_credits_are_those_of_a_recount_whatever_is_merged_and_arrives_when(steps):
    """[C2] After any merges and un-merges, in any order of arrival, credits equal their recomputation."""
    with a_fresh_office() as office:
        history = History(office)
        for step in steps:
            history.take(step)
        history.deliver()
        assert history.differences() == []
        while history.merges:
            decide(office, history.author, "records_unmerged", merge=history.merges.pop())
        assert history.differences() == []
        assert rows(office, "SELECT count(*) FROM person WHERE cluster_id IS NOT NULL") == [(0,)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1))
def test_undoing_a_merge_restores_exactly_what_was_before(steps, source, target):
    """[C2] The credits before a merge and after it is undone are the same, field by field."""
    with a_fresh_office() as office:
        history = History(office)
        for step in steps:
            history.take(step)
        history.deliver()
        before, merges = history.credits(), len(history.merges)
        history.take(("merge", source, target))
        if len(history.merges) > merges:
            history.take(("unmerge", merges, 0))
        assert history.credits() == before


def test_a_tablet_shows_merged_households_as_one_and_may_address_either(office, supervisor):
    """[C4] A device shows the two as one, and may address either."""
    client = office.tablet("an")
    first, second = (
        client.actions.register_household(area=COMMUNES[1], head_name=name, address="1") for name in "AB"
    )
    visits = [client.actions.record_visit(household=each, disposition="agreed") for each in (first, second)]
    client.sync()
    merged = merge(office, supervisor, "household", second, first)
    client.sync()
    assert [view.record_id for view in client.projection.views("household")] == [first]
    assert [view.record_id for view in client.projection.visits_of(first)] == visits
    assert client.projection.view("household", second).fields["head_name"] == "B"
    more = client.actions.record_visit(household=second, disposition="refused")
    assert client.sync().is_clean
    assert [view.record_id for view in client.projection.visits_of(first)] == [*visits, more]
    decide(office, supervisor, "records_unmerged", merge=merged)
    client.sync()
    assert [view.record_id for view in client.projection.views("household")] == [first, second]
    assert [view.record_id for view in client.projection.visits_of(first)] == visits[:1]
