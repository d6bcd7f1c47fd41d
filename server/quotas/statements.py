"""Reads of accepted periods: statements, their lines, adjustments, and what has moved since.

The one equation: what counts now = the statement's line + its adjustments + what is not posted yet.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select, union_all

from server.quotas.models import AdjustmentRow, CreditRow, ProgressRow, StatementLineRow, StatementRow
from sync.audit import detail_text

_STATEMENT, _LINE = StatementRow.__table__.c, StatementLineRow.__table__.c
_ADJUSTMENT, _PROGRESS, _CREDIT = AdjustmentRow.__table__.c, ProgressRow.__table__.c, CreditRow.__table__.c

# indicator, holder kind, holder
LineKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """An accepted period; see the table. The first one of a campaign covers all days up to `to_day`."""

    number: int
    campaign: int
    from_day: date
    to_day: date
    is_first: bool
    accepted_ms: int
    accepted_by: str
    worker_id: str | None
    is_complete: bool
    override_reason: str | None
    installations: int
    outstanding: int
    unsettled: int
    digest: str


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What was accepted for one holder and indicator: `counted` in the period, `carried` from before."""

    indicator: str
    holder_kind: str
    holder: str
    counted: int
    carried: int
    quota_initial: int | None
    quota_supplementary: int | None
    fingerprint: str

    @property
    def key(self) -> LineKey:
        """Return what the line is about."""
        return (self.indicator, self.holder_kind, self.holder)

    @property
    def paid(self) -> int:
        """Return what is paid with this statement."""
        return self.counted + self.carried


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One correction of an accepted line, dated in the first period that was open."""

    statement: int
    indicator: str
    holder_kind: str
    holder: str
    posting: int
    amount: int
    dated_day: date
    posted_ms: int
    posted_by: str
    carried_in: int | None

    @property
    def key(self) -> LineKey:
        """Return what the adjustment is about."""
        return (self.indicator, self.holder_kind, self.holder)


def statements_of(connection: Connection, campaign: int | None = None) -> list[Statement]:
    """Return the statements of a campaign, or of all, by number: which is in the order of their days."""
    query = select(*(_STATEMENT[name] for name in Statement.__dataclass_fields__))
    if campaign is not None:
        query = query.where(_STATEMENT.campaign == campaign)
    return [Statement(*row) for row in connection.execute(query.order_by(_STATEMENT.number))]


def statement_by_number(connection: Connection, number: int) -> Statement | None:
    """Return a statement, or None."""
    query = select(*(_STATEMENT[name] for name in Statement.__dataclass_fields__))
    row = connection.execute(query.where(_STATEMENT.number == number)).one_or_none()
    return None if row is None else Statement(*row)


def lines_of(connection: Connection, number: int) -> list[StatementLine]:
    """Return the lines of a statement, by what they are about."""
    query = select(*(_LINE[name] for name in StatementLine.__dataclass_fields__))
    order = (_LINE.indicator, _LINE.holder_kind, _LINE.holder)
    rows = connection.execute(query.where(_LINE.statement == number).order_by(*order))
    return [StatementLine(*row) for row in rows]


def adjustments_of(connection: Connection, number: int) -> list[Adjustment]:
    """Return the adjustments of a statement in the order of their posting."""
    query = _adjustments().where(_ADJUSTMENT.statement == number)
    return [Adjustment(*row) for row in connection.execute(query)]


def adjustments_not_carried(connection: Connection, campaign: int) -> list[Adjustment]:
    """Return the adjustments that no statement has taken up yet."""
    query = _adjustments().where(_ADJUSTMENT.campaign == campaign, _ADJUSTMENT.carried_in.is_(None))
    return [Adjustment(*row) for row in connection.execute(query)]


def _adjustments() -> Select[Any]:
    query = select(*(_ADJUSTMENT[name] for name in Adjustment.__dataclass_fields__))
    return query.order_by(
        _ADJUSTMENT.posting,
        _ADJUSTMENT.statement,
        _ADJUSTMENT.indicator,
        _ADJUSTMENT.holder_kind,
        _ADJUSTMENT.holder,
    )


def first_open_day(connection: Connection, campaign: int, begins: date | None) -> date | None:
    """Return the first day that no statement covers.

    Before the first statement that is `begins`, else the first day with a figure; None without any.
    """
    last: date | None = connection.scalar(
        select(func.max(_STATEMENT.to_day)).where(_STATEMENT.campaign == campaign)
    )
    if last is not None:
        return date.fromordinal(last.toordinal() + 1)
    if begins is not None:
        return begins
    first: date | None = connection.scalar(
        select(func.min(_PROGRESS.business_day)).where(_PROGRESS.campaign == campaign)
    )
    return first


def credits_counted(
    connection: Connection, campaign: int, after: date | None, to_day: date
) -> dict[LineKey, list[tuple[str, int]]]:
    """Return the credits (fact, value) that count for each holder after a day and up to another.

    One statement, so that sums and fingerprints are of one moment on every database.
    """
    query = select(_CREDIT.indicator, _CREDIT.holder_kind, _CREDIT.holder, _CREDIT.fact_id, _CREDIT.value)
    query = query.where(
        _CREDIT.campaign == campaign, _CREDIT.state == "counted", _CREDIT.business_day <= to_day
    )
    if after is not None:
        query = query.where(_CREDIT.business_day > after)
    found: dict[LineKey, list[tuple[str, int]]] = defaultdict(list)
    for indicator, kind, holder, fact_id, value in connection.execute(query):
        found[indicator, kind, holder].append((fact_id, value))
    return found


def fingerprint(credits_: Iterable[tuple[str, int]]) -> str:
    """Return the SHA-256 (hex) of a set of credits, whatever their order."""
    text = "\n".join(f"{fact_id} {value}" for fact_id, value in sorted(credits_))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def unposted(connection: Connection, campaign: int | None = None) -> dict[tuple[int, LineKey], int]:
    """Return what accepted lines have moved by and nobody has posted, per (statement, line): never 0.

    What counts now is read from the progress of days, which nightly verification holds against the
    facts.
    """
    now = (
        select(
            _STATEMENT.number.label("statement"),
            _PROGRESS.indicator,
            _PROGRESS.holder_kind,
            _PROGRESS.holder,
            _PROGRESS.counted.label("amount"),
        )
        .join(
            ProgressRow.__table__,
            and_(
                _PROGRESS.campaign == _STATEMENT.campaign,
                _PROGRESS.business_day <= _STATEMENT.to_day,
                or_(_STATEMENT.is_first, _PROGRESS.business_day >= _STATEMENT.from_day),
            ),
        )
        .where(_PROGRESS.counted != 0)
    )
    accepted = select(_LINE.statement, _LINE.indicator, _LINE.holder_kind, _LINE.holder, -_LINE.counted)
    posted = select(
        _ADJUSTMENT.statement,
        _ADJUSTMENT.indicator,
        _ADJUSTMENT.holder_kind,
        _ADJUSTMENT.holder,
        -_ADJUSTMENT.amount,
    )
    if campaign is not None:
        now = now.where(_STATEMENT.campaign == campaign)
        posted = posted.where(_ADJUSTMENT.campaign == campaign)
        mine = select(_STATEMENT.number).where(_STATEMENT.campaign == campaign)
        accepted = accepted.where(_LINE.statement.in_(mine))
    every = union_all(now, accepted, posted).subquery().c
    keys = (every.statement, every.indicator, every.holder_kind, every.holder)
    moved = func.sum(every.amount)
    rows = connection.execute(select(*keys, moved).group_by(*keys).having(moved != 0).order_by(*keys))
    return {
        (number, (indicator, kind, holder)): int(amount) for number, indicator, kind, holder, amount in rows
    }


def statement_digest(members: Mapping[str, Any], lines: Sequence[StatementLine]) -> str:
    """Return the SHA-256 (hex) of a statement with all of its lines."""
    content = {name: value for name, value in members.items() if name != "digest"}
    text = detail_text(_plain(content) | {"lines": [list(asdict(line).values()) for line in lines]})
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _plain(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in members.items()}


def statement_content(statement: Statement, lines: Sequence[StatementLine]) -> dict[str, Any]:
    """Return a whole statement as the desk journal keeps it, its digest included."""
    return _plain(asdict(statement)) | {"lines": [list(asdict(line).values()) for line in lines]}


def altered_statements(connection: Connection) -> list[int]:
    """Return the numbers of statements that are no longer what was accepted."""
    return [
        statement.number
        for statement in statements_of(connection)
        if statement_digest(asdict(statement), lines_of(connection, statement.number)) != statement.digest
    ]
