"""Verification finds what was changed behind the rules' back; a change of the office is followed."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete, update

from server.audit.changes import Change, run_change
from server.office.actions import add_member, form_team, register_worker
from server.quotas.actions import recompute_campaign, recompute_for_office_change
from server.quotas.models import CreditRow, FactRow, FigureRow, ProgressRow
from server.quotas.queries import all_facts
from server.quotas.verification import differences
from server.runtime import Runtime
from tests.server.quotas.builders import ACTOR, LAUNCH, ZONE, a_fact, define, open_campaigns, push


@pytest.fixture
def office(any_runtime: Runtime) -> Runtime:
    open_campaigns(any_runtime)
    define(any_runtime)
    return any_runtime


def test_what_was_changed_by_hand_is_named_field_by_field(office: Runtime) -> None:
    facts = [a_fact("1"), a_fact("2"), a_fact("3", kind="install", scheme=None, status="in_use")]
    push(office, *facts)
    fact, credit, progress = FactRow.__table__, CreditRow.__table__, ProgressRow.__table__
    with office.transactions.writing() as connection:
        connection.execute(update(fact).where(fact.c.fact_id == "1").values(paid=False))
        connection.execute(delete(credit).where(credit.c.fact_id == "3"))
        connection.execute(update(progress).where(progress.c.indicator == "voluntary").values(counted=9))
        connection.execute(update(FigureRow).where(FigureRow.indicator == "installs").values(late=1))
    with office.transactions.reading() as connection:
        found = [str(each) for each in differences(connection, facts, ZONE)]
    assert "fact 1: paid is False, should be True" in found
    assert "figure 1:installs:agent:agent-a: late is 1, should be 0" in found
    assert f"progress 1:voluntary:agent:agent-a:{date(2020, 5, 23)}: counted is 9, should be 2" in found
    assert sum(each.startswith("credit 3:installs: row is None, should be") for each in found) == 1
    assert len(found) == 4


def test_a_membership_entered_later_gives_the_facts_their_team(office: Runtime) -> None:
    def work(change: Change) -> tuple[str, str]:
        worker = register_worker(change, office.ids, "Nguyễn Văn A", None)
        return worker, form_team(change, office.ids, "Đội 1")

    worker, team = run_change(office.transactions, ACTOR, 0, work)
    push(office, a_fact("1", agent_id=worker, team_id=None), a_fact("2", agent_id="agent-b", team_id=None))
    run_change(
        office.transactions,
        ACTOR,
        0,
        lambda change: add_member(change, office.ids, team, worker, date(2020, 5, 1), campaign=LAUNCH),
    )
    changed = run_change(
        office.transactions,
        ACTOR,
        0,
        lambda change: recompute_for_office_change(change, ZONE, worker, LAUNCH),
    )
    with office.transactions.reading() as connection:
        facts = all_facts(connection)
        assert differences(connection, facts.values(), ZONE) == []
    assert changed == 1
    assert (facts["1"].team_id, facts["2"].team_id) == (team, None)
    assert facts["1"].in_area
    times_ms = {"1": facts["1"].upper_ms}
    run_change(
        office.transactions,
        ACTOR,
        0,
        lambda change: recompute_for_office_change(change, ZONE, worker, LAUNCH, times_ms),
    )
    with office.transactions.reading() as connection:
        # This worker was never assigned anywhere, and the recount says so.
        assert not all_facts(connection)["1"].in_area


def test_settling_a_campaign_again_changes_nothing(office: Runtime) -> None:
    push(office, a_fact("1"), a_fact("2", subject="person of 1"))
    run = run_change(office.transactions, ACTOR, 0, lambda change: recompute_campaign(change, ZONE, LAUNCH))
    assert run == 0
