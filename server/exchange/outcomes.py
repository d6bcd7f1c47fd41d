"""Outcomes in an answer: what has become of pushed entries, where that is not their verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from server.journals.queries import known_entries
from sync.codes import EntryCode
from sync.verdict import Verdict


def outcomes_shown(
    connection: Connection, worker_id: str, verdicts: Sequence[Verdict]
) -> list[dict[str, Any]]:
    """Return the current outcome of every own entry whose verdict does not tell it.

    An id that was used for other bytes names somebody else's entry, whose outcome is not shown.
    """
    decided = {
        verdict.entry_id: str(verdict.decision)
        for verdict in verdicts
        if verdict.entry_id is not None and verdict.code != EntryCode.ENTRY_ID_REUSED
    }
    known = known_entries(connection, decided)
    return [
        {"id": entry_id, "state": entry.state, "code": entry.code, "field": entry.field}
        for entry_id, entry in known.items()
        if entry.worker_id == worker_id and entry.state != decided[entry_id]
    ]
