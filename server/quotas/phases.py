"""Phases of a plan: named runs of days over which a quota is spread, and what they ask for by today.

Phases of one quota lie beside or inside each other, never half over each other: the month holds
its weeks and its launch day, and their amounts are parts of the month's. What a quota, or a phase,
leaves to no inner phase is spread evenly over its own working days. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from server.quotas.pace import WorkingDays

# From the longest to the shortest: of two with the same days, the one named first holds the other.
PHASE_KINDS = ("year", "quarter", "month", "week", "launch_day")


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
    """A run of days with its amount and what of it lies in the runs inside."""

    kind: str
    from_day: date
    to_day: date
    amount: int
    inside: int = 0


class PhasesOverlapError(ValueError):
    """Two phases lie half over each other, or one outside its quota; the message names it by code."""


def expected_over(
    calendar: WorkingDays,
    amount: int,
    days: tuple[date, date],
    shares: Iterable[PhaseShare],
    on_day: date,
) -> Fraction:
    """Return what a quota of `amount` over `days` asks for by `on_day`, which is included.

    A launch day asks for its whole amount from its first day on. Raises PhasesOverlapError.
    """
    runs = _nested(amount, days, list(shares))
    return sum((_expected_of(calendar, run, on_day) for run in runs), Fraction(0))


def unphased(amount: int, days: tuple[date, date], shares: Iterable[PhaseShare]) -> int:
    """Return what of a quota lies in no phase; below zero where the phases ask for more than it has."""
    outermost = _nested(amount, days, list(shares))[0]
    return outermost.amount - outermost.inside


def overfull(amount: int, days: tuple[date, date], shares: Sequence[PhaseShare]) -> bool:
    """Return whether phases ask for more than the quota, or than the phase that they lie in."""
    return any(run.inside > run.amount for run in _nested(amount, days, shares))


def lies_in(phase: Phase, other: Phase) -> bool:
    """Return whether a phase is a part of another: within its days, and below it where they are the same."""
    is_within = other.from_day <= phase.from_day and phase.to_day <= other.to_day
    has_same_days = (phase.from_day, phase.to_day) == (other.from_day, other.to_day)
    is_below = PHASE_KINDS.index(phase.kind) > PHASE_KINDS.index(other.kind)
    return phase != other and is_within and (is_below or not has_same_days)


def _nested(amount: int, days: tuple[date, date], shares: Sequence[PhaseShare]) -> list[_Run]:
    """Return the quota's own run, then its phases' from the outside in, each told what lies inside."""
    outermost = _Run("", *days, amount)
    runs, around = [outermost], [outermost]
    for share in sorted(shares, key=_outside_first):
        phase = share.phase
        while phase.from_day > around[-1].to_day and len(around) > 1:
            around.pop()
        outer = around[-1]
        is_twin = (outer.kind, outer.from_day, outer.to_day) == (phase.kind, phase.from_day, phase.to_day)
        if phase.from_day < outer.from_day or phase.to_day > outer.to_day or is_twin:
            raise PhasesOverlapError(phase.code)
        run = _Run(phase.kind, phase.from_day, phase.to_day, share.amount)
        outer.inside += share.amount
        runs.append(run)
        around.append(run)
    return runs


def _outside_first(share: PhaseShare) -> tuple[date, int, int, str]:
    phase = share.phase
    return (phase.from_day, -phase.to_day.toordinal(), PHASE_KINDS.index(phase.kind), phase.code)


def _expected_of(calendar: WorkingDays, run: _Run, on_day: date) -> Fraction:
    own = run.amount - run.inside
    if run.kind == "launch_day":
        return Fraction(own if on_day >= run.from_day else 0)
    return calendar.expected(own, run.from_day, run.to_day, on_day)
