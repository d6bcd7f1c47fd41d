"""What doors brought to funds, written down: its row, its details sealed, and what travels to its agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.signatures import from_base64url, to_base64url
from server.audit.changes import Change
from server.funds.door_queries import DOOR_TABLES
from server.funds.door_rows import TABLE_OF_KIND, DoorEntry, details_of, row_of
from server.sealing import Sealer
from sync.scope import agent_scope


def sealed_details(sealer: Sealer, table: str, entry_id: str, details: str | None) -> str | None:
    """Return the personal part of a row sealed for its place, as text."""
    return None if details is None else to_base64url(sealer.seal(details, f"{table}.sealed", entry_id))


def opened_details(sealer: Sealer, table: str, entry_id: str, sealed: str | None) -> str | None:
    """Return the personal part of a row as JSON. Raises SealBrokenError."""
    return None if sealed is None else sealer.open(from_base64url(sealed), f"{table}.sealed", entry_id)


def keep_row(change: Change, sealer: Sealer, entry: DoorEntry, area_key: str | None) -> dict[str, Any]:
    """Write an entry's row and return it."""
    row = row_of(entry, area_key)
    if entry.kind != "cash_remitted":
        details = details_of(entry.kind, entry.body)
        row["sealed"] = sealed_details(sealer, TABLE_OF_KIND[entry.kind], entry.entry_id, details)
    change.insert_row(DOOR_TABLES[entry.kind], row)
    return row


def put_donation(change: Change, row: Mapping[str, Any]) -> None:
    """Let the agent's tablets know a donation as it is."""
    wire = {
        "fund": row["fund"],
        "amount_vnd": row["amount_vnd"],
        "method": row["method"],
        "day": row["business_day"].isoformat(),
        "is_voided": row["voided_by"] is not None,
    }
    change.put_record("donation", row["entry_id"], wire, {agent_scope(row["worker_id"])})
