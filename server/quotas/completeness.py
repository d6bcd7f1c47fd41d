"""How complete a period is, read from what tablets have signed and what the office has received."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.audit.queries import is_recovering
from server.devices.queries import InstallationView, all_installations
from server.journals.queries import carries_over, unsettled_by_worker
from server.quotas.periods import Completeness, completeness_of, period_end_ms


def completeness_at(connection: Connection, to_day: date, now_ms: int, zone: ZoneInfo) -> Completeness:
    """Return how complete what was captured up to the end of `to_day` is."""
    tablets = all_installations(connection)
    unsettled = unsettled_by_worker(connection, to_day)
    return completeness_of(
        tablets,
        lost_tablets(connection, tablets),
        unsettled,
        period_end_ms(to_day, zone),
        now_ms,
        is_recovering=is_recovering(connection),
    )


def lost_tablets(connection: Connection, tablets: Sequence[InstallationView]) -> set[str]:
    """Return the replaced tablets that signed for more than they or their successors delivered.

    `tablets` holds all those of a worker where it holds one: a successor is the same worker's.
    """
    successors: dict[str, list[str]] = defaultdict(list)
    for tablet in tablets:
        if tablet.predecessor_id is not None:
            successors[tablet.predecessor_id].append(tablet.id)
    return {
        tablet.id
        for tablet in tablets
        if tablet.unsent
        and tablet.id in successors
        and not carries_over(
            connection,
            tablet.id,
            (tablet.acked_seq, tablet.head_digest),
            (tablet.journal_head_seq, tablet.journal_head_digest),
            successors[tablet.id],
        )
    }
