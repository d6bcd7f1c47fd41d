"""Reads about a recovery: who has not pushed again yet."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from server.audit.queries import recovering_since
from server.devices.queries import all_installations
from server.devices.rules import InstallationState
from server.office.queries import workers_by_id
from server.recovery.replay import backlog

# A fenced or superseded one is refused; what it held comes with the installation that replaces it.
_DELIVERING = frozenset({InstallationState.ACTIVE, InstallationState.REVOKED})


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A tablet that has not synced since the restore; times in Unix milliseconds."""

    number: int
    worker_name: str
    last_sync_ms: int | None


@dataclass(frozen=True, slots=True)
class RecoveryStatus:
    """How far a recovery has come. `since_ms` is None when none is open."""

    since_ms: int | None
    outstanding: list[Outstanding]
    waiting: list[tuple[int, str, str]]

    @property
    def is_done(self) -> bool:
        """Return whether every tablet has synced and nothing waits."""
        return not self.outstanding and not self.waiting


def recovery_status(connection: Connection) -> RecoveryStatus:
    """Return which tablets are outstanding, and which desk records wait: (number, kind, code)."""
    since_ms = recovering_since(connection)
    waiting = [(line.seq, line.kind, code) for line, code in backlog(connection)]
    if since_ms is None:
        return RecoveryStatus(None, [], waiting)
    late = [
        each
        for each in all_installations(connection)
        if each.state in _DELIVERING and (each.last_sync_ms or 0) < since_ms
    ]
    workers = workers_by_id(connection, {each.worker_id for each in late})
    return RecoveryStatus(
        since_ms,
        [
            Outstanding(
                each.number,
                workers[each.worker_id].name if each.worker_id in workers else "–",
                each.last_sync_ms,
            )
            for each in late
        ],
        waiting,
    )
