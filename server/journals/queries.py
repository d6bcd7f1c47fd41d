"""Reads of delivered entries. Bytes are opened only for evidence pages and re-derivation."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, and_, bindparam, func, select

from server.bulk_rows import among, rows_among
from server.journals.models import Entry, HeldWait, Incident, JournalHole, Outcome
from server.prepared import rows_of
from server.sealing import Sealer
from sync.journal import DESK, chain, genesis_digest
from sync.push import Hole, JournalHead
from sync.verdict import IN_EFFECT, Decision, OutcomeState, Verdict

SEALED_AT = "entry.sealed"
_ENTRY, _OUTCOME = Entry.__table__, Outcome.__table__
_CORRECTING = Entry.__table__.alias("correcting")
_REGISTRATIONS = frozenset({"household_registered", "person_registered"})


class KnownEntry(Struct, frozen=True, gc=False):
    """An entry id that the server has seen, and what has become of it."""

    entry_id: str
    installation_id: str
    seq: int
    worker_id: str
    kind: str | None
    sha256: str
    state: str
    code: str | None
    field: str | None
    reason: str | None = None
    returned_ms: int | None = None
    corrected_by: str | None = None

    @property
    def is_seen(self) -> bool:
        """Return whether others may refer to it: in effect, or voided after it was.

        A registration is voided only where the office takes an import back: then there is no record
        that anything could be about, and what refers to it waits.
        """
        if self.state == OutcomeState.VOIDED:
            return self.kind not in _REGISTRATIONS
        return self.state in IN_EFFECT


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with its opened bytes and its frozen times.

    `correction` is the text of the desk entry whose body stands for this one's, where there is one.
    """

    entry_id: str
    installation_id: str
    seq: int
    worker_id: str
    kind: str | None
    raw: str
    sha256: str
    received_ms: int
    lower_ms: int
    upper_ms: int
    business_day: date
    flags: tuple[str, ...]
    state: str
    correction: str | None = None


# Statements of every push are built once: to build one costs more than to run it.
_KNOWN = select(*(_OUTCOME.c[name] for name in KnownEntry.__struct_fields__)).where(
    among(_OUTCOME.c.entry_id)
)
_OTHER = _KNOWN.where(_OUTCOME.c.state != bindparam("decision"))
_WALL_MS = select(_ENTRY.c.wall_ms).where(
    _ENTRY.c.installation_id == bindparam("installation_id"), _ENTRY.c.seq == bindparam("seq")
)
_IS_ANY_WAITING = select(HeldWait.entry_id).limit(1)
_WAITING = select(HeldWait.entry_id).where(among(HeldWait.__table__.c.waits_for))
_WAITS = select(HeldWait.entry_id, HeldWait.waits_for).where(among(HeldWait.__table__.c.entry_id))
_STORED = select(
    _OUTCOME.c.entry_id,
    _OUTCOME.c.installation_id,
    _OUTCOME.c.seq,
    _OUTCOME.c.worker_id,
    _OUTCOME.c.kind,
    _ENTRY.c.sealed,
    _OUTCOME.c.sha256,
    _ENTRY.c.received_ms,
    _ENTRY.c.lower_ms,
    _ENTRY.c.upper_ms,
    _ENTRY.c.business_day,
    _ENTRY.c.flags,
    _OUTCOME.c.state,
    _CORRECTING.c.sealed.label("correcting_sealed"),
    _CORRECTING.c.seq.label("correcting_seq"),
).select_from(
    _OUTCOME.join(
        _ENTRY, and_(_ENTRY.c.installation_id == _OUTCOME.c.installation_id, _ENTRY.c.seq == _OUTCOME.c.seq)
    ).outerjoin(
        _CORRECTING,
        and_(_CORRECTING.c.entry_id == _OUTCOME.c.corrected_by, _CORRECTING.c.installation_id == DESK),
    )
)
_STORED_BY_ID = _STORED.where(among(_OUTCOME.c.entry_id))


def known_entries(connection: Connection, entry_ids: Iterable[str]) -> dict[str, KnownEntry]:
    """Return what is known of each id that has been seen."""
    return {row[0]: KnownEntry(*row) for row in rows_among(connection, _KNOWN, entry_ids)}


_REPORTED = select(Incident.entry_id).where(
    among(Incident.__table__.c.entry_id), Incident.__table__.c.kind == bindparam("kind")
)


def reported_entries(connection: Connection, kind: str, entry_ids: Iterable[str]) -> set[str]:
    """Return about which of these entries there is an incident of a kind."""
    return {entry_id for (entry_id,) in rows_among(connection, _REPORTED, entry_ids, kind=kind)}


def entries_that_became_other(connection: Connection, decided: Mapping[str, str]) -> dict[str, KnownEntry]:
    """Return the entries whose outcome is not the decision in `decided`, {entry id: decision}."""
    ids_of: dict[str, list[str]] = defaultdict(list)
    for entry_id, decision in decided.items():
        ids_of[decision].append(entry_id)
    return {
        row[0]: KnownEntry(*row)
        for decision, entry_ids in ids_of.items()
        for row in rows_among(connection, _OTHER, entry_ids, decision=decision)
    }


def digests_between(connection: Connection, installation_id: str, first: int, last: int) -> dict[int, str]:
    """Return the stored chain digests by seq, both ends included."""
    rows = connection.execute(
        select(_ENTRY.c.seq, _ENTRY.c.digest).where(
            _ENTRY.c.installation_id == installation_id, _ENTRY.c.seq.between(first, last)
        )
    )
    return {row.seq: row.digest for row in rows}


def holes_of(connection: Connection, installation_id: str) -> list[Hole]:
    """Return what was declared lost of a journal, in order."""
    hole = JournalHole.__table__.c
    statement = select(hole.from_seq, hole.floor_seq, hole.floor_digest)
    rows = connection.execute(
        statement.where(hole.installation_id == installation_id).order_by(hole.from_seq)
    )
    return [Hole(*row) for row in rows]


def verdicts_between(connection: Connection, installation_id: str, first: int, last: int) -> list[Verdict]:
    """Return the stored verdicts in order, both ends included."""
    entry = _ENTRY.c
    rows = connection.execute(
        select(entry.seq, entry.shown_id, entry.verdict, entry.code, entry.field, entry.flags)
        .where(entry.installation_id == installation_id, entry.seq.between(first, last))
        .order_by(entry.seq)
    )
    return [
        Verdict(seq, shown_id, Decision(verdict), code, field, tuple(json.loads(flags)))
        for seq, shown_id, verdict, code, field, flags in rows
    ]


def desk_journal_head(connection: Connection) -> JournalHead:
    """Return the end of the office's own journal."""
    statement = select(_ENTRY.c.seq, _ENTRY.c.digest).where(_ENTRY.c.installation_id == DESK)
    row = connection.execute(statement.order_by(_ENTRY.c.seq.desc()).limit(1)).one_or_none()
    return JournalHead(0, genesis_digest(DESK)) if row is None else JournalHead(row.seq, row.digest)


def last_wall_ms(connection: Connection, installation_id: str, seq: int) -> int | None:
    """Return the claimed time of the entry at `seq`, if there is one that could be read."""
    rows = rows_of(connection, _WALL_MS, {"installation_id": installation_id, "seq": seq})
    return rows[0][0] if rows else None


def waiting_entry_ids(connection: Connection, waits_for: Iterable[str]) -> set[str]:
    """Return the ids of held entries that wait for any of `waits_for`; mostly nothing waits at all."""
    if not rows_of(connection, _IS_ANY_WAITING, {}):
        return set()
    return {entry_id for (entry_id,) in rows_among(connection, _WAITING, waits_for)}


def waits_of(connection: Connection, entry_ids: Iterable[str]) -> dict[str, set[str]]:
    """Return what each held entry waits for."""
    found: dict[str, set[str]] = {entry_id: set() for entry_id in entry_ids}
    for entry_id, waits_for in rows_among(connection, _WAITS, found):
        found[entry_id].add(waits_for)
    return found


def stored_entries(
    connection: Connection, sealer: Sealer, entry_ids: Iterable[str]
) -> dict[str, StoredEntry]:
    """Return entries by id with their bytes opened, at the position where each was judged."""
    rows = rows_among(connection, _STORED_BY_ID, entry_ids)
    return {row.entry_id: _stored(row, sealer) for row in rows}


def every_stored_entry(
    connection: Connection, sealer: Sealer, kinds: Collection[str] | None = None
) -> Iterator[StoredEntry]:
    """Yield every entry that has an outcome, by installation and seq, with its bytes opened.

    `kinds`: of these kinds alone.
    """
    statement = _STORED.order_by(_OUTCOME.c.installation_id, _OUTCOME.c.seq)
    if kinds is not None:
        statement = statement.where(_OUTCOME.c.kind.in_(sorted(kinds)))
    for row in connection.execution_options(yield_per=1000).execute(statement):
        yield _stored(row, sealer)


def _stored(row: Any, sealer: Sealer) -> StoredEntry:
    return StoredEntry(
        entry_id=row.entry_id,
        installation_id=row.installation_id,
        seq=row.seq,
        worker_id=row.worker_id,
        kind=row.kind,
        raw=sealer.open(row.sealed, SEALED_AT, f"{row.installation_id}/{row.seq}"),
        sha256=row.sha256,
        received_ms=row.received_ms,
        lower_ms=row.lower_ms,
        upper_ms=row.upper_ms,
        business_day=row.business_day,
        flags=tuple(json.loads(row.flags)),
        state=row.state,
        correction=sealer.open_optional(row.correcting_sealed, SEALED_AT, f"{DESK}/{row.correcting_seq}"),
    )


def held_since(connection: Connection, before_ms: int) -> list[KnownEntry]:
    """Return held entries whose state has not changed since `before_ms`."""
    columns = [_OUTCOME.c[name] for name in KnownEntry.__struct_fields__]
    statement = select(*columns).where(
        _OUTCOME.c.state == OutcomeState.HELD, _OUTCOME.c.changed_ms <= before_ms
    )
    return [KnownEntry(*row) for row in connection.execute(statement.order_by(_OUTCOME.c.entry_id))]


def unsettled_by_worker(connection: Connection, to_day: date) -> dict[str, int]:
    """Return how many entries up to a business day are held or quarantined, by worker."""
    unsettled = (OutcomeState.HELD, OutcomeState.QUARANTINED)
    statement = (
        select(_OUTCOME.c.worker_id, func.count())
        .join(
            _ENTRY,
            and_(_ENTRY.c.installation_id == _OUTCOME.c.installation_id, _ENTRY.c.seq == _OUTCOME.c.seq),
        )
        .where(_OUTCOME.c.state.in_(unsettled), _ENTRY.c.business_day <= to_day)
        .group_by(_OUTCOME.c.worker_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def carries_over(
    connection: Connection,
    installation_id: str,
    acked: tuple[int, str],
    head: tuple[int, str],
    successor_ids: Iterable[str],
) -> bool:
    """Return whether a successor delivered what `installation_id` signed for and never sent.

    `acked` and `head` are (seq, digest): the end of what arrived, and of what was signed for. Entries
    are carried over unchanged and in order, so the digests tell.
    """
    entry, missing = _ENTRY.c, head[0] - acked[0]
    last = connection.scalar(
        select(entry.sha256).where(entry.installation_id == installation_id, entry.seq == acked[0])
    )
    for successor_id in successor_ids:
        mine = select(entry.seq).where(entry.installation_id == successor_id, entry.sha256 == last)
        for start in (1, *(seq + 1 for seq in connection.scalars(mine))):
            run = select(entry.sha256).where(
                entry.installation_id == successor_id, entry.seq.between(start, start + missing - 1)
            )
            sha256s = list(connection.scalars(run.order_by(entry.seq)))
            if len(sha256s) == missing and chain(acked[1], sha256s)[-1] == head[1]:
                return True
    return False
