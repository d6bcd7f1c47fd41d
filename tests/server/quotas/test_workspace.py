"""The workspace: batches in, credits and progress out, on both kinds of database."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from sqlalchemy import Connection, event, select

from server.audit.changes import Change, run_change
from server.audit.models import FeedRow, Record
from server.quotas.models import CreditRow, FigureRow
from server.quotas.queries import credits_of_agent
from server.quotas.rules import STATES, Fact
from server.quotas.verification import differences
from server.quotas.workspace import FactUnknownError, QuotaWorkspace
from server.runtime import Runtime
from tests.server.quotas.builders import ACTOR, LAUNCH, ZONE, a_fact, define, open_campaigns, push
from tests.server.quotas.strategies import histories


class _UndoneError(Exception):
    """Rolls an example back."""


@pytest.fixture
def office(any_runtime: Runtime) -> Runtime:
    open_campaigns(any_runtime)
    define(any_runtime)
    return any_runtime


def run_batch(
    connection: Connection, batch: list[tuple[str, str]], facts: dict[str, Fact], added: dict[str, Fact]
) -> None:
    """Run the operations in one change, and do the same to `facts`, the model."""
    change = Change(connection, ACTOR, 0)
    workspace = QuotaWorkspace(change, ZONE)
    workspace.want_facts(fact_id for _operation, fact_id in batch)
    workspace.want_subjects(added[fact_id].subject for operation, fact_id in batch if operation == "add")
    workspace.load()
    for operation, fact_id in batch:
        if operation == "add":
            facts[fact_id] = added[fact_id]
            workspace.add_fact(added[fact_id])
        elif operation == "pay":
            facts[fact_id] = replace(facts[fact_id], paid=True)
            workspace.mark_paid(fact_id)
        elif operation == "unpay":
            facts[fact_id] = replace(facts[fact_id], paid=False)
            workspace.mark_unpaid(fact_id)
        elif operation == "void":
            facts[fact_id] = replace(facts[fact_id], voided=True)
            workspace.void_fact(fact_id)
        else:
            old = facts[fact_id].subject
            facts[fact_id] = replace(facts[fact_id], subject="person-1")
            workspace.move_subject(old, "person-1", [fact_id, "no fact"])
    workspace.finish()
    change.audit("push", "batch")
    change.finish()


def replicated_figures(connection: Connection) -> dict[tuple[int, str, str], dict[str, int]]:
    record = Record.__table__.c
    rows = connection.scalars(select(record.wire_json).where(record.record_type == "quota_figure"))
    wires = [json.loads(row) for row in rows]
    return {
        (wire["campaign"], wire["indicator"], wire["holder"]): {state: wire[state] for state in STATES}
        for wire in wires
    }


def stored_figures(connection: Connection) -> dict[tuple[int, str, str], dict[str, int]]:
    rows = connection.execute(
        FigureRow.__table__.select().where(FigureRow.__table__.c.holder_kind == "agent")
    )
    return {
        (row.campaign, row.indicator, row.holder): {state: getattr(row, state) for state in STATES}
        for row in rows
    }


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_any_order_and_any_batching_gives_the_credits_and_progress_of_one_pure_pass(
    office: Runtime, history: tuple[list[list[tuple[str, str]]], dict[str, Fact]]
) -> None:
    batches, added = history
    with suppress(_UndoneError), office.transactions.writing() as connection:
        facts: dict[str, Fact] = {}
        for batch in batches:
            run_batch(connection, batch, facts, added)
            assert [str(each) for each in differences(connection, facts.values(), ZONE)] == []
            assert replicated_figures(connection) == stored_figures(connection)
        raise _UndoneError


def test_a_late_earlier_install_moves_the_credit(office: Runtime) -> None:
    install = a_fact("1", kind="install", scheme=None, status="activated", subject="p", hour=15)
    push(office, install)
    push(office, replace(install, fact_id="2", agent_id="agent-b", upper_ms=install.upper_ms - 1))
    with office.transactions.reading() as connection:
        loser, winner = (credits_of_agent(connection, agent, LAUNCH)[0] for agent in ("agent-a", "agent-b"))
        assert (loser.state, loser.winner, winner.state) == ("duplicate", "2", "counted")
        figures = replicated_figures(connection)
    assert figures[LAUNCH, "installs", "agent-a"]["counted"] == 0
    assert figures[LAUNCH, "installs", "agent-a"]["duplicate"] == 1
    assert figures[LAUNCH, "installs", "agent-b"]["counted"] == 1


def test_a_figure_goes_to_the_scope_of_its_agent_alone(office: Runtime) -> None:
    push(office, a_fact("1"), a_fact("2", agent_id="agent-b"))
    feed = FeedRow.__table__.c
    with office.transactions.reading() as connection:
        rows = connection.execute(
            select(feed.scope, feed.record_id).where(feed.record_type == "quota_figure")
        ).all()
    assert ("agent:agent-a", f"{LAUNCH}:voluntary:agent-a") in rows
    assert all(scope == f"agent:{record_id.rpartition(':')[2]}" for scope, record_id in rows)


def test_paying_for_what_is_no_fact_is_refused(office: Runtime) -> None:
    def work(change: Change) -> None:
        QuotaWorkspace(change, ZONE).mark_paid("nothing")

    with pytest.raises(FactUnknownError):
        run_change(office.transactions, ACTOR, 0, work)


def test_a_batch_that_changes_nothing_writes_nothing(office: Runtime) -> None:
    push(office, a_fact("1"))
    statements: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(office.transactions.engine, "before_cursor_execute", record)
    try:
        push(office, a_fact("1"))
    finally:
        event.remove(office.transactions.engine, "before_cursor_execute", record)
    written = [each for each in statements if each.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert all("audit" in each for each in written), written


def test_the_number_of_statements_does_not_grow_with_the_batch(office: Runtime) -> None:
    counts = []
    for size in (20, 400):
        statements: list[str] = []

        def record(
            _c: object, _cursor: object, statement: str, *_rest: object, into: list[str] = statements
        ) -> None:
            into.append(statement)

        facts = [a_fact(f"{size}-{number}", hour=8) for number in range(size)]
        event.listen(office.transactions.engine, "before_cursor_execute", record)
        try:
            push(office, *facts)
        finally:
            event.remove(office.transactions.engine, "before_cursor_execute", record)
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 2, counts
    credit = CreditRow.__table__.c
    with office.transactions.reading() as connection:
        counted = connection.execute(
            select(credit.fact_id).where(credit.indicator == "voluntary", credit.state == "counted")
        ).all()
    assert len(counted) == 420


def test_two_writers_of_one_agents_figures_lose_nothing(office: Runtime) -> None:
    """Different subjects, so no key is shared: the figure's lock is what keeps the sums right."""
    facts = [[a_fact(f"{writer}-{number}") for number in range(12)] for writer in range(3)]

    def write(mine: list[Fact]) -> None:
        for fact in mine:
            push(office, fact)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, facts))
    everything = [fact for mine in facts for fact in mine]
    with office.transactions.reading() as connection:
        assert [str(each) for each in differences(connection, everything, ZONE)] == []
        assert replicated_figures(connection) == stored_figures(connection)


def test_a_merge_gives_up_the_credit_of_the_one_subject_and_contests_the_other(office: Runtime) -> None:
    """`first` blocked `second`; once it is about q it loses to `other` there, and `second` counts."""
    first, second = a_fact("1", subject="p", hour=9), a_fact("2", subject="p", hour=10)
    other = a_fact("3", subject="q", hour=8)
    push(office, first, second, other)

    def merge(change: Change) -> None:
        workspace = QuotaWorkspace(change, ZONE)
        workspace.move_subject("p", "q", ["1"])
        workspace.finish()
        change.audit("merge", "person")

    run_change(office.transactions, ACTOR, 0, merge)
    with office.transactions.reading() as connection:
        states = {
            each.fact_id: each.state
            for each in credits_of_agent(connection, "agent-a")
            if each.indicator == "voluntary"
        }
        assert differences(connection, [replace(first, subject="q"), second, other], ZONE) == []
    assert states == {"1": "duplicate", "2": "counted", "3": "counted"}


def test_a_subject_that_nobody_asked_for_is_read_before_it_is_settled(office: Runtime) -> None:
    first, second = a_fact("1", subject="p", hour=8), a_fact("2", subject="p", hour=9)
    push(office, first)

    def add(change: Change) -> None:
        workspace = QuotaWorkspace(change, ZONE)
        workspace.load()
        workspace.add_fact(second)
        workspace.finish()
        change.audit("push", "batch")

    run_change(office.transactions, ACTOR, 0, add)
    with office.transactions.reading() as connection:
        assert differences(connection, [first, second], ZONE) == []
