"""How long cash may stay in an agent's hands, and what is left of a promise. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_HOUR_MS = 60 * 60 * 1000
# No published rule says when a fund's cash has to be carried away: a day, and three over a weekend, are
# an assumption.
CASH_FRESH_HOURS, CASH_LATE_HOURS = 24, 72


class CashAge(StrEnum):
    """How long the oldest cash in somebody's hands has been there."""

    FRESH = "fresh"
    DUE = "due"
    LATE = "late"


class PledgeState(StrEnum):
    """What has become of a promise."""

    OPEN = "open"
    OVERDUE = "overdue"
    KEPT = "kept"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Promise:
    """A pledge as far as its standing asks."""

    id: str
    amount_vnd: int
    due_on: date | None
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class PledgeStanding:
    """A promise on a day: what it has brought, and what is still awaited of it."""

    id: str
    state: PledgeState
    brought_vnd: int
    awaited_vnd: int


def cash_age(oldest_ms: int, now_ms: int) -> CashAge:
    """Return how old cash is: fresh up to a day, late after three."""
    hours = (now_ms - oldest_ms) / _HOUR_MS
    if hours <= CASH_FRESH_HOURS:
        return CashAge.FRESH
    return CashAge.DUE if hours <= CASH_LATE_HOURS else CashAge.LATE


def pledge_standings(
    promises: Iterable[Promise], brought_vnd: Mapping[str, int], today: date
) -> list[PledgeStanding]:
    """Return how each promise stands; one that brought more than promised awaits nothing."""
    found = []
    for each in promises:
        brought = brought_vnd.get(each.id, 0)
        awaited = 0 if each.is_cancelled else max(0, each.amount_vnd - brought)
        if each.is_cancelled:
            state = PledgeState.CANCELLED
        elif not awaited:
            state = PledgeState.KEPT
        else:
            is_late = each.due_on is not None and each.due_on < today
            state = PledgeState.OVERDUE if is_late else PledgeState.OPEN
        found.append(PledgeStanding(each.id, state, brought, awaited))
    return found
