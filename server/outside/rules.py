"""A published figure: its ratio over a named, dated denominator, beside the one that was printed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from server.quotas.pace import is_misquoted, percent_of, percent_range

# What is published; the schemes whose participants the register knows too are named beside theirs.
FIGURES = (
    "voluntary_participants",
    "household_health_participants",
    "health_participants",
    "compulsory_participants",
    "unemployment_participants",
    "voluntary_increase",
    "health_increase",
    "insurance_coverage",
    "e_transaction_employers",
    "satisfaction",
    "other",
)
REGISTERED = {"voluntary_participants": "voluntary", "household_health_participants": "health"}
_INCREASES = {"voluntary_increase": "voluntary_participants", "health_increase": "health_participants"}


@dataclass(frozen=True, slots=True)
class Published:
    """A figure as it was published; see OutsideFigure."""

    figure: str
    area_key: str | None
    day: date
    value: int | None
    denominator_name: str | None
    denominator_day: date | None
    denominator_low: int | None
    denominator_high: int | None
    is_derived: bool
    quoted_percent: str | None
    source: str
    source_day: date

    @property
    def bounds(self) -> tuple[int, int] | None:
        """Return the bounds of the denominator, None where nothing is known of it."""
        if self.denominator_low is None or self.denominator_high is None:
            return None
        return (self.denominator_low, self.denominator_high)

    @property
    def has_ratio(self) -> bool:
        """Return whether there is a ratio to compute: of a decrease there is none."""
        return self.value is not None and self.value >= 0 and self.bounds is not None

    @property
    def percent(self) -> Decimal | None:
        """Return value ÷ denominator in per cent, where the denominator is one number."""
        if not self.has_ratio or self.bounds is None or self.bounds[0] != self.bounds[1]:
            return None
        return percent_of(self.value or 0, self.bounds[0])

    @property
    def percent_bounds(self) -> tuple[Decimal, Decimal] | None:
        """Return the lowest and the highest ratio, where the denominator is known by its bounds."""
        if not self.has_ratio or self.bounds is None or self.bounds[0] == self.bounds[1]:
            return None
        return percent_range(self.value or 0, *self.bounds)

    @property
    def is_misquoted(self) -> bool:
        """Whether the printed ratio is not the computed one, at either end of the bounds."""
        if not self.has_ratio or self.bounds is None:
            return False
        return any(is_misquoted(self.quoted_percent, self.value or 0, end) for end in self.bounds)


@dataclass(frozen=True, slots=True)
class Growth:
    """A stock against an earlier one of the same figure and area, and the increase that was published."""

    figure: str
    area_key: str | None
    day: date
    value: int
    before_day: date
    before: int
    published: int | None

    @property
    def increase(self) -> int:
        """Return the difference of the two stocks."""
        return self.value - self.before

    @property
    def percent(self) -> Decimal | None:
        """Return the increase over the earlier stock, in per cent; None where it is no increase."""
        return percent_of(self.increase, self.before) if self.increase >= 0 else None

    @property
    def is_contradicted(self) -> bool:
        """Whether another increase than the stocks' own was published for the same day."""
        return self.published is not None and self.published != self.increase


def growths(figures: Sequence[Published]) -> list[Growth]:
    """Return each stock of participants with the one before it, the newest first."""
    stocks = {
        (each.figure, each.area_key, each.day): each.value
        for each in figures
        if each.figure.endswith("_participants") and each.value is not None
    }
    increases = {
        (_INCREASES[each.figure], each.area_key, each.day): each.value
        for each in figures
        if each.figure in _INCREASES
    }
    found = []
    for (figure, area_key, day), value in stocks.items():
        earlier = [each for each in stocks if each[:2] == (figure, area_key) and each[2] < day]
        if earlier:
            before = max(earlier, key=lambda each: each[2])
            published = increases.get((figure, area_key, day))
            found.append(Growth(figure, area_key, day, value, before[2], stocks[before], published))
    return sorted(found, key=lambda each: (-each.day.toordinal(), FIGURES.index(each.figure)))


def figure_key(figure: str, area_key: str | None, day: date, denominator_name: str | None) -> str:
    """Return the key of a row: one figure of a day may be published over several denominators."""
    return "|".join((figure, area_key or "", day.isoformat(), denominator_name or ""))
