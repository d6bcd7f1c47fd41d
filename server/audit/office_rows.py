"""What the office set up itself: rows that no tablet can bring back, mirrored into the desk journal.

A change that writes one of these tables also writes a desk record of kind `office_changed`: the rows
in their order, and the records as they travel, sealed, since they name the office's own people. A
restore applies them again as they were, which is the same however often it is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, true, update

from schemas.signatures import from_base64url, to_base64url
from server.bulk_rows import upsert
from server.database import Base, Seals

OFFICE_CHANGED = "office_changed"
OFFICE_TABLES = frozenset(
    {
        "account",
        "allocation",
        "area",
        "assignment",
        "bank_import",
        "bank_line",
        "bank_mapping",
        "bank_match",
        "campaign",
        "campaign_area",
        "campaign_organisation",
        "distinct_pair",
        "eligibility_rule",
        "fund",
        "fund_publication",
        "holiday",
        "indicator",
        "nomination_decision",
        "office_donation",
        "office_receipt",
        "official_number",
        "organisation",
        "outside_figure",
        "payout",
        "plan",
        "plan_minimum",
        "plan_minimum_holder",
        "plan_minimum_part",
        "plan_phase",
        "pledge",
        "pool",
        "quota",
        "quoted_ratio",
        "rate",
        "register_baseline",
        "remittance_confirmation",
        "renewal_window",
        "team",
        "team_membership",
        "worker",
        "write_off",
    }
)
# Counted at every log-in, and of no worth after a restore.
_PASSING = {"account": frozenset({"failed_count", "locked_until_ms"})}
_RECORD_TYPES = frozenset(
    {
        "allocation",
        "area",
        "campaign",
        "fund",
        "indicator",
        "nomination",
        "organisation",
        "pool",
        "rate",
        "worker",
    }
)
_SEALED_AT = "desk_record.content"


class OfficeRows:
    """Gathers, within one change, what a restore would have to apply again."""

    def __init__(self) -> None:
        self._steps: list[dict[str, Any]] = []

    def __copy__(self) -> OfficeRows:
        copied = OfficeRows()
        copied._steps = list(self._steps)
        return copied

    def note(self, step: str, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Note a write: `step` is put, set or drop."""
        if table.name not in OFFICE_TABLES:
            return
        if step == "set" and values.keys() <= _PASSING.get(table.name, frozenset()):
            return
        self._steps.append({"step": step, "table": table.name, "key": dict(key), "values": dict(values)})

    def content(self, records: Mapping[tuple[str, str], Any], sealer: Seals) -> dict[str, str] | None:
        """Return the desk record's content, or None where nothing of the office changed."""
        if not self._steps:
            return None
        shown = [
            [*key, change.wire_json, sorted(change.scopes)]
            for key, change in records.items()
            if key[0] in _RECORD_TYPES
        ]
        text = json.dumps({"rows": self._steps, "records": shown}, ensure_ascii=False, default=_day_text)
        return {"sealed": to_base64url(sealer.seal(text, _SEALED_AT, OFFICE_CHANGED))}


def opened_office_rows(sealer: Seals, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows and the records of a desk record of kind `office_changed`."""
    opened: dict[str, Any] = json.loads(
        sealer.open(from_base64url(content["sealed"]), _SEALED_AT, OFFICE_CHANGED)
    )
    return opened


def apply_office_rows(connection: Connection, steps: list[dict[str, Any]]) -> None:
    """Write the rows again, in their order."""
    for step in steps:
        table = Base.metadata.tables[step["table"]]
        key, values = _loaded(table, step["key"]), _loaded(table, step["values"])
        condition = and_(true(), *(table.c[name] == value for name, value in key.items()))
        if step["step"] == "put":
            upsert(connection, table, [values], [column.name for column in table.primary_key])
        elif step["step"] == "set":
            connection.execute(update(table).where(condition).values(values))
        else:
            connection.execute(delete(table).where(condition))


def _loaded(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: date.fromisoformat(value)
        if value is not None and table.c[name].type.python_type is date
        else value
        for name, value in values.items()
    }


def _day_text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a row of the office")
