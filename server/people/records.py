"""Households and persons written down: their rows, and what travels of them, numbers masked."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, delete

from schemas.names import masked, search_key
from server.audit.changes import Change
from server.people.models import Household, Person
from server.people.queries import HouseholdState, PersonState
from server.people.rules import PERSON_NUMBERS
from server.sealing import Sealer
from sync.scope import area_scope


class RecordWriter:
    """Hands records over to a change."""

    def __init__(self, change: Change, sealer: Sealer) -> None:
        self._change = change
        self._sealer = sealer

    def write_household(self, state: HouseholdState, *, is_fresh: bool) -> None:
        """Write a household and stamp it into its area's scope."""
        sealed, index = state.numbers["phone"]
        row = {
            "id": state.id,
            "version": state.version,
            "last_entry": state.last_entry,
            "area_key": state.area_key,
            "head_name": state.head_name,
            "head_name_key": search_key(state.head_name),
            "address": state.address,
            "hamlet": state.hamlet,
            "phone_sealed": sealed,
            "phone_index": index,
            "members": state.members,
            "merged_into": state.merged_into,
            "merged_by": state.merged_by,
            "cluster_id": state.cluster_id,
        }
        self._write(Household.__table__, row, is_fresh=is_fresh)
        wire = {
            "area": state.area_key,
            "head_name": state.head_name,
            "address": state.address,
            "hamlet": state.hamlet,
            "phone": state.phone_masked or self._mask_of("household.phone", state.id, sealed),
            "members": state.members,
            "last_entry": state.last_entry,
            "merged_into": state.merged_into,
        }
        self._change.put_record("household", state.id, wire, {area_scope(state.area_key)})

    def write_person(self, state: PersonState, *, is_fresh: bool) -> None:
        """Write a person and stamp them into their area's scope."""
        row: dict[str, Any] = {
            "id": state.id,
            "version": state.version,
            "last_entry": state.last_entry,
            "household_id": state.household_id,
            "area_key": state.area_key,
            "full_name": state.full_name,
            "full_name_key": search_key(state.full_name),
            "birth_date": state.birth_date,
            "sex": state.sex,
            "merged_into": state.merged_into,
            "merged_by": state.merged_by,
            "cluster_id": state.cluster_id,
            "consents": json.dumps(state.consents, sort_keys=True) if state.consents else None,
        }
        wire: dict[str, Any] = {
            "household": state.household_id,
            "area": state.area_key,
            "full_name": state.full_name,
            "birth_date": _iso(state.birth_date),
            "sex": state.sex,
        }
        for name in PERSON_NUMBERS:
            sealed, index = state.numbers[name]
            row[f"{name}_sealed"], row[f"{name}_index"] = sealed, index
            known = state.masked_numbers.get(name)
            wire[name] = known or self._mask_of(f"person.{name}", state.id, sealed)
        wire |= {"last_entry": state.last_entry, "merged_into": state.merged_into}
        wire["consents"] = {purpose: one[0] for purpose, one in sorted(state.consents.items())}
        self._write(Person.__table__, row, is_fresh=is_fresh)
        self._change.put_record("person", state.id, wire, {area_scope(state.area_key)})

    def _write(self, table: Any, row: dict[str, Any], *, is_fresh: bool) -> None:
        if is_fresh:
            self._change.insert(table, **row)
        else:
            self._change.update(table, {"id": row.pop("id")}, **row)

    def _mask_of(self, place: str, row_id: str, sealed: bytes | None) -> str | None:
        return masked(self._sealer.open_optional(sealed, place, row_id))


def erase_households(connection: Connection, household_ids: Select[Any]) -> None:
    """Take away the households that a query names; nothing refers to them."""
    connection.execute(delete(Household).where(Household.__table__.c.id.in_(household_ids)))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
