"""What stands of several values of one field never depends on the order of their arrival."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.kinds import HouseholdChanges, PersonChanges
from server.people.rules import HOUSEHOLD_POLICIES, PERSON_POLICIES
from sync.merge import LATEST, OFFICE, LoggedEdit, Policy, Standing, standing_fields, takes_over

STEPS = ("declared", "activated", "in_use")
GREATEST = Policy(Standing.GREATEST)
FURTHEST = Policy(Standing.FURTHEST, STEPS)
NUMBERS = st.one_of(st.none(), st.integers(1, 5))
WORDS = st.one_of(st.none(), st.sampled_from(STEPS))
VALUES = {LATEST: NUMBERS, OFFICE: NUMBERS, GREATEST: NUMBERS, FURTHEST: WORDS}


@st.composite
def arrivals(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> tuple[list[tuple[Any, ...]], list[int]]:
    """Edits as (rank, depth, value, is the office's), and an order of their arrival."""
    edits = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(1, 2), values, st.booleans()), min_size=1, max_size=6
        )
    )
    return edits, draw(st.permutations(range(len(edits))))


def settled(policy: Policy, edits: list[tuple[Any, ...]], order: list[int]) -> Any:
    """Return the value that stands after the edits arrived in this order."""
    log: list[LoggedEdit] = [LoggedEdit("registration", {})]
    current = None
    for number in order:
        rank_ms, depth, value, is_decision = edits[number]
        if policy is OFFICE and not is_decision:
            # A device cannot set such a field: its schema knows none.
            continue
        edit = LoggedEdit(f"entry-{number}", {"field": str(value)}, rank_ms, depth)
        is_latest = "field" in standing_fields(log, edit)
        if takes_over(policy, current, value, is_latest=is_latest, is_decision=is_decision):
            current = value
        log.append(edit)
    return current


@pytest.mark.parametrize("policy", VALUES, ids=lambda policy: policy.standing)
def test_a_policy_settles_the_same_in_any_order_of_arrival(policy):
    """[M4] [M5] What stands never depends on the order of arrival, whatever the field's policy."""

    @given(arrivals(VALUES[policy]))
    def in_any_order(found):
        edits, order = found
        assert settled(policy, edits, order) == settled(policy, edits, sorted(order))

    in_any_order()


@given(arrivals(NUMBERS))
def test_the_latest_capture_is_the_greatest_by_rank_depth_and_id(found):
    edits, order = found
    last = max(range(len(edits)), key=lambda number: (*edits[number][:2], f"entry-{number}"))
    assert settled(LATEST, edits, order) == edits[last][2]


@given(arrivals(NUMBERS))
def test_a_greatest_number_never_shrinks(found):
    edits, order = found
    known = [value for _, _, value, _ in edits if value is not None]
    assert settled(GREATEST, edits, order) == max(known, default=None)


@given(arrivals(WORDS))
def test_a_status_only_advances(found):
    edits, order = found
    steps = [STEPS.index(value) for _, _, value, _ in edits if value is not None]
    assert settled(FURTHEST, edits, order) == (STEPS[max(steps)] if steps else None)


def test_a_device_never_sets_what_is_the_offices():
    assert not takes_over(OFFICE, None, 1, is_latest=True, is_decision=False)
    assert takes_over(OFFICE, None, 1, is_latest=True, is_decision=True)


@pytest.mark.parametrize(
    ("policies", "changes"), [(HOUSEHOLD_POLICIES, HouseholdChanges), (PERSON_POLICIES, PersonChanges)]
)
def test_every_field_has_a_policy_and_devices_set_all_but_the_offices(policies, changes):
    """[M5] The declared table is whole: what an amendment can set, and what only the office has."""
    assert {name for name, policy in policies.items() if policy is not OFFICE} == set(changes().fields)
