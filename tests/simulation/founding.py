"""Founds the office of `plan` in a database, with the office's own actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server.audit.changes import Actor, Change, run_change
from server.campaigns.actions import announce_campaign
from server.devices.actions import create_enrolment_code
from server.office.actions import NewArea, assign_worker, register_areas, register_worker
from server.quotas.actions import define_indicator
from server.quotas.rules import Indicator
from server.runtime import Runtime
from tests.simulation import plan

_SINCE = date(2004, 1, 1)
ACTOR = Actor("account:supervisor")


@dataclass
class Founded:
    """Worker names to ids, and each one's first assignment."""

    workers: dict[str, str]
    assignments: dict[str, str]
    supervisor: str = ""


def found_office(runtime: Runtime) -> Founded:
    """Write everything and return the ids that were given."""
    founded = Founded({}, {})
    run_change(
        runtime.transactions, ACTOR, runtime.clock.now_ms(), lambda change: _found(change, runtime, founded)
    )
    return founded


def _found(change: Change, runtime: Runtime, founded: Founded) -> None:
    levels = dict.fromkeys(plan.COMMUNES, "commune") | {plan.DISTRICT: "district", plan.PROVINCE: "province"}
    register_areas(
        change,
        [
            NewArea(key[:-11], f"Nơi {key}", levels[key], _SINCE, parent and parent[:-11])
            for key, parent in plan.PARENTS.items()
        ],
    )
    change.flush()
    for name in plan.WORKERS:
        founded.workers[name] = register_worker(change, runtime.ids, f"Đại lý {name}")
    change.flush()
    for name, area in plan.WORKERS.items():
        founded.assignments[name] = assign_worker(
            change, runtime.ids, founded.workers[name], "agent", area_key=area
        )
    founded.supervisor = register_worker(change, runtime.ids, "Giám sát")
    change.flush()
    assign_worker(change, runtime.ids, founded.supervisor, "supervisor")
    for number, (first, last) in plan.CAMPAIGNS.items():
        kind = "launch_day" if first == last else "drive"
        announce_campaign(
            change, number, f"Đợt {number}", kind, date.fromisoformat(first), date.fromisoformat(last)
        )
    change.flush()
    for asked in plan.INDICATORS:
        indicator = Indicator(**{**asked, "statuses": frozenset(asked["statuses"])})
        define_indicator(change, runtime.config.time_zone, indicator, asked["code"], asked["code"])


def issue_code(runtime: Runtime, worker: str) -> str:
    """Issue a one-time code for a tablet of `worker`."""
    code: str = run_change(
        runtime.transactions,
        ACTOR,
        runtime.clock.now_ms(),
        lambda change: create_enrolment_code(change, worker, "simulation"),
    )
    return code
