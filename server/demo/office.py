"""The office of the demo: keys, tables, areas, networks, agents, officers, campaigns and quotas."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from schemas.rate_tables import published_rows
from schemas.signatures import PrivateKey, to_base64url
from server.access.actions import hash_password, open_account
from server.app import create_app
from server.audit.changes import Actor, Change, run_change
from server.campaigns.actions import announce_campaign
from server.config import read_config
from server.demo.figures import (
    DRIVE,
    DRIVE_FROM,
    DRIVE_TO,
    LAUNCH_DAYS,
    TRAINING_DAY,
)
from server.demo.lists import import_lists
from server.demo.plan import Plan
from server.demo.planning import adopt_plans
from server.demo.sheets import import_office
from server.devices.actions import create_enrolment_code
from server.migrations import upgrade
from server.office.actions import NewArea, load_rates
from server.quotas.actions import define_indicator, seed_holidays
from server.quotas.rules import Indicator
from server.runtime import Runtime, runtime_of
from sync.clock import VirtualClock

DEMO_ACTOR = Actor("job:demo")
_INDICATORS = (
    (
        Indicator("voluntary_enrolled", "enrolment", scheme="voluntary", credited_when="paid"),
        "BHXH tự nguyện",
        "Voluntary social insurance",
    ),
    (
        Indicator("health_enrolled", "enrolment", scheme="health", credited_when="paid"),
        "BHYT hộ gia đình",
        "Household health insurance",
    ),
    (
        Indicator("persuaded", "enrolment", credits="promoter", credited_when="paid", campaign=DRIVE),
        "Cán bộ vận động",
        "Persuaded by officers",
    ),
    *(
        (
            Indicator(
                f"officer_{scheme}",
                "enrolment",
                scheme=scheme,
                credits="promoter",
                credited_when="paid",
                campaign=DRIVE,
            ),
            name_vi,
            name_en,
        )
        for scheme, name_vi, name_en in (
            ("voluntary", "Cán bộ vận động: BHXH tự nguyện", "Voluntary, by officers"),
            ("health", "Cán bộ vận động: BHYT hộ gia đình", "Household health, by officers"),
        )
    ),
    (
        Indicator("vssid_activated", "install", statuses=frozenset({"activated", "in_use"})),
        "Cài VssID",
        "VssID installs",
    ),
    (Indicator("doors_knocked", "visit"), "Nhà đã đến", "Doors knocked at"),
)
_STAFF = (
    ("quantri", "Quản trị viên", "administrator"),
    ("giamsat", "Giám sát viên", "supervisor"),
    ("kiemtoan", "Kiểm toán viên", "auditor"),
)


@dataclass(frozen=True)
class LogIn:
    """An account that the demo shows once."""

    login: str
    password: str
    role: str


@dataclass(frozen=True)
class DemoOffice:
    """The office as it stands before the first launch day: worker ids by the plan's indexes."""

    runtime: Runtime
    environment: Mapping[str, str]
    agents: tuple[str, ...]
    officers: tuple[str, ...]
    log_ins: tuple[LogIn, ...]

    def enrolment_code(self, agent: int) -> str:
        """Return a one-time code for a tablet of the agent at this index."""

        def work(change: Change) -> str:
            return create_enrolment_code(change, self.agents[agent], "demo")

        return run_change(self.runtime.transactions, DEMO_ACTOR, self.runtime.clock.now_ms(), work)


def office_moment_ms(day: date, hour: int, minute: int = 0) -> int:
    """Return a time of the office's day (Việt Nam is at UTC+7, without summer time) in Unix ms."""
    moment = datetime.combine(day, time(hour, minute), UTC) - timedelta(hours=7)
    return int(moment.timestamp() * 1000)


def demo_environment(folder: Path, address: str) -> dict[str, str]:
    """Return the configuration of a fresh office in `folder`, with keys of its own."""
    return {
        "TUNGNHA_DATABASE_URL": f"sqlite:///{folder / 'office.sqlite3'}",
        "TUNGNHA_DATA_KEYS": f"d1:{to_base64url(secrets.token_bytes(32))}",
        "TUNGNHA_INDEX_KEY": to_base64url(secrets.token_bytes(32)),
        "TUNGNHA_OFFICE_KEY": to_base64url(PrivateKey.generate().scalar),
        "TUNGNHA_SECRET_KEY": to_base64url(secrets.token_bytes(32)),
        "TUNGNHA_PUBLIC_URL": address,
        "TUNGNHA_DEMO_CLOCK": str(folder / "clock.json"),
    }


def set_up_office(
    plan: Plan, areas: list[NewArea], environment: Mapping[str, str], clock: VirtualClock
) -> DemoOffice:
    """Make the tables and everything that the office knows before the first tablet is handed out."""
    clock.set(office_moment_ms(TRAINING_DAY, 8), 1.0)
    runtime = runtime_of(create_app(read_config(environment), clock))
    upgrade(runtime.transactions.engine)
    log_ins = [LogIn(login, secrets.token_urlsafe(9), role) for login, _, role in _STAFF]
    hashes = [hash_password(log_in.password) for log_in in log_ins]
    agents, officers, staff = import_office(runtime, plan, areas, _STAFF)

    def work(change: Change) -> None:
        load_rates(change, published_rows())
        for log_in, worker_id, password_hash in zip(log_ins, staff, hashes, strict=True):
            open_account(change, runtime.ids, worker_id, log_in.login, password_hash)
        districts = {
            area.code: f"{area.code}@{area.valid_from.isoformat()}"
            for area in areas
            if area.level == "district"
        }
        _announce(change, runtime, plan, agents, officers, districts)

    run_change(runtime.transactions, DEMO_ACTOR, clock.now_ms(), work)
    import_lists(runtime, plan)
    return DemoOffice(runtime, environment, agents, officers, tuple(log_ins))


def _announce(
    change: Change,
    runtime: Runtime,
    plan: Plan,
    agents: tuple[str, ...],
    officers: tuple[str, ...],
    districts: Mapping[str, str],
) -> None:
    ids, zone = runtime.ids, runtime.config.time_zone
    seed_holidays(change)
    for number, day in LAUNCH_DAYS.items():
        announce_campaign(change, number, f"Ra quân ngày {day:%d-%m-%Y}", "launch_day", day, day)
    announce_campaign(change, DRIVE, "Mỗi cán bộ vận động 3 người", "drive", DRIVE_FROM, DRIVE_TO)
    for indicator, name_vi, name_en in _INDICATORS:
        define_indicator(change, zone, indicator, name_vi, name_en)
    change.flush()
    adopt_plans(change, ids, zone, plan, agents, officers, districts)
