"""What a fund's ledger comes to for the public: a pure fold over sums of its lines.

Received, returned, committed and spent are told apart by account, step and side, as
docs/decisions/0024-a-fund-is-a-fold.md posts them; nothing is read but the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server.funds.accounts import (
    CARDS_COMMITTED,
    CARDS_HANDED,
    CARDS_ISSUED,
    CARDS_RETURNED,
    DUE_INSURER,
    FREE,
    RESERVED,
)
from server.funds.postings import FundStep
from server.money.views import DayTally

# Fewer gifts than this on a day are not counted in public, only summed (docs/public-ledger.md).
FEWEST_COUNTED = 5


class Movement(StrEnum):
    """Why money moved."""

    DOOR = "door"
    OFFICE = "office"
    TRANSFER = "transfer"
    REFUND = "refund"
    BOUNCE = "bounce"
    PREMIUM = "premium"


class CardStage(StrEnum):
    """Where a card stands, in the order of its life."""

    COMMITTED = "committed"
    ISSUED = "issued"
    HANDED = "handed"
    RETURNED = "returned"


RECEIVED = (Movement.DOOR, Movement.OFFICE, Movement.TRANSFER)
RETURNED = (Movement.REFUND, Movement.BOUNCE)
_CARD_ACCOUNTS = {
    CardStage.COMMITTED: CARDS_COMMITTED,
    CardStage.ISSUED: CARDS_ISSUED,
    CardStage.HANDED: CARDS_HANDED,
    CardStage.RETURNED: CARDS_RETURNED,
}
# (step, is a debit of what is free) → what moved, and whether this is the thing or its undoing.
_OF_FREE: dict[tuple[str, bool], tuple[Movement, int]] = {
    (FundStep.MATCH, False): (Movement.TRANSFER, 1),
    (FundStep.UNMATCH, True): (Movement.TRANSFER, -1),
    (FundStep.MATCH, True): (Movement.BOUNCE, 1),
    (FundStep.UNMATCH, False): (Movement.BOUNCE, -1),
    (FundStep.OFFICE_DONATION, False): (Movement.OFFICE, 1),
    (FundStep.REVERSAL, True): (Movement.OFFICE, -1),
    (FundStep.REFUND, True): (Movement.REFUND, 1),
    (FundStep.REVERSAL, False): (Movement.REFUND, -1),
    ("settlement", False): (Movement.DOOR, 1),
    (FundStep.VOID, True): (Movement.DOOR, -1),
}
# What is reserved, and what an issue at another price adds or gives back, is no movement of its own.
_NO_MOVEMENT = {FundStep.APPROVAL, FundStep.CANCELLATION, FundStep.PRICE_DIFFERENCE}
_OF_INSURER = {FundStep.ISSUE, FundStep.PRICE_DIFFERENCE}


class StepUnknownError(Exception):
    """A step moved free money and nobody told the public ledger what it is."""


@dataclass(frozen=True, slots=True)
class DayMovement:
    """What moved on a day, in đồng, undone things taken off; `things` counts those that happened."""

    day: date
    kind: Movement
    amount_vnd: int
    things: int

    @property
    def counted(self) -> int | None:
        """Return how many there were, None where so few would point at somebody."""
        return self.things if self.things == 0 or self.things >= FEWEST_COUNTED else None


@dataclass(frozen=True, slots=True)
class Figures:
    """A fund's totals in đồng and cards, and what moved by day, the newest day first."""

    by_kind_vnd: Mapping[Movement, int]
    committed_vnd: int
    free_vnd: int
    in_hands_vnd: int
    cards: Mapping[CardStage, int]
    movements: tuple[DayMovement, ...]

    @property
    def received_vnd(self) -> int:
        """Return what donations brought: at doors in cash, at the office, by matched transfer."""
        return sum(self.by_kind_vnd[kind] for kind in RECEIVED)

    @property
    def returned_vnd(self) -> int:
        """Return what bounced or was given back."""
        return sum(self.by_kind_vnd[kind] for kind in RETURNED)

    @property
    def spent_vnd(self) -> int:
        """Return what issued cards cost."""
        return self.by_kind_vnd[Movement.PREMIUM]

    @property
    def spendable_vnd(self) -> int:
        """Return what may be promised, of the whole fund."""
        return max(0, self.free_vnd - self.in_hands_vnd)


def figures_of(tallies: Iterable[DayTally], in_hands_vnd: int) -> Figures:
    """Fold sums of lines into what the public sees. Raises StepUnknownError."""
    moved, things = defaultdict[tuple[date, Movement], int](int), defaultdict[tuple[date, Movement], int](int)
    balances, cards = defaultdict[str, int](int), defaultdict[str, int](int)
    for tally in tallies:
        balances[tally.account] -= tally.amount_vnd
        cards[tally.account] += tally.cards
        found = _movement_of(tally)
        if found is not None:
            kind, sign, amount_vnd = found
            moved[tally.day, kind] += amount_vnd
            things[tally.day, kind] += tally.lines if sign > 0 else 0
    movements = [
        DayMovement(day, kind, amount_vnd, things[day, kind]) for (day, kind), amount_vnd in moved.items()
    ]
    order = list(Movement)
    return Figures(
        by_kind_vnd={
            kind: sum(amount for (_, other), amount in moved.items() if other is kind) for kind in Movement
        },
        committed_vnd=balances[RESERVED],
        free_vnd=balances[FREE],
        in_hands_vnd=in_hands_vnd,
        cards={stage: cards[account] for stage, account in _CARD_ACCOUNTS.items()},
        movements=tuple(sorted(movements, key=lambda each: (-each.day.toordinal(), order.index(each.kind)))),
    )


def _movement_of(tally: DayTally) -> tuple[Movement, int, int] | None:
    """Return what a tally moved: its kind, whether it happened (1) or was undone (−1), and the đồng."""
    if tally.account == DUE_INSURER and tally.step in _OF_INSURER:
        return Movement.PREMIUM, 1 if tally.step == FundStep.ISSUE else -1, -tally.amount_vnd
    if tally.account != FREE or tally.step in _NO_MOVEMENT:
        return None
    kind, sign = movement_of_free(tally.step, is_debit=tally.is_debit)
    return kind, sign, tally.amount_vnd if kind in RETURNED else -tally.amount_vnd


def movement_of_free(step: str, *, is_debit: bool) -> tuple[Movement, int]:
    """Return what a step that moves free money is, and whether it happened (1) or was undone (−1).

    Raises StepUnknownError.
    """
    known = _OF_FREE.get((step, is_debit))
    if known is None:
        raise StepUnknownError(step)
    return known


def is_movement(step: str) -> bool:
    """Return whether a step lets free money come or go, and does not only promise it."""
    return step not in _NO_MOVEMENT


def in_hands(taken_vnd: Mapping[str, int], arrived_vnd: Mapping[str, int]) -> int:
    """Return what agents still hold of a fund's cash: what each took less what arrived, not below 0."""
    return sum(max(0, amount - arrived_vnd.get(worker, 0)) for worker, amount in taken_vnd.items())


def added(some: Iterable[DayTally], more: Iterable[DayTally]) -> list[DayTally]:
    """Return the sums of two disjoint sets of lines together."""
    found: dict[tuple[str, str, bool, date], DayTally] = {}
    for one in (*some, *more):
        key = (one.account, one.step, one.is_debit, one.day)
        had = found.get(key)
        found[key] = (
            one
            if had is None
            else DayTally(*key, had.lines + one.lines, had.amount_vnd + one.amount_vnd, had.cards + one.cards)
        )
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the goal's bar, in thousandths of it."""

    stage: CardStage
    start: int
    width: int


BAR_WIDTH = 1000


def goal_bar(cards: Mapping[CardStage, int], target: int) -> tuple[Segment, ...]:
    """Return the bar of a goal: handed over, issued, promised; never longer than the bar."""
    scale, start, found = max(1, target), 0, []
    done = 0
    for stage in (CardStage.HANDED, CardStage.ISSUED, CardStage.COMMITTED):
        done += max(0, cards[stage])
        end = min(BAR_WIDTH, done * BAR_WIDTH // scale)
        found.append(Segment(stage, start, end - start))
        start = end
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Day:
    """A day on which money moved."""

    day: date
    moved: Mapping[str, DayMovement]

    @property
    def returned_vnd(self) -> int:
        """Return what bounced or was given back on that day."""
        return sum(self.moved[kind].amount_vnd for kind in RETURNED if kind in self.moved)


def days_of(movements: Iterable[DayMovement]) -> list[Day]:
    """Return the days with what moved on each, in the order that is given."""
    found: dict[date, dict[str, DayMovement]] = defaultdict(dict)
    for one in movements:
        found[one.day][one.kind.value] = one
    return [Day(day, moved) for day, moved in found.items()]
