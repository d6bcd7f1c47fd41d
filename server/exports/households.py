"""Households as a sheet that the import reads again: only what feeds list, numbers masked unless asked.

Whoever sends the sheet back changes what they changed in it; a masked number is no number and is refused.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection

from server.audit.queries import feed_rows
from server.bulk_rows import chunks
from server.exports.table import ExportedTable
from server.imports.given_codes import HOUSEHOLD, codes_of
from server.imports.registry import SHEETS
from server.office.queries import areas_by_level
from server.people.queries import households_by_id
from server.sealing import Sealer
from server.spreadsheets import ROWS_MOST, Cell
from sync.scope import area_scope

_READ_ROWS = 2_000


def households_table(
    connection: Connection, sealer: Sealer, area_keys: set[str] | None, *, has_full_numbers: bool
) -> ExportedTable:
    """Return the households of these communes (None: of all), at most as many as a sheet may have."""
    found: dict[str, dict[str, object]] = {}
    for key in areas_by_level(connection, "commune"):
        if (area_keys is None or key in area_keys) and len(found) < ROWS_MOST:
            found |= _listed(connection, key)
    kept = dict(list(found.items())[:ROWS_MOST])
    rows: list[tuple[Cell, ...]] = []
    for part in chunks(kept, _READ_ROWS):
        codes = codes_of(connection, sealer, HOUSEHOLD, part)
        phones = _phones(connection, sealer, part) if has_full_numbers else {}
        for household_id in part:
            wire = kept[household_id]
            phone = phones.get(household_id) if has_full_numbers else wire["phone"]
            area_code = str(wire["area"]).partition("@")[0]
            cells = (wire["head_name"], wire["address"], wire["hamlet"], phone, wire["members"])
            rows.append((codes.get(household_id), area_code, *cells))  # type: ignore[arg-type]
    sheet = SHEETS["households"]
    return ExportedTable(sheet.titles, tuple(column.titles for column in sheet.columns), rows)


def _listed(connection: Connection, area_key: str) -> dict[str, dict[str, object]]:
    """Return the households that a commune's feed lists, as they travel."""
    found: dict[str, dict[str, object]] = {}
    after = 0
    while rows := feed_rows(connection, area_scope(area_key), after, _READ_ROWS):
        for row in map(json.loads, rows):
            after = row["seq"]
            if row["type"] == "household" and row["op"] == "put" and row["record"] is not None:
                found[row["id"]] = row["record"]
    return found


def _phones(connection: Connection, sealer: Sealer, household_ids: list[str]) -> dict[str, str | None]:
    return {
        known.id: sealer.open_optional(known.numbers["phone"][0], "household.phone", known.id)
        for known in households_by_id(connection, household_ids).values()
    }
