"""Acceptance: statements never change, and with their adjustments they are the recomputation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, update

from server.audit.changes import Actor, Change, run_change
from server.audit.queries import broken_audit_chains
from server.campaigns.queries import campaigns_by_number
from server.quotas.acceptance import (
    AcceptanceRefusedError,
    accept_period,
    post_adjustments,
    recall_adjustments,
    recall_statement,
)
from server.quotas.models import AdjustmentRow, StatementLineRow, StatementRow
from server.quotas.queries import indicators
from server.quotas.rules import OFFICE_CAMPAIGN, Fact, credits_of
from server.quotas.statements import (
    adjustments_of,
    altered_statements,
    lines_of,
    statement_content,
    statements_of,
    unposted,
)
from server.runtime import Runtime
from tests.server.quotas.builders import (
    ACTOR,
    DRIVE,
    DRIVE_FROM,
    DRIVE_TO,
    LAUNCH,
    LAUNCH_DAY,
    ZONE,
    a_fact,
    at_ms,
    define,
    open_campaigns,
    push,
)
from tests.server.quotas.strategies import histories
from tests.server.quotas.test_workspace import run_batch

ACCOUNT = Actor("account:1", "worker-1")
AFTER_MS = at_ms(date(2020, 7, 1))
LATE = "Máy của anh Dũng hỏng, chờ thay"


class _UndoneError(Exception):
    """Rolls an example back."""


@pytest.fixture
def office(any_runtime: Runtime) -> Runtime:
    open_campaigns(any_runtime)
    define(any_runtime)
    return any_runtime


def accept(office: Runtime, campaign: int = LAUNCH, to_day: date = LAUNCH_DAY, reason: str = ""):
    def work(change: Change):
        return accept_period(change, ZONE, campaign, to_day, reason)

    return run_change(office.transactions, ACCOUNT, AFTER_MS, work)


def post(office: Runtime, campaign: int = LAUNCH) -> int:
    return run_change(
        office.transactions, ACCOUNT, AFTER_MS, lambda change: post_adjustments(change, campaign)
    )


def settled(connection: Connection, campaign: int) -> dict[tuple[str, str, str], int]:
    """What statements and adjustments add up to, for each holder and indicator; without zeros."""
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for statement in statements_of(connection, campaign):
        for line in lines_of(connection, statement.number):
            sums[line.key] += line.counted
        for adjustment in adjustments_of(connection, statement.number):
            sums[adjustment.key] += adjustment.amount
    return {key: amount for key, amount in sums.items() if amount}


def recomputed(connection: Connection, campaign: int, facts, to_day: date) -> dict[tuple[str, str, str], int]:
    """What the facts themselves come to, by one pure pass."""
    defined = [named.indicator for named in indicators(connection)]
    days = campaigns_by_number(connection, [LAUNCH, DRIVE])
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for credit in credits_of(facts, defined, days, ZONE):
        if credit.campaign == campaign and credit.state == "counted" and credit.business_day <= to_day:
            sums[credit.indicator, credit.holder_kind, credit.holder] += credit.value
    return dict(sums)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories(),
    cuts=st.lists(
        st.tuples(
            st.integers(0, 8),
            st.sampled_from((OFFICE_CAMPAIGN, LAUNCH, DRIVE)),
            st.sampled_from((0, 5, 19, 59)),
        ),
        max_size=6,
    ),
    posts=st.sets(st.integers(0, 8), max_size=4),
)
def test_statements_and_adjustments_are_the_recomputation_for_everyone_in_any_order(
    office: Runtime, history: tuple[list[list[tuple[str, str]]], dict[str, Fact]], cuts, posts
) -> None:
    """Adjustment = credits now - statement - adjustments already posted, whatever arrives when."""
    batches, added = history
    with suppress(_UndoneError), office.transactions.writing() as connection:
        facts: dict[str, Fact] = {}
        frozen: Mapping[int, object] = {}
        for step in range(len(batches) + 1):
            if step < len(batches):
                run_batch(connection, batches[step], facts, added)
            for _step, campaign, days in (cut for cut in cuts if cut[0] == step):
                to_day = min(DRIVE_FROM + timedelta(days=days), DRIVE_TO) if campaign == DRIVE else None
                to_day = to_day or (
                    LAUNCH_DAY if campaign == LAUNCH else DRIVE_FROM + timedelta(days=days - 2)
                )
                change = Change(connection, ACCOUNT, AFTER_MS)
                with suppress(AcceptanceRefusedError):
                    accept_period(change, ZONE, campaign, to_day)
                    change.finish()
            if step in posts:
                change = Change(connection, ACCOUNT, AFTER_MS)
                post_adjustments(change, DRIVE)
                change.finish()
            frozen = check_equation(connection, facts, frozen)
        raise _UndoneError


def check_equation(connection: Connection, facts: Mapping[str, Fact], frozen):
    """What is settled and what is not posted yet make the recomputation; statements stay as they were."""
    moved = unposted(connection)
    statements = {
        each.number: (each, lines_of(connection, each.number)) for each in statements_of(connection)
    }
    for number, was in frozen.items():
        assert statements[number] == was
    assert altered_statements(connection) == []
    for campaign in (OFFICE_CAMPAIGN, LAUNCH, DRIVE):
        mine = statements_of(connection, campaign)
        if not mine:
            continue
        sums = defaultdict(int, settled(connection, campaign))
        for (number, key), amount in moved.items():
            assert amount
            if number in {each.number for each in mine}:
                sums[key] += amount
        found = {key: amount for key, amount in sums.items() if amount}
        assert found == recomputed(connection, campaign, facts.values(), mine[-1].to_day)
        change = Change(connection, ACCOUNT, AFTER_MS)
        post_adjustments(change, campaign)
        change.finish()
        assert settled(connection, campaign) == found
        assert unposted(connection, campaign) == {}
    return statements


def test_an_earlier_rival_moves_the_pay_from_loser_to_winner(office: Runtime) -> None:
    first = a_fact("1", subject="p", hour=15)
    push(office, first)
    statement = accept(office)
    push(office, replace(first, fact_id="2", agent_id="agent-b", upper_ms=first.upper_ms - 1))
    assert post(office) > 0
    with office.transactions.reading() as connection:
        amounts = {
            each.key: each.amount
            for each in adjustments_of(connection, statement.number)
            if each.indicator == "voluntary"
        }
        lines = {line.key: line.counted for line in lines_of(connection, statement.number)}
        assert {each.dated_day for each in adjustments_of(connection, statement.number)} == {
            LAUNCH_DAY + timedelta(days=1)
        }
    assert lines["voluntary", "agent", "agent-a"] == 1
    assert amounts == {
        ("voluntary", "agent", "agent-a"): -1,
        ("voluntary", "agent", "agent-b"): 1,
    }


def test_the_first_statement_reaches_back_to_whatever_day_a_late_fact_is_of(office: Runtime) -> None:
    push(office, a_fact("1"))
    statement = accept(office, OFFICE_CAMPAIGN, LAUNCH_DAY)
    assert statement.from_day == LAUNCH_DAY
    push(office, a_fact("2", day=DRIVE_FROM))
    assert post(office, OFFICE_CAMPAIGN) == 1
    with office.transactions.reading() as connection:
        assert settled(connection, OFFICE_CAMPAIGN) == {("office-new", "agent", "agent-a"): 2}


def test_posting_again_posts_nothing(office: Runtime) -> None:
    push(office, a_fact("1"))
    accept(office)
    push(office, a_fact("2"))
    assert post(office) > 0
    assert post(office) == 0
    with office.transactions.reading() as connection:
        assert unposted(connection) == {}


def test_two_who_post_at_once_post_once(office: Runtime) -> None:
    push(office, a_fact("1"))
    accept(office)
    push(office, a_fact("2"))
    with ThreadPoolExecutor(4) as pool:
        posted = list(pool.map(lambda _each: post(office), range(4)))
    assert sorted(posted)[:3] == [0, 0, 0]
    with office.transactions.reading() as connection:
        assert unposted(connection) == {}
        assert broken_audit_chains(connection) == []


def test_two_who_accept_at_once_accept_once(office: Runtime) -> None:
    push(office, a_fact("1"))

    def attempt(_each: int) -> str:
        try:
            return str(accept(office).number)
        except AcceptanceRefusedError as error:
            return error.code

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(attempt, range(3))) == ["1", "not_open", "not_open"]


def test_an_adjustment_is_paid_with_the_next_statement(office: Runtime) -> None:
    monday, friday = DRIVE_FROM, DRIVE_FROM + timedelta(days=4)
    push(office, a_fact("1", campaign=DRIVE, day=monday))
    accept(office, DRIVE, friday)
    push(office, a_fact("2", campaign=DRIVE, day=monday), a_fact("3", campaign=DRIVE, day=DRIVE_TO))
    second = accept(office, DRIVE, DRIVE_TO)
    with office.transactions.reading() as connection:
        lines = {line.key: line for line in lines_of(connection, second.number)}
    line = lines["voluntary", "agent", "agent-a"]
    assert (line.counted, line.carried, line.paid) == (1, 1, 2)
    assert (second.from_day, second.to_day) == (friday + timedelta(days=1), DRIVE_TO)


@pytest.mark.parametrize(
    ("campaign", "to_day", "code"),
    [
        (99, LAUNCH_DAY, "campaign_unknown"),
        (LAUNCH, LAUNCH_DAY + timedelta(days=1), "after_campaign"),
        (DRIVE, DRIVE_FROM - timedelta(days=1), "not_open"),
        (DRIVE, date(2020, 7, 1), "not_over"),
        (OFFICE_CAMPAIGN, date(2020, 7, 2), "not_over"),
    ],
)
def test_what_is_not_an_open_period_that_is_over_is_refused(office, campaign, to_day, code) -> None:
    with pytest.raises(AcceptanceRefusedError) as caught:
        accept(office, campaign, to_day)
    assert caught.value.code == code


def test_a_period_is_accepted_once(office: Runtime) -> None:
    accept(office)
    with pytest.raises(AcceptanceRefusedError):
        accept(office)


def test_a_statement_that_somebody_altered_is_found(office: Runtime) -> None:
    push(office, a_fact("1"))
    number = accept(office).number
    with office.transactions.writing() as connection:
        line = StatementLineRow.__table__.c
        connection.execute(update(StatementLineRow).where(line.indicator == "voluntary").values(counted=7))
    with office.transactions.reading() as connection:
        assert altered_statements(connection) == [number]


def test_a_database_that_forgot_its_statements_gets_them_back_from_the_desk_journal(office: Runtime) -> None:
    push(office, a_fact("1"))
    statement = accept(office)
    push(office, a_fact("2"))
    post(office)
    with office.transactions.reading() as connection:
        content = statement_content(statement, lines_of(connection, statement.number))
        adjustments = adjustments_of(connection, statement.number)
    posted = {
        "campaign": LAUNCH,
        "posting": 1,
        "dated_day": adjustments[0].dated_day.isoformat(),
        "lines": [[each.statement, *each.key, each.amount] for each in adjustments],
    }

    def forget(change: Change) -> None:
        for model in (StatementRow, StatementLineRow, AdjustmentRow):
            change.connection.execute(model.__table__.delete())
        change.audit("forgotten", "test")

    def recall(change: Change) -> None:
        for _twice in range(2):
            recall_statement(change, content)
            recall_adjustments(change, posted, AFTER_MS, ACCOUNT.chain)

    run_change(office.transactions, ACTOR, AFTER_MS, forget)
    run_change(office.transactions, ACTOR, AFTER_MS, recall)
    with office.transactions.reading() as connection:
        assert statements_of(connection) == [statement]
        assert adjustments_of(connection, statement.number) == adjustments
        assert altered_statements(connection) == []
        assert unposted(connection) == {}
