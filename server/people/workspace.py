"""The persons and households that one push touches: loaded once, changed in memory, written in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from schemas.names import masked, search_key
from server.audit.changes import Change
from server.database import insert_missing
from server.people.edits import Amendment, EditLog
from server.people.models import DuplicateCandidate, Household, Person
from server.people.queries import (
    HouseholdState,
    PersonState,
    households_by_id,
    person_ids_of_households,
    persons_by_id,
    persons_sharing_numbers,
)
from server.people.rules import (
    HOUSEHOLD_NUMBERS,
    HOUSEHOLD_POLICIES,
    IDENTIFYING_NUMBERS,
    PERSON_NUMBERS,
    PERSON_POLICIES,
    identity,
)
from server.sealing import Sealer
from sync.merge import FieldConflict
from sync.scope import area_scope


@dataclass(slots=True)
class _Wanted:
    households: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    moving: set[str] = field(default_factory=set)
    numbers: set[tuple[str, str]] = field(default_factory=set)


class PeopleWorkspace:
    """Reads and changes of people within one change of state."""

    def __init__(self, change: Change, sealer: Sealer) -> None:
        self._change = change
        self._sealer = sealer
        self._wanted = _Wanted()
        self._households: dict[str, HouseholdState] = {}
        self._persons: dict[str, PersonState] = {}
        self.edits = EditLog(change, sealer)
        self._sharing: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._fresh: set[str] = set()
        self._touched: dict[str, None] = {}
        self._candidates: dict[tuple[str, str, str], None] = {}

    def want_households(self, ids: Iterable[str]) -> None:
        """Ask for households before `load`."""
        self._wanted.households.update(ids)

    def want_persons(self, ids: Iterable[str]) -> None:
        """Ask for persons, and with them their households, before `load`."""
        self._wanted.persons.update(ids)

    def want_members(self, household_id: str) -> None:
        """Ask for the persons of a household, who move with it, before `load`."""
        self._wanted.moving.add(household_id)

    def want_numbers(self, body: Mapping[str, Any]) -> None:
        """Ask who shares the identifying numbers of a person's body before `load`."""
        for name in IDENTIFYING_NUMBERS:
            if body.get(name) is not None:
                self._wanted.numbers.add((name, self._sealer.blind_index(name, body[name])))

    def moving_members(self) -> set[str]:
        """Return who lives in the households that may move: to be locked before `load`."""
        return person_ids_of_households(self._change.connection, self._wanted.moving)

    def load(self) -> None:
        """Read everything wanted, one query a table."""
        connection, wanted = self._change.connection, self._wanted
        wanted.persons.update(person_ids_of_households(connection, wanted.moving))
        self._persons = persons_by_id(connection, wanted.persons)
        for person in self._persons.values():
            if person.household_id is not None:
                wanted.households.add(person.household_id)
        self._households = households_by_id(connection, wanted.households)
        self.edits.load()
        self._sharing.update(persons_sharing_numbers(connection, wanted.numbers))

    def household(self, household_id: str) -> HouseholdState | None:
        """Return a household as this change sees it."""
        return self._households.get(household_id)

    def person(self, person_id: str) -> PersonState | None:
        """Return a person as this change sees it."""
        return self._persons.get(person_id)

    def area_of_household(self, household_id: str) -> str:
        """Return the area key of a household that is in effect."""
        return self._households[household_id].area_key

    def area_of_person(self, person_id: str) -> str:
        """Return the area key of a person that is in effect."""
        return self._persons[person_id].area_key

    def identity_of(self, person_id: str) -> str:
        """Return what makes this person one person for credits."""
        return self._persons[person_id].identity

    def area_keys(self) -> set[str]:
        """Return the areas of everybody loaded."""
        areas = {household.area_key for household in self._households.values()}
        return areas | {person.area_key for person in self._persons.values()}

    def number_names(self, body: Mapping[str, Any]) -> list[str]:
        """Return the names under which a body's identifying numbers are locked."""
        values = body.get("set", body)
        return [
            f"number:{name}:{self._sealer.blind_index(name, values[name])}"
            for name in IDENTIFYING_NUMBERS
            if values.get(name) is not None
        ]

    def subjects_of(self, bodies: Iterable[tuple[str, Mapping[str, Any]]]) -> set[str]:
        """Return every identity that these entries may be about, before or after them."""
        subjects = {person.identity for person in self._persons.values()}
        for entry_id, body in bodies:
            values = body.get("set", body)
            indexes = {
                name: self._sealer.blind_index(name, values[name])
                for name in IDENTIFYING_NUMBERS
                if values.get(name) is not None
            }
            subjects.update(f"{name}:{index}" for name, index in indexes.items())
            amended = self._persons.get(body["person"]) if "set" in body and "person" in body else None
            if amended is not None:
                subjects |= amended.identities
            if "full_name" in body and not indexes:
                subjects.add(identity(entry_id, None, None))
        return subjects

    def register_household(self, entry_id: str, body: Mapping[str, Any]) -> None:
        """Put a household on the list."""
        self._households[entry_id] = HouseholdState(
            id=entry_id,
            version=1,
            last_entry=entry_id,
            area_key=body["area"],
            head_name=body["head_name"],
            address=body["address"],
            hamlet=body["hamlet"],
            members=body["members"],
            numbers=self._sealed_numbers("household", entry_id, HOUSEHOLD_NUMBERS, body),
            phone_masked=masked(body["phone"]),
        )
        self._fresh.add(entry_id)
        self._touched[entry_id] = None

    def register_person(self, entry_id: str, body: Mapping[str, Any]) -> bool:
        """Put a person on the list; return whether another one shares an identifying number."""
        household_id = body["household"]
        area_key = self.area_of_household(household_id) if household_id else body["area"]
        numbers = self._sealed_numbers("person", entry_id, PERSON_NUMBERS, body)
        self._persons[entry_id] = PersonState(
            id=entry_id,
            version=1,
            last_entry=entry_id,
            household_id=household_id,
            area_key=area_key,
            full_name=body["full_name"],
            birth_date=body["birth_date"],
            sex=body["sex"],
            numbers=numbers,
            masked_numbers={name: masked(body[name]) for name in PERSON_NUMBERS},
        )
        self._fresh.add(entry_id)
        self._touched[entry_id] = None
        return self._note_sharing(entry_id)

    def amend_household(
        self, amendment: Amendment, household_id: str, values: Mapping[str, Any]
    ) -> list[FieldConflict]:
        """Set fields of a household; return the conflicts found. What stands is for each field's policy."""
        old = self._households[household_id]
        current = {"members": old.members}
        found, values = self.edits.add(household_id, amendment, values, current, HOUSEHOLD_POLICIES)
        renamed = {"area": "area_key"}
        plain = {
            renamed.get(name, name): value for name, value in values.items() if name not in HOUSEHOLD_NUMBERS
        }
        numbers = dict(old.numbers)
        numbers.update(self._sealed_some("household", household_id, HOUSEHOLD_NUMBERS, values))
        phone = masked(values["phone"]) if "phone" in values else old.phone_masked
        self._households[household_id] = replace(
            old,
            version=old.version + 1,
            last_entry=amendment.entry_id,
            numbers=numbers,
            phone_masked=phone,
            **plain,
        )
        self._touched[household_id] = None
        if "area_key" in plain and plain["area_key"] != old.area_key:
            self._move_members(household_id, plain["area_key"])
        return found

    def _move_members(self, household_id: str, area_key: str) -> None:
        for person in list(self._persons.values()):
            if person.household_id == household_id:
                self._persons[person.id] = replace(person, area_key=area_key)
                self._touched[person.id] = None

    def amend_person(
        self, amendment: Amendment, person_id: str, values: Mapping[str, Any]
    ) -> list[FieldConflict]:
        """Set fields of a person; return the conflicts found. What stands is for each field's policy."""
        found, values = self.edits.add(person_id, amendment, values, {}, PERSON_POLICIES)
        old = self._persons[person_id]
        plain = {
            {"household": "household_id"}.get(name, name): value
            for name, value in values.items()
            if name not in PERSON_NUMBERS
        }
        if "household_id" in plain:
            plain["area_key"] = self.area_of_household(plain["household_id"])
        numbers = dict(old.numbers)
        numbers.update(self._sealed_some("person", person_id, PERSON_NUMBERS, values))
        masks = dict(old.masked_numbers)
        masks.update({name: masked(values[name]) for name in PERSON_NUMBERS if name in values})
        self._persons[person_id] = replace(
            old,
            version=old.version + 1,
            last_entry=amendment.entry_id,
            numbers=numbers,
            masked_numbers=masks,
            **plain,
        )
        self._touched[person_id] = None
        self._note_sharing(person_id)
        return found

    def finish(self) -> None:
        """Write what changed and stamp it into its area's scope."""
        self._write_candidates()
        for record_id in self._touched:
            if record_id in self._households:
                self._write_household(self._households[record_id])
            else:
                self._write_person(self._persons[record_id])

    def _write_candidates(self) -> None:
        """Note who shares a number; the same two may have been noted by an earlier entry."""
        key = ("person_id", "other_id", "reason")
        rows = [
            dict(zip(key, pair, strict=True)) | {"found_ms": self._change.now_ms} for pair in self._candidates
        ]
        insert_missing(self._change.connection, DuplicateCandidate.__table__, rows, key)

    def _sealed_some(
        self, table: str, row_id: str, names: tuple[str, ...], values: Mapping[str, Any]
    ) -> dict[str, tuple[bytes | None, str | None]]:
        present = tuple(name for name in names if name in values)
        return self._sealed_numbers(table, row_id, present, values)

    def _sealed_numbers(
        self, table: str, row_id: str, names: tuple[str, ...], body: Mapping[str, Any]
    ) -> dict[str, tuple[bytes | None, str | None]]:
        sealed: dict[str, tuple[bytes | None, str | None]] = {}
        for name in names:
            number = body[name]
            sealed[name] = (
                self._sealer.seal_optional(number, f"{table}.{name}", row_id),
                None if number is None else self._sealer.blind_index(name, number),
            )
        return sealed

    def _note_sharing(self, person_id: str) -> bool:
        shared = False
        for name in IDENTIFYING_NUMBERS:
            index = self._persons[person_id].numbers[name][1]
            if index is None:
                continue
            others = self._sharing[name, index]
            for other_id in sorted(others - {person_id}):
                shared = True
                self._candidates[person_id, other_id, name] = None
            others.add(person_id)
        return shared

    def _write(self, table: Any, row: dict[str, Any]) -> None:
        if row["id"] in self._fresh:
            self._change.insert(table, **row)
        else:
            self._change.update(table, {"id": row.pop("id")}, **row)

    def _write_household(self, state: HouseholdState) -> None:
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
        }
        self._write(Household.__table__, row)
        wire = {
            "area": state.area_key,
            "head_name": state.head_name,
            "address": state.address,
            "hamlet": state.hamlet,
            "phone": state.phone_masked or self._mask_of("household.phone", state.id, sealed),
            "members": state.members,
            "last_entry": state.last_entry,
        }
        self._change.put_record("household", state.id, wire, {area_scope(state.area_key)})

    def _write_person(self, state: PersonState) -> None:
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
        wire["last_entry"] = state.last_entry
        self._write(Person.__table__, row)
        self._change.put_record("person", state.id, wire, {area_scope(state.area_key)})

    def _mask_of(self, place: str, row_id: str, sealed: bytes | None) -> str | None:
        return masked(self._sealer.open_optional(sealed, place, row_id))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
