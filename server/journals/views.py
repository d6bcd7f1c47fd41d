"""What pages show of delivered entries: lists, one entry, the quarantine, incidents.

Bytes are opened for evidence pages alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from server.bulk_rows import chunks
from server.journals.models import ContestedEntry, Entry, Incident, Outcome
from server.journals.queries import SEALED_AT
from server.sealing import Sealer
from sync.verdict import OutcomeState

_ENTRY, _OUTCOME = Entry.__table__, Outcome.__table__


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with its verdict and outcome, without its bytes."""

    installation_id: str
    seq: int
    entry_id: str
    worker_id: str
    kind: str | None
    received_ms: int
    wall_ms: int | None
    lower_ms: int
    upper_ms: int
    business_day: date
    verdict: str
    verdict_code: str | None
    verdict_field: str | None
    flags: tuple[str, ...]
    state: str | None
    code: str | None
    field: str | None
    changed_ms: int | None
    reason: str | None
    returned_ms: int | None
    corrected_by: str | None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident for the supervisors' list."""

    id: str
    kind: str
    installation_id: str
    worker_id: str
    seq: int
    entry_id: str | None
    detail: str | None
    at_ms: int


def _views_statement() -> Select[Any]:
    entry, outcome = _ENTRY.c, _OUTCOME.c
    return select(
        entry.installation_id,
        entry.seq,
        entry.entry_id,
        outcome.worker_id,
        entry.kind,
        entry.received_ms,
        entry.wall_ms,
        entry.lower_ms,
        entry.upper_ms,
        entry.business_day,
        entry.verdict,
        entry.code.label("verdict_code"),
        entry.field.label("verdict_field"),
        entry.flags,
        outcome.state,
        outcome.code,
        outcome.field,
        outcome.changed_ms,
        outcome.reason,
        outcome.returned_ms,
        outcome.corrected_by,
        outcome.flags.label("later_flags"),
    ).join(_OUTCOME, outcome.entry_id == entry.entry_id, isouter=True)


def _view(row: Any) -> EntryView:
    values = row._asdict()
    later = json.loads(values.pop("later_flags") or "[]")
    values["flags"] = tuple(dict.fromkeys([*json.loads(values["flags"]), *later]))
    return EntryView(**values)


def entries_of_installations(
    connection: Connection, installation_ids: Iterable[str], *, limit: int, offset: int = 0
) -> list[EntryView]:
    """Return the entries of these installations, the latest received first."""
    statement = _views_statement().where(_ENTRY.c.installation_id.in_(sorted(installation_ids)))
    statement = statement.order_by(_ENTRY.c.received_ms.desc(), _ENTRY.c.installation_id, _ENTRY.c.seq.desc())
    return [_view(row) for row in connection.execute(statement.limit(limit).offset(offset))]


def entry_at(connection: Connection, installation_id: str, seq: int) -> EntryView | None:
    """Return the entry at one position, or None."""
    row = connection.execute(
        _views_statement().where(_ENTRY.c.installation_id == installation_id, _ENTRY.c.seq == seq)
    ).one_or_none()
    return None if row is None else _view(row)


def entry_text(connection: Connection, sealer: Sealer, installation_id: str, seq: int) -> str | None:
    """Return the original bytes at one position as text. The caller audits the look."""
    sealed = connection.scalar(
        select(_ENTRY.c.sealed).where(_ENTRY.c.installation_id == installation_id, _ENTRY.c.seq == seq)
    )
    return None if sealed is None else sealer.open(sealed, SEALED_AT, f"{installation_id}/{seq}")


def entry_texts(
    connection: Connection, sealer: Sealer, installation_id: str, first: int, most: int
) -> list[str]:
    """Return the original bytes from `first` on as texts, without a gap: up to `most`, or the next hole."""
    statement = select(_ENTRY.c.seq, _ENTRY.c.sealed).where(
        _ENTRY.c.installation_id == installation_id, _ENTRY.c.seq.between(first, first + most - 1)
    )
    texts: list[str] = []
    for seq, sealed in connection.execute(statement.order_by(_ENTRY.c.seq)):
        if seq != first + len(texts):
            break
        texts.append(sealer.open(sealed, SEALED_AT, f"{installation_id}/{seq}"))
    return texts


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which quarantined entries to list; None: whatever it is. `before_ms`: received up to then."""

    code: str | None = None
    worker_id: str | None = None
    before_ms: int | None = None
    is_returned: bool | None = None


def quarantined_entries(
    connection: Connection,
    worker_ids: Iterable[str] | None,
    wanted: QuarantineFilter | None = None,
    *,
    limit: int,
    offset: int = 0,
) -> list[EntryView]:
    """Return entries that a person has to settle, newest first; of all workers when None."""
    statement = _views_statement().where(*_quarantined(worker_ids, wanted or QuarantineFilter()))
    # A carry-over stands at several positions; it is listed where it was judged.
    statement = statement.where(
        _ENTRY.c.installation_id == _OUTCOME.c.installation_id, _ENTRY.c.seq == _OUTCOME.c.seq
    ).order_by(_OUTCOME.c.changed_ms.desc(), _OUTCOME.c.entry_id)
    return [_view(row) for row in connection.execute(statement.limit(limit).offset(offset))]


def _quarantined(worker_ids: Iterable[str] | None, wanted: QuarantineFilter) -> list[ColumnElement[bool]]:
    conditions = [_OUTCOME.c.state == OutcomeState.QUARANTINED]
    if worker_ids is not None:
        conditions.append(_OUTCOME.c.worker_id.in_(sorted(worker_ids)))
    if wanted.code is not None:
        conditions.append(_OUTCOME.c.code == wanted.code)
    if wanted.worker_id is not None:
        conditions.append(_OUTCOME.c.worker_id == wanted.worker_id)
    if wanted.before_ms is not None:
        conditions.append(_ENTRY.c.received_ms <= wanted.before_ms)
    if wanted.is_returned is not None:
        returned = _OUTCOME.c.returned_ms.is_not(None)
        conditions.append(returned if wanted.is_returned else ~returned)
    return conditions


def quarantine_counts(
    connection: Connection, worker_ids: Iterable[str] | None
) -> list[tuple[str | None, str, bool, int]]:
    """Return how many quarantined entries there are by (code, worker, sent back)."""
    returned = _OUTCOME.c.returned_ms.is_not(None)
    columns = (_OUTCOME.c.code, _OUTCOME.c.worker_id, returned.label("is_returned"))
    statement = select(*columns, func.count()).where(*_quarantined(worker_ids, QuarantineFilter()))
    rows = connection.execute(statement.group_by(*columns).order_by(*columns))
    return [(code, worker_id, bool(is_returned), count) for code, worker_id, is_returned, count in rows]


def counts_by_state(connection: Connection, worker_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return, per worker, how many entries are in each state of an outcome."""
    counts: dict[str, dict[str, int]] = {worker_id: {} for worker_id in worker_ids}
    for part in chunks(sorted(counts)):
        rows = connection.execute(
            select(_OUTCOME.c.worker_id, _OUTCOME.c.state, func.count())
            .where(_OUTCOME.c.worker_id.in_(part))
            .group_by(_OUTCOME.c.worker_id, _OUTCOME.c.state)
        )
        for worker_id, state, count in rows:
            counts[worker_id][state] = count
    return counts


def incidents(
    connection: Connection, worker_ids: Iterable[str] | None, *, limit: int, offset: int = 0
) -> list[IncidentView]:
    """Return incidents, newest first; of all workers when None."""
    incident = Incident.__table__
    statement = select(*(incident.c[name] for name in IncidentView.__dataclass_fields__))
    if worker_ids is not None:
        statement = statement.where(incident.c.worker_id.in_(sorted(worker_ids)))
    statement = statement.order_by(incident.c.at_ms.desc(), incident.c.id).limit(limit).offset(offset)
    return [IncidentView(*row) for row in connection.execute(statement)]


def incident_details(connection: Connection, kind: str, installation_id: str) -> set[str | None]:
    """Return the details of an installation's incidents of one kind."""
    incident = Incident.__table__.c
    mine = (incident.kind == kind) & (incident.installation_id == installation_id)
    return set(connection.scalars(select(incident.detail).where(mine)))


def contested_count(connection: Connection, installation_id: str) -> int:
    """Return how many contested entries are kept of an installation."""
    contested = ContestedEntry.__table__
    statement = select(func.count()).where(contested.c.installation_id == installation_id)
    return connection.scalar(statement) or 0
