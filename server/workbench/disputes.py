"""A record in dispute, with the values that its entries set: opened from their bytes, and settled.

Edits that did not see each other wait here for a supervisor. A decision is an amendment of the
office's, made in sight of everything that the page showed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from schemas.names import masked
from server.audit.changes import Change
from server.dashboard.queries import Sight, names_of
from server.exchange.desk import DeskRefusedError, enter_at_desk
from server.exchange.intake import held_candidate
from server.journals.queries import StoredEntry, stored_entries
from server.office.queries import areas_by_key
from server.people.queries import DisputedRecord, edit_logs, households_by_id, open_conflicts_of, record_of
from server.runtime import Runtime
from server.sealing import Sealer
from server.workbench.queries import area_keys_in
from server.workbench.rules import NUMBER_FIELDS, TYPED_FIELDS, shown_value
from sync.codes import EntryCode
from sync.entry import Fault, shown_name
from sync.journal import DESK
from sync.merge import LoggedEdit


@dataclass(frozen=True, slots=True)
class Claim:
    """What one entry says of a field. `shown` is its value for people, numbers masked."""

    entry_id: str
    value: Any
    shown: str | None
    author: str
    captured_ms: int
    received_ms: int
    stands: bool
    is_decision: bool


@dataclass(frozen=True, slots=True)
class Dispute:
    """A field with the entries that disagree on it, the one that stands first."""

    field: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class DisputePage:
    """A record with its disputes. `base` is the last entry that the viewer has seen of it."""

    record: DisputedRecord
    area_name: str
    base: str
    disputes: tuple[Dispute, ...]


def open_dispute(change: Change, sealer: Sealer, sight: Sight, record_id: str) -> DisputePage | None:
    """Return a record's disputes with their values; None where it is not there or not in sight.

    Either way the audit says who looked for what.
    """
    record = _record_in_sight(change.connection, sight, record_id)
    if record is None:
        change.audit("disputed_values_refused", record_id)
        return None
    change.audit("disputed_values_opened", record_id)
    log = _log_of(change.connection, record_id)
    claims = _claims(change.connection, sealer, record, log)
    areas = areas_by_key(change.connection, [record.area_key])
    name = areas[record.area_key].name if record.area_key in areas else record.area_key
    return DisputePage(record, name, log[-1].entry_id, claims)


def resolve_disputes(
    runtime: Runtime,
    change: Change,
    sight: Sight,
    record_id: str,
    base: str,
    chosen: Mapping[str, str],
    typed: Mapping[str, Any],
) -> bool:
    """Settle fields of a record: by one of the entries in dispute (`chosen`), or another value.

    Returns False where the record is not in sight. Raises DeskRefusedError.
    """
    record = _record_in_sight(change.connection, sight, record_id)
    if record is None:
        change.audit("resolution_refused", record_id)
        return False
    log = _log_of(change.connection, record_id)
    values = dict(typed)
    claims = {
        (dispute.field, claim.entry_id): claim.value
        for dispute in _claims(change.connection, runtime.sealer, record, log)
        for claim in dispute.claims
    }
    for field, entry_id in chosen.items():
        if (field, entry_id) not in claims:
            raise DeskRefusedError(Fault(EntryCode.FIELD_INVALID, f"set.{shown_name(field)}"))
        values[field] = claims[field, entry_id]
    strange = sorted(field for field in typed if field not in set(record.fields) & TYPED_FIELDS)
    if strange:
        raise DeskRefusedError(Fault(EntryCode.FIELD_INVALID, f"set.{shown_name(strange[0])}"))
    if not values:
        raise DeskRefusedError(Fault(EntryCode.FIELD_MISSING, "set"))
    body = {record.record_type: record_id, "base": base, "set": values}
    after_ms = max(edit.rank_ms for edit in log)
    enter_at_desk(runtime, change, f"{record.record_type}_amended", body, after_ms=after_ms)
    return True


def _record_in_sight(connection: Connection, sight: Sight, record_id: str) -> DisputedRecord | None:
    record, keys = record_of(connection, record_id), area_keys_in(connection, sight)
    return record if record is not None and (keys is None or record.area_key in keys) else None


def _log_of(connection: Connection, record_id: str) -> list[LoggedEdit]:
    """Return the record's log in the order of application; it begins with the registration."""
    return [LoggedEdit(record_id, {}), *edit_logs(connection, [record_id]).get(record_id, [])]


def _claims(
    connection: Connection, sealer: Sealer, record: DisputedRecord, log: list[LoggedEdit]
) -> tuple[Dispute, ...]:
    entries: dict[str, set[str]] = {field: set() for field in record.fields}
    for conflict in open_conflicts_of(connection, record.record_id):
        entries[conflict.field] |= {conflict.winner_entry_id, conflict.loser_entry_id}
    standing = {}
    for field, ids in entries.items():
        setting = [edit for edit in log if field in edit.fields]
        standing[field] = max(setting, key=lambda edit: edit.order).entry_id
        ids.add(standing[field])
    stored = stored_entries(connection, sealer, {each for ids in entries.values() for each in ids})
    names = names_of(connection, {entry.worker_id for entry in stored.values()})
    values = {
        field: {entry_id: _value_in(stored[entry_id], field) for entry_id in ids}
        for field, ids in entries.items()
    }
    words = _words_for(connection, values)

    def claim(field: str, entry_id: str) -> Claim:
        entry, value = stored[entry_id], values[field][entry_id]
        return Claim(
            entry_id=entry_id,
            value=value,
            shown=_shown(field, value, words),
            author=names.get(entry.worker_id, "–"),
            captured_ms=entry.upper_ms,
            received_ms=entry.received_ms,
            stands=entry_id == standing[field],
            is_decision=entry.installation_id == DESK,
        )

    disputes = []
    for field in sorted(entries):
        claims = [claim(field, entry_id) for entry_id in entries[field]]
        claims.sort(key=lambda each: (not each.stands, -each.captured_ms, each.entry_id))
        disputes.append(Dispute(field, tuple(claims)))
    return tuple(disputes)


def _value_in(stored: StoredEntry, field: str) -> Any:
    """Return what an entry sets a field to, as a body has it."""
    candidate = held_candidate(stored)
    body: dict[str, Any] = {} if candidate is None else candidate.body
    value = body.get("set", body).get(field)
    return value.isoformat() if isinstance(value, date) else value


def _words_for(connection: Connection, values: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return names for the keys of areas and the ids of households among the values."""
    areas = areas_by_key(connection, _texts(values.get("area", {}).values()))
    households = households_by_id(connection, _texts(values.get("household", {}).values()))
    return {key: area.name for key, area in areas.items()} | {
        household_id: f"{household.head_name}, {household.address}"
        for household_id, household in households.items()
    }


def _texts(values: Iterable[Any]) -> set[str]:
    return {value for value in values if isinstance(value, str)}


def _shown(field: str, value: Any, words: Mapping[str, str]) -> str | None:
    return masked(value) if field in NUMBER_FIELDS else shown_value(field, value, words)
