"""Reads of persons and households. Numbers stay sealed here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from msgspec import Struct, field
from sqlalchemy import Connection, Select, func, literal, or_, select, union_all

from schemas.names import initials
from server.bulk_rows import among, chunks, rows_among
from server.people.models import EditConflict, FieldEdit, Household, Person
from server.people.rules import IDENTIFYING_NUMBERS, PERSON_NUMBERS, Identified, identity
from sync.merge import LoggedEdit

_TABLES = {"household": Household.__table__, "person": Person.__table__}
Numbers = Mapping[str, tuple[bytes | None, str | None]]
# Purpose → decision, upper capture time and entry id of the latest.
Consents = Mapping[str, tuple[str, int, str]]
_NO_CONSENTS: Consents = {}


class HouseholdState(Struct, frozen=True, gc=False):
    """A household as a change sees it; `numbers` maps field to (sealed, blind index)."""

    id: str
    version: int
    last_entry: str
    area_key: str
    head_name: str
    address: str
    hamlet: str | None
    members: int | None
    numbers: Numbers
    phone_masked: str | None
    merged_into: str | None = None
    merged_by: str | None = None
    cluster_id: str | None = None


class PersonState(Struct, frozen=True, gc=False):
    """A person as a change sees it; `numbers` maps field to (sealed, blind index)."""

    id: str
    version: int
    last_entry: str
    household_id: str | None
    area_key: str
    full_name: str
    birth_date: date | None
    sex: str | None
    numbers: Numbers
    masked_numbers: Mapping[str, str | None]
    merged_into: str | None = None
    merged_by: str | None = None
    cluster_id: str | None = None
    consents: Consents = field(default_factory=lambda: _NO_CONSENTS)

    @property
    def identity(self) -> str:
        """Return what makes this person one person for credits."""
        return identity(self.id, self.numbers["national_id"][1], self.numbers["insurance_number"][1])

    @property
    def identified(self) -> Identified:
        """Return the person with the numbers that name one person."""
        return Identified(self.id, self.numbers["national_id"][1], self.numbers["insurance_number"][1])

    @property
    def identities(self) -> set[str]:
        """Return everything that `identity` may be once some of the numbers are taken away."""
        indexes = (self.numbers["national_id"][1], self.numbers["insurance_number"][1])
        return {
            identity(self.id, *indexes),
            identity(self.id, None, indexes[1]),
            identity(self.id, None, None),
        }


# Statements of every push are built once: to build one costs more than to run it.
_HOUSEHOLDS = select(
    Household.id,
    Household.version,
    Household.last_entry,
    Household.area_key,
    Household.head_name,
    Household.address,
    Household.hamlet,
    Household.members,
    Household.phone_sealed,
    Household.phone_index,
    Household.merged_into,
    Household.merged_by,
    Household.cluster_id,
).where(among(Household.__table__.c.id))
_PERSONS = select(
    Person.id,
    Person.version,
    Person.last_entry,
    Person.household_id,
    Person.area_key,
    Person.full_name,
    Person.birth_date,
    Person.sex,
    Person.merged_into,
    Person.merged_by,
    Person.cluster_id,
    Person.consents,
    *(Person.__table__.c[f"{name}_{part}"] for name in PERSON_NUMBERS for part in ("sealed", "index")),
).where(among(Person.__table__.c.id))
_MEMBERS = select(Person.id).where(among(Person.__table__.c.household_id))
_EDITS = (
    select(FieldEdit.__table__)
    .where(among(FieldEdit.__table__.c.record_id))
    .order_by(FieldEdit.record_id, FieldEdit.position)
)
_SHARING = {
    name: select(Person.id, Person.__table__.c[f"{name}_index"]).where(
        among(Person.__table__.c[f"{name}_index"])
    )
    for name in IDENTIFYING_NUMBERS
}


def households_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, HouseholdState]:
    """Return the households that exist."""
    return {
        row[0]: HouseholdState(*(*row[:8], {"phone": (row[8], row[9])}, None, *row[10:]))
        for row in rows_among(connection, _HOUSEHOLDS, ids)
    }


def changed_households(connection: Connection, household_ids: Select[Any]) -> set[str]:
    """Return which of the households that a query names were amended or merged since they came."""
    household = Household.__table__.c
    is_changed = or_(household.last_entry != household.id, household.merged_into.is_not(None))
    return set(connection.scalars(select(household.id).where(household.id.in_(household_ids), is_changed)))


def persons_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, PersonState]:
    """Return the persons that exist."""
    found = {}
    for row in rows_among(connection, _PERSONS, ids):
        numbers = dict(zip(PERSON_NUMBERS, zip(row[12::2], row[13::2], strict=True), strict=True))
        found[row[0]] = PersonState(*(*row[:8], numbers, {}, *row[8:11], _consents(row[11])))
    return found


def numbers_of_persons(connection: Connection) -> dict[str, tuple[str, set[str]]]:
    """Return every person's cluster (or own id) with the indexes of all numbers of that cluster.

    A number is written as in `rules.identity`: `<kind>:<blind index>`.
    """
    person = Person.__table__.c
    columns = [person[f"{name}_index"] for name in IDENTIFYING_NUMBERS]
    clusters: dict[str, str] = {}
    numbers: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(person.id, person.cluster_id, *columns)).all():
        clusters[row[0]] = row[1] or row[0]
        numbers[clusters[row[0]]].update(
            f"{name}:{index}" for name, index in zip(IDENTIFYING_NUMBERS, row[2:], strict=True) if index
        )
    return {person_id: (cluster, numbers[cluster]) for person_id, cluster in clusters.items()}


def _consents(text: str | None) -> Consents:
    return _NO_CONSENTS if text is None else {name: tuple(one) for name, one in json.loads(text).items()}


def cluster_members(connection: Connection, record_type: str, cluster_ids: Iterable[str]) -> set[str]:
    """Return the ids of the records of these clusters."""
    table = _TABLES[record_type]
    found: set[str] = set()
    for part in chunks(sorted(set(cluster_ids))):
        found.update(connection.scalars(select(table.c.id).where(table.c.cluster_id.in_(part))))
    return found


def clusters_among(connection: Connection, record_type: str, record_ids: Iterable[str]) -> set[str]:
    """Return the clusters that these records are in."""
    table = _TABLES[record_type]
    found: set[str] = set()
    for part in chunks(sorted(set(record_ids))):
        statement = select(table.c.cluster_id).where(table.c.id.in_(part), table.c.cluster_id.is_not(None))
        found.update(connection.scalars(statement))
    return found


def merged_record(connection: Connection, merge_id: str) -> tuple[str, str] | None:
    """Return type and id of the record that an entry merged into another one, while it is merged."""
    for record_type, table in _TABLES.items():
        record_id = connection.scalar(select(table.c.id).where(table.c.merged_by == merge_id))
        if record_id is not None:
            return record_type, record_id
    return None


def households_in(connection: Connection, area_key: str, after: str, most: int) -> list[tuple[str, str, int]]:
    """Return (id, last entry, persons) of an area's households after an id, in the order of ids."""
    household, person = Household.__table__.c, Person.__table__.c
    persons = select(func.count()).where(person.household_id == household.id).scalar_subquery()
    statement = select(household.id, household.last_entry, persons).where(
        household.area_key == area_key, household.id > after
    )
    rows = connection.execute(statement.order_by(household.id).limit(most))
    return [(row[0], row[1], row[2]) for row in rows]


def person_ids_of_households(connection: Connection, household_ids: Iterable[str]) -> set[str]:
    """Return the ids of the persons that live in these households."""
    return {person_id for (person_id,) in rows_among(connection, _MEMBERS, household_ids)}


def edit_logs(connection: Connection, record_ids: Iterable[str]) -> dict[str, list[LoggedEdit]]:
    """Return the amendments of each record in the order of their application."""
    fields: dict[str, dict[tuple[str, int, int], dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows_among(connection, _EDITS, record_ids):
        fields[row.record_id][row.entry_id, row.rank_ms, row.depth][row.field] = row.value_digest
    return {
        record_id: [
            LoggedEdit(entry_id, values, rank_ms, depth)
            for (entry_id, rank_ms, depth), values in edits.items()
        ]
        for record_id, edits in fields.items()
    }


CONFLICT_KEY = ("record_id", "field", "winner_entry_id", "loser_entry_id")


@dataclass(frozen=True, slots=True)
class ConflictView:
    """An open conflict: two entries that set one field without having seen each other."""

    record_id: str
    field: str
    winner_entry_id: str
    loser_entry_id: str
    found_ms: int


@dataclass(frozen=True, slots=True)
class DisputedRecord:
    """A record with open conflicts, the oldest found first; `name` is its head's or its own."""

    record_type: str
    record_id: str
    name: str
    area_key: str
    fields: tuple[str, ...]
    found_ms: int


_RECORDS = union_all(
    select(
        literal("household").label("record_type"),
        Household.__table__.c.id,
        Household.__table__.c.head_name.label("name"),
        Household.__table__.c.area_key,
    ),
    select(
        literal("person").label("record_type"),
        Person.__table__.c.id,
        Person.__table__.c.full_name.label("name"),
        Person.__table__.c.area_key,
    ),
).subquery("records")


def open_conflicts(connection: Connection, record_ids: Iterable[str]) -> dict[str, list[ConflictView]]:
    """Return the open conflicts of each record that has any, by field."""
    conflict = EditConflict.__table__
    columns = [conflict.c[name] for name in ConflictView.__dataclass_fields__]
    found: dict[str, list[ConflictView]] = defaultdict(list)
    for part in chunks(sorted(record_ids)):
        statement = select(*columns).where(conflict.c.record_id.in_(part), conflict.c.state == "open")
        for row in connection.execute(statement.order_by(*(conflict.c[name] for name in CONFLICT_KEY))):
            found[row.record_id].append(ConflictView(*row))
    return found


def open_conflicts_of(connection: Connection, record_id: str) -> list[ConflictView]:
    """Return the open conflicts of a record, by field."""
    return open_conflicts(connection, [record_id])[record_id]


def disputed_records(
    connection: Connection, area_keys: Iterable[str] | None, *, limit: int, offset: int = 0
) -> list[DisputedRecord]:
    """Return the records of these areas (None: of all) with open conflicts, the oldest found first."""
    conflict = EditConflict.__table__.c
    first = func.min(conflict.found_ms)
    statement = _disputed(
        area_keys, _RECORDS.c.record_type, _RECORDS.c.id, _RECORDS.c.name, _RECORDS.c.area_key
    )
    statement = statement.add_columns(first).group_by(*_RECORDS.c).order_by(first, _RECORDS.c.id)
    rows = connection.execute(statement.limit(limit).offset(offset)).all()
    fields: dict[str, set[str]] = defaultdict(set)
    for part in chunks([row.id for row in rows]):
        wanted = select(conflict.record_id, conflict.field).where(
            conflict.record_id.in_(part), conflict.state == "open"
        )
        for record_id, name in connection.execute(wanted):
            fields[record_id].add(name)
    return [
        DisputedRecord(record_type, record_id, name, area_key, tuple(sorted(fields[record_id])), found_ms)
        for record_type, record_id, name, area_key, found_ms in rows
    ]


def disputed_count(connection: Connection, area_keys: Iterable[str] | None) -> int:
    """Return how many records of these areas (None: of all) have open conflicts."""
    statement = _disputed(area_keys, func.count(_RECORDS.c.id.distinct()))
    return connection.scalar(statement) or 0


def _disputed(area_keys: Iterable[str] | None, *columns: Any) -> Select[Any]:
    conflict = EditConflict.__table__
    statement = (
        select(*columns)
        .select_from(conflict.join(_RECORDS, _RECORDS.c.id == conflict.c.record_id))
        .where(conflict.c.state == "open")
    )
    return statement if area_keys is None else statement.where(_RECORDS.c.area_key.in_(sorted(area_keys)))


def record_of(connection: Connection, record_id: str) -> DisputedRecord | None:
    """Return what a page says of a household or person, with the fields in dispute; None without any."""
    row = connection.execute(select(_RECORDS).where(_RECORDS.c.id == record_id)).one_or_none()
    if row is None:
        return None
    found = open_conflicts_of(connection, record_id)
    fields = tuple(sorted({conflict.field for conflict in found}))
    first_ms = min((conflict.found_ms for conflict in found), default=0)
    return DisputedRecord(row.record_type, row.id, row.name, row.area_key, fields, first_ms)


def persons_sharing_numbers(
    connection: Connection, numbers: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], set[str]]:
    """Return the ids of the persons with each (field, blind index)."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for name, index in sorted(numbers):
        wanted[name].append(index)
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, indexes in wanted.items():
        for person_id, index in rows_among(connection, _SHARING[name], indexes):
            found[name, index].add(person_id)
    return found


def initials_of(connection: Connection, person_ids: Iterable[str]) -> dict[str, str]:
    """Return the initials of each person's name."""
    person, found = Person.__table__.c, {}
    for part in chunks(sorted(set(person_ids))):
        statement = select(person.id, person.full_name).where(person.id.in_(part))
        for person_id, name in connection.execute(statement):
            found[person_id] = initials(name)
    return found
