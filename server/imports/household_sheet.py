"""The sheet of households. A row becomes what an agent at the door would have written: an entry.

A new household is a `household_registered` of the office's desk, a change is a `household_amended` whose
base is the last entry that the office has, so that it is merged like every other edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from server.imports.codes import ImportCode
from server.imports.given_codes import HOUSEHOLD, GivenCodes
from server.imports.office_book import OfficeBook, is_untrusted
from server.imports.sheet import Decided, Row
from server.people.queries import HouseholdState, households_by_id
from server.runtime import Runtime

REGISTERED, AMENDED = "household_registered", "household_amended"
_FIELDS = ("head_name", "address", "hamlet", "phone", "members")


class HouseholdRules:
    """Households, by the code that the office gives them."""

    def __init__(self, connection: Connection, runtime: Runtime, now_ms: int) -> None:
        self._connection, self._sealer = connection, runtime.sealer
        self._book = OfficeBook(connection, runtime, now_ms)
        self._codes = GivenCodes(connection, runtime.sealer, HOUSEHOLD)
        self._known: dict[str, HouseholdState] = {}
        self._new_id = runtime.ids.new_id

    def prepare(self, rows: Sequence[Row]) -> None:
        """Look up the codes of these rows, and the households that have them."""
        # No code is twice in a sheet, so that those of earlier rows need not be remembered.
        self._codes = GivenCodes(self._connection, self._sealer, HOUSEHOLD)
        self._codes.load(row.get("code") for row in rows)
        ids = {self._codes.target(row.get("code")) for row in rows} - {None}
        self._known = households_by_id(self._connection, (each for each in ids if each is not None))

    def decide(self, row: Row) -> Decided:
        """Register a household, or set what differs; a column that the sheet has not stays as it is."""
        decided, code = Decided(), row.get("code")
        target = self._codes.target(code)
        if is_untrusted(code, target):
            decided.fault("code", ImportCode.CODE_IS_A_NUMBER)
        area = self._book.find_node(decided, row, "area_code", "area", self._book.office_day)
        if area is not None and area["level"] != "commune":
            decided.fault("area_code", ImportCode.AREA_IS_NO_COMMUNE)
        known = None if target is None else self._known.get(target)
        if known is not None and known.merged_into is not None:
            decided.fault("code", ImportCode.RECORD_WITHDRAWN)
        if decided.faults or area is None:
            return decided
        values = {name: row.get(name) for name in _FIELDS if name in row}
        if known is None:
            decided.is_new = True
            # The journal names the household by its entry, which gets its id when it is written.
            decided.codes.append(self._codes.add(str(code), ""))
            present = {name: value for name, value in values.items() if value is not None}
            decided.entry = (REGISTERED, {"area": area["key"], **present})
            return decided
        changed = {name: value for name, value in values.items() if not self._is_same(known, name, value)}
        if area["key"] != known.area_key:
            changed["area"] = area["key"]
        if changed:
            body = {"household": known.id, "base": known.last_entry, "set": changed}
            decided.entry = (AMENDED, body)
        return decided

    def _is_same(self, known: HouseholdState, name: str, value: Any) -> bool:
        if name != "phone":
            return bool(getattr(known, name) == value)
        # Nothing is opened: the blind index says whether it is the same number.
        index = known.numbers["phone"][1]
        return index == (None if value is None else self._sealer.blind_index("phone", value))
