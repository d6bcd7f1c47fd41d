"""The jobs and when they run. Every run is claimed in the database first, so that it happens once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.cron import CronTrigger

from server.audit.jobs import claim_run, finish_run
from server.database import DatabaseBusyError, StorageFullError
from server.errors import frames_of
from server.exchange.jobs import expire_held_entries, verify_nightly
from server.imports.jobs import continue_cut_off_imports, forget_waiting_imports
from server.public_ledger.jobs import seal_days_nightly
from server.quotas.jobs import show_plans
from server.recovery.jobs import gather_heads_nightly, replay_what_waits
from server.runtime import Runtime

_log = structlog.get_logger("tungnha.jobs")
# A run that could not start in time (the machine slept) still starts within this.
_GRACE_S = 6 * 60 * 60


@dataclass(frozen=True, slots=True)
class Job:
    """A job: `work` returns its findings or how many. `period` names a run by its local time."""

    name: str
    work: Callable[[Runtime], int | list[str]]
    schedule: dict[str, int | str]
    period: str


JOBS = (
    Job("verify_nightly", verify_nightly, {"hour": 2, "minute": 0}, "%Y-%m-%d"),
    Job("gather_heads_nightly", gather_heads_nightly, {"hour": 3, "minute": 0}, "%Y-%m-%d"),
    # Hours after midnight, so that nothing that was still being written then is missed.
    Job("seal_days_nightly", seal_days_nightly, {"hour": 3, "minute": 30}, "%Y-%m-%d"),
    Job("replay_what_waits", replay_what_waits, {"minute": "*/15"}, "%Y-%m-%dT%H:%M"),
    # Shortly after every midnight, and again each hour for an office whose machine slept then.
    Job("show_plans", show_plans, {"minute": 1}, "%Y-%m-%dT%H"),
    Job("expire_held_entries", expire_held_entries, {"minute": 15}, "%Y-%m-%dT%H"),
    Job("continue_cut_off_imports", continue_cut_off_imports, {"minute": "*"}, "%Y-%m-%dT%H:%M"),
    Job("forget_waiting_imports", forget_waiting_imports, {"hour": 2, "minute": 30}, "%Y-%m-%d"),
)


def run_once(runtime: Runtime, job: Job) -> bool:
    """Run a job unless its run of this period was claimed; return whether it ran here."""
    now_ms = runtime.clock.now_ms()
    local = datetime.fromtimestamp(now_ms / 1000, tz=UTC).astimezone(runtime.config.time_zone)
    scheduled_for = local.strftime(job.period)
    if not claim_run(runtime.transactions, job.name, scheduled_for, now_ms):
        return False
    result, findings = "done", 0
    try:
        found = job.work(runtime)
        findings = found if isinstance(found, int) else len(found)
    except Exception as error:  # noqa: BLE001  # a failed job must not take the others with it
        result = "failed"
        _log.error("job_failed", job=job.name, error=type(error).__name__, frames=frames_of(error))
    finish_run(runtime.transactions, job.name, scheduled_for, runtime.clock.now_ms(), result, findings)
    _log.info("job_finished", job=job.name, result=result, findings=findings)
    return True


def _attempt(runtime: Runtime, job: Job) -> None:
    try:
        run_once(runtime, job)
    except (DatabaseBusyError, StorageFullError) as error:
        _log.error("job_not_run", job=job.name, error=type(error).__name__)


def schedule_jobs(scheduler: BaseScheduler, runtime: Runtime) -> BaseScheduler:
    """Add every job to `scheduler`, which the caller starts, and return it."""
    zone = runtime.config.time_zone
    for job in JOBS:
        scheduler.add_job(
            _attempt,
            CronTrigger(timezone=zone, **job.schedule),
            args=(runtime, job),
            id=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=_GRACE_S,
        )
    return scheduler


def start_jobs(runtime: Runtime) -> BaseScheduler:
    """Start the jobs on a thread of this process."""
    scheduler = schedule_jobs(BackgroundScheduler(timezone=runtime.config.time_zone), runtime)
    scheduler.start()
    return scheduler
