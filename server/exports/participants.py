"""The participant register, its net change and figures from outside as sheets; the first and last read again.

The register's numbers are masked unless asked; a masked number is no number, and the import refuses it.
"""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from schemas.names import masked
from server.dashboard.wiring import Look
from server.dashboard.wording import word_of
from server.exports.table import ExportedTable
from server.imports.registry import SHEETS
from server.office.queries import area_keys_under
from server.participants.queries import Choice, outside_page, participants_page
from server.register.queries import current_lines
from server.register.sealed import opened_line
from server.sealing import Sealer
from server.spreadsheets import ROWS_MOST, Cell


def participants_table(seen: Look, sealer: Sealer, language: str, *, has_full_numbers: bool) -> ExportedTable:
    """Return the register's lines in sight, at most as many as a sheet may have."""
    areas = seen.sight.areas
    keys = None if areas.office_wide else area_keys_under(seen.connection, areas.area_keys)
    rows: list[tuple[Cell, ...]] = []
    for line in current_lines(seen.connection, keys, most=ROWS_MOST):
        values = opened_line(sealer, line.import_id, line.number, line.sealed)
        insurance, national = values.insurance_number, values.national_id
        if not has_full_numbers:
            insurance, national = masked(insurance), masked(national)
        rows.append(
            (
                insurance,
                national,
                values.full_name,
                # A day of birth finds somebody as well as a number does.
                _day_of(values.birth_date) if has_full_numbers else None,
                word_of(f"scheme_{line.scheme}", language),
                line.as_of,
                line.valid_from,
                line.valid_to,
                None if line.area_key is None else _code_of(line.area_key),
                None if line.lapse_reason is None else word_of(f"lapse_{line.lapse_reason}", language),
            )
        )
    sheet = SHEETS["participants"]
    return ExportedTable(sheet.titles, tuple(column.titles for column in sheet.columns), rows)


def _code_of(area_key: str) -> str:
    """Return the code that a sheet names an area by."""
    return area_key.partition("@")[0]


def _day_of(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def net_change_table(seen: Look, zone: ZoneInfo, choice: Choice) -> ExportedTable | None:
    """Return the net change by area; None without any such baseline."""
    page = participants_page(seen.connection, choice, seen.sight, seen.now_ms, zone)
    if page is None or page.change is None:
        return None
    titles = (
        ("Địa bàn", "Area"),
        ("Ở mốc", "At the baseline"),
        ("Người mới", "New"),
        ("Người giảm", "Lapsed"),
        ("Ròng", "Net"),
        ("Chờ đối chiếu", "Pending"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            line.name,
            line.change.stock,
            line.change.new,
            line.change.lost,
            line.change.net,
            line.change.unmatched,
        )
        for line in page.areas
    ]
    return ExportedTable(("Tăng, giảm", "Net change"), titles, rows)


def outside_table(seen: Look, zone: ZoneInfo, language: str) -> ExportedTable:
    """Return the published figures in sight as their sheet has them; ratios stay texts, as printed."""
    page = outside_page(seen.connection, seen.sight, seen.now_ms, zone)
    figures = [line.published for line in page.lines]
    rows: list[tuple[Cell, ...]] = []
    for each in figures:
        one = None if each.is_derived else each.denominator_low
        rows.append(
            (
                word_of(f"figure_{each.figure}", language),
                None if each.area_key is None else _code_of(each.area_key),
                each.day,
                each.value,
                each.denominator_name,
                each.denominator_day,
                one,
                each.denominator_low if each.is_derived else None,
                each.denominator_high if each.is_derived else None,
                each.quoted_percent,
                each.source,
                each.source_day,
            )
        )
    sheet = SHEETS["outside_figures"]
    return ExportedTable(sheet.titles, tuple(column.titles for column in sheet.columns), rows)
