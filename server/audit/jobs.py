"""Runs of scheduled jobs: the first to claim a run does it, whichever process that is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from server.audit.changes import Actor, Change, run_change
from server.audit.models import JobRun
from server.database import Transactions


def claim_run(transactions: Transactions, job: str, scheduled_for: str, now_ms: int) -> bool:
    """Claim one run of a job; return False when somebody has it already."""
    table = JobRun.__table__

    def work(change: Change) -> bool:
        known = select(table.c.job).where(table.c.job == job, table.c.scheduled_for == scheduled_for)
        if change.connection.execute(known).first() is not None:
            change.audit("job_run_left", job, scheduled_for=scheduled_for)
            return False
        change.insert(
            table,
            job=job,
            scheduled_for=scheduled_for,
            started_ms=now_ms,
            finished_ms=None,
            result=None,
            findings=0,
        )
        change.audit("job_run_claimed", job, scheduled_for=scheduled_for)
        return True

    try:
        return run_change(transactions, Actor(f"job:{job}"), now_ms, work)
    except IntegrityError:
        # On PostgreSQL two can look at once; the key decides.
        return False


def finish_run(
    transactions: Transactions, job: str, scheduled_for: str, now_ms: int, result: str, findings: int
) -> None:
    """Write down how a claimed run ended; `result` is done or failed."""

    def work(change: Change) -> None:
        key = {"job": job, "scheduled_for": scheduled_for}
        change.update(JobRun.__table__, key, finished_ms=now_ms, result=result, findings=findings)
        change.audit("job_run_finished", job, scheduled_for=scheduled_for, result=result, findings=findings)

    run_change(transactions, Actor(f"job:{job}"), now_ms, work)
