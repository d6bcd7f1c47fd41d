"""Reads of records that may be one, of those that were merged, and of those that were called two.

Numbers stay sealed here.
"""

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
    exists,
    literal,
    not_,
    or_,
    select,
    union,
    union_all,
)

from server.people.models import DistinctPair, DuplicateCandidate, Household, Person
from server.people.rules import IDENTIFYING_NUMBERS

_HOUSEHOLD, _PERSON, _DISTINCT = Household.__table__, Person.__table__, DistinctPair.__table__
# Each type of record, with its table and the column that names it to people.
_NAMED = (("household", _HOUSEHOLD, "head_name"), ("person", _PERSON, "full_name"))


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


@dataclass(frozen=True, slots=True)
class DistinctMark:
    """Who called two records two, and when: a worker's id, and Unix milliseconds."""

    decided_by: str
    decided_ms: int


@dataclass(frozen=True, slots=True)
class DistinctRecords:
    """Two records that were called two. `are_one`: other merges have made one of them all the same."""

    record_type: str
    first_id: str
    first_name: str
    first_area: str
    other_id: str
    other_name: str
    other_area: str
    decided_by: str
    decided_ms: int
    are_one: bool


def duplicate_pairs(
    connection: Connection, area_keys: Iterable[str] | None, *, limit: int, offset: int = 0
) -> list[DuplicatePair]:
    """Return pairs, both of these areas (None: of all), neither merged nor called two; newest first."""
    pairs = _pairs(area_keys).subquery()
    statement = select(*(pairs.c[name] for name in DuplicatePair.__dataclass_fields__))
    statement = statement.order_by(pairs.c.other_id.desc(), pairs.c.first_id, pairs.c.reason)
    return [DuplicatePair(*row) for row in connection.execute(statement.limit(limit).offset(offset))]


def merged_records(
    connection: Connection, area_keys: Iterable[str] | None, *, limit: int, offset: int = 0
) -> list[MergedRecord]:
    """Return the records of these areas that are merged into others, by id from the newest."""
    parts = []
    for record_type, table, name in _NAMED:
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


def distinct_records(
    connection: Connection, area_keys: Iterable[str] | None, *, limit: int, offset: int = 0
) -> list[DistinctRecords]:
    """Return the pairs that were called two, both there and of these areas; the latest decided first."""
    keys, parts = None if area_keys is None else sorted(area_keys), []
    for record_type, table, name in _NAMED:
        first, other = table.alias("first_record"), table.alias("other_record")
        statement = select(
            *_pair_columns(record_type, first, other, name),
            _DISTINCT.c.decided_by,
            _DISTINCT.c.decided_ms,
            not_(_are_apart(first, other)).label("are_one"),
        ).select_from(
            _DISTINCT.join(first, first.c.id == _DISTINCT.c.first_id).join(
                other, other.c.id == _DISTINCT.c.other_id
            )
        )
        statement = statement.where(_DISTINCT.c.record_type == record_type)
        parts.append(_within(statement, keys, first, other))
    found = union_all(*parts).subquery()
    columns = [found.c[name] for name in DistinctRecords.__dataclass_fields__]
    listed = select(*columns).order_by(found.c.decided_ms.desc(), found.c.first_id, found.c.other_id)
    return [DistinctRecords(*row) for row in connection.execute(listed.limit(limit).offset(offset))]


def in_order(one_id: str, another_id: str) -> tuple[str, str]:
    """Return a pair as it is listed and marked: the earlier id first."""
    return min(one_id, another_id), max(one_id, another_id)


def distinct_mark(
    connection: Connection, record_type: str, one_id: str, another_id: str
) -> DistinctMark | None:
    """Return who called two records two, or None where nobody did."""
    first_id, other_id = in_order(one_id, another_id)
    row = connection.execute(
        select(_DISTINCT.c.decided_by, _DISTINCT.c.decided_ms).where(
            _DISTINCT.c.record_type == record_type,
            _DISTINCT.c.first_id == first_id,
            _DISTINCT.c.other_id == other_id,
        )
    ).one_or_none()
    return None if row is None else DistinctMark(*row)


def are_one(connection: Connection, record_type: str, one_id: str, another_id: str) -> bool:
    """Return whether merges, of whatever records, have made one of these two."""
    table = {name: table for name, table, _ in _NAMED}[record_type]
    statement = select(table.c.cluster_id).where(table.c.id.in_((one_id, another_id)))
    clusters = list(connection.scalars(statement))
    return len(clusters) == 2 and clusters[0] is not None and clusters[0] == clusters[1]


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
        statement = statement.where(
            first.c.id < other.c.id, still, _are_apart(first, other), _is_open("person", first, other)
        )
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
            .where(first.c.id < other.c.id, _are_apart(first, other), _is_open("household", first, other))
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


def _is_open(record_type: str, first: Any, other: Any) -> ColumnElement[bool]:
    """Nobody has called the pair two."""
    return not_(
        exists().where(
            _DISTINCT.c.record_type == record_type,
            _DISTINCT.c.first_id == first.c.id,
            _DISTINCT.c.other_id == other.c.id,
        )
    )


def _within(statement: Select[Any], area_keys: Iterable[str] | None, *tables: FromClause) -> Select[Any]:
    if area_keys is None:
        return statement
    return statement.where(*(table.c.area_key.in_(sorted(area_keys)) for table in tables))
