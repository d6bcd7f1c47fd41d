"""Sheets of the office itself: areas, organisations, workers, teams, assignments.

Each class decides about the rows of one sheet. They read and change an `OfficeBook` in memory and
write nothing; the same code runs in the dry run and, once more, in the change that applies the sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from server.imports.codes import ImportCode
from server.imports.office_book import OfficeBook, chosen, is_untrusted
from server.imports.sheet import Decided, Row
from server.office.rules import AREA_LEVELS, Membership, clashing, node_key, overlap
from server.runtime import Runtime
from sync.clock import local_day


class _OfficeRules:
    """What the sheets of the office share: the book, and the codes of people that rows name."""

    names_workers = False
    names_teams = False

    def __init__(self, connection: Connection, runtime: Runtime, now_ms: int) -> None:
        self.book = OfficeBook(connection, runtime, now_ms)

    def prepare(self, rows: Sequence[Row]) -> None:
        """Look up the codes of workers and teams in the rows."""
        if self.names_workers:
            self.book.workers.load(row.get("worker_code") for row in rows)
        if self.names_teams:
            self.book.teams.load(row.get("team_code") for row in rows)


class _NodeRules(_OfficeRules):
    """Dated trees: keyed by code and first day, since codes are used again."""

    table, level = "", ""

    def decide(self, row: Row) -> Decided:
        """Add a node, or set the name and the last day of one that is there."""
        decided, code, first = Decided(), row.get("code"), row.get("valid_from")
        nodes = self.book.nodes(self.table, code)
        known = next((node for node in nodes if node["valid_from"] == first), None)
        if is_untrusted(code, nodes or None):
            decided.fault("code", ImportCode.CODE_IS_A_NUMBER)
            return decided
        last = chosen(row, known, {"valid_to": "valid_to"})["valid_to"]
        if last is not None and last < first:
            decided.fault("valid_to", ImportCode.ENDS_BEFORE_IT_BEGINS)
        for other in nodes:
            if other is not known and overlap(other["valid_from"], other["valid_to"], first, last):
                decided.fault("code", ImportCode.CODE_IN_USE)
                break
        parent = self._parent(decided, row, known, last)
        if decided.faults:
            return decided
        key = node_key(code, first)
        after: dict[str, Any] = {"name": row.get("name"), "valid_to": last}
        if known is None:
            decided.is_new = True
            after |= {
                "key": key,
                "code": str(code),
                "valid_from": first,
                self.level: row.get(self.level),
                "parent_key": None if parent is None else parent["key"],
                "path": f"{'/' if parent is None else parent['path']}{key}/",
            }
        self.book.take(decided, self.table, key, after)
        return decided

    def _parent(
        self, decided: Decided, row: Row, known: dict[str, Any] | None, last: date | None
    ) -> dict[str, Any] | None:
        """Return the node above, having checked that the row fits between it and what lies below."""
        if known is None:
            parent = self._new_parent(decided, row)
        else:
            parent = self.book.table(self.table).get(known["parent_key"] or "")
            is_moved = "parent_code" in row and row.get("parent_code") != (parent and parent["code"])
            if is_moved:
                decided.fault("parent_code", ImportCode.FIXED_ONCE_SET)
            if row.get(self.level) != known[self.level]:
                decided.fault(self.level, ImportCode.FIXED_ONCE_SET)
            below = self.book.children(self.table, known["key"]) if last != known["valid_to"] else ()
            if last is not None and any(
                node["valid_to"] is None or node["valid_to"] > last for node in below
            ):
                decided.fault("valid_to", ImportCode.OUTLIVED_BY_A_CHILD)
        end = None if parent is None else parent["valid_to"]
        if end is not None and (last is None or last > end):
            decided.fault("valid_to", ImportCode.OUTLIVES_ITS_PARENT)
        return parent

    def _new_parent(self, decided: Decided, row: Row) -> dict[str, Any] | None:
        code = row.get("parent_code")
        if code is None:
            return None
        parent = self.book.node_on(self.table, code, row.get("valid_from"))
        if parent is None:
            decided.fault("parent_code", ImportCode.NO_SUCH_PARENT)
        elif not self.is_below(row.get(self.level), parent[self.level]):
            decided.fault(self.level, ImportCode.LEVEL_NOT_BELOW_PARENT)
        return parent

    def is_below(self, _level: str, _above: str) -> bool:
        """Return whether a node may lie below one of another level."""
        return True


class AreaRules(_NodeRules):
    """Areas."""

    table, level = "area", "level"

    def is_below(self, level: str, above: str) -> bool:
        """Return whether the level is a lower one."""
        return AREA_LEVELS.index(above) < AREA_LEVELS.index(level)


class OrganisationRules(_NodeRules):
    """Organisations, of whatever kind below whatever kind."""

    table, level = "organisation", "kind"


class WorkerRules(_OfficeRules):
    """Workers, by the code that the office gives them."""

    def prepare(self, rows: Sequence[Row]) -> None:
        """Look up the codes."""
        self.book.workers.load(row.get("code") for row in rows)

    def decide(self, row: Row) -> Decided:
        """Add a worker, or set the name and the organisation of one."""
        decided, code, book = Decided(), row.get("code"), self.book
        worker_id = book.workers.target(code)
        if is_untrusted(code, worker_id):
            decided.fault("code", ImportCode.CODE_IS_A_NUMBER)
        organisation = book.find_node(decided, row, "organisation_code", "organisation", book.office_day)
        if decided.faults:
            return decided
        after: dict[str, Any] = {"name": row.get("name")}
        if "organisation_code" in row or worker_id is None:
            after["organisation_key"] = None if organisation is None else organisation["key"]
        if worker_id is None:
            worker_id = book.new_id()
            decided.codes.append(book.workers.add(str(code), worker_id))
            decided.is_new = True
            after |= {"id": worker_id, "registered_ms": book.now_ms}
        book.take(decided, "worker", worker_id, after)
        return decided


class TeamRules(_OfficeRules):
    """Members of teams: a row is a worker's days in a team, and forms the team where it is new."""

    names_workers = names_teams = True

    def __init__(self, connection: Connection, runtime: Runtime, now_ms: int) -> None:
        super().__init__(connection, runtime, now_ms)
        self._named: dict[str, str] = {}

    def decide(self, row: Row) -> Decided:
        """Form the team where it is new; add the membership, or set its last day."""
        decided, book = Decided(), self.book
        code, first, last = row.get("team_code"), row.get("from_day"), row.get("to_day")
        campaign, team_id = row.get("campaign"), book.teams.target(code)
        if is_untrusted(code, team_id):
            decided.fault("team_code", ImportCode.CODE_IS_A_NUMBER)
        if self._named.setdefault(code, row.get("team_name")) != row.get("team_name"):
            decided.fault("team_name", ImportCode.TEAM_NAME_DIFFERS)
        if campaign is not None and not book.has_campaign(campaign):
            decided.fault("campaign", ImportCode.NO_SUCH_CAMPAIGN)
        if last is not None and last < first:
            decided.fault("to_day", ImportCode.ENDS_BEFORE_IT_BEGINS)
        worker_id = book.find_worker(decided, row, "worker_code")
        known = self._known(team_id, worker_id, campaign, first)
        if worker_id is not None and not decided.faults:
            others = [
                Membership(each["team_id"], worker_id, each["campaign"], each["from_day"], each["to_day"])
                for key, each in book.of_worker("team_membership", worker_id)
                if key != known
            ]
            if clashing(others, Membership("", worker_id, campaign, first, last)) is not None:
                decided.fault("worker_code", ImportCode.TEAM_DAYS_OVERLAP)
        if decided.faults:
            return decided
        if team_id is None:
            team_id = book.new_id()
            decided.codes.append(book.teams.add(str(code), team_id))
            book.take(
                decided,
                "team",
                team_id,
                {"id": team_id, "name": row.get("team_name"), "formed_ms": book.now_ms},
            )
        else:
            book.take(decided, "team", team_id, {"name": row.get("team_name")})
        decided.is_new = known is None
        after: dict[str, Any] = {"to_day": last}
        if known is None:
            known = book.new_id()
            after |= {"id": known, "team_id": team_id, "worker_id": worker_id}
            after |= {"campaign": campaign, "from_day": first}
        book.take(decided, "team_membership", known, after)
        return decided

    def _known(
        self, team_id: str | None, worker_id: str | None, campaign: int | None, first: date
    ) -> str | None:
        for key, each in self.book.of_worker("team_membership", worker_id):
            if (each["team_id"], each["campaign"], each["from_day"]) == (team_id, campaign, first):
                return key
        return None


class AssignmentRules(_OfficeRules):
    """Roles of workers over areas and organisations, from a day to a day."""

    names_workers = True

    def decide(self, row: Row) -> Decided:
        """Add an assignment, or set its last day."""
        decided, book = Decided(), self.book
        role, first, last = row.get("role"), row.get("from_day"), row.get("to_day")
        worker_id = book.find_worker(decided, row, "worker_code")
        area = book.find_node(decided, row, "area_code", "area", first)
        organisation = book.find_node(decided, row, "organisation_code", "organisation", first)
        if role == "agent" and row.get("area_code") is None and row.get("organisation_code") is None:
            decided.fault("area_code", ImportCode.ASSIGNED_TO_NOTHING)
        if last is not None and last < first:
            decided.fault("to_day", ImportCode.ENDS_BEFORE_IT_BEGINS)
        if decided.faults:
            return decided
        wanted = {
            "worker_id": worker_id,
            "role": role,
            "area_key": None if area is None else area["key"],
            "organisation_key": None if organisation is None else organisation["key"],
        }
        known = self._known(wanted, first)
        decided.is_new = known is None
        after: dict[str, Any] = {"to_ms": book.end_ms(last)}
        if known is None:
            known = book.new_id()
            after |= {"id": known, "from_ms": book.first_ms(first), **wanted}
        book.take(decided, "assignment", known, after)
        return decided

    def _known(self, wanted: dict[str, Any], first: date) -> str | None:
        """Return the assignment of the same worker, role and place that began on the same day."""
        for key, each in self.book.of_worker("assignment", wanted["worker_id"]):
            if all(each[name] == value for name, value in wanted.items()) and (
                local_day(each["from_ms"], self.book.zone) == first
            ):
                return key
        return None


def by_level(rows: Sequence[Row]) -> Sequence[Row]:
    """Return areas from above to below, whatever their order in the sheet."""
    return sorted(rows, key=lambda row: AREA_LEVELS.index(row.get("level")))


def parents_first(rows: Sequence[Row]) -> Sequence[Row]:
    """Return organisations with what lies above them first; a circle stays in its order and is refused."""
    waiting: dict[str, list[Row]] = {}
    codes = {row.get("code") for row in rows}
    roots: list[Row] = []
    for row in rows:
        parent = row.get("parent_code")
        is_root = parent is None or parent not in codes or parent == row.get("code")
        (roots if is_root else waiting.setdefault(parent, [])).append(row)
    found: list[Row] = []
    while roots:
        row = roots.pop(0)
        found.append(row)
        roots += waiting.pop(row.get("code"), [])
    return [*found, *(row for rest in waiting.values() for row in rest)]
