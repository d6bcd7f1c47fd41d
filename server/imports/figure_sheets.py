"""Sheets of numbers that somebody states: baselines, the rule of renewals, figures from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from server.imports.codes import ImportCode
from server.imports.office_book import OfficeBook, chosen
from server.imports.sheet import Decided, Row
from server.outside.rules import figure_key
from server.quotas.pace import denominators_of
from server.runtime import Runtime

_DENOMINATOR = ("denominator", "denominator_low", "denominator_high")


class _StatedRules:
    """What these sheets share: rows of the office, found by a key made of the row's own cells."""

    table = ""

    def __init__(self, connection: Connection, runtime: Runtime, now_ms: int) -> None:
        self.book = OfficeBook(connection, runtime, now_ms)

    def prepare(self, rows: Sequence[Row]) -> None:
        """Read nothing: the tables are short, and read whole."""

    def put(self, decided: Decided, key: str, after: dict[str, Any]) -> Decided:
        """Add the row, or set what differs."""
        decided.is_new = key not in self.book.table(self.table)
        self.book.take(decided, self.table, key, {"key": key, **after})
        return decided

    def known(self, key: str) -> dict[str, Any] | None:
        """Return the row as it is."""
        return self.book.table(self.table).get(key)


class BaselineRules(_StatedRules):
    """Named stocks, by scheme and code."""

    table = "register_baseline"

    def decide(self, row: Row) -> Decided:
        """Add a baseline, or set what it says."""
        decided = Decided()
        if row.get("as_of") > self.book.office_day:
            decided.fault("as_of", ImportCode.DAY_TO_COME)
            return decided
        scheme, code = row.get("scheme"), str(row.get("code"))
        after = {name: row.get(name) for name in ("name", "as_of", "persons", "source")}
        return self.put(decided, f"{scheme}:{code}", {"scheme": scheme, "code": code, **after})


class WindowRules(_StatedRules):
    """The dated rule of what is a renewal, by scheme and first day."""

    table = "renewal_window"

    def decide(self, row: Row) -> Decided:
        """Add a rule, or set its days."""
        scheme, first = row.get("scheme"), row.get("valid_from")
        after = {
            "scheme": scheme,
            "valid_from": first,
            "days": row.get("days"),
            "source": row.get("source"),
            "is_assumption": row.get("is_assumption") == "yes",
        }
        return self.put(Decided(), f"{scheme}@{first.isoformat()}", after)


class OutsideRules(_StatedRules):
    """Figures that others published, by figure, area, day and the denominator's name."""

    table = "outside_figure"

    def decide(self, row: Row) -> Decided:
        """Add a figure, or set what differs; a denominator that is not given follows from the ratio."""
        decided, day = Decided(), row.get("day")
        area = self.book.find_node(decided, row, "area_code", "area", day)
        if decided.faults:
            return decided
        area_key, name = None if area is None else area["key"], row.get("denominator_name")
        key = figure_key(row.get("figure"), area_key, day, name)
        columns = ("value", "quoted_percent", "denominator_day", "source", "source_day")
        after = chosen(row, self.known(key), {column: column for column in columns})
        after |= self._denominator(decided, row, key, after["value"], after["quoted_percent"])
        if after["value"] is None and after["quoted_percent"] is None:
            decided.fault("value", ImportCode.FIGURE_EMPTY)
        has_denominator = after["denominator_low"] is not None
        if has_denominator and (name is None or after["denominator_day"] is None):
            decided.fault("denominator_name", ImportCode.DENOMINATOR_UNNAMED)
        if decided.faults:
            return decided
        named = {"figure": row.get("figure"), "area_key": area_key, "day": day, "denominator_name": name}
        return self.put(decided, key, named | after)

    def _denominator(
        self, decided: Decided, row: Row, key: str, value: int | None, quoted: str | None
    ) -> dict[str, Any]:
        """Return the denominator's bounds: as given, as they were, or as they follow from the ratio."""
        known = self.known(key)
        if known is not None and not any(name in row for name in _DENOMINATOR) and not known["is_derived"]:
            return {name: known[name] for name in ("denominator_low", "denominator_high", "is_derived")}
        one, low, high = (row.get(name) for name in _DENOMINATOR)
        if one is not None and (low is not None or high is not None):
            decided.fault("denominator", ImportCode.DENOMINATOR_UNCLEAR)
        if (low is None) != (high is None) or (low is not None and low > high):
            decided.fault("denominator_low", ImportCode.DENOMINATOR_UNCLEAR)
        if one is not None:
            return _bounds(one, one, is_derived=False)
        if low is not None:
            return _bounds(low, high, is_derived=True)
        found = None if value is None or quoted is None else denominators_of(value, quoted)
        return _bounds(*(found or (None, None)), is_derived=found is not None)


def _bounds(low: int | None, high: int | None, *, is_derived: bool) -> dict[str, Any]:
    return {"denominator_low": low, "denominator_high": high, "is_derived": is_derived}
