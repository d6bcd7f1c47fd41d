"""Outcomes in an answer: what has become of pushed entries, where that is not their verdict."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from server.journals.queries import KnownEntry, entries_that_became_other
from sync.codes import EntryCode
from sync.verdict import Verdict


def as_judged(verdicts: Sequence[Verdict], known: Mapping[str, KnownEntry]) -> frozenset[str]:
    """Return the entries of which a batch leaves no other outcome than their verdict."""
    found = set()
    for verdict in verdicts:
        outcome = None if verdict.entry_id is None else known.get(verdict.entry_id)
        if outcome is not None and outcome.state == verdict.decision:
            found.add(outcome.entry_id)
    return frozenset(found)


def outcomes_shown(
    connection: Connection, worker_id: str, verdicts: Sequence[Verdict], unchanged: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return the current outcome of every own entry whose verdict does not tell it.

    An id that was used for other bytes names somebody else's entry, whose outcome is not shown.
    Those `unchanged` when this push was committed are not asked for: what becomes of them from now
    on, devices learn by pull.
    """
    decided = {
        verdict.entry_id: str(verdict.decision)
        for verdict in verdicts
        if verdict.entry_id is not None
        and verdict.entry_id not in unchanged
        and verdict.code != EntryCode.ENTRY_ID_REUSED
    }
    changed = entries_that_became_other(connection, decided)
    return [
        {"id": entry_id, "state": changed[entry_id].state}
        | {"code": changed[entry_id].code, "field": changed[entry_id].field}
        for entry_id in decided
        if entry_id in changed and changed[entry_id].worker_id == worker_id
    ]
