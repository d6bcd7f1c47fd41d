"""Reads of the office, for judging, for pages and for rights."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select

from schemas.rate_tables import RateTables, read_rate_tables
from server.access.rules import RoleHeld
from server.bulk_rows import among, chunks, rows_among
from server.office.models import Area, Assignment, Organisation, RateRow, Team, TeamMembership, Worker
from server.office.rules import AREA_LEVELS, AreaFilter, AssignmentSpan, Membership
from server.prepared import rows_of

_ABOVE_COMMUNES = AREA_LEVELS[: AREA_LEVELS.index("commune")]
_AREA, _WORKER = Area.__table__.c, Worker.__table__.c
_ASSIGNMENT, _MEMBERSHIP = Assignment.__table__.c, TeamMembership.__table__.c


@dataclass(frozen=True, slots=True)
class AreaNode:
    """An area; `path` holds its ancestors' keys from the root, its own key last."""

    key: str
    name: str
    level: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrganisationNode:
    """An organisation; `path` as in AreaNode."""

    key: str
    name: str
    kind: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker, as others may see one."""

    id: str
    name: str
    organisation_key: str | None


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team."""

    id: str
    name: str


_RATES = select(RateRow.__table__.c.content).order_by(
    RateRow.__table__.c.rate_table, RateRow.__table__.c.valid_from
)
# Statements of every push are built once: to build one costs more than to run it.
_AREAS = select(_AREA.key, _AREA.name, _AREA.level, _AREA.path).where(among(_AREA.key))
_WORKERS = select(_WORKER.id, _WORKER.name, _WORKER.organisation_key).where(among(_WORKER.id))
_MEMBERSHIPS = (
    select(TeamMembership.__table__)
    .where(among(_MEMBERSHIP.worker_id))
    .order_by(_MEMBERSHIP.from_day, _MEMBERSHIP.id)
)
_ASSIGNMENTS = (
    select(*(_ASSIGNMENT[name] for name in AssignmentSpan.__dataclass_fields__))
    .where(among(_ASSIGNMENT.worker_id))
    .order_by(_ASSIGNMENT.from_ms, _ASSIGNMENT.id)
)
_ON_DAY = and_(
    _AREA.valid_from <= bindparam("on_day"),
    or_(_AREA.valid_to.is_(None), _AREA.valid_to >= bindparam("on_day")),
)
# Areas that may have communes below them, and the communes themselves that exist.
_NOT_BELOW_COMMUNES = select(_AREA.key, _AREA.level).where(
    among(_AREA.key),
    or_(*(_AREA.level == level for level in _ABOVE_COMMUNES), and_(_AREA.level == "commune", _ON_DAY)),
)
_ABOVE = Area.__table__.alias("above").c
_COMMUNES_UNDER = select(_AREA.key).where(
    among(_ABOVE.key),
    func.substr(_AREA.path, 1, func.length(_ABOVE.path)) == _ABOVE.path,
    _AREA.level == "commune",
    _ON_DAY,
)


def keys_of_path(path: str) -> tuple[str, ...]:
    """Return the keys in a stored path, the root first."""
    return tuple(path.strip("/").split("/"))


def areas_by_key(connection: Connection, keys: Iterable[str]) -> dict[str, AreaNode]:
    """Return the areas that exist among `keys`."""
    return {row.key: _area_node(row) for row in rows_among(connection, _AREAS, keys)}


def areas_on(connection: Connection, on_day: date, level: str | None = None) -> list[AreaNode]:
    """Return the areas that exist on `on_day`, by path."""
    query = select(_AREA.key, _AREA.name, _AREA.level, _AREA.path).where(_exists_on(on_day))
    if level is not None:
        query = query.where(_AREA.level == level)
    return [_area_node(row) for row in connection.execute(query.order_by(_AREA.path))]


def areas_by_level(connection: Connection, level: str) -> list[str]:
    """Return the keys of the areas of a level, of whatever day, in the order of their paths."""
    return list(connection.scalars(select(_AREA.key).where(_AREA.level == level).order_by(_AREA.path)))


def commune_keys_under(connection: Connection, area_keys: Iterable[str], on_day: date) -> set[str]:
    """Return the keys of the communes at or below `area_keys` that exist on `on_day`."""
    rows = rows_among(connection, _NOT_BELOW_COMMUNES, area_keys, on_day=on_day)
    # Most agents hold communes, and their pulls are spared the walk over every area.
    larger = [key for key, level in rows if level != "commune"]
    found = {key for key, level in rows if level == "commune"}
    return found.union(key for (key,) in rows_among(connection, _COMMUNES_UNDER, larger, on_day=on_day))


def area_keys_under(connection: Connection, area_keys: Iterable[str]) -> set[str]:
    """Return the keys at or below `area_keys`, of whatever day."""
    found: set[str] = set()
    # A worker holds a handful of areas; 50 conditions stay far below any limit of expressions.
    for part in chunks(sorted(set(area_keys)), 50):
        paths = connection.scalars(select(_AREA.path).where(_AREA.key.in_(part))).all()
        if paths:
            below = or_(*(_AREA.path.startswith(path, autoescape=True) for path in paths))
            found.update(connection.scalars(select(_AREA.key).where(below)))
    return found


def _area_node(row: Any) -> AreaNode:
    return AreaNode(row.key, row.name, row.level, keys_of_path(row.path))


def _exists_on(day: date) -> ColumnElement[bool]:
    return (_AREA.valid_from <= day) & or_(_AREA.valid_to.is_(None), _AREA.valid_to >= day)


def organisations_by_key(connection: Connection, keys: Iterable[str]) -> dict[str, OrganisationNode]:
    """Return the organisations that exist among `keys`."""
    table, found = Organisation.__table__.c, {}
    for part in chunks(sorted(set(keys))):
        rows = connection.execute(
            select(table.key, table.name, table.kind, table.path).where(table.key.in_(part))
        )
        for row in rows:
            found[row.key] = OrganisationNode(row.key, row.name, row.kind, keys_of_path(row.path))
    return found


def all_organisations(connection: Connection) -> list[OrganisationNode]:
    """Return every organisation of whatever day, by path."""
    table = Organisation.__table__.c
    rows = connection.execute(select(table.key, table.name, table.kind, table.path).order_by(table.path))
    return [OrganisationNode(row.key, row.name, row.kind, keys_of_path(row.path)) for row in rows]


def workers_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, WorkerView]:
    """Return the workers that exist among `ids`."""
    return {row.id: WorkerView(*row) for row in rows_among(connection, _WORKERS, ids)}


def organisations_of_workers(connection: Connection, worker_ids: Iterable[str]) -> dict[str, str | None]:
    """Return the organisation of each worker that exists."""
    workers = workers_by_id(connection, worker_ids)
    return {worker_id: worker.organisation_key for worker_id, worker in workers.items()}


def teams_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, TeamView]:
    """Return the teams that exist among `ids`."""
    table, found = Team.__table__.c, {}
    for part in chunks(sorted(set(ids))):
        for row in connection.execute(select(table.id, table.name).where(table.id.in_(part))):
            found[row.id] = TeamView(row.id, row.name)
    return found


def team_memberships_of(connection: Connection, worker_ids: Iterable[str]) -> dict[str, list[Membership]]:
    """Return the memberships of each of `worker_ids`, in the order of their days."""
    found: dict[str, list[Membership]] = {worker_id: [] for worker_id in worker_ids}
    for row in rows_among(connection, _MEMBERSHIPS, found):
        membership = Membership(row.team_id, row.worker_id, row.campaign, row.from_day, row.to_day)
        found[row.worker_id].append(membership)
    return found


def assignments_of(connection: Connection, worker_ids: Iterable[str]) -> dict[str, list[AssignmentSpan]]:
    """Return the assignments of each of `worker_ids`, past and future ones too."""
    found: dict[str, list[AssignmentSpan]] = {worker_id: [] for worker_id in worker_ids}
    for row in rows_among(connection, _ASSIGNMENTS, found):
        span = AssignmentSpan(*row)
        found[span.worker_id].append(span)
    return found


def assignments_at(
    connection: Connection, at_ms: int, roles: Collection[str] | None = None
) -> list[AssignmentSpan]:
    """Return everybody's assignments in force at `at_ms`, of `roles` only where given."""
    query = select(Assignment.__table__).where(_in_force(at_ms))
    if roles is not None:
        query = query.where(_ASSIGNMENT.role.in_(sorted(roles)))
    return [_span(row) for row in connection.execute(query.order_by(_ASSIGNMENT.worker_id, _ASSIGNMENT.id))]


def roles_held(connection: Connection, worker_id: str, at_ms: int) -> list[RoleHeld]:
    """Return the roles that a worker holds at `at_ms`, and over what."""
    query = select(_ASSIGNMENT.role, _ASSIGNMENT.area_key, _ASSIGNMENT.organisation_key).where(
        _ASSIGNMENT.worker_id == worker_id, _in_force(at_ms)
    )
    rows = connection.execute(query.order_by(_ASSIGNMENT.from_ms, _ASSIGNMENT.id))
    return [RoleHeld(row.role, row.area_key, row.organisation_key) for row in rows]


def visible_areas(
    connection: Connection, worker_id: str, now_ms: int, roles: Collection[str] | None = None
) -> AreaFilter:
    """Return which areas a worker may look at, through `roles` only where given.

    A role over an organisation gives no area: it opens that organisation's own figures.
    """
    keys = set()
    for held in roles_held(connection, worker_id, now_ms):
        if roles is not None and held.role not in roles:
            continue
        if held.is_office_wide:
            return AreaFilter(office_wide=True)
        if held.area_key is not None:
            keys.add(held.area_key)
    return AreaFilter(office_wide=False, area_keys=frozenset(keys))


def visible_worker_ids(connection: Connection, areas: AreaFilter, now_ms: int) -> set[str] | None:
    """Return the workers whose area assignments lie inside `areas`; None when that is everybody."""
    if areas.office_wide:
        return None
    inside = area_keys_under(connection, areas.area_keys)
    spans = assignments_at(connection, now_ms)
    return {span.worker_id for span in spans if span.area_key is not None and span.area_key in inside}


def _in_force(at_ms: int) -> ColumnElement[bool]:
    ended = or_(_ASSIGNMENT.to_ms.is_(None), _ASSIGNMENT.to_ms > at_ms)
    return (_ASSIGNMENT.from_ms <= at_ms) & ended


def _span(row: Any) -> AssignmentSpan:
    return AssignmentSpan(row.worker_id, row.role, row.area_key, row.organisation_key, row.from_ms, row.to_ms)


def rate_tables(connection: Connection) -> RateTables:
    """Return the office's rate tables, empty where none were loaded."""
    return _read_rates(tuple(content for (content,) in rows_of(connection, _RATES, {})))


def rate_rows(connection: Connection) -> list[dict[str, Any]]:
    """Return the rows of the office's rate tables as they travel, by table and first day."""
    return [json.loads(content) for (content,) in rows_of(connection, _RATES, {})]


@lru_cache(maxsize=4)
def _read_rates(contents: tuple[str, ...]) -> RateTables:
    # The rows themselves are the key: tables that another process changed are read anew.
    return read_rate_tables(json.loads(content) for content in contents)
