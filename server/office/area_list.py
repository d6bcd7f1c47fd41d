"""Reads an area list: CSV with code, name, level, parent_code, valid_from and valid_to (last day)."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from server.office.actions import NewArea
from server.office.rules import AREA_LEVELS

TIEN_GIANG_2025 = Path(__file__).parent / "areas" / "tien_giang_2025.csv"
_COLUMNS = {"code", "name", "level", "parent_code", "valid_from", "valid_to"}


class AreaListError(Exception):
    """The file is not an area list; the message names the line and the column."""


def read_area_list(path: Path) -> list[NewArea]:
    """Return the areas in the file, parents before children. Raises AreaListError."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        missing = _COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise AreaListError(f"columns missing: {', '.join(sorted(missing))}")
        areas = [_area(row, number) for number, row in enumerate(reader, start=2)]
    return sorted(areas, key=lambda area: (AREA_LEVELS.index(area.level), area.code))


def _area(row: dict[str, str], number: int) -> NewArea:
    if row["level"] not in AREA_LEVELS:
        raise AreaListError(f"line {number}: level")
    try:
        valid_from = date.fromisoformat(row["valid_from"])
        valid_to = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
    except ValueError as error:
        raise AreaListError(f"line {number}: valid_from or valid_to") from error
    if not row["code"] or not row["name"]:
        raise AreaListError(f"line {number}: code or name")
    return NewArea(
        code=row["code"],
        name=row["name"],
        level=row["level"],
        valid_from=valid_from,
        parent_code=row["parent_code"] or None,
        valid_to=valid_to,
    )
