"""What follows from a fund's facts, whatever order they came in: pure, in whole đồng."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class DonorClass(StrEnum):
    """Who gives."""

    STAFF = "staff"
    COMPANY = "company"
    BENEFACTOR = "benefactor"
    ANONYMOUS = "anonymous"


class Stage(StrEnum):
    """How far an allocation has come."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    ISSUED = "issued"
    HANDED_OVER = "handed_over"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class MatchKind(StrEnum):
    """What a line of the statement turned out to be. `nothing`: looked at, and of no donation."""

    DOOR_DONATION = "door_donation"
    OFFICE_DONATION = "office_donation"
    REMITTANCE = "remittance"
    DEPOSIT = "deposit"
    PREMIUM = "premium"
    REFUND = "refund"
    BOUNCE = "bounce"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class CashTaken:
    """Cash that one agent took for a fund at a door, not voided."""

    entry_id: str
    worker_id: str
    bucket: str
    amount_vnd: int
    upper_ms: int


def in_hands_by_bucket(taken: Iterable[CashTaken], arrived_vnd: Mapping[str, int]) -> dict[str, int]:
    """Return what agents still hold, by bucket, where `arrived_vnd` says what each of them handed in.

    What arrived is of the oldest donations, by (upper capture time, entry id), whatever order the
    entries came in.
    """
    left = dict(arrived_vnd)
    held = defaultdict[str, int](int)
    for one in sorted(taken, key=lambda each: (each.upper_ms, each.entry_id)):
        carried = min(one.amount_vnd, left.get(one.worker_id, 0))
        left[one.worker_id] = left.get(one.worker_id, 0) - carried
        held[one.bucket] += one.amount_vnd - carried
    return {bucket: amount for bucket, amount in held.items() if amount}


@dataclass(frozen=True, slots=True)
class CashHeld:
    """What one agent still holds of a fund, and when the oldest of it was taken."""

    worker_id: str
    amount_vnd: int
    oldest_ms: int


def held_by_agent(taken: Iterable[CashTaken], arrived_vnd: Mapping[str, int]) -> list[CashHeld]:
    """Return what each agent still holds, the oldest money first: `in_hands_by_bucket`, by agent."""
    left = dict(arrived_vnd)
    held: dict[str, CashHeld] = {}
    for one in sorted(taken, key=lambda each: (each.upper_ms, each.entry_id)):
        carried = min(one.amount_vnd, left.get(one.worker_id, 0))
        left[one.worker_id] = left.get(one.worker_id, 0) - carried
        rest = one.amount_vnd - carried
        if rest:
            before = held.get(one.worker_id, CashHeld(one.worker_id, 0, one.upper_ms))
            held[one.worker_id] = CashHeld(one.worker_id, before.amount_vnd + rest, before.oldest_ms)
    return sorted(held.values(), key=lambda each: (each.oldest_ms, each.worker_id))


def spendable_by_bucket(free_vnd: Mapping[str, int], in_hands_vnd: Mapping[str, int]) -> dict[str, int]:
    """Return what may be promised from each bucket: its own money that is here, and no more than the fund's.

    A bucket below zero, after a bounce, takes from what the whole fund may promise.
    """
    here = {
        bucket: free_vnd.get(bucket, 0) - in_hands_vnd.get(bucket, 0) for bucket in {*free_vnd, *in_hands_vnd}
    }
    whole = max(0, sum(here.values()))
    return {bucket: max(0, min(amount, whole)) for bucket, amount in here.items()}


@dataclass(frozen=True, slots=True)
class HandoverClaim:
    """One handover of an allocation, not voided."""

    entry_id: str
    upper_ms: int


def handover_step(step: str, round_won: int) -> str:
    """Return the name of a step of a handover: one that stands again posts again, under another name."""
    return step if round_won == 1 else f"{step}:{round_won}"


def standing_handover(claims: Sequence[HandoverClaim]) -> str | None:
    """Return which handover stands: the lowest (upper capture time, entry id)."""
    if not claims:
        return None
    return min(claims, key=lambda each: (each.upper_ms, each.entry_id)).entry_id
