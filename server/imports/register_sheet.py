"""The sheet of participants. A row becomes a line of the register: insured until a day, as of another.

A line is kept under its insurance number, or where it has none under its personal id, with its scheme
and its day. Numbers and names are sealed; indexes find them, the same ones as of persons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from server.imports.codes import ImportCode
from server.imports.office_book import OfficeBook
from server.imports.sheet import Decided, Row
from server.register.queries import KnownLine, keys_by_national_id, lines_by_key
from server.register.sealed import LineValues, opened_line, sealed_line
from server.runtime import Runtime
from server.sealing import Sealer

_Key = tuple[str, str, date]
_SHOWN = ("valid_from", "valid_to", "lapse_reason")


class ParticipantRules:
    """Lines of the register, by number, scheme and day."""

    def __init__(self, connection: Connection, runtime: Runtime, now_ms: int) -> None:
        self._connection, self._sealer = connection, runtime.sealer
        self._book = OfficeBook(connection, runtime, now_ms)
        self._known: dict[_Key, KnownLine] = {}
        self._seen: set[_Key] = set()
        # With which insurance number a personal id goes, in the register and in the sheet so far.
        self._goes_with: dict[_Key, str] = {}

    def prepare(self, rows: Sequence[Row]) -> None:
        """Look up the lines that these rows would correct, and who else has their personal ids."""
        indexes = [_indexes(self._sealer, row) for row in rows if _has_number(row)]
        self._known = lines_by_key(self._connection, (str(each["key_number"]) for each in indexes))
        national = (each["national_index"] for each in indexes)
        known = keys_by_national_id(self._connection, (each for each in national if each is not None))
        for key, number in known.items():
            self._goes_with.setdefault(key, number)

    def decide(self, row: Row) -> Decided:
        """Add a line, or set what differs; a column that the sheet has not stays as it is."""
        decided = Decided()
        as_of, last = row.get("as_of"), row.get("valid_to")
        if not _has_number(row):
            decided.fault("insurance_number", ImportCode.NUMBER_MISSING)
        if as_of > self._book.office_day:
            decided.fault("as_of", ImportCode.DAY_TO_COME)
        if row.get("valid_from") is not None and last < row.get("valid_from"):
            decided.fault("valid_to", ImportCode.ENDS_BEFORE_IT_BEGINS)
        if row.get("lapse_reason") is not None and last >= as_of:
            decided.fault("lapse_reason", ImportCode.LAPSED_BUT_VALID)
        area = self._book.find_node(decided, row, "area_code", "area", as_of)
        if decided.faults:
            return decided
        indexes = _indexes(self._sealer, row)
        key = (str(indexes["key_number"]), row.get("scheme"), as_of)
        if key in self._seen:
            # The same number, once with and once without the other one: not the same cells, the same line.
            column = "national_id" if indexes["insurance_index"] is None else "insurance_number"
            decided.fault(column, ImportCode.KEY_REPEATED)
            return decided
        self._check_national_id(decided, indexes["national_index"], key)
        if decided.faults:
            return decided
        self._seen.add(key)
        self._fill(decided, row, None if area is None else area["key"], self._known.get(key))
        return decided

    def _check_national_id(self, decided: Decided, national_index: str | None, key: _Key) -> None:
        if national_index is None or key[0].startswith("national_id:"):
            return
        if self._goes_with.setdefault((national_index, *key[1:]), key[0]) != key[0]:
            decided.fault("national_id", ImportCode.NUMBER_OF_ANOTHER)

    def _fill(self, decided: Decided, row: Row, area_key: str | None, known: KnownLine | None) -> None:
        """Let the row add a line, or correct the one that is known."""
        before: dict[str, Any] = {}
        if known is not None:
            values = opened_line(self._sealer, known.import_id, known.number, known.sealed)
            before = {name: getattr(known, name) for name in (*_SHOWN, "area_key")}
            before |= {name: getattr(values, name) for name in LineValues.__dataclass_fields__}
        line = dict(before)
        for name in _SHOWN:
            if name in row or known is None:
                line[name] = row.get(name)
        for name in LineValues.__dataclass_fields__:
            # A number is never taken away by a blank cell: it may be what finds the person.
            is_kept = name in {"insurance_number", "national_id"} and row.get(name) is None
            if known is None or (name in row and not is_kept):
                line[name] = _as_text(row.get(name))
        if "area_code" in row or known is None:
            line["area_key"] = area_key
        decided.is_new = known is None
        if line != before:
            decided.line = line | {"scheme": row.get("scheme"), "as_of": row.get("as_of")}


def lines_to_keep(
    sealer: Sealer, import_id: str, decided: Sequence[tuple[int, Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """Return the rows that keep lines, each with its number in the sheet."""
    rows = []
    for number, line in decided:
        values = LineValues(**{name: line[name] for name in LineValues.__dataclass_fields__})
        rows.append(
            {
                "import_id": import_id,
                "number": number,
                "scheme": line["scheme"],
                "as_of": line["as_of"],
                "valid_from": line["valid_from"],
                "valid_to": line["valid_to"],
                "area_key": line["area_key"],
                "lapse_reason": line["lapse_reason"],
                "sealed": sealed_line(sealer, import_id, number, values),
                "superseded_by": None,
                **values.indexes(sealer),
            }
        )
    return rows


def _has_number(row: Row) -> bool:
    return row.get("insurance_number") is not None or row.get("national_id") is not None


def _indexes(sealer: Sealer, row: Row) -> dict[str, str | None]:
    values = LineValues(row.get("insurance_number"), row.get("national_id"), "", None)
    return values.indexes(sealer)


def _as_text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
