"""What a fund's statement says of a period: a fold over its ledger, as sections of lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from server.bank.queries import imports_of, statement_checks
from server.fund_statements import wording
from server.fund_statements.wording import Words
from server.funds.accounts import (
    ANY,
    BANK,
    DUE_INSURER,
    FREE,
    IN_TRANSIT,
    OFFICE_CASH,
    REFUND_DUE,
    RESERVED,
    UNIDENTIFIED,
)
from server.funds.donors import given_by_class
from server.funds.office_queries import FundState, allocations_of, fund_by_number, pools
from server.funds.postings import FundStep
from server.funds.wording import DONOR_CLASS_WORDS
from server.money.views import DayTally, PostedSpan, fund_day_tallies, moved_by_bucket
from server.office.queries import areas_by_key
from server.public_ledger.figures import (
    RECEIVED,
    RETURNED,
    CardStage,
    Figures,
    Movement,
    figures_of,
    is_movement,
    movement_of_free,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the statement: what it is, and its đồng, or cards or how many, where it has any."""

    words: Words
    amount_vnd: int | None = None
    cards: int | None = None
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the statement under its heading."""

    title: Words
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FundStatement:
    """A fund's statement; `closing_vnd` is what belongs to the fund at the period's end."""

    fund: FundState
    from_day: date
    to_day: date
    sections: tuple[Section, ...]
    closing_vnd: int


@dataclass(frozen=True, slots=True)
class Balances:
    """The fund's money at the end of a day, in đồng: where it is, what is owed, and whose it is."""

    bank_vnd: int
    office_cash_vnd: int
    in_transit_vnd: int
    in_hands_vnd: int
    unidentified_vnd: int
    due_insurer_vnd: int
    refund_due_vnd: int
    reserved_vnd: int
    free_vnd: int

    @property
    def of_the_fund_vnd(self) -> int:
        """Return what is there, less what is somebody else's."""
        there = self.bank_vnd + self.office_cash_vnd + self.in_transit_vnd + self.in_hands_vnd
        return there - self.unidentified_vnd - self.due_insurer_vnd - self.refund_due_vnd

    @property
    def difference_vnd(self) -> int:
        """Return what is there less what donors' money has become; 0 where the books are right."""
        return self.of_the_fund_vnd - self.reserved_vnd - self.free_vnd


def fund_statement(connection: Connection, number: int, from_day: date, to_day: date) -> FundStatement | None:
    """Return a fund's statement over a period, both days included; None where there is no such fund."""
    fund = fund_by_number(connection, number)
    if fund is None:
        return None
    tallies = fund_day_tallies(connection, number, PostedSpan())
    before = [each for each in tallies if each.day < from_day]
    up_to = [each for each in tallies if each.day <= to_day]
    period = figures_of((each for each in up_to if each.day >= from_day), 0)
    closing = balances_of(up_to)
    sections = (
        Section(wording.OPENING, _balance_lines(balances_of(before))),
        Section(wording.RECEIVED, _movement_lines(period, RECEIVED)),
        Section(wording.BY_CLASS, _class_lines(connection, number, from_day, to_day)),
        Section(wording.BY_RESTRICTION, _restriction_lines(connection, number, from_day, to_day)),
        Section(wording.RETURNED, _movement_lines(period, RETURNED)),
        Section(wording.SPENT, _movement_lines(period, (Movement.PREMIUM,))),
        Section(wording.CLOSING, _balance_lines(closing)),
        Section(wording.CARDS, _card_lines(figures_of(up_to, 0).cards)),
        Section(wording.CARDS_BY_TERM, _issued_lines(connection, number, from_day, to_day)),
        Section(wording.CHECKS, _check_lines(connection, number, closing, from_day, to_day)),
        Section(wording.BY_DAY, _day_lines(period)),
    )
    shown = tuple(section for section in sections if section.lines)
    return FundStatement(fund, from_day, to_day, shown, closing.of_the_fund_vnd)


def balances_of(tallies: Iterable[DayTally]) -> Balances:
    """Fold sums of lines into balances."""
    sums, door_vnd, remitted_vnd = defaultdict[str, int](int), 0, 0
    for each in tallies:
        sums[each.account] += each.amount_vnd
        if each.account == FREE and is_movement(each.step):
            kind, _ = movement_of_free(each.step, is_debit=each.is_debit)
            door_vnd -= each.amount_vnd if kind is Movement.DOOR else 0
        if each.account == IN_TRANSIT and each.step in {FundStep.REMITTANCE, FundStep.VOID}:
            remitted_vnd += each.amount_vnd
    return Balances(
        bank_vnd=sums[BANK],
        office_cash_vnd=sums[OFFICE_CASH],
        in_transit_vnd=sums[IN_TRANSIT],
        in_hands_vnd=door_vnd - remitted_vnd,
        unidentified_vnd=-sums[UNIDENTIFIED],
        due_insurer_vnd=-sums[DUE_INSURER],
        refund_due_vnd=-sums[REFUND_DUE],
        reserved_vnd=-sums[RESERVED],
        free_vnd=-sums[FREE],
    )


def _balance_lines(held: Balances) -> tuple[Line, ...]:
    owed = (
        (wording.UNIDENTIFIED, held.unidentified_vnd),
        (wording.DUE_INSURER, held.due_insurer_vnd),
        (wording.REFUND_DUE, held.refund_due_vnd),
    )
    return (
        Line(wording.BANK, held.bank_vnd),
        Line(wording.OFFICE_CASH, held.office_cash_vnd),
        Line(wording.IN_TRANSIT, held.in_transit_vnd),
        Line(wording.IN_HANDS, held.in_hands_vnd),
        *(Line(words, -amount_vnd) for words, amount_vnd in owed if amount_vnd),
        Line(wording.OF_THE_FUND, held.of_the_fund_vnd, is_total=True),
        Line(wording.RESERVED, held.reserved_vnd),
        Line(wording.FREE, held.free_vnd),
    )


def _movement_lines(figures: Figures, kinds: Iterable[Movement]) -> tuple[Line, ...]:
    lines = [Line(wording.MOVEMENTS[kind], figures.by_kind_vnd[kind]) for kind in kinds]
    total = Line(wording.TOTAL, sum(line.amount_vnd or 0 for line in lines), is_total=True)
    return (*lines, total) if len(lines) > 1 else tuple(lines)


def _class_lines(connection: Connection, fund: int, from_day: date, to_day: date) -> tuple[Line, ...]:
    given = given_by_class(connection, fund, from_day, to_day)
    return tuple(
        Line(DONOR_CLASS_WORDS[each], amount_vnd, count) for each, (count, amount_vnd) in given.items()
    )


def _restriction_lines(connection: Connection, fund: int, from_day: date, to_day: date) -> tuple[Line, ...]:
    received = defaultdict[str, int](int)
    for bucket, step, is_debit, amount_vnd in moved_by_bucket(connection, fund, FREE, from_day, to_day):
        if is_movement(step) and movement_of_free(step, is_debit=is_debit)[0] in RECEIVED:
            received[bucket] -= amount_vnd
    keys = [bucket.partition(":")[2] for bucket in received if bucket.startswith("area:")]
    areas = areas_by_key(connection, keys)
    names = {each.code: (each.name, each.name_en) for each in pools(connection)}
    lines = []
    for bucket in sorted(received, key=lambda each: (each != ANY, each)):
        kind, _, key = bucket.partition(":")
        words = wording.UNRESTRICTED
        if kind == "area":
            name = areas[key].name if key in areas else key
            words = (f"{wording.FOR_AREA[0]} {name}", f"{wording.FOR_AREA[1]} {name}")
        elif kind == "pool":
            pool = names.get(key, (key, key))
            words = (f"{wording.FOR_POOL[0]} {pool[0]}", f"{wording.FOR_POOL[1]} {pool[1]}")
        lines.append(Line(words, received[bucket]))
    return tuple(lines)


def _card_lines(cards: Mapping[CardStage, int]) -> tuple[Line, ...]:
    lines = [Line(wording.STAGES[stage], None, cards[stage]) for stage in CardStage]
    return (*lines, Line(wording.TOTAL, None, sum(cards.values()), is_total=True))


def _issued_lines(connection: Connection, fund: int, from_day: date, to_day: date) -> tuple[Line, ...]:
    cards, paid_vnd = defaultdict[tuple[str, int], int](int), defaultdict[tuple[str, int], int](int)
    for each in allocations_of(connection, fund):
        if each.issued_on is not None and from_day <= each.issued_on <= to_day:
            cards[each.pool, each.months] += 1
            paid_vnd[each.pool, each.months] += each.issued_price_vnd or 0
    names = {each.code: (each.name, each.name_en) for each in pools(connection)}
    return tuple(
        Line(
            (
                f"{names.get(pool, (pool, pool))[0]}, {months} {wording.MONTHS[0]}",
                f"{names.get(pool, (pool, pool))[1]}, {months} {wording.MONTHS[1]}",
            ),
            paid_vnd[pool, months],
            count,
        )
        for (pool, months), count in sorted(cards.items())
    )


def _check_lines(
    connection: Connection, fund: int, closing: Balances, from_day: date, to_day: date
) -> tuple[Line, ...]:
    lines = [Line(wording.LEDGER_DIFFERENCE, closing.difference_vnd)]
    newest = next((each for each in imports_of(connection, fund) if from_day <= each.to_day <= to_day), None)
    if newest is not None and newest.closing_vnd is not None:
        lines.append(Line(wording.STATEMENT_BALANCE, newest.closing_vnd))
        lines += [
            Line(wording.BOOKS_AT_STATEMENT, check.closing_difference_vnd)
            for check in statement_checks(connection, fund)
            if check.period.import_id == newest.id and check.closing_difference_vnd is not None
        ]
    return tuple(lines)


def _day_lines(figures: Figures) -> tuple[Line, ...]:
    order = list(Movement)
    return tuple(
        Line(
            (
                f"{each.day:%d/%m/%Y} – {wording.MOVEMENTS[each.kind][0]}",
                f"{each.day:%Y-%m-%d} – {wording.MOVEMENTS[each.kind][1]}",
            ),
            each.amount_vnd,
            each.things,
        )
        for each in sorted(figures.movements, key=lambda one: (one.day, order.index(one.kind)))
    )
