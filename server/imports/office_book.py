"""The office as one reading knows it, in memory: what the rows of a sheet refer to and change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from server.campaigns.queries import all_campaigns
from server.imports.codes import ImportCode
from server.imports.columns import NumberCode
from server.imports.given_codes import TEAM, WORKER, GivenCodes
from server.imports.sheet import Decided, Row
from server.office.imported import RowStep, whole_table
from server.office.rules import is_valid_on
from server.runtime import Runtime
from sync.clock import local_day

_Node = dict[str, Any]


class OfficeBook:
    """Areas and organisations by code, workers and teams by their given codes, and what joins them."""

    def __init__(self, connection: Connection, runtime: Runtime, now_ms: int) -> None:
        self._connection, self._runtime = connection, runtime
        self.now_ms = now_ms
        self.zone = runtime.config.time_zone
        self.office_day = local_day(now_ms, self.zone)
        self.workers = GivenCodes(connection, runtime.sealer, WORKER)
        self.teams = GivenCodes(connection, runtime.sealer, TEAM)
        self._tables: dict[str, dict[str, _Node]] = {}
        self._by_code: dict[str, dict[str, list[str]]] = {}
        self._by_worker: dict[str, dict[str, list[str]]] = {}
        self._campaigns: set[int] | None = None

    def new_id(self) -> str:
        """Return an id for a row that is new."""
        return self._runtime.ids.new_id()

    def table(self, name: str) -> dict[str, _Node]:
        """Return the rows of a table by key, as they are after the rows decided so far."""
        if name not in self._tables:
            self._tables[name] = whole_table(self._connection, name)
        return self._tables[name]

    def nodes(self, table: str, code: str) -> list[_Node]:
        """Return the areas or organisations that ever had this code."""
        if table not in self._by_code:
            found: dict[str, list[str]] = defaultdict(list)
            for key, row in self.table(table).items():
                found[row["code"]].append(key)
            self._by_code[table] = found
        return [self.table(table)[key] for key in self._by_code[table].get(code, ())]

    def node_on(self, table: str, code: str, day: date) -> _Node | None:
        """Return the area or organisation that has this code on a day."""
        for node in self.nodes(table, code):
            if is_valid_on(node["valid_from"], node["valid_to"], day):
                return node
        return None

    def children(self, table: str, key: str) -> Iterable[_Node]:
        """Return what lies right below."""
        return [row for row in self.table(table).values() if row["parent_key"] == key]

    def of_worker(self, table: str, worker_id: str | None) -> list[tuple[str, _Node]]:
        """Return a worker's assignments or memberships, each with its key."""
        if table not in self._by_worker:
            found: dict[str, list[str]] = defaultdict(list)
            for key, row in self.table(table).items():
                found[row["worker_id"]].append(key)
            self._by_worker[table] = found
        return [(key, self.table(table)[key]) for key in self._by_worker[table].get(worker_id or "", ())]

    def has_campaign(self, number: int) -> bool:
        """Return whether the office has this campaign."""
        if self._campaigns is None:
            self._campaigns = {campaign.number for campaign in all_campaigns(self._connection)}
        return number in self._campaigns

    def take(self, decided: Decided, table: str, key: str, after: _Node) -> None:
        """Let a row become `after`, unless it is that already; later rows see it."""
        before = self.table(table).get(key)
        if before is not None and all(before[name] == value for name, value in after.items()):
            return
        after = {**(before or {}), **after}
        decided.steps.append(RowStep(table, key, before, after))
        self.table(table)[key] = after
        if before is None and table in self._by_code:
            self._by_code[table].setdefault(after["code"], []).append(key)
        if before is None and table in self._by_worker:
            self._by_worker[table].setdefault(after["worker_id"], []).append(key)

    def find_node(self, decided: Decided, row: Row, column: str, table: str, day: date) -> _Node | None:
        """Return the node that a cell names on a day; None where the cell is blank or wrong."""
        code = row.get(column)
        if code is None:
            return None
        node = self.node_on(table, code, day)
        if node is None:
            missing = ImportCode.NO_SUCH_AREA if table == "area" else ImportCode.NO_SUCH_ORGANISATION
            padded = code.isdigit() and any(self.nodes(table, code.zfill(len(code) + n)) for n in (1, 2, 3))
            decided.fault(column, ImportCode.LEADING_ZERO_LOST if padded else missing)
        return node

    def find_worker(self, decided: Decided, row: Row, column: str) -> str | None:
        """Return the id of the worker whom a cell names."""
        code = row.get(column)
        target = self.workers.target(code)
        if target is None:
            padded = self.workers.has_padded(code)
            decided.fault(column, ImportCode.LEADING_ZERO_LOST if padded else ImportCode.NO_SUCH_WORKER)
        return target

    def first_ms(self, day: date) -> int:
        """Return when a day begins in the office."""
        start = datetime.combine(day, time(0), self.zone)
        return int(start.astimezone(UTC).timestamp() * 1000)

    def end_ms(self, last_day: date | None) -> int | None:
        """Return when a last day is over."""
        return None if last_day is None else self.first_ms(last_day + timedelta(days=1))


def is_untrusted(code: str, known: object) -> bool:
    """Return whether a code came as a number and names nothing yet: zeros may be lost."""
    return isinstance(code, NumberCode) and known is None


def chosen(row: Row, before: Mapping[str, Any] | None, columns: Mapping[str, str]) -> dict[str, Any]:
    """Return the row's values for {column of the sheet: column of the table}.

    A column that the sheet has not stays as it was; new rows have nothing there.
    """
    values = {}
    for name, stored in columns.items():
        if name in row:
            values[stored] = row.get(name)
        else:
            values[stored] = None if before is None else before[stored]
    return values
