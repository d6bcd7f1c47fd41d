"""Everything that statements brought and what was decided of it, for who computes a fund's books anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from server.bank.models import BankLine, BankMatch


@dataclass(frozen=True, slots=True)
class LineKept:
    """A line of a statement: what came in (positive) or went out (negative)."""

    id: str
    day: date
    amount_vnd: int


@dataclass(frozen=True, slots=True)
class MatchKept:
    """What a line was matched with, perhaps undone since."""

    id: str
    line_id: str
    kind: str
    target_id: str | None
    actor: str
    at_ms: int
    undone_by: str | None
    undone_ms: int | None


def lines_kept(connection: Connection, fund: int) -> list[LineKept]:
    """Return every line of a fund's statements, by id."""
    column = BankLine.__table__.c
    statement = select(column.id, column.day, column.amount_vnd).where(column.fund == fund)
    return [LineKept(*row) for row in connection.execute(statement.order_by(column.id))]


def matches_kept(connection: Connection, fund: int) -> list[MatchKept]:
    """Return every match of a fund, undone ones too, by id."""
    column = BankMatch.__table__.c
    statement = select(*(column[name] for name in MatchKept.__dataclass_fields__)).where(column.fund == fund)
    return [MatchKept(*row) for row in connection.execute(statement.order_by(column.id))]
