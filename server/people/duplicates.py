"""Reads of records that may be one, and of those that were merged. Numbers stay sealed here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    and_,
    literal,
    or_,
    select,
    union,
    union_all,
)

from server.people.models import DuplicateCandidate, Household, Person
from server.people.rules import IDENTIFYING_NUMBERS

_HOUSEHOLD, _PERSON = Household.__table__, Person.__table__


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two records that share something: `reason` says what. The one with the earlier id comes first."""

    record_type: str
    first_id: str
    first_name: str
    first_area: str
    other_id: str
    other_name: str
    other_area: str
    reason: str


@dataclass(frozen=True, slots=True)
class MergedRecord:
    """A record that is a part of another one, by the entry `merge_id`."""

    record_type: str
    record_id: str
    name: str
    area_key: str
    into_id: str
    into_name: str
    merge_id: str


def duplicate_pairs(
    connection: Connection, area_keys: Iterable[str] | None, *, limit: int, offset: int = 0
) -> list[DuplicatePair]:
    """Return pairs, both of these areas (None: of all), that are not merged; the newest first."""
    pairs = _pairs(area_keys).subquery()
    statement = select(*(pairs.c[name] for name in DuplicatePair.__dataclass_fields__))
    statement = statement.order_by(pairs.c.other_id.desc(), pairs.c.first_id, pairs.c.reason)
    return [DuplicatePair(*row) for row in connection.execute(statement.limit(limit).offset(offset))]


def merged_records(
    connection: Connection, area_keys: Iterable[str] | None, *, limit: int, offset: int = 0
) -> list[MergedRecord]:
    """Return the records of these areas that are merged into others, by id from the newest."""
    parts = []
    for record_type, table, name in (
        ("household", _HOUSEHOLD, "head_name"),
        ("person", _PERSON, "full_name"),
    ):
        into = table.alias("into_record")
        statement = select(
            literal(record_type).label("record_type"),
            table.c.id.label("record_id"),
            table.c[name].label("name"),
            table.c.area_key,
            into.c.id.label("into_id"),
            into.c[name].label("into_name"),
            table.c.merged_by.label("merge_id"),
        ).join_from(table, into, into.c.id == table.c.merged_into)
        parts.append(_within(statement, area_keys, table))
    found = union_all(*parts).subquery()
    columns = [found.c[name] for name in MergedRecord.__dataclass_fields__]
    statement = select(*columns).order_by(found.c.merge_id.desc())
    return [MergedRecord(*row) for row in connection.execute(statement.limit(limit).offset(offset))]


def _pairs(area_keys: Iterable[str] | None) -> CompoundSelect[Any]:
    """Return all pairs, each once for a reason: two persons may have been noted both ways."""
    keys = None if area_keys is None else sorted(area_keys)
    return union(*_person_pairs(keys), *_household_pairs(keys))


def _person_pairs(area_keys: list[str] | None) -> list[Select[Any]]:
    """Persons that shared a number when they were noted, and still do."""
    noted = DuplicateCandidate.__table__
    first, other = _PERSON.alias("first_person"), _PERSON.alias("other_person")
    still = or_(
        *(
            and_(noted.c.reason == name, first.c[f"{name}_index"] == other.c[f"{name}_index"])
            for name in IDENTIFYING_NUMBERS
        )
    )
    columns = [*_pair_columns("person", first, other, "full_name"), noted.c.reason.label("reason")]
    parts = []
    for first_column, other_column in (("person_id", "other_id"), ("other_id", "person_id")):
        joined = noted.join(first, first.c.id == noted.c[first_column]).join(
            other, other.c.id == noted.c[other_column]
        )
        statement = select(*columns).select_from(joined)
        statement = statement.where(first.c.id < other.c.id, still, _are_apart(first, other))
        parts.append(_within(statement, area_keys, first, other))
    return parts


def _household_pairs(area_keys: list[str] | None) -> list[Select[Any]]:
    """Households of one commune with one phone, or one head at one address."""
    first, other = _HOUSEHOLD.alias("first_household"), _HOUSEHOLD.alias("other_household")
    parts = []
    for reason, same in (
        ("phone", first.c.phone_index == other.c.phone_index),
        (
            "name_and_address",
            and_(first.c.head_name_key == other.c.head_name_key, first.c.address == other.c.address),
        ),
    ):
        statement = (
            select(*_pair_columns("household", first, other, "head_name"), literal(reason).label("reason"))
            .select_from(first.join(other, and_(first.c.area_key == other.c.area_key, same)))
            .where(first.c.id < other.c.id, _are_apart(first, other))
        )
        parts.append(_within(statement, area_keys, first))
    return parts


def _pair_columns(record_type: str, first: Any, other: Any, name: str) -> list[Any]:
    columns: list[Any] = [literal(record_type).label("record_type")]
    for label, table in (("first", first), ("other", other)):
        columns += [
            table.c.id.label(f"{label}_id"),
            table.c[name].label(f"{label}_name"),
            table.c.area_key.label(f"{label}_area"),
        ]
    return columns


def _are_apart(first: Any, other: Any) -> ColumnElement[bool]:
    return or_(
        first.c.cluster_id.is_(None), other.c.cluster_id.is_(None), first.c.cluster_id != other.c.cluster_id
    )


def _within(statement: Select[Any], area_keys: Iterable[str] | None, *tables: FromClause) -> Select[Any]:
    if area_keys is None:
        return statement
    return statement.where(*(table.c.area_key.in_(sorted(area_keys)) for table in tables))
