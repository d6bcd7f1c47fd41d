"""Builders of facts, indicators and offices for the tests of quotas."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from server.audit.changes import Actor, Change, run_change
from server.campaigns.actions import announce_campaign
from server.quotas.actions import define_indicator
from server.quotas.rules import Fact, Indicator
from server.quotas.workspace import QuotaWorkspace
from server.runtime import Runtime

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
LAUNCH, DRIVE = 1, 2
LAUNCH_DAY = date(2020, 5, 23)
DRIVE_FROM, DRIVE_TO = date(2020, 5, 4), date(2020, 5, 29)
ACTOR = Actor("job:test")


def at_ms(day: date, hour: int = 9) -> int:
    """The Unix milliseconds of an hour of a day in Việt Nam."""
    return int(datetime.combine(day, time(hour), ZONE).astimezone(UTC).timestamp() * 1000)


def a_fact(fact_id: str, *, day: date = LAUNCH_DAY, hour: int = 9, **changes: Any) -> Fact:
    """A paid voluntary enrolment on the launch day, but for `changes`."""
    values: dict[str, Any] = {
        "fact_id": fact_id,
        "kind": "enrolment",
        "scheme": "voluntary",
        "status": "new",
        "subject": f"person of {fact_id}",
        "agent_id": "agent-a",
        "team_id": "team-1",
        "organisation_key": "post@2004-01-01",
        "promoter": None,
        "area_key": "28249@2004-01-01",
        "in_area": True,
        "campaign": LAUNCH,
        "business_day": day,
        "upper_ms": at_ms(day, hour),
        "paid": True,
        "voided": False,
    }
    return Fact(**values | changes)


INDICATORS = (
    Indicator("voluntary", "enrolment", scheme="voluntary", credited_when="paid"),
    Indicator("persuaded", "enrolment", credits="promoter", campaign=DRIVE, unique_within="office"),
    Indicator("team-doors", "enrolment", credits="team", is_unique=False, cap=2, cap_per="subject"),
    Indicator(
        "office-new", "enrolment", statuses=frozenset({"new"}), counts_in="office", unique_within="office"
    ),
    Indicator("bonus", "enrolment", is_unique=False, cap=2, cap_per="holder"),
    Indicator("team-bonus", "enrolment", credits="team", cap=3, cap_per="holder"),
    Indicator("installs", "install", statuses=frozenset({"activated", "in_use"})),
)


def open_campaigns(runtime: Runtime) -> None:
    """Announce the launch day and the drive."""

    def work(change: Change) -> None:
        announce_campaign(change, LAUNCH, "Ra quân", "launch_day", LAUNCH_DAY, LAUNCH_DAY)
        announce_campaign(change, DRIVE, "Vận động", "drive", DRIVE_FROM, DRIVE_TO)

    run_change(runtime.transactions, ACTOR, runtime.clock.now_ms(), work)


def define(runtime: Runtime, indicators: Iterable[Indicator] = INDICATORS) -> None:
    """Define indicators."""

    def work(change: Change) -> None:
        for indicator in indicators:
            define_indicator(change, ZONE, indicator, f"Chỉ tiêu {indicator.code}", indicator.code)

    run_change(runtime.transactions, ACTOR, runtime.clock.now_ms(), work)


def push(runtime: Runtime, *facts: Fact) -> None:
    """Let facts arrive in one batch."""

    def work(change: Change) -> None:
        workspace = QuotaWorkspace(change, ZONE)
        workspace.want_facts(fact.fact_id for fact in facts)
        workspace.want_subjects(fact.subject for fact in facts)
        workspace.load()
        for fact in facts:
            workspace.add_fact(fact)
        workspace.finish()
        change.audit("push", "batch", facts=len(facts))

    run_change(runtime.transactions, ACTOR, runtime.clock.now_ms(), work)
