"""Sheets for tests, and what an office does with them."""

from __future__ import annotations

from typing import Any

from server.audit.changes import Actor
from server.imports.applying import apply_import
from server.imports.checking import Checked, check_sheet, stage_sheet
from server.imports.kept import Run, run_of
from server.imports.registry import SHEETS
from server.runtime import Runtime
from server.spreadsheets import written_csv, written_xlsx


def a_sheet(name: str, *rows: dict[str, Any], xlsx: bool = False, language: str = "vi") -> bytes:
    """Return a file of a sheet whose rows give values by the columns' names."""
    columns = [column for column in SHEETS[name].columns if any(column.name in row for row in rows)]
    header = [column.title(language) for column in columns]
    cells = [[row.get(column.name) for column in columns] for row in rows]
    return written_xlsx(name, header, cells) if xlsx else written_csv(header, cells)


def checked(runtime: Runtime, name: str, *rows: dict[str, Any], xlsx: bool = False) -> Checked:
    """Return the dry run of a sheet."""
    return check_sheet(runtime, SHEETS[name], a_sheet(name, *rows, xlsx=xlsx))


def faults(runtime: Runtime, name: str, *rows: dict[str, Any], xlsx: bool = False) -> list[tuple[str, str]]:
    """Return the faults of a sheet: cell and code."""
    found = checked(runtime, name, *rows, xlsx=xlsx).faults
    return [(f"{fault.letter}{fault.number}", fault.code) for fault in found]


def waiting(runtime: Runtime, actor: Actor, name: str, *rows: dict[str, Any]) -> Run:
    """Return an import that was checked and waits."""
    content = a_sheet(name, *rows)
    found = check_sheet(runtime, SHEETS[name], content)
    assert found.faults == []
    return stage_sheet(runtime, actor, found, f"{name}.csv", content)


def imported(runtime: Runtime, actor: Actor, name: str, *rows: dict[str, Any]) -> Run:
    """Return an import that was applied."""
    return apply_import(runtime, actor, waiting(runtime, actor, name, *rows).id)


def run_now(runtime: Runtime, import_id: str) -> Run:
    """Return an import as it stands."""
    with runtime.transactions.reading() as connection:
        found = run_of(connection, import_id)
    assert found is not None
    return found


def a_household(number: int, **more: Any) -> dict[str, Any]:
    """Return a row of the households' sheet."""
    return {
        "code": f"H{number:05}",
        "area_code": "28249",
        "head_name": f"Trần Văn {number}",
        "address": f"{number} Lý Thường Kiệt",
        "phone": f"09{number:08}",
        "members": 1 + number % 6,
        **more,
    }
