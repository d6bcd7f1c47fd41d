"""What doors brought to funds, derived anew from the stored entry bytes, to hold against the kept rows.

Where a nomination is judged to have been is its person's area of that moment, which no bytes say, so
that column is left out. What the rows then ask of the ledger is server.funds.verification's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from server.exchange.intake import held_candidate
from server.funds.door_queries import DOOR_TABLES, every_door_row
from server.funds.door_records import opened_details
from server.funds.door_rows import TABLE_OF_KIND, DoorEntry, details_of, row_of
from server.journals.queries import every_stored_entry
from server.quotas.verification import Difference
from server.sealing import SealBrokenError, Sealer
from sync.verdict import IN_EFFECT, OutcomeState

_VOID = "entry_voided"
_COUNTED = {*IN_EFFECT, OutcomeState.VOIDED}


def door_differences(connection: Connection, sealer: Sealer) -> list[Difference]:
    """Return where the kept rows of doors are not what the bytes of the entries in effect say."""
    derived, found = _derived_rows(connection, sealer), list[Difference]()
    for kind, table in TABLE_OF_KIND.items():
        stored = {row["entry_id"]: row for row in every_door_row(connection, kind)}
        for entry_id in sorted({*stored, *derived[kind]}):
            shown = {"stored": stored.get(entry_id), "derived": derived[kind].get(entry_id)}
            found += _differing(sealer, table, entry_id, **shown)
    return found


def _derived_rows(connection: Connection, sealer: Sealer) -> dict[str, dict[str, dict[str, Any]]]:
    rows: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in DOOR_TABLES}
    voids = {}
    for stored in every_stored_entry(connection, sealer, {*DOOR_TABLES, _VOID}):
        candidate = held_candidate(stored) if stored.state in _COUNTED else None
        if candidate is None:
            continue
        body, kind = candidate.body, candidate.kind.name
        if kind == _VOID:
            voids[body["target"]] = {"voided_by": stored.entry_id, "voided_on": stored.business_day}
            continue
        entry = DoorEntry(
            candidate.entry_id,
            kind,
            candidate.worker_id,
            candidate.corrected,
            candidate.business_day,
            candidate.received_ms,
            body,
        )
        rows[kind][entry.entry_id] = row_of(entry, body.get("area")) | {"sealed": details_of(kind, body)}
    for kind_rows in rows.values():
        for entry_id in kind_rows.keys() & voids.keys():
            kind_rows[entry_id] |= voids[entry_id]
    return rows


def _differing(
    sealer: Sealer,
    table: str,
    entry_id: str,
    stored: Mapping[str, Any] | None,
    derived: Mapping[str, Any] | None,
) -> Iterator[Difference]:
    if stored is None or derived is None:
        shown = ("a row", None) if derived is None else (None, "a row")
        yield Difference(table, entry_id, "entry_id", *shown)
        return
    for name, value in derived.items():
        if name == "sealed":
            if not _opens_to(sealer, table, entry_id, stored.get("sealed"), value):
                # What either of them says is somebody's own affair.
                yield Difference(table, entry_id, name, "something else", "what the entry says")
        elif (table, name) != ("nomination", "area_key") and stored[name] != value:
            yield Difference(table, entry_id, name, stored[name], value)


def _opens_to(sealer: Sealer, table: str, entry_id: str, sealed: str | None, details: str | None) -> bool:
    try:
        return opened_details(sealer, table, entry_id, sealed) == details
    except SealBrokenError:
        return False
