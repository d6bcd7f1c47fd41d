"""The dry run: a sheet read, every cell checked, and what each row would do. Writes nothing.

Runs outside the write lock, in one snapshot; whatever it found is decided again when the sheet is
applied.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from server.audit.changes import Actor, Change, run_change
from server.bulk_rows import chunks
from server.imports.codes import ImportCode
from server.imports.columns import Column, header_key, read_cell
from server.imports.kept import CHECKED, STAGING, FaultView, Run, put_faults, put_rows, put_run, set_run
from server.imports.sheet import ADD, CHANGE, KEEP, Row, Sheet, WholeRules
from server.runtime import Runtime
from server.spreadsheets import ReadSheet, SheetFileError, column_letter, read_sheet

# One change of the office's own rows writes them all; tablets wait for it well under two seconds.
OFFICE_ROWS_MOST = 10_000
# What an import changes of households is written in the change that brings all of it into sight.
CHANGES_MOST = 5_000
# Faults are counted to the end, and kept and shown up to here: whoever has more begins with these.
FAULTS_KEPT_MOST = 2_000
_PREPARED_ROWS, _STAGED_ROWS = 1_000, 1_000
_NAME_MOST = 120


@dataclass(slots=True)
class Checked:
    """What a dry run found; rows that change nothing are counted and not kept."""

    sheet: Sheet
    rows: list[tuple[Row, str]] = field(default_factory=list)
    faults: list[FaultView] = field(default_factory=list)
    fault_count: int = 0
    row_count: int = 0
    fates: dict[str, int] = field(default_factory=lambda: {ADD: 0, CHANGE: 0, KEEP: 0})

    def fault(self, number: int, position: int | None, column: str, code: ImportCode) -> None:
        """Note a fault of a cell, or (without a position) of the row or the sheet."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_KEPT_MOST:
            letter = "" if position is None else column_letter(position)
            self.faults.append(FaultView(number, letter, column, str(code)))


def check_sheet(runtime: Runtime, sheet: Sheet, content: bytes) -> Checked:
    """Return what a sheet would do, and everything that is wrong with it."""
    checked = Checked(sheet)
    try:
        found = read_sheet(content)
    except SheetFileError as error:
        checked.fault(0, None, "", ImportCode(error.reason))
        return checked
    checked.row_count = len(found.rows)
    if not sheet.is_chunked and len(found.rows) > OFFICE_ROWS_MOST:
        checked.fault(0, None, "", ImportCode.TOO_MANY_ROWS)
        return checked
    columns = _columns_of(sheet, found, checked)
    if checked.fault_count:
        return checked
    rows = _read_rows(found, columns, checked)
    with runtime.transactions.reading() as connection:
        _decide(runtime, connection, checked, columns, rows)
    if sheet.needs_worker and checked.fates[CHANGE] > CHANGES_MOST:
        checked.fault(0, None, "", ImportCode.TOO_MANY_CHANGES)
    checked.faults.sort(key=lambda fault: (fault.number, fault.letter, fault.code))
    return checked


def _columns_of(sheet: Sheet, found: ReadSheet, checked: Checked) -> dict[str, tuple[int, Column]]:
    """Return the sheet's columns by name, each with its position in the file."""
    known = {header_key(title): column for column in sheet.columns for title in (column.name, *column.titles)}
    columns: dict[str, tuple[int, Column]] = {}
    for position, title in enumerate(found.header):
        if not title:
            continue
        column = known.get(header_key(title))
        if column is None:
            checked.fault(found.header_number, position, "", ImportCode.COLUMN_UNKNOWN)
        elif column.name in columns:
            checked.fault(found.header_number, position, column.name, ImportCode.COLUMN_REPEATED)
        else:
            columns[column.name] = (position, column)
    for column in sheet.columns:
        if column.required and column.name not in columns:
            checked.fault(found.header_number, None, column.name, ImportCode.COLUMN_MISSING)
    return columns


def _read_rows(found: ReadSheet, columns: dict[str, tuple[int, Column]], checked: Checked) -> list[Row]:
    """Return the rows whose cells all read well, and are no repetition of a row above."""
    rows: list[Row] = []
    keys: set[object] = set()
    read = [(name, position, column) for name, (position, column) in columns.items()]
    absent = {
        column.name: None for column in checked.sheet.columns if column.is_key and column.name not in columns
    }
    # Each row is let go once it is read: a large sheet would be held twice.
    found.rows.reverse()
    while found.rows:
        number, cells = found.rows.pop()
        before, values = checked.fault_count, dict(absent)
        for name, position, column in read:
            value = read_cell(column, cells[position])
            if isinstance(value, ImportCode):
                checked.fault(number, position, name, value)
            values[name] = value
        if checked.fault_count > before:
            continue
        row = Row(number, values)
        key = checked.sheet.key_of(row)
        if key and key in keys:
            first = checked.sheet.first_key
            checked.fault(number, columns[first][0], first, ImportCode.KEY_REPEATED)
            continue
        keys.add(key)
        rows.append(row)
    return rows


def _decide(
    runtime: Runtime,
    connection: Connection,
    checked: Checked,
    columns: dict[str, tuple[int, Column]],
    rows: Sequence[Row],
) -> None:
    rules = checked.sheet.rules(connection, runtime, runtime.clock.now_ms())
    for part in chunks(checked.sheet.order(rows), _PREPARED_ROWS):
        rules.prepare(part)
        for row in part:
            decided = rules.decide(row)
            for name, code in decided.faults:
                position = columns[name][0] if name in columns else None
                checked.fault(row.number, position, name, code)
            if decided.faults:
                continue
            checked.fates[decided.fate] += 1
            if decided.fate != KEEP:
                checked.rows.append((row, decided.fate))
    # A whole lacks what a faulty row would have given it.
    if isinstance(rules, WholeRules) and not checked.fault_count:
        for number, name, code in rules.finish():
            checked.fault(number, columns[name][0] if name in columns else None, name, code)


def stage_sheet(runtime: Runtime, actor: Actor, checked: Checked, file_name: str, content: bytes) -> Run:
    """Keep what a dry run found, so that it can be looked at and applied; its rows are handed over, sealed.

    Short changes of their own: a push that comes meanwhile waits for one of them.
    """
    now_ms = runtime.clock.now_ms()
    run = Run(
        id=runtime.ids.new_id(),
        sheet=checked.sheet.name,
        file_name=_shown_name(file_name),
        file_sha256=hashlib.sha256(content).hexdigest(),
        state=STAGING,
        code=None,
        rows=checked.row_count,
        added=checked.fates[ADD],
        changed=checked.fates[CHANGE],
        unchanged=checked.fates[KEEP],
        faults=checked.fault_count,
        next_number=0,
        actor=actor.chain,
        worker_id=actor.worker_id,
        checked_ms=now_ms,
        applied_ms=None,
        undone_ms=None,
    )

    def begin(change: Change) -> None:
        put_run(change, run)
        put_faults(change, run.id, checked.faults)
        counts = {"rows": run.rows, "added": run.added, "changed": run.changed, "faults": run.faults}
        change.audit("sheet_checked", run.id, sheet=run.sheet, file=run.file_sha256, **counts)

    run_change(runtime.transactions, actor, now_ms, begin)
    if checked.fault_count:
        checked.rows.clear()
    while checked.rows:
        part = checked.rows[:_STAGED_ROWS]
        del checked.rows[:_STAGED_ROWS]

        def keep(change: Change, part: list[tuple[Row, str]] = part) -> None:
            put_rows(change, runtime.sealer, run.id, part)
            change.audit("sheet_staged", run.id, rows=len(part))

        run_change(runtime.transactions, actor, now_ms, keep)

    def finish(change: Change) -> None:
        set_run(change, run.id, state=CHECKED)
        change.audit("sheet_waits", run.id)

    run_change(runtime.transactions, actor, now_ms, finish)
    return run


def _shown_name(file_name: str) -> str:
    """Return a file's name as history shows it: no folders, nothing that a page cannot show."""
    last = unicodedata.normalize("NFC", file_name).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[-_NAME_MOST:] or "-"
