"""The funds' ledger summed by day and step, for who only looks; and its lines as roots chain them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, select

from server.money.models import LedgerLine

_LINE = LedgerLine.__table__.c


@dataclass(frozen=True, slots=True)
class DayTally:
    """The lines of one account, step, side and day: how many, and what they come to (debit − credit)."""

    account: str
    step: str
    is_debit: bool
    day: date
    lines: int
    amount_vnd: int
    cards: int


@dataclass(frozen=True, slots=True)
class PostedSpan:
    """Lines by when they were posted: from `since_ms` on, before `before_ms`; None: no bound."""

    since_ms: int | None = None
    before_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PostedLine:
    """A line of a fund with everything that it says."""

    entry_id: str
    step: str
    line_number: int
    account: str
    fund: int
    bucket: str | None
    debit_vnd: int
    credit_vnd: int
    debit_cards: int
    credit_cards: int
    business_day: date
    posted_ms: int
    caused_by: str


def fund_line_count(connection: Connection, fund: int) -> int:
    """Return how many lines a fund has. Lines are only ever added, so it names a state of its ledger."""
    statement = select(func.count()).select_from(LedgerLine.__table__).where(_LINE.fund == fund)
    return int(connection.scalar(statement) or 0)


def newest_fund_posting_ms(connection: Connection, fund: int) -> int | None:
    """Return when a fund's newest line was posted."""
    found: int | None = connection.scalar(select(func.max(_LINE.posted_ms)).where(_LINE.fund == fund))
    return found


def fund_day_tallies(connection: Connection, fund: int, span: PostedSpan) -> list[DayTally]:
    """Return a fund's lines of a span, summed."""
    # A bound 0 would be another parameter in each place, and PostgreSQL could not tell that they are one.
    is_debit = (_LINE.debit_vnd + _LINE.debit_cards) > literal_column("0")
    names = (_LINE.account, _LINE.step, is_debit, _LINE.business_day)
    statement = (
        select(
            *names,
            func.count(),
            func.sum(_LINE.debit_vnd - _LINE.credit_vnd),
            func.sum(_LINE.debit_cards - _LINE.credit_cards),
        )
        .where(_LINE.fund == fund, *_within(span))
        .group_by(*names)
    )
    return [
        DayTally(account, step, bool(debit), day, int(lines), int(amount), int(cards))
        for account, step, debit, day, lines, amount, cards in connection.execute(statement)
    ]


def moved_by_bucket(
    connection: Connection, fund: int, account: str, from_day: date, to_day: date
) -> list[tuple[str, str, bool, int]]:
    """Return what an account moved on these business days: (bucket, step, is a debit, debit − credit)."""
    is_debit = _LINE.debit_vnd > literal_column("0")
    names = (_LINE.bucket, _LINE.step, is_debit)
    statement = (
        select(*names, func.sum(_LINE.debit_vnd - _LINE.credit_vnd))
        .where(_LINE.fund == fund, _LINE.account == account, _LINE.business_day.between(from_day, to_day))
        .group_by(*names)
    )
    return [
        (bucket, step, bool(debit), int(amount))
        for bucket, step, debit, amount in connection.execute(statement)
    ]


def moved_beside(
    connection: Connection, fund: int, account: str, beside: str, span: PostedSpan
) -> dict[str, int]:
    """Return what went to a fund's `account` out of each account of class `beside`, less what went back.

    Both lines stand in one step of one source, one against the other: a void reverses the arrival as well,
    whose line is on the other side. The key is the other account's whole name.
    """
    other = LedgerLine.__table__.alias("other")
    joined = and_(
        other.c.entry_id == _LINE.entry_id,
        other.c.step == _LINE.step,
        other.c.account > f"{beside}:",
        other.c.account < f"{beside};",
        other.c.debit_vnd == _LINE.credit_vnd,
        other.c.credit_vnd == _LINE.debit_vnd,
    )
    statement = (
        select(other.c.account, func.sum(_LINE.credit_vnd - _LINE.debit_vnd))
        .select_from(LedgerLine.__table__.join(other, joined))
        .where(_LINE.fund == fund, _LINE.account == account, *_within(span))
        .group_by(other.c.account)
    )
    return {name: int(amount) for name, amount in connection.execute(statement)}


def fund_lines_in_order(connection: Connection, span: PostedSpan) -> Iterator[PostedLine]:
    """Yield every fund's lines of a span by (posted_ms, entry id, step, number), as bytes order them."""
    columns = [_LINE[name] for name in PostedLine.__dataclass_fields__]
    statement = select(*columns).where(_LINE.fund.is_not(None), *_within(span)).order_by(_LINE.posted_ms)
    together: list[Any] = []
    for row in connection.execute(statement, execution_options={"yield_per": 2000}):
        # Databases order texts by rules of their own; what was posted at one moment is ordered here.
        if together and together[0].posted_ms != row.posted_ms:
            yield from _ordered(together)
            together = []
        together.append(row)
    yield from _ordered(together)


def _ordered(rows: list[Any]) -> Iterator[PostedLine]:
    for row in sorted(rows, key=lambda each: (each.entry_id, each.step, each.line_number)):
        yield PostedLine(*row)


def _within(span: PostedSpan) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if span.since_ms is not None:
        found.append(_LINE.posted_ms >= span.since_ms)
    if span.before_ms is not None:
        found.append(_LINE.posted_ms < span.before_ms)
    return found
