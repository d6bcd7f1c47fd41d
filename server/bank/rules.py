"""What a statement says once it is read: its lines, their ids, and whether its sums hold. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line: what came in (positive) or went out. `row` as a spreadsheet numbers it."""

    row: int
    day: date
    amount_vnd: int
    description: str
    balance_vnd: int | None = None
    reference: str | None = None
    counterparty: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, its lines in their order of time. Balances are what it says, or what follows from it."""

    layout: str
    from_day: date
    to_day: date
    opening_vnd: int | None
    closing_vnd: int | None
    lines: tuple[StatementLine, ...]


def line_ids(fund: int, lines: Iterable[StatementLine], digest: Callable[[str], str]) -> list[str]:
    """Return the id of each line: a digest of what it says and of how many like it stand before it.

    Neither the balance nor the place in the file is in it, since an export may order the lines of a day
    otherwise. `digest` is keyed: what a line says names people.
    """
    seen = Counter[str]()
    ids = []
    for line in lines:
        parts = (
            str(fund),
            line.day.isoformat(),
            str(line.amount_vnd),
            *(
                " ".join((text or "").split())
                for text in (line.reference, line.description, line.counterparty)
            ),
        )
        said = "\n".join(parts)
        seen[said] += 1
        ids.append(digest(f"{said}\n{seen[said]}"))
    return ids


def in_order_of_time(lines: Sequence[StatementLine]) -> list[StatementLine]:
    """Return lines oldest first: an export may begin with the newest."""
    if len(lines) > 1 and _is_newest_first(lines):
        return list(reversed(lines))
    return list(lines)


def _is_newest_first(lines: Sequence[StatementLine]) -> bool:
    if lines[0].day != lines[-1].day:
        return lines[0].day > lines[-1].day
    # All of one day: whichever way the balances hold better.
    return len(broken_balances(list(reversed(lines)))) < len(broken_balances(lines))


def broken_balances(lines: Sequence[StatementLine], opening_vnd: int | None = None) -> list[StatementLine]:
    """Return the lines whose balance is not the one before plus the amount; those without one are passed.

    After a broken one the sum goes on from what it says, so that one mistake is one fault.
    """
    running, broken = opening_vnd, []
    for line in lines:
        if running is not None:
            running += line.amount_vnd
        if line.balance_vnd is None:
            continue
        if running is not None and running != line.balance_vnd:
            broken.append(line)
        running = line.balance_vnd
    return broken


def implied_opening(lines: Sequence[StatementLine]) -> int | None:
    """Return what the account held before the first line, by the first balance that is given."""
    moved = 0
    for line in lines:
        moved += line.amount_vnd
        if line.balance_vnd is not None:
            return line.balance_vnd - moved
    return None


@dataclass(frozen=True, slots=True)
class Period:
    """A statement's days and its balances."""

    import_id: str
    from_day: date
    to_day: date
    opening_vnd: int | None
    closing_vnd: int | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class PeriodCheck:
    """A statement beside the lines that are kept. Differences are statement − books.

    They are None where the statement says no balance, or where another statement of the same last day
    was read later, which then answers for that day. `gap` are the days before it that no statement covers.
    """

    period: Period
    opening_difference_vnd: int | None
    closing_difference_vnd: int | None
    gap: tuple[date, date] | None


def checked_periods(periods: Iterable[Period], moved_by_day: Sequence[tuple[date, int]]) -> list[PeriodCheck]:
    """Return every statement with its differences and the gap before it, oldest first.

    `moved_by_day` are the sums of all lines that are kept, by day.
    """
    ordered = sorted(periods, key=lambda each: (each.from_day, each.to_day, each.at_ms, each.import_id))
    answering = {
        each.to_day: each.import_id for each in sorted(ordered, key=lambda each: (each.at_ms, each.import_id))
    }
    checks, covered_to = [], None
    for period in ordered:
        before = sum(amount for day, amount in moved_by_day if day < period.from_day)
        upto = sum(amount for day, amount in moved_by_day if day <= period.to_day)
        answers = answering[period.to_day] == period.import_id
        gap = None
        if covered_to is not None and period.from_day > covered_to + timedelta(days=1):
            gap = (covered_to + timedelta(days=1), period.from_day - timedelta(days=1))
        covered_to = max(covered_to or period.to_day, period.to_day)
        checks.append(
            PeriodCheck(
                period,
                None if period.opening_vnd is None else period.opening_vnd - before,
                None if period.closing_vnd is None or not answers else period.closing_vnd - upto,
                gap,
            )
        )
    return checks
