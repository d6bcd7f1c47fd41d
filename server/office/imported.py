"""Rows of the office as sheets bring them: read whole, put, set and taken back.

What may stand in a row is decided by the import, which knows the sheet; here a row is written as it is,
and travels to tablets as every other row of the office does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, FromClause, Select, select

from schemas.names import search_key
from server.audit.changes import Change
from server.database import Base
from server.office.models import Area, Assignment, Organisation, Team, TeamMembership, Worker
from sync.scope import OFFICE

Row = dict[str, Any]
_TABLES: dict[str, FromClause] = {
    model.__tablename__: model.__table__
    for model in (Area, Organisation, Worker, Team, TeamMembership, Assignment)
}
# Rows that other features keep for the office, by name: nothing here may know what they are for.
_OTHER_TABLES = frozenset({"register_baseline", "renewal_window", "outside_figure"})


@dataclass(frozen=True, slots=True)
class RowStep:
    """A row of the office before and after; None where there is none."""

    table: str
    key: str
    before: Row | None
    after: Row | None

    @property
    def undone(self) -> RowStep:
        """Return the step back."""
        return RowStep(self.table, self.key, self.after, self.before)


def key_column(table: str) -> str:
    """Return the name of the column that names a row."""
    return "key" if "key" in _table(table).c else "id"


def _table(name: str) -> FromClause:
    return Base.metadata.tables[name] if name in _OTHER_TABLES else _TABLES[name]


def whole_table(connection: Connection, table: str) -> dict[str, Row]:
    """Return every row by its key: an office has thousands of workers, not millions."""
    name = key_column(table)
    return {row[name]: dict(row) for row in connection.execute(_selected(table)).mappings()}


def _selected(table: str) -> Select[Any]:
    # The key under which names are searched is made of the name, whenever a row is written.
    return select(*(column for column in _table(table).c if column.name != "name_key"))


def row_now(connection: Connection, table: str, key: str) -> Row | None:
    """Return a row as it is, or None."""
    statement = _selected(table).where(_table(table).c[key_column(table)] == key)
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else dict(row)


def write_step(change: Change, step: RowStep) -> None:
    """Write a step; workers, areas and organisations follow in the feed of the office."""
    table, key = _table(step.table), {key_column(step.table): step.key}
    if step.after is None:
        change.delete(table, key)
    elif step.before is None:
        change.insert_row(table, _with_search_key(step.after, table))
    else:
        values = {name: value for name, value in step.after.items() if name not in key}
        change.update(table, key, **_with_search_key(values, table))
    wire_of = _WIRES.get(step.table)
    if wire_of is None:
        return
    if step.after is None:
        change.remove_record(step.table, step.key)
    else:
        change.put_record(step.table, step.key, wire_of(step.after), {OFFICE})


def _with_search_key(row: Row, table: FromClause) -> Row:
    return {**row, "name_key": search_key(row["name"])} if "name_key" in table.c else row


def _node_wire(row: Mapping[str, Any], level: str) -> Row:
    return {
        "code": row["code"],
        "name": row["name"],
        level: row[level],
        "parent": row["parent_key"],
        "valid_from": row["valid_from"].isoformat(),
        "valid_to": None if row["valid_to"] is None else row["valid_to"].isoformat(),
    }


_WIRES = {
    "area": lambda row: _node_wire(row, "level"),
    "organisation": lambda row: _node_wire(row, "kind"),
    "worker": lambda row: {"name": row["name"], "organisation": row["organisation_key"]},
}
