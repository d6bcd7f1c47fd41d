"""The office's own tables as files: the sheets that imports read again, and the small ones beside them.

A worker or team that came by no sheet has no code, so such a row is not imported again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.campaigns.queries import all_campaigns
from server.dashboard.wording import word_of
from server.exports.table import ExportedTable
from server.imports.given_codes import TEAM, WORKER, codes_of
from server.imports.registry import KIND_WORDS, LEVEL_WORDS, ROLE_WORDS, SHEETS
from server.office.imported import whole_table
from server.office.queries import rate_rows
from server.quotas.queries import holidays, indicators
from server.sealing import Sealer
from server.spreadsheets import Cell
from sync.clock import local_day

_Row = dict[str, Any]
_FROM, _TO, _SOURCE = ("Từ ngày", "From"), ("Đến ngày", "To"), ("Nguồn", "Source")
_NAMES = (("Tên", "Name in Vietnamese"), ("Tên tiếng Anh", "Name in English"))
_YES = ("Có", "Yes")


class OfficeTables:
    """Makes the office's tables of one snapshot, in one language."""

    def __init__(self, connection: Connection, sealer: Sealer, zone: ZoneInfo, language: str) -> None:
        self._connection, self._sealer, self._zone = connection, sealer, zone
        self._language, self._number = language, int(language == "en")

    def areas(self) -> ExportedTable:
        """Return the areas, the sheet's columns."""
        return self._nodes("areas", "area", "level", LEVEL_WORDS)

    def organisations(self) -> ExportedTable:
        """Return the organisations, the sheet's columns."""
        return self._nodes("organisations", "organisation", "kind", KIND_WORDS)

    def workers(self) -> ExportedTable:
        """Return the workers, the sheet's columns."""
        workers = self._rows("worker", lambda row: (row["name"], row["id"]))
        codes = codes_of(self._connection, self._sealer, WORKER, (row["id"] for row in workers))
        organisations = whole_table(self._connection, "organisation")
        rows: list[tuple[Cell, ...]] = [
            (codes.get(row["id"]), row["name"], _code(organisations, row["organisation_key"]))
            for row in workers
        ]
        return self._sheet("workers", rows)

    def teams(self) -> ExportedTable:
        """Return the days of workers in teams, the sheet's columns."""
        teams = whole_table(self._connection, "team")
        members = self._rows(
            "team_membership", lambda row: (teams[row["team_id"]]["name"], row["from_day"], row["id"])
        )
        workers = codes_of(self._connection, self._sealer, WORKER, (row["worker_id"] for row in members))
        codes = codes_of(self._connection, self._sealer, TEAM, teams)
        rows: list[tuple[Cell, ...]] = [
            (
                codes.get(row["team_id"]),
                teams[row["team_id"]]["name"],
                workers.get(row["worker_id"]),
                row["campaign"],
                row["from_day"],
                row["to_day"],
            )
            for row in members
        ]
        return self._sheet("teams", rows)

    def assignments(self) -> ExportedTable:
        """Return the roles of workers, the sheet's columns."""
        held = self._rows("assignment", lambda row: (row["worker_id"], row["from_ms"], row["id"]))
        codes = codes_of(self._connection, self._sealer, WORKER, (row["worker_id"] for row in held))
        areas = whole_table(self._connection, "area")
        organisations = whole_table(self._connection, "organisation")
        rows: list[tuple[Cell, ...]] = [
            (
                codes.get(row["worker_id"]),
                ROLE_WORDS[row["role"]][self._number],
                _code(areas, row["area_key"]),
                _code(organisations, row["organisation_key"]),
                local_day(row["from_ms"], self._zone),
                # A role ends before a moment; its last day is that of the moment before.
                None if row["to_ms"] is None else local_day(row["to_ms"] - 1, self._zone),
            )
            for row in held
        ]
        return self._sheet("assignments", rows)

    def campaigns(self) -> ExportedTable:
        """Return the campaigns."""
        titles = (("Số", "Number"), ("Tên", "Name"), ("Loại", "Kind"), _FROM, _TO)
        rows: list[tuple[Cell, ...]] = [
            (each.number, each.name, self._word(f"campaign_{each.kind}"), each.from_day, each.to_day)
            for each in all_campaigns(self._connection)
        ]
        return ExportedTable(("Chiến dịch", "Campaigns"), titles, rows)

    def indicators(self) -> ExportedTable:
        """Return what is counted, and how."""
        titles = (
            ("Mã", "Code"),
            *_NAMES,
            ("Việc được tính", "What counts"),
            ("Loại hình", "Scheme"),
            ("Trạng thái được tính", "Statuses that count"),
            ("Tính cho", "Credited to"),
            ("Tính khi", "Counted when"),
            ("Chiến dịch", "Campaign"),
            ("Mỗi người một lần", "Once a person"),
            ("Nhiều nhất", "At most"),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                named.indicator.code,
                named.name_vi,
                named.name_en,
                named.indicator.fact_kind,
                named.indicator.scheme,
                ", ".join(sorted(named.indicator.statuses)) or None,
                self._word(f"one_{named.indicator.credits}"),
                named.indicator.credited_when,
                named.indicator.campaign,
                _YES[self._number] if named.indicator.is_unique else None,
                named.indicator.cap,
            )
            for named in indicators(self._connection)
        ]
        return ExportedTable(("Chỉ tiêu", "Indicators"), titles, rows)

    def rates(self) -> ExportedTable:
        """Return the rate tables: a line for each value of each dated row."""
        titles = (
            ("Bảng", "Table"),
            _FROM,
            _TO,
            ("Giá trị", "Value"),
            ("Số", "Amount"),
            ("Giả định", "Assumption"),
            _SOURCE,
        )
        rows: list[tuple[Cell, ...]] = [
            (
                row["table"],
                date.fromisoformat(row["valid_from"]),
                None if row["valid_to"] is None else date.fromisoformat(row["valid_to"]),
                name,
                value,
                _YES[self._number] if row["is_assumption"] else None,
                row["source"],
            )
            for row in rate_rows(self._connection)
            for name, value in _values(row["values"])
        ]
        return ExportedTable(("Biểu mức đóng", "Rates"), titles, rows)

    def holidays(self) -> ExportedTable:
        """Return the days that break the rule of Monday to Friday."""
        titles = (("Ngày", "Day"), *_NAMES, ("Làm bù", "Worked instead"), _SOURCE)
        rows: list[tuple[Cell, ...]] = [
            (
                each.day,
                each.name_vi,
                each.name_en,
                _YES[self._number] if each.is_worked else None,
                each.source,
            )
            for each in holidays(self._connection)
        ]
        return ExportedTable(("Ngày nghỉ", "Holidays"), titles, rows)

    def _nodes(self, name: str, table: str, level: str, words: dict[str, tuple[str, str]]) -> ExportedTable:
        nodes = whole_table(self._connection, table)
        rows: list[tuple[Cell, ...]] = [
            (
                row["code"],
                row["name"],
                words[row[level]][self._number],
                _code(nodes, row["parent_key"]),
                row["valid_from"],
                row["valid_to"],
            )
            for row in sorted(nodes.values(), key=lambda row: str(row["path"]))
        ]
        return self._sheet(name, rows)

    def _rows(self, table: str, order: Callable[[_Row], Any]) -> list[_Row]:
        return sorted(whole_table(self._connection, table).values(), key=order)

    def _sheet(self, name: str, rows: list[tuple[Cell, ...]]) -> ExportedTable:
        sheet = SHEETS[name]
        return ExportedTable(sheet.titles, tuple(column.titles for column in sheet.columns), rows)

    def _word(self, value: str) -> str:
        return word_of(value, self._language)


def _code(nodes: dict[str, _Row], key: str | None) -> str | None:
    return None if key is None else str(nodes[key]["code"])


def _values(values: dict[str, Any]) -> list[tuple[str, Cell]]:
    """Return the values of a row of rates by name: `percents.poor`, and lists as people write them."""
    found: list[tuple[str, Cell]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += [(f"{name}.{part}", amount) for part, amount in value.items()]
        elif isinstance(value, list):
            found.append((name, ", ".join(map(str, value))))
        else:
            found.append((name, value))
    return found


# A table by its name in the address; those of people are audited.
OFFICE_TABLES: dict[str, Callable[[OfficeTables], ExportedTable]] = {
    "areas": OfficeTables.areas,
    "organisations": OfficeTables.organisations,
    "workers": OfficeTables.workers,
    "teams": OfficeTables.teams,
    "assignments": OfficeTables.assignments,
    "campaigns": OfficeTables.campaigns,
    "indicators": OfficeTables.indicators,
    "rates": OfficeTables.rates,
    "holidays": OfficeTables.holidays,
}
OF_PEOPLE = frozenset({"workers", "teams", "assignments"})
