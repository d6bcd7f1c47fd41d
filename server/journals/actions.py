"""Writes about delivered entries. The exchange alone calls them, while it judges a push."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import ARRAY, Connection, Select, Text, bindparam, func, select, update
from sqlalchemy.dialects import postgresql

from server.audit.changes import Change
from server.bulk_rows import among, insert_missing, rows_among
from server.journals.models import (
    ContestedEntry,
    Entry,
    HeldWait,
    Incident,
    JournalHole,
    LockKey,
    Outcome,
)
from server.journals.queries import KnownEntry
from server.prepared import write_rows
from sync.codes import Flag
from sync.entry import Fault
from sync.ports import IdSource
from sync.push import Hole
from sync.scope import agent_scope
from sync.verdict import OutcomeState

_OUTCOME = Outcome.__table__.c
_NAME = LockKey.__table__.c.key
_NEW_NAMES = (
    postgresql.insert(LockKey)
    .from_select(["key"], select(func.unnest(bindparam("keys", type_=ARRAY(Text)))))
    .on_conflict_do_nothing(index_elements=["key"])
)
_LOCKED_NAMES = select(_NAME).where(among(_NAME)).order_by(_NAME).with_for_update()


def lock_names(connection: Connection, names: Iterable[str]) -> None:
    """Lock names, also of things that do not exist yet, in sorted order until the change ends.

    SQLite needs none: its write lock was taken at BEGIN.
    """
    if connection.dialect.name == "sqlite":
        return
    wanted = sorted(set(names))
    if wanted:
        write_rows(connection, _NEW_NAMES, [{"keys": wanted}])
        rows_among(connection, _LOCKED_NAMES, wanted)


def keep_contested(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Keep the bytes of a push that contradicts the stored journal; the same ones only once."""
    insert_missing(connection, ContestedEntry.__table__, list(rows), ["installation_id", "seq", "digest"])


def keep_hole(change: Change, installation_id: str, hole: Hole) -> None:
    """Write down what a device has lost of its journal, so that the journal can go on."""
    change.insert(
        JournalHole.__table__,
        installation_id=installation_id,
        from_seq=hole.from_seq,
        floor_seq=hole.floor_seq,
        floor_digest=hole.floor_digest,
        at_ms=change.now_ms,
    )


def add_entry(change: Change, columns: dict[str, Any]) -> None:
    """Store one position of a journal with its verdict; `columns` are those of the table."""
    change.insert_row(Entry.__table__, columns)


def add_outcome(change: Change, known: KnownEntry) -> None:
    """Store what has become of an entry id that was not known before."""
    row = asdict(known)
    row["changed_ms"], row["flags"] = change.now_ms, "[]"
    change.insert_row(Outcome.__table__, row)


def move_outcome(
    change: Change,
    known: KnownEntry,
    state: OutcomeState,
    fault: Fault | None,
    flags: Iterable[Flag] | None = None,
) -> KnownEntry:
    """Let an entry have become something else than its verdict; the agent's devices learn it.

    `flags` are those of a fresh judgement; None: there was none. That it was sent back is forgotten
    once it is neither quarantined nor answered.
    """
    is_settled = state not in {OutcomeState.QUARANTINED, OutcomeState.ANSWERED}
    moved = replace(
        known,
        state=str(state),
        code=None if fault is None else str(fault.code),
        field=None if fault is None else fault.field,
        reason=None if is_settled else known.reason,
        returned_ms=None if is_settled else known.returned_ms,
    )
    more = {} if flags is None else {"flags": json.dumps([str(flag) for flag in dict.fromkeys(flags)])}
    _put_outcome(change, moved, **more)
    return moved


def flag_outcomes(change: Change, entry_ids: Collection[str], flag: Flag) -> None:
    """Add a flag to entries that something later has thrown a light on; their verdicts stay."""
    if not entry_ids:
        return
    # An outcome of this very change may have flags that are not written yet.
    change.flush()
    flagged = select(_OUTCOME.entry_id, _OUTCOME.flags).where(among(_OUTCOME.entry_id))
    for entry_id, flags in rows_among(change.connection, flagged, entry_ids):
        kept = dict.fromkeys([*json.loads(flags), str(flag)])
        change.update(Outcome.__table__, {"entry_id": entry_id}, flags=json.dumps([*kept]))


def void_entries(connection: Connection, entry_ids: Select[Any], now_ms: int) -> None:
    """Let every entry of the desk that a query names be voided, in one statement: no device holds them."""
    values = {"state": str(OutcomeState.VOIDED), "code": None, "field": None, "changed_ms": now_ms}
    connection.execute(update(Outcome).where(Outcome.__table__.c.entry_id.in_(entry_ids)).values(values))


def return_entry(change: Change, known: KnownEntry, reason: str) -> KnownEntry:
    """Send a quarantined entry back to its agent, with the reason."""
    returned = replace(known, reason=reason, returned_ms=change.now_ms)
    _put_outcome(change, returned)
    return returned


def mark_corrected(change: Change, known: KnownEntry, by_entry_id: str) -> KnownEntry:
    """Let the body of a desk entry stand for an entry's own; its own bytes are kept."""
    change.update(Outcome.__table__, {"entry_id": known.entry_id}, corrected_by=by_entry_id)
    return replace(known, corrected_by=by_entry_id)


def _put_outcome(change: Change, known: KnownEntry, **more: Any) -> None:
    wire = {name: getattr(known, name) for name in ("state", "code", "field", "reason", "returned_ms")}
    change.update(Outcome.__table__, {"entry_id": known.entry_id}, changed_ms=change.now_ms, **wire, **more)
    change.put_record("outcome", known.entry_id, wire, {agent_scope(known.worker_id)})


def set_waits(change: Change, entry_id: str, stored: set[str], wanted: set[str]) -> None:
    """Let a held entry wait for `wanted` instead of `stored`."""
    for wanted_id in sorted(stored - wanted):
        change.delete(HeldWait.__table__, {"entry_id": entry_id, "waits_for": wanted_id})
    for wanted_id in sorted(wanted - stored):
        change.insert(HeldWait.__table__, entry_id=entry_id, waits_for=wanted_id)


def report_incident(
    change: Change,
    ids: IdSource,
    kind: str,
    *,
    installation_id: str,
    worker_id: str,
    seq: int,
    entry_id: str | None = None,
    detail: str | None = None,
) -> None:
    """Write down something that a person has to look at; `detail` holds no personal data."""
    change.insert(
        Incident.__table__,
        id=ids.new_id(),
        kind=kind,
        installation_id=installation_id,
        worker_id=worker_id,
        seq=seq,
        entry_id=entry_id,
        detail=detail,
        at_ms=change.now_ms,
    )
    change.audit("incident", installation_id, kind=kind, seq=seq)
