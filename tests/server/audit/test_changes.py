"""The one choke point: every change is audited, and each record stands in exactly its scopes."""

from __future__ import annotations

import json

import pytest

from server.audit.changes import Actor, Change, UnauditedChangeError, run_change
from server.audit.queries import feed_rows, scope_heads

HERE, THERE = "area:1@2004-01-01", "area:2@2004-01-01"


def put(runtime, value: str, *scopes: str) -> None:
    def work(change: Change) -> None:
        change.put_record("thing", "1", {"value": value}, set(scopes))
        change.audit("thing_put", "thing:1")

    run_change(runtime.transactions, Actor("job:x"), 1, work)


def feed(runtime, scope: str):
    with runtime.transactions.reading() as connection:
        return [json.loads(row) for row in feed_rows(connection, scope, 0, 10)]


def test_a_change_without_an_audit_row_is_refused(any_runtime):
    """[F2] The choke point also writes the audit row; a change without one is refused."""
    with pytest.raises(UnauditedChangeError):
        run_change(
            any_runtime.transactions,
            Actor("job:x"),
            1,
            lambda change: change.put_record("thing", "1", {}, {HERE}),
        )
    assert feed(any_runtime, HERE) == []


def test_a_scope_that_a_record_left_gets_a_row_that_removes_it(any_runtime):
    """[F3] A scope that a record left gets a row with `op` `remove`."""
    put(any_runtime, "a", HERE)
    put(any_runtime, "a", THERE)
    (left,), (joined,) = feed(any_runtime, HERE), feed(any_runtime, THERE)
    assert (left["op"], joined["op"]) == ("remove", "put")


def test_a_record_that_stays_as_it_was_is_not_stamped_again(any_runtime):
    """[F4] A record that stays as it was is not stamped again."""
    put(any_runtime, "a", HERE)
    before = feed(any_runtime, HERE)
    put(any_runtime, "a", HERE)
    assert feed(any_runtime, HERE) == before
    with any_runtime.transactions.reading() as connection:
        assert scope_heads(connection, [HERE])[HERE].head == before[0]["seq"]
