"""What is kept of imports: runs, their waiting rows, faults and effects; personal data sealed.

Rows wait sealed between the check and the import, at most seven days.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from schemas.signatures import from_base64url, to_base64url
from server.audit.changes import Change
from server.imports.models import ImportEffect, ImportFault, ImportRow, ImportRun
from server.imports.sheet import Row
from server.office.imported import RowStep
from server.sealing import Sealer

STAGING, CHECKED, APPLYING, APPLIED, FAILED, UNDONE, EXPIRED = (
    "staging",
    "checked",
    "applying",
    "applied",
    "failed",
    "undone",
    "expired",
)
_ROW_AT, _EFFECT_AT, _STEP_AT = "import_row.sealed", "import_effect.sealed", "desk_record.content"
_RUN, _ROW = ImportRun.__table__, ImportRow.__table__
_FAULT, _EFFECT = ImportFault.__table__, ImportEffect.__table__


@dataclass(frozen=True, slots=True)
class Run:
    """One import as it stands; see ImportRun."""

    id: str
    sheet: str
    file_name: str
    file_sha256: str
    state: str
    code: str | None
    rows: int
    added: int
    changed: int
    unchanged: int
    faults: int
    next_number: int
    actor: str
    worker_id: str | None
    checked_ms: int
    applied_ms: int | None
    undone_ms: int | None

    @property
    def can_be_applied(self) -> bool:
        """Return whether it waits, without faults, and would do something."""
        return self.state == CHECKED and not self.faults and self.added + self.changed > 0

    @property
    def can_be_undone(self) -> bool:
        """Return whether there is something to take back: also what a failure left half done."""
        return self.state in {APPLIED, FAILED}


@dataclass(frozen=True, slots=True)
class FaultView:
    """One thing that is wrong: `letter` and `number` are the cell's, as a spreadsheet shows them."""

    number: int
    letter: str
    column: str
    code: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a row of the sheet did: a row of the office, or an amendment of a household."""

    number: int
    table: str
    key: str
    content: Mapping[str, Any]


def run_of(connection: Connection, import_id: str, *, is_locked: bool = False) -> Run | None:
    """Return a run, locked until the change ends where asked for."""
    query = select(*(_RUN.c[name] for name in Run.__dataclass_fields__)).where(_RUN.c.id == import_id)
    row = connection.execute(query.with_for_update() if is_locked else query).one_or_none()
    return None if row is None else Run(*row)


def runs(connection: Connection, *, limit: int, offset: int = 0) -> list[Run]:
    """Return the runs, the latest first."""
    query = select(*(_RUN.c[name] for name in Run.__dataclass_fields__)).where(_RUN.c.state != STAGING)
    order = (_RUN.c.checked_ms.desc(), _RUN.c.id.desc())
    return [Run(*row) for row in connection.execute(query.order_by(*order).limit(limit).offset(offset))]


def runs_in(connection: Connection, states: Sequence[str], before_ms: int) -> list[Run]:
    """Return the runs in these states that were checked before a moment, the oldest first."""
    query = select(*(_RUN.c[name] for name in Run.__dataclass_fields__)).where(
        _RUN.c.state.in_(states), _RUN.c.checked_ms < before_ms
    )
    return [Run(*row) for row in connection.execute(query.order_by(_RUN.c.checked_ms, _RUN.c.id))]


def is_any_applying(connection: Connection) -> bool:
    """Return whether an import is being applied."""
    query = select(_RUN.c.id).where(_RUN.c.state == APPLYING).limit(1)
    return connection.execute(query).first() is not None


def put_run(change: Change, run: Run) -> None:
    """Keep a new run."""
    change.insert(_RUN, **{name: getattr(run, name) for name in Run.__dataclass_fields__})


def set_run(change: Change, import_id: str, **values: Any) -> None:
    """Set values of a run."""
    change.update(_RUN, {"id": import_id}, **values)


def put_rows(change: Change, sealer: Sealer, import_id: str, rows: Sequence[tuple[Row, str]]) -> None:
    """Keep rows with their fates, sealed, until the import is applied."""
    texts = [(f"{import_id}/{row.number}", _row_text(row)) for row, _ in rows]
    for (row, fate), sealed in zip(rows, sealer.seal_all(texts, _ROW_AT), strict=True):
        kept = {"import_id": import_id, "number": row.number, "fate": fate, "sealed": sealed}
        change.insert_row(_ROW, kept)


def rows_after(
    connection: Connection, sealer: Sealer, import_id: str, fates: Sequence[str], after: int, most: int
) -> list[Row]:
    """Return waiting rows after a number, in their order in the sheet."""
    query = (
        select(_ROW.c.number, _ROW.c.sealed)
        .where(_ROW.c.import_id == import_id, _ROW.c.number > after, _ROW.c.fate.in_(fates))
        .order_by(_ROW.c.number)
        .limit(most)
    )
    return [
        _row_from(number, sealer.open(sealed, _ROW_AT, f"{import_id}/{number}"))
        for number, sealed in connection.execute(query).all()
    ]


def drop_rows(change: Change, import_id: str, most: int) -> int:
    """Drop at most so many waiting rows of an import; return how many were."""
    some = select(_ROW.c.number).where(_ROW.c.import_id == import_id).order_by(_ROW.c.number).limit(most)
    last = change.connection.scalar(select(func.max(some.subquery().c.number)))
    if last is None:
        return 0
    statement = delete(ImportRow).where(_ROW.c.import_id == import_id, _ROW.c.number <= last)
    return int(change.connection.execute(statement).rowcount)


def put_faults(change: Change, import_id: str, faults: Sequence[FaultView]) -> None:
    """Keep what is wrong with a sheet: where, and a code, never a value."""
    for position, fault in enumerate(faults):
        change.insert(
            _FAULT,
            import_id=import_id,
            position=position,
            number=fault.number,
            letter=fault.letter,
            column=fault.column,
            code=fault.code,
        )


def faults_of(connection: Connection, import_id: str, *, limit: int, offset: int = 0) -> list[FaultView]:
    """Return what is wrong with a sheet, from top to bottom."""
    query = (
        select(_FAULT.c.number, _FAULT.c.letter, _FAULT.c.column, _FAULT.c.code)
        .where(_FAULT.c.import_id == import_id)
        .order_by(_FAULT.c.position)
    )
    return [FaultView(*row) for row in connection.execute(query.limit(limit).offset(offset))]


def effect_rows(sealer: Sealer, import_id: str, effects: Iterable[Effect]) -> list[dict[str, Any]]:
    """Return the rows that keep effects."""
    rows = []
    for position, effect in enumerate(effects):
        text = json.dumps(effect.content, ensure_ascii=False, default=_day_text)
        sealed = sealer.seal(text, _EFFECT_AT, f"{import_id}/{position}")
        rows.append(
            {
                "import_id": import_id,
                "position": position,
                "number": effect.number,
                "table_name": effect.table,
                "row_key": effect.key,
                "sealed": to_base64url(sealed),
            }
        )
    return rows


def step_effect(number: int, step: RowStep) -> Effect:
    """Return a step of the office as an effect."""
    return Effect(number, step.table, step.key, {"before": step.before, "after": step.after})


def effects_of(connection: Connection, sealer: Sealer, import_id: str) -> list[Effect]:
    """Return what an import did, in its order; days are texts here."""
    query = select(_EFFECT).where(_EFFECT.c.import_id == import_id).order_by(_EFFECT.c.position)
    return [
        Effect(
            row.number,
            row.table_name,
            row.row_key,
            json.loads(sealer.open(from_base64url(row.sealed), _EFFECT_AT, f"{import_id}/{row.position}")),
        )
        for row in connection.execute(query)
    ]


def sealed_step(sealer: Sealer, content: Mapping[str, Any]) -> str:
    """Return what an import's change did as the desk journal keeps it: packed, then sealed."""
    # The least effort packs a step of households to a sixth; the most would save another tenth.
    packed = zlib.compress(msgspec.json.encode(content), 1)
    return to_base64url(sealer.seal(to_base64url(packed), _STEP_AT, "import"))


def opened_step(sealer: Sealer, sealed: str) -> dict[str, Any]:
    """Return what `sealed_step` packed."""
    packed = from_base64url(sealer.open(from_base64url(sealed), _STEP_AT, "import"))
    opened: dict[str, Any] = json.loads(zlib.decompress(packed))
    return opened


def set_run_now(connection: Connection, run: Mapping[str, Any]) -> None:
    """Let a run be as the desk journal has it."""
    values = {name: value for name, value in run.items() if name != "id"}
    found = connection.execute(update(ImportRun).where(_RUN.c.id == run["id"]).values(values))
    if found.rowcount == 0:
        connection.execute(insert(ImportRun).values(**run))


def _row_text(row: Row) -> str:
    # A list is a day: cells are texts, whole numbers, days or nothing.
    values = {
        name: [value.isoformat()] if isinstance(value, date) else value for name, value in row.values.items()
    }
    return json.dumps(values, ensure_ascii=False)


def _row_from(number: int, text: str) -> Row:
    values = {
        name: date.fromisoformat(value[0]) if isinstance(value, list) else value
        for name, value in json.loads(text).items()
    }
    return Row(number, values)


def _day_text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in what an import keeps")
