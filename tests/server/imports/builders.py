"""Sheets for tests, and what an office does with them."""

from __future__ import annotations

from datetime import date
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


def a_participant(number: int, **more: Any) -> dict[str, Any]:
    """Return a row of the participants' sheet."""
    return {
        "insurance_number": f"79{number:08}",
        "national_id": f"0821{number:08}",
        "full_name": f"Lê Thị {number}",
        "birth_date": date(1980, 1, 1 + number % 28),
        "scheme": "voluntary",
        "as_of": date(2019, 12, 31),
        "valid_from": None,
        "valid_to": date(2020, 6, 30),
        "area_code": "28249",
        "lapse_reason": None,
        **more,
    }


def a_stated_baseline(code: str = "2019", persons: int = 3, **more: Any) -> dict[str, Any]:
    """Return a row of the baselines' sheet."""
    return {
        "scheme": "voluntary",
        "code": code,
        "name": f"Cuối năm {code}",
        "as_of": date(2019, 12, 31),
        "persons": persons,
        "source": "Báo cáo tháng 12",
        **more,
    }


def an_outside_figure(figure: str = "other", value: int | None = 1, **more: Any) -> dict[str, Any]:
    """Return a row of the sheet of figures from outside."""
    return {
        "figure": figure,
        "area_code": None,
        "day": date(2019, 12, 31),
        "value": value,
        "denominator_name": "Mẫu số",
        "denominator_day": date(2019, 12, 31),
        "denominator": None,
        "denominator_low": None,
        "denominator_high": None,
        "quoted_percent": None,
        "source": "Báo cáo năm 2019",
        "source_day": date(2020, 1, 15),
        **more,
    }


def a_quota(holder_code: str | None, amount: int, **more: Any) -> dict[str, Any]:
    """Return a row of the quotas' sheet, of campaign 2 and an agent unless told."""
    return {
        "campaign": 2,
        "kind": "initial",
        "indicator": "voluntary_enrolled",
        "holder_kind": "agent",
        "holder_code": holder_code,
        "from_day": date(2020, 1, 1),
        "to_day": date(2020, 12, 31),
        "amount": amount,
        "parent_kind": None,
        "parent_code": None,
        "quoted_percent": None,
        "decision_number": None,
        "decision_day": None,
        "effective_from": None,
        **more,
    }
