"""The persons and households that one push touches: loaded once, changed in memory, written in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

from msgspec.structs import replace

from schemas.names import masked
from server.audit.changes import Change
from server.bulk_rows import insert_missing
from server.people.edits import Amendment, EditLog
from server.people.models import DuplicateCandidate
from server.people.queries import (
    HouseholdState,
    PersonState,
    cluster_members,
    clusters_among,
    households_by_id,
    person_ids_of_households,
    persons_by_id,
    persons_sharing_numbers,
)
from server.people.records import RecordWriter
from server.people.rules import (
    HOUSEHOLD_NUMBERS,
    HOUSEHOLD_POLICIES,
    IDENTIFYING_NUMBERS,
    PERSON_NUMBERS,
    PERSON_POLICIES,
    cluster_identity,
    clusters_of,
    identity,
    root_of,
)
from server.sealing import Sealer
from sync.codes import EntryCode
from sync.entry import Fault
from sync.merge import FieldConflict


@dataclass(slots=True)
class _Wanted:
    households: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    moving: set[str] = field(default_factory=set)
    numbers: set[tuple[str, str]] = field(default_factory=set)
    joining: dict[str, set[str]] = field(default_factory=lambda: {"household": set(), "person": set()})


# How many persons with the same number a new one is compared with.
_NOTED_MOST = 20


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

    def want_joining(self, record_type: str, record_ids: Iterable[str]) -> None:
        """Ask for whole clusters, whose identity may change: all of their records are locked."""
        ids = set(record_ids)
        self._wanted.joining[record_type] |= ids
        (self._wanted.persons if record_type == "person" else self._wanted.households).update(ids)

    def joining_members(self, record_type: str) -> set[str]:
        """Return the records of the clusters that may change: to be locked before `load`."""
        connection, ids = self._change.connection, self._wanted.joining[record_type]
        if not ids:
            return set()
        return ids | cluster_members(connection, record_type, clusters_among(connection, record_type, ids))

    def moving_members(self) -> set[str]:
        """Return who lives in the households that may move: to be locked before `load`."""
        return person_ids_of_households(self._change.connection, self._wanted.moving)

    def load(self) -> None:
        """Read everything wanted, one query a table."""
        connection, wanted = self._change.connection, self._wanted
        wanted.persons.update(person_ids_of_households(connection, wanted.moving))
        self._persons = persons_by_id(connection, wanted.persons)
        clusters = {person.cluster_id for person in self._persons.values() if person.cluster_id}
        if clusters:
            self._persons |= persons_by_id(connection, cluster_members(connection, "person", clusters))
        for person in self._persons.values():
            if person.household_id is not None:
                wanted.households.add(person.household_id)
        self._households = households_by_id(connection, wanted.households)
        if wanted.joining["household"]:
            clusters = {each.cluster_id for each in self._households.values() if each.cluster_id}
            more = cluster_members(connection, "household", clusters)
            self._households |= households_by_id(connection, more)
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

    def household_of(self, person_id: str) -> str | None:
        """Return the household that a loaded person belongs to."""
        return self._persons[person_id].household_id

    def identity_of(self, person_id: str) -> str:
        """Return what makes this person, with everybody merged with them, one person for credits."""
        person = self._persons[person_id]
        if person.cluster_id is None:
            return person.identity
        members = [self._persons[each].identified for each in self.cluster_of("person", person_id)]
        return cluster_identity(person.cluster_id, members)

    def subject_of_household(self, household_id: str) -> str:
        """Return what visits to a household, and to all merged with it, are unique over."""
        household = self._households.get(household_id)
        cluster_id = None if household is None else household.cluster_id
        return f"household:{cluster_id or household_id}"

    def cluster_of(self, record_type: str, record_id: str) -> list[str]:
        """Return the records that are merged with this one, itself too; their clusters are loaded."""
        records = self._records(record_type)
        cluster_id = records[record_id].cluster_id
        if cluster_id is None:
            return [record_id]
        return sorted(each.id for each in records.values() if each.cluster_id == cluster_id)

    def merge_fault(self, record_type: str, from_id: str, into_id: str) -> Fault | None:
        """Return why two records cannot be merged."""
        records = self._records(record_type)
        for name, record_id in (("from", from_id), ("into", into_id)):
            if record_id not in records:
                return Fault(EntryCode.REFERENCE_WRONG_KIND, name)
        edges = {each.id: each.merged_into for each in records.values() if each.merged_into is not None}
        if from_id in edges:
            return Fault(EntryCode.ALREADY_MERGED, "from")
        if root_of(into_id, edges) == from_id:
            return Fault(EntryCode.MERGE_CYCLE, "into")
        if records[from_id].area_key != records[into_id].area_key:
            return Fault(EntryCode.MERGE_ACROSS_AREAS, "into")
        return None

    def merge(self, record_type: str, from_id: str, into_id: str, entry_id: str) -> None:
        """Let one record be a part of another one."""
        members = {*self.cluster_of(record_type, from_id), *self.cluster_of(record_type, into_id)}
        self._put_edge(record_type, from_id, into_id, entry_id)
        self._settle_clusters(record_type, members)

    def unmerge(self, record_type: str, record_id: str) -> None:
        """Take the edge of a record away; what is merged into it stays with it."""
        members = self.cluster_of(record_type, record_id)
        self._put_edge(record_type, record_id, None, None)
        self._settle_clusters(record_type, members)

    def _records(self, record_type: str) -> Mapping[str, HouseholdState | PersonState]:
        return self._persons if record_type == "person" else self._households

    def _put_edge(self, record_type: str, record_id: str, into_id: str | None, by_id: str | None) -> None:
        self._put_state(replace(self._records(record_type)[record_id], merged_into=into_id, merged_by=by_id))

    def _settle_clusters(self, record_type: str, members: Iterable[str]) -> None:
        records, ids = self._records(record_type), set(members)
        edges = {each: into for each in ids if (into := records[each].merged_into) is not None}
        for record_id, cluster_id in clusters_of(ids, edges).items():
            if records[record_id].cluster_id != cluster_id:
                self._put_state(replace(records[record_id], cluster_id=cluster_id))

    def _put_state(self, state: HouseholdState | PersonState) -> None:
        if isinstance(state, PersonState):
            self._persons[state.id] = state
        else:
            self._households[state.id] = state
        self._touched[state.id] = None

    def area_keys(self) -> set[str]:
        """Return the areas of everybody loaded."""
        areas = {household.area_key for household in self._households.values()}
        return areas | {person.area_key for person in self._persons.values()}

    def number_names(self, body: Mapping[str, Any]) -> list[str]:
        """Return the names under which a body's identifying numbers are locked."""
        if "set" not in body and "full_name" not in body:
            return []
        values = body.get("set", body)
        return [
            f"number:{name}:{self._sealer.blind_index(name, values[name])}"
            for name in IDENTIFYING_NUMBERS
            if values.get(name) is not None
        ]

    def subjects_of(self, bodies: Iterable[tuple[str, Mapping[str, Any]]]) -> set[str]:
        """Return every identity that these entries may be about, before or after them."""
        subjects = {person.identity for person in self._persons.values()}
        joining = self._wanted.joining
        for person in self._persons.values():
            if person.cluster_id is not None or person.id in joining["person"]:
                subjects |= person.identities
        if joining["household"]:
            subjects.update(f"household:{household_id}" for household_id in self._households)
        for entry_id, body in bodies:
            if "set" not in body and "full_name" not in body:
                continue
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

    def record_consent(self, person_id: str, purpose: str, decision: str, order: tuple[int, str]) -> None:
        """Let a person's latest decision on a purpose stand, in any order of arrival.

        `order` is the upper capture time and the id of the entry.
        """
        old = self._persons[person_id]
        known = old.consents.get(purpose)
        if known is None or known[1:] < order:
            consents = {**old.consents, purpose: (decision, *order)}
            self._persons[person_id] = replace(old, version=old.version + 1, consents=consents)
            self._touched[person_id] = None

    def standing_consent(self, person_id: str, purpose: str) -> str | None:
        """Return the latest decision on a purpose of a person and everybody merged with them."""
        members = (self._persons[each] for each in self.cluster_of("person", person_id))
        found = [each.consents[purpose] for each in members if purpose in each.consents]
        return max(found, key=lambda each: each[1:])[0] if found else None

    def numbers_of(self, person_ids: Iterable[str], name: str) -> set[str]:
        """Return the indexes of what loaded persons have under the name of a number."""
        indexes = (self._persons[each].numbers[name][1] for each in person_ids)
        return {index for index in indexes if index is not None}

    def finish(self) -> None:
        """Write what changed and stamp it into its area's scope."""
        self._write_candidates()
        writer = RecordWriter(self._change, self._sealer)
        for record_id in self._touched:
            is_fresh = record_id in self._fresh
            if record_id in self._households:
                writer.write_household(self._households[record_id], is_fresh=is_fresh)
            else:
                writer.write_person(self._persons[record_id], is_fresh=is_fresh)

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
            # The earliest stand for all: pairs of all with all would outgrow the persons themselves.
            for other_id in nsmallest(_NOTED_MOST, others - {person_id}):
                shared = True
                self._candidates[person_id, other_id, name] = None
            others.add(person_id)
        return shared
