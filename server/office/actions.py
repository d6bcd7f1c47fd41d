"""Writes of the office. Each takes the change it belongs to; the caller runs and commits it.

Devices never write here, so a broken rule is an exception that the page or command shows.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from schemas.names import search_key
from schemas.rate_tables import RateTableError, read_rate_tables
from server.audit.changes import Change
from server.office.models import Area, Assignment, Organisation, RateRow, Team, TeamMembership, Worker
from server.office.queries import team_memberships_of
from server.office.rules import (
    AREA_LEVELS,
    ORGANISATION_KINDS,
    ROLES,
    Membership,
    clashing,
    day_before,
    is_valid_on,
    node_key,
    overlap,
)
from sync.ports import IdSource
from sync.scope import OFFICE


class OfficeRuleError(Exception):
    """A rule of the office was broken; the message names the rule and the keys, never a person."""


@dataclass(frozen=True, slots=True)
class NewArea:
    """An area to register. `parent_code` is resolved on `valid_from`; `valid_to` is the last day."""

    code: str
    name: str
    level: str
    valid_from: date
    parent_code: str | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class NewOrganisation:
    """An organisation to register; its days are as an area's."""

    code: str
    name: str
    kind: str
    valid_from: date
    parent_code: str | None = None
    valid_to: date | None = None


def register_area(change: Change, area: NewArea) -> str:
    """Register one area and return its key. Raises OfficeRuleError."""
    return register_areas(change, [area])[0]


def register_areas(change: Change, areas: Iterable[NewArea]) -> list[str]:
    """Register areas, parents before children, and return their keys. Raises OfficeRuleError."""
    known = _nodes_by_code(change, Area, "level")
    keys = []
    for area in areas:
        if area.level not in AREA_LEVELS:
            raise OfficeRuleError(f"{area.code}: level {area.level} is unknown")
        node = _placed(known, area, area.level)
        parent = node["parent"]
        if parent is not None and AREA_LEVELS.index(parent["level"]) >= AREA_LEVELS.index(area.level):
            raise OfficeRuleError(f"{area.code}: its level is not below its parent's")
        _insert_node(change, Area, node, level=area.level)
        _replicate(change, "area", node, "level")
        keys.append(node["key"])
    change.audit("areas_registered", keys[0] if len(keys) == 1 else "areas", count=len(keys))
    return keys


def register_organisation(change: Change, organisation: NewOrganisation) -> str:
    """Register one organisation and return its key. Raises OfficeRuleError."""
    if organisation.kind not in ORGANISATION_KINDS:
        raise OfficeRuleError(f"{organisation.code}: kind {organisation.kind} is unknown")
    known = _nodes_by_code(change, Organisation, "kind")
    node = _placed(known, organisation, organisation.kind, level_name="kind")
    _insert_node(change, Organisation, node, kind=organisation.kind)
    _replicate(change, "organisation", node, "kind")
    change.audit("organisation_registered", node["key"])
    return str(node["key"])


def close_area(change: Change, key: str, last_day: date) -> None:
    """Let an area end on `last_day`, and whatever lies below it too. Raises OfficeRuleError."""
    change.flush()
    table = Area.__table__
    area = change.connection.execute(select(table).where(table.c.key == key)).one_or_none()
    if area is None:
        raise OfficeRuleError(f"{key}: no such area")
    if last_day < area.valid_from:
        raise OfficeRuleError(f"{key}: it cannot end before it began")
    below = select(table).where(table.c.path.startswith(area.path, autoescape=True))
    for row in change.connection.execute(below).all():
        if row.valid_to is not None and row.valid_to <= last_day:
            continue
        if row.valid_from > last_day:
            raise OfficeRuleError(f"{row.key}: it begins after its parent would end")
        change.update(table, {"key": row.key}, valid_to=last_day)
        _replicate(change, "area", {**row._asdict(), "valid_to": last_day}, "level")
    change.audit("area_closed", key, last_day=last_day.isoformat())


def _nodes_by_code(change: Change, model: type[Area | Organisation], level: str) -> dict[str, list[Any]]:
    change.flush()
    table = model.__table__.c
    columns = (table.key, table.code, table.valid_from, table.valid_to, table.path, table[level])
    known: dict[str, list[Any]] = {}
    for row in change.connection.execute(select(*columns)):
        known.setdefault(row.code, []).append(row._asdict())
    return known


def _placed(
    known: dict[str, list[Any]], fresh: NewArea | NewOrganisation, level: str, level_name: str = "level"
) -> dict[str, Any]:
    """Return the node that `fresh` becomes in the tree, and remember it in `known`."""
    if fresh.valid_to is not None and fresh.valid_to < fresh.valid_from:
        raise OfficeRuleError(f"{fresh.code}: it ends before it begins")
    for other in known.get(fresh.code, []):
        if overlap(other["valid_from"], other["valid_to"], fresh.valid_from, fresh.valid_to):
            raise OfficeRuleError(f"{fresh.code}: the code is already in use on some of these days")
    parent = None
    if fresh.parent_code is not None:
        for other in known.get(fresh.parent_code, []):
            if is_valid_on(other["valid_from"], other["valid_to"], fresh.valid_from):
                parent = other
        if parent is None:
            raise OfficeRuleError(
                f"{fresh.code}: its parent {fresh.parent_code} does not exist on its first day"
            )
        ends = parent["valid_to"]
        if ends is not None and (fresh.valid_to is None or fresh.valid_to > ends):
            raise OfficeRuleError(f"{fresh.code}: it outlives its parent {fresh.parent_code}")
    key = node_key(fresh.code, fresh.valid_from)
    node = {
        "key": key,
        "code": fresh.code,
        "valid_from": fresh.valid_from,
        "valid_to": fresh.valid_to,
        "name": unicodedata.normalize("NFC", " ".join(fresh.name.split())),
        "parent": parent,
        "parent_key": None if parent is None else parent["key"],
        "path": f"{'/' if parent is None else parent['path']}{key}/",
        level_name: level,
    }
    known.setdefault(fresh.code, []).append(node)
    return node


def _insert_node(
    change: Change, model: type[Area | Organisation], node: dict[str, Any], **level: str
) -> None:
    columns = ("key", "code", "valid_from", "valid_to", "name", "parent_key", "path")
    row = {name: node[name] for name in columns}
    change.insert(model.__table__, **row, **level, name_key=search_key(node["name"]))


def _replicate(change: Change, record_type: str, node: dict[str, Any], level_name: str) -> None:
    wire = {
        "code": node["code"],
        "name": node["name"],
        level_name: node[level_name],
        "parent": node["parent_key"],
        "valid_from": node["valid_from"].isoformat(),
        "valid_to": None if node["valid_to"] is None else node["valid_to"].isoformat(),
    }
    change.put_record(record_type, node["key"], wire, {OFFICE})


def register_worker(change: Change, ids: IdSource, name: str, organisation_key: str | None = None) -> str:
    """Register a worker and return the id. Raises OfficeRuleError."""
    if organisation_key is not None:
        _require(change, Organisation.__table__, organisation_key, "organisation")
    worker_id, name = ids.new_id(), unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise OfficeRuleError("a worker needs a name")
    change.insert(
        Worker.__table__,
        id=worker_id,
        name=name,
        name_key=search_key(name),
        organisation_key=organisation_key,
        registered_ms=change.now_ms,
    )
    change.put_record("worker", worker_id, {"name": name, "organisation": organisation_key}, {OFFICE})
    change.audit("worker_registered", worker_id)
    return worker_id


def form_team(change: Change, ids: IdSource, name: str) -> str:
    """Form a team without members and return its id."""
    team_id, name = ids.new_id(), unicodedata.normalize("NFC", " ".join(name.split()))
    change.insert(Team.__table__, id=team_id, name=name, name_key=search_key(name), formed_ms=change.now_ms)
    change.audit("team_formed", team_id)
    return team_id


def add_member(
    change: Change,
    ids: IdSource,
    team_id: str,
    worker_id: str,
    from_day: date,
    to_day: date | None = None,
    campaign: int | None = None,
) -> str:
    """Put a worker into a team: one team per worker, campaign and day. Raises OfficeRuleError."""
    if to_day is not None and to_day < from_day:
        raise OfficeRuleError("a membership cannot end before it begins")
    _require(change, Team.__table__, team_id, "team")
    # The worker's row is locked, so that two pages cannot both find the day free.
    _require(change, Worker.__table__, worker_id, "worker")
    fresh = Membership(team_id, worker_id, campaign, from_day, to_day)
    if clashing(team_memberships_of(change.connection, [worker_id])[worker_id], fresh) is not None:
        raise OfficeRuleError(f"{worker_id}: already in a team on some of these days")
    membership_id = ids.new_id()
    change.insert(
        TeamMembership.__table__,
        id=membership_id,
        team_id=team_id,
        worker_id=worker_id,
        campaign=campaign,
        from_day=from_day,
        to_day=to_day,
    )
    change.audit("member_added", team_id, worker=worker_id, campaign=campaign)
    return membership_id


def assign_worker(
    change: Change,
    ids: IdSource,
    worker_id: str,
    role: str,
    *,
    area_key: str | None = None,
    organisation_key: str | None = None,
    from_ms: int | None = None,
    to_ms: int | None = None,
) -> str:
    """Give a worker a role over an area, an organisation or the whole office, from now unless told.

    An agent always needs an area or an organisation. Raises OfficeRuleError.
    """
    starts_ms = change.now_ms if from_ms is None else from_ms
    if role not in ROLES:
        raise OfficeRuleError(f"role {role} is unknown")
    if role == "agent" and area_key is None and organisation_key is None:
        raise OfficeRuleError("an agent is assigned to an area or an organisation")
    if to_ms is not None and to_ms <= starts_ms:
        raise OfficeRuleError("an assignment cannot end before it begins")
    _require(change, Worker.__table__, worker_id, "worker")
    if area_key is not None:
        _require(change, Area.__table__, area_key, "area")
    if organisation_key is not None:
        _require(change, Organisation.__table__, organisation_key, "organisation")
    assignment_id = ids.new_id()
    change.insert(
        Assignment.__table__,
        id=assignment_id,
        worker_id=worker_id,
        role=role,
        area_key=area_key,
        organisation_key=organisation_key,
        from_ms=starts_ms,
        to_ms=to_ms,
    )
    change.audit(
        "worker_assigned",
        worker_id,
        assignment=assignment_id,
        role=role,
        area=area_key,
        organisation=organisation_key,
    )
    return assignment_id


def end_assignment(change: Change, assignment_id: str, to_ms: int) -> None:
    """Let an assignment end at `to_ms`, sooner than it would have. Raises OfficeRuleError."""
    change.flush()
    table = Assignment.__table__
    found = change.connection.execute(
        select(table).where(table.c.id == assignment_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise OfficeRuleError(f"{assignment_id}: no such assignment")
    if found.to_ms is not None and found.to_ms <= to_ms:
        raise OfficeRuleError(f"{assignment_id}: it has ended by then")
    change.update(table, {"id": assignment_id}, to_ms=max(to_ms, found.from_ms))
    change.audit("assignment_ended", found.worker_id, assignment=assignment_id, to_ms=to_ms)


def load_rates(change: Change, rows: Iterable[Mapping[str, Any]]) -> int:
    """Put rows of rate tables in force, in place of those of the same table and day; return how many.

    Amounts that were judged before keep what was expected then. Raises OfficeRuleError.
    """
    rows = list(rows)
    try:
        read_rate_tables(rows)
    except RateTableError as error:
        raise OfficeRuleError(str(error)) from error
    table = RateRow.__table__
    for row in rows:
        key = {"rate_table": row["table"], "valid_from": date.fromisoformat(row["valid_from"])}
        content = json.dumps(row, ensure_ascii=False, sort_keys=True)
        change.delete(table, key)
        change.insert(table, **key, content=content)
        change.put_record("rate", f"{row['table']}@{row['valid_from']}", row, {OFFICE})
    change.audit("rates_loaded", "rates", rows=len(rows))
    return len(rows)


def replace_area(change: Change, key: str, successor: NewArea) -> str:
    """Close an area on the day before `successor` begins, and register the successor."""
    close_area(change, key, day_before(successor.valid_from))
    return register_area(change, successor)


def _require(change: Change, table: Any, key: str, what: str) -> None:
    """Lock the row that `key` names. Raises OfficeRuleError when there is none."""
    change.flush()
    column = table.c.key if "key" in table.c else table.c.id
    found = change.connection.scalar(select(column).where(column == key).with_for_update())
    if found is None:
        raise OfficeRuleError(f"{key}: no such {what}")
