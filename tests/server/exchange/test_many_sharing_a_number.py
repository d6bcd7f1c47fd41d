"""Very many persons under one number: what is noted of them grows with them, and not with their pairs."""

from __future__ import annotations

from tests.support.office_checks import problems_of, rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import small_office


def test_persons_who_share_a_number_are_compared_with_the_earliest_of_them(sqlite_url):
    """[K4] Each is applied and flagged `possible_duplicate`; found by shooting hostile bodies."""
    with small_office(sqlite_url) as office:
        tablet = a_tablet(office)
        household = tablet.household()
        people = [tablet.person(household, national_id="000190000001") for _ in range(120)]
        answer = tablet.sync()
        assert {verdict["verdict"] for verdict in answer.verdicts} == {"applied"}
        flagged = [verdict["id"] for verdict in answer.verdicts if "possible_duplicate" in verdict["flags"]]
        assert flagged == people[1:]
        pairs = rows(office, "SELECT person_id, other_id FROM duplicate_candidate")
        assert len(pairs) == sum(min(n, 20) for n in range(120))
        # Whoever was first stands beside each of the others.
        assert {person for person, other in pairs if other == people[0]} == set(people[1:])
        assert problems_of(office) == []
        office.runtime.transactions.engine.dispose()
