"""What a sheet is: its columns, its key, and what decides what becomes of a row.

A further sheet is one more entry in `server.imports.registry`: columns, and rules that turn a row into
steps or faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import Connection

from server.audit.changes import Change
from server.imports.codes import ImportCode
from server.imports.columns import Column
from server.office.imported import RowStep
from server.runtime import Runtime

ADD, CHANGE, KEEP = "add", "change", "keep"


@dataclass(frozen=True, slots=True)
class Row:
    """A row whose cells read well: values of the columns that the sheet has, None for blank cells."""

    number: int
    values: dict[str, Any]

    def get(self, name: str) -> Any:
        """Return a value; None also where the sheet has no such column."""
        return self.values.get(name)

    def __contains__(self, name: str) -> bool:
        """Return whether the sheet has the column: what it has not stays as it is."""
        return name in self.values


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code that a sheet gives to a worker, a team or a household."""

    kind: str
    code: str
    target_id: str


@dataclass(slots=True)
class Decided:
    """What becomes of a row: faults, or else rows to write, an entry for the desk, a line of the register."""

    faults: list[tuple[str, ImportCode]] = field(default_factory=list)
    steps: list[RowStep] = field(default_factory=list)
    codes: list[NewCode] = field(default_factory=list)
    entry: tuple[str, dict[str, Any]] | None = None
    line: dict[str, Any] | None = None
    is_new: bool = False
    is_changed: bool = False

    def fault(self, column: str, code: ImportCode) -> None:
        """Note that something is wrong with the cell of a column."""
        self.faults.append((column, code))

    @property
    def fate(self) -> str:
        """Return whether the row adds, changes or keeps what there is."""
        if self.is_new:
            return ADD
        is_changed = self.is_changed or self.steps or self.entry is not None or self.line is not None
        return CHANGE if is_changed else KEEP


class SheetRules(Protocol):
    """One reading of the office, against which the rows of a sheet are decided in order."""

    def prepare(self, rows: Sequence[Row]) -> None:
        """Read what the next rows need, with one query a table."""

    def decide(self, row: Row) -> Decided:
        """Decide about a row; later rows see what it would do."""


@runtime_checkable
class WholeRules(SheetRules, Protocol):
    """Rules of a sheet whose rows make up wholes, which may be wrong though every row is right."""

    def finish(self) -> Iterable[tuple[int, str, ImportCode]]:
        """Return what is wrong once every row was decided: the row, the column, the code."""

    def adopt(self, change: Change, runtime: Runtime) -> Iterable[tuple[int, str]]:
        """Adopt the wholes as plans; return the first row and the id of each, for undoing it."""


def as_they_stand(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows in the order of the sheet."""
    return rows


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that the office takes: rows that are not in it stay untouched.

    `needs_worker` where its rows become entries of the desk: somebody has to have decided them.
    `is_register` where they become lines of the participant register. Both are written in chunks that
    show nothing, and come into sight together; every other sheet is one change.
    """

    name: str
    titles: tuple[str, str]
    columns: tuple[Column, ...]
    rules: Callable[[Connection, Runtime, int], SheetRules]
    has_template: bool = False
    needs_worker: bool = False
    is_register: bool = False
    order: Callable[[Sequence[Row]], Sequence[Row]] = as_they_stand

    @property
    def is_chunked(self) -> bool:
        """Return whether it may have any number of rows."""
        return self.needs_worker or self.is_register

    def title(self, language: str) -> str:
        """Return the sheet's name in a language."""
        return self.titles[language == "en"]

    def key_of(self, row: Row) -> tuple[Any, ...]:
        """Return what names the row among the others; nothing where the sheet's rules see to that."""
        return tuple(row.get(column.name) for column in self.columns if column.is_key)

    @property
    def first_key(self) -> str:
        """Return the column under which a fault of the whole key is shown."""
        return next(column.name for column in self.columns if column.is_key)
