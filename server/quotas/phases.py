"""Phases of a plan: named runs of days over which a quota is spread, and what they ask for by today.

Phases of one quota lie beside or inside each other, never half over each other: the month holds
its weeks and its launch day, and their amounts are parts of the month's. What a quota, or a phase,
leaves to no inner phase is spread evenly over its own working days. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import lcm

from server.quotas.pace import WorkingDays

# From the longest to the shortest: of two with the same days, the one named first holds the other.
PHASE_KINDS = ("year", "quarter", "month", "week", "launch_day")

# A first and a last day, both included.
_Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Phase:
    """A named run of days of a plan, both ends included; `kind` is one of PHASE_KINDS."""

    code: str
    kind: str
    name: str
    from_day: date
    to_day: date


@dataclass(frozen=True, slots=True)
class PhaseShare:
    """How much of a quota falls into a phase."""

    phase: Phase
    amount: int


@dataclass(slots=True)
class _Run:
    """A run of days, and the place of the one around it among the runs; the quota's own comes first."""

    kind: str
    from_day: date
    to_day: date
    outer: int = 0


class PhasesOverlapError(ValueError):
    """Two phases lie half over each other, or one outside its quota; the message names it by code."""


class Expectations:
    """What quotas ask for by a day. Quotas with the same days and phases share the work."""

    def __init__(self, calendar: WorkingDays, on_day: date) -> None:
        self._calendar = calendar
        self._on_day = on_day
        self._known: dict[tuple[_Days, tuple[Phase, ...]], tuple[int, list[int]]] = {}

    def of(self, amount: int, days: _Days, shares: Sequence[PhaseShare]) -> Fraction:
        """Return what a quota of `amount` over `days` asks for, the day itself included.

        A launch day asks for its whole amount from its first day on. Raises PhasesOverlapError.
        """
        phases = tuple(share.phase for share in shares)
        known = self._known.get((days, phases))
        if known is None:
            known = self._known[days, phases] = self._weights(days, phases)
        denominator, weights = known
        numerator = amount * weights[0]
        for share, weight in zip(shares, weights[1:], strict=True):
            numerator += share.amount * weight
        return Fraction(numerator, denominator)

    def _weights(self, days: _Days, phases: Sequence[Phase]) -> tuple[int, list[int]]:
        """Return a denominator, and what each unit of the quota and of each phase asks for over it.

        A run asks for its elapsed part of what it leaves to no inner one. So a unit of an inner
        phase asks for that phase's part, and takes back the part that the outer one asked for it.
        """
        runs = _nested(days, phases)
        parts = [self._elapsed(run) for run in runs]
        of_units = [parts[0], *(parts[place] - parts[runs[place].outer] for place in range(1, len(runs)))]
        denominator = lcm(*(unit.denominator for unit in of_units))
        return denominator, [int(unit * denominator) for unit in of_units]

    def _elapsed(self, run: _Run) -> Fraction:
        if run.kind == "launch_day":
            return Fraction(self._on_day >= run.from_day)
        return self._calendar.expected(1, run.from_day, run.to_day, self._on_day)


def unphased(amount: int, days: _Days, shares: Sequence[PhaseShare]) -> int:
    """Return what of a quota lies in no phase; below zero where the phases ask for more than it has."""
    return _left(amount, days, shares)[0]


def overfull(amount: int, days: _Days, shares: Sequence[PhaseShare]) -> bool:
    """Return whether phases ask for more than the quota, or than the phase that they lie in."""
    return any(left < 0 for left in _left(amount, days, shares))


def _left(amount: int, days: _Days, shares: Sequence[PhaseShare]) -> list[int]:
    """Return what the quota, and each phase, leaves to no inner phase."""
    runs = _nested(days, [share.phase for share in shares])
    left = [amount, *(share.amount for share in shares)]
    for place, share in enumerate(shares, start=1):
        left[runs[place].outer] -= share.amount
    return left


def lies_in(phase: Phase, other: Phase) -> bool:
    """Return whether a phase is a part of another: within its days, and below it where they are the same."""
    is_within = other.from_day <= phase.from_day and phase.to_day <= other.to_day
    has_same_days = (phase.from_day, phase.to_day) == (other.from_day, other.to_day)
    is_below = PHASE_KINDS.index(phase.kind) > PHASE_KINDS.index(other.kind)
    return phase != other and is_within and (is_below or not has_same_days)


def _nested(days: _Days, phases: Sequence[Phase]) -> list[_Run]:
    """Return the quota's own run and those of its phases in their order, each told what is around it."""
    runs = [_Run("", *days), *(_Run(phase.kind, phase.from_day, phase.to_day) for phase in phases)]
    around = [0]
    for place in sorted(range(1, len(runs)), key=lambda place: _outside_first(phases[place - 1])):
        run = runs[place]
        while run.from_day > runs[around[-1]].to_day and len(around) > 1:
            around.pop()
        outer = runs[around[-1]]
        is_twin = (outer.kind, outer.from_day, outer.to_day) == (run.kind, run.from_day, run.to_day)
        if run.from_day < outer.from_day or run.to_day > outer.to_day or is_twin:
            raise PhasesOverlapError(phases[place - 1].code)
        run.outer = around[-1]
        around.append(place)
    return runs


def _outside_first(phase: Phase) -> tuple[date, int, int, str]:
    return (phase.from_day, -phase.to_day.toordinal(), PHASE_KINDS.index(phase.kind), phase.code)
