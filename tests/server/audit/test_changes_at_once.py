"""Changes of one record that happen at once leave its feed in agreement, on both databases."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager

import pytest

from server.audit.changes import Actor, Change, run_change
from server.audit.queries import broken_audit_chains, feed_rows, feeds_that_disagree, scope_heads


def put(change: Change, value: str, scopes=("office",)) -> None:
    change.put_record("thing", "1", {"value": value}, set(scopes))
    change.audit("thing_put", "thing:1")


@contextmanager
def change_under_way(runtime, work):
    """Give the time in which a change has written everything and not committed."""
    transactions = runtime.transactions
    with transactions.writing() as connection:
        change = Change(connection, Actor("job:first"), runtime.clock.now_ms())
        work(change)
        change.finish()
        yield


def put_by_two(runtime, first, second):
    """Run two changes of which the second starts before the first is committed."""
    transactions, now_ms = runtime.transactions, runtime.clock.now_ms()
    failures = []

    def run():
        try:
            run_change(transactions, Actor("job:second"), now_ms, second)
        except Exception as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    thread = threading.Thread(target=run)
    with change_under_way(runtime, first):
        thread.start()
        thread.join(0.5)
        assert thread.is_alive(), "it waits for the first"
    thread.join(20)
    assert failures == []


def agreed(runtime):
    with runtime.transactions.reading() as connection:
        assert feeds_that_disagree(connection) == []
        assert broken_audit_chains(connection) == []
        rows = [json.loads(row) for row in feed_rows(connection, "office", 0, 10)]
        return rows, scope_heads(connection, ["office"])["office"]


def test_a_record_changed_by_two_counts_once(any_runtime):
    run_change(any_runtime.transactions, Actor("job:x"), 1, lambda change: put(change, "old"))
    put_by_two(any_runtime, lambda change: put(change, "a"), lambda change: put(change, "b"))
    rows, head = agreed(any_runtime)
    assert [(row["version"], row["record"]) for row in rows] == [(3, {"value": "b"})]
    assert head.count == 1


def test_two_records_of_one_scope_are_numbered_in_the_order_of_their_commits(any_runtime):
    """[F1] A row's `seq` comes from the scope's head row, locked last: no cursor skips a late row."""

    def put_thing(change: Change, record_id: str) -> None:
        change.put_record("thing", record_id, {}, {"office"})
        change.audit("thing_put", f"thing:{record_id}")

    put_by_two(any_runtime, lambda change: put_thing(change, "z"), lambda change: put_thing(change, "a"))
    rows, head = agreed(any_runtime)
    assert [(row["seq"], row["id"]) for row in rows] == [(1, "z"), (2, "a")]
    assert head.head == 2


def test_a_record_made_by_two_counts_once(any_runtime):
    put_by_two(any_runtime, lambda change: put(change, "a"), lambda change: put(change, "b"))
    rows, head = agreed(any_runtime)
    assert [(row["version"], row["record"]) for row in rows] == [(2, {"value": "b"})]
    assert head.count == 1


def test_a_record_that_another_change_moves_away_leaves_both_scopes_in_agreement(any_runtime):
    run_change(any_runtime.transactions, Actor("job:x"), 1, lambda change: put(change, "old"))
    put_by_two(
        any_runtime,
        lambda change: put(change, "a", ("area:1@2004-01-01",)),
        lambda change: put(change, "b", ("area:2@2004-01-01",)),
    )
    with any_runtime.transactions.reading() as connection:
        assert feeds_that_disagree(connection) == []
        heads = scope_heads(connection, ["office", "area:1@2004-01-01", "area:2@2004-01-01"])
    assert {scope: grant.count for scope, grant in heads.items()} == {
        "office": 0,
        "area:1@2004-01-01": 0,
        "area:2@2004-01-01": 1,
    }


@pytest.mark.parametrize("times", [1, 2])
def test_a_record_that_went_and_came_back_counts_once(any_runtime, times):
    transactions = any_runtime.transactions

    def gone(change: Change) -> None:
        change.remove_record("thing", "1")
        change.audit("thing_gone", "thing:1")

    for _ in range(times):
        run_change(transactions, Actor("job:x"), 1, lambda change: put(change, "here"))
        run_change(transactions, Actor("job:x"), 1, gone)
    run_change(transactions, Actor("job:x"), 1, lambda change: put(change, "here"))
    rows, head = agreed(any_runtime)
    assert [row["op"] for row in rows] == ["put"]
    assert head.count == 1
