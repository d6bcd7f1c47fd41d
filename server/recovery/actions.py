"""Closing a recovery: what devices have not brought back by then is given up on."""

from __future__ import annotations

from server.audit.actions import close_recovery
from server.audit.changes import Change, run_change
from server.recovery.queries import RecoveryStatus, recovery_status
from server.recovery.replay import RECOVERY_ACTOR
from server.runtime import Runtime


class RecoveryOpenError(Exception):
    """Tablets are outstanding or decisions wait; closing all the same must be asked for."""

    def __init__(self, status: RecoveryStatus) -> None:
        super().__init__(f"{len(status.outstanding)} outstanding, {len(status.waiting)} waiting")
        self.status = status


def end_recovery(runtime: Runtime, *, anyway: bool) -> RecoveryStatus:
    """Close the recovery and return how it stood. Raises RecoveryOpenError. Closing twice does nothing."""

    def work(change: Change) -> RecoveryStatus:
        status = recovery_status(change.connection)
        if not status.is_done and not anyway:
            raise RecoveryOpenError(status)
        if status.since_ms is not None:
            change.desk("recovery_closed", outstanding=len(status.outstanding), waiting=len(status.waiting))
        close_recovery(change)
        return status

    return run_change(runtime.transactions, RECOVERY_ACTOR, runtime.clock.now_ms(), work)
