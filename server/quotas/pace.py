"""Percentages and pace: pure arithmetic over whole numbers and days, rounded once, at the end.

A percentage is never stored: it is computed from its numerator and denominator, and a ratio that
somebody published is kept apart and compared. Both are rounded half up, to two decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction

_HUNDREDTH = Decimal("0.01")
_SATURDAY = 5


def rounded(value: Fraction, decimals: int = 2) -> Decimal:
    """Return `value` (not negative) with this many decimals, half up."""
    scale = 10**decimals
    units = (2 * value.numerator * scale + value.denominator) // (2 * value.denominator)
    return Decimal(units).scaleb(-decimals)


def percent_of(done: int, quota: int | None) -> Decimal | None:
    """Return done ÷ quota in per cent, two decimals; 665 of 612 is 108.66. None without a quota."""
    return rounded(Fraction(100 * done, quota)) if quota else None


def percent_range(done: int, low: int, high: int) -> tuple[Decimal, Decimal]:
    """Return the lowest and highest done ÷ quota in per cent, of a quota known by its bounds alone."""
    return rounded(Fraction(100 * done, high)), rounded(Fraction(100 * done, low))


def denominators_of(done: int, quoted: str) -> tuple[int, int] | None:
    """Return the bounds of the whole numbers that a published ratio of `done` can have been taken over.

    18,816 at "113" is 16,578 to 16,725. None where the text is no number above its own rounding.
    """
    number = quoted_number(quoted)
    if number is None or done <= 0:
        return None
    half = Decimal(5).scaleb(min(0, int(number.as_tuple().exponent)) - 1)
    least, most = Fraction(number - half), Fraction(number + half)
    if least <= 0:
        return None
    # Halves are rounded up: a ratio of exactly `most` would have been printed as the next number.
    low, high = Fraction(100 * done) / most, Fraction(100 * done) / least
    return int(low) + 1, int(high)


def quoted_number(text: str) -> Decimal | None:
    """Return the number in a published ratio ("107", "26,9 %"), or None when it is none."""
    try:
        number = Decimal(text.replace("%", "").replace(",", ".").strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def is_misquoted(quoted: str | None, done: int, quota: int | None) -> bool:
    """Whether a published ratio is not the computed one, rounded to the decimals it was given with."""
    if quoted is None:
        return False
    number = quoted_number(quoted)
    if number is None or not quota:
        return True
    decimals = max(0, -int(number.as_tuple().exponent))
    return number != Decimal(rounded(Fraction(100 * done, quota), decimals)).quantize(number, ROUND_HALF_UP)


class WorkingDays:
    """Counts working days: Monday to Friday, but for the days in `exceptions` (True: worked)."""

    def __init__(self, exceptions: Mapping[date, bool]) -> None:
        self._exceptions = dict(exceptions)
        self._counts: dict[tuple[date, date], int] = {}

    def is_working(self, day: date) -> bool:
        """Whether people work on `day`."""
        return self._exceptions.get(day, day.weekday() < _SATURDAY)

    def count(self, from_day: date, to_day: date) -> int:
        """Return the number of working days from a day to a day, both included."""
        known = self._counts.get((from_day, to_day))
        if known is None:
            span = max(0, (to_day - from_day).days + 1)
            # Whole weeks have five working days; only the rest of the last one is walked through.
            weeks, rest = divmod(span, 7)
            tail = (from_day + timedelta(days=7 * weeks + more) for more in range(rest))
            known = 5 * weeks + sum(1 for day in tail if day.weekday() < _SATURDAY)
            for day, is_worked in self._exceptions.items():
                if from_day <= day <= to_day:
                    known += is_worked - (day.weekday() < _SATURDAY)
            self._counts[from_day, to_day] = known
        return known

    def expected(self, amount: int, from_day: date, to_day: date, on_day: date) -> Fraction:
        """Return amount × working days elapsed (`on_day` included) ÷ total, exactly.

        A run of days without any working day asks for the whole amount from its first day on.
        """
        if on_day < from_day:
            return Fraction(0)
        total = self.count(from_day, to_day)
        if total == 0:
            return Fraction(amount)
        return Fraction(amount * self.count(from_day, min(on_day, to_day)), total)
