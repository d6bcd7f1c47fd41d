"""Merging edits, summing feeds, walking scopes: pure properties."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sync.audit import audit_digest, audit_genesis, detail_text
from sync.feed import EMPTY_SUM, row_hash, sum_changed
from sync.merge import FieldConflict, LoggedEdit, conflicts, ranked, standing_fields
from sync.pull import Cursor, starting_points

REGISTERED = LoggedEdit("r", {})


def test_an_edit_in_sight_of_all_earlier_ones_conflicts_with_none():
    log = [REGISTERED, LoggedEdit("a", {"name": "1"}), LoggedEdit("b", {"name": "2"})]
    assert conflicts(log, "b", {"name": "3"}) == []


def test_what_stands_after_the_base_conflicts_per_field_with_the_latest_rival():
    log = [REGISTERED, LoggedEdit("a", {"name": "1", "age": "5"}), LoggedEdit("b", {"name": "2"})]
    assert conflicts(log, "r", {"name": "3", "age": "6", "sex": "f"}) == [
        FieldConflict("age", "a"),
        FieldConflict("name", "b"),
    ]


def test_the_same_value_is_no_conflict():
    log = [REGISTERED, LoggedEdit("a", {"name": "1"})]
    assert conflicts(log, "r", {"name": "1"}) == []
    log.append(LoggedEdit("b", {"name": "2"}))
    assert conflicts(log, "r", {"name": "2"}) == []
    assert conflicts(log, "r", {"name": "1"}) == [FieldConflict("name", "b")]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, str, int, dict[str, str]]]:
    """Edits as (id, base, capture time, fields); each base is the registration or an earlier edit."""
    edits, ids = [], ["r"]
    for number in range(draw(st.integers(1, 5))):
        fields = draw(st.dictionaries(st.sampled_from("xyz"), st.sampled_from("123"), min_size=1))
        base = draw(st.sampled_from(ids))
        edits.append((f"e{number}", base, draw(st.integers(0, 3)), fields))
        ids.append(f"e{number}")
    return edits


def merged(order: tuple[tuple[str, str, int, dict[str, str]], ...]) -> dict[str, str]:
    """Return the record after edits arrived in this order; an edit waits for its base."""
    log, values, waiting = [REGISTERED], {}, list(order)
    while waiting:
        seen = {edit.entry_id for edit in log}
        entry_id, base, upper_ms, fields = next(edit for edit in waiting if edit[1] in seen)
        waiting.remove((entry_id, base, upper_ms, fields))
        edit = ranked(log, base, entry_id, upper_ms, fields)
        values.update({name: fields[name] for name in standing_fields(log, edit)})
        log.append(edit)
    return values


@given(histories())
def test_which_value_stands_does_not_depend_on_the_order_of_arrival(edits):
    """[M4] What stands never depends on the order of arrival."""
    outcomes = [merged(order) for order in itertools.islice(itertools.permutations(edits), 24)]
    assert all(outcome == outcomes[0] for outcome in outcomes)


@given(histories())
def test_an_edit_always_wins_over_what_it_was_built_on(edits):
    """[M4] The rank is at least the base's, and the depth one more."""
    log = [REGISTERED]
    for entry_id, base, upper_ms, fields in edits:
        edit = ranked(log, base, entry_id, upper_ms, fields)
        assert edit.order > next(other for other in log if other.entry_id == base).order
        log.append(edit)


hashes = st.lists(st.integers(0, 2**64 - 1).map(lambda value: f"{value:016x}"), max_size=8)


@given(hashes, hashes)
def test_a_sum_does_not_depend_on_the_order_and_removing_undoes_adding(first, second):
    """[S1] A sum is kept step by step, modulo 2⁶⁴."""
    total = sum_changed(EMPTY_SUM, added=[*first, *second])
    assert total == sum_changed(sum_changed(EMPTY_SUM, added=reversed(second)), added=first)
    assert sum_changed(total, removed=second) == sum_changed(EMPTY_SUM, added=first)
    assert sum_changed(total, removed=[*second, *first]) == EMPTY_SUM
    assert len(total) == 16


def test_a_row_hash_covers_type_id_version_and_content():
    rows = [
        ("a", "b", 1, "{}"),
        ("a", "b", 2, "{}"),
        ("a", "c", 1, "{}"),
        ("x", "b", 1, "{}"),
        ("a", "b", 1, "[]"),
    ]
    assert len({row_hash(*row) for row in rows}) == len(rows)


scopes = st.sampled_from(("office", "agent:x", "area:1", "area:2"))


@given(
    st.lists(st.builds(Cursor, scopes, st.integers(0, 3), st.integers(-2, 12)), max_size=6),
    st.dictionaries(scopes, st.tuples(st.integers(1, 2), st.integers(0, 10))),
)
def test_a_pull_reads_only_what_is_granted_and_never_skips(have, granted):
    points = starting_points(have, granted)
    assert points.keys() <= granted.keys()
    claimed = {cursor.scope: cursor for cursor in have}
    for scope, (epoch, head) in granted.items():
        cursor = claimed.get(scope)
        is_right = cursor is not None and cursor.epoch == epoch and 0 <= cursor.seq <= head
        after = cursor.seq if is_right else 0
        assert points.get(scope) == (after if after < head else None)
    assert list(points) == sorted(points)


def test_an_audit_digest_covers_every_column():
    base = (audit_genesis("job:x"), 1, 2, "did", "it", detail_text({"b": 1, "a": "ệ"}))
    assert base[5] == '{"a":"ệ","b":1}'
    digests = {audit_digest(*base)}
    for index, other in enumerate((audit_genesis("job:y"), 3, 4, "x", "y", "{}")):
        digests.add(audit_digest(*base[:index], other, *base[index + 1 :]))
    assert len(digests) == 7
