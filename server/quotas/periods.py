"""Periods: which tablets have delivered one whole, and whether a figure of it can still move. Pure.

A tablet has delivered a period once a signed journal head from after the period's end has arrived
with everything up to it. Every tablet of the office counts: nothing but the entry itself says for
which campaign and in which area something was captured (decision 0017).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from server.quotas.rules import Indicator
from sync.clock import DAY_MS


class Tablet(Protocol):
    """What completeness needs to know of an installation; times in Unix milliseconds."""

    @property
    def id(self) -> str:
        """Return its id."""

    @property
    def worker_id(self) -> str:
        """Return whose it is."""

    @property
    def state(self) -> str:
        """Return active, fenced, superseded or revoked."""

    @property
    def predecessor_id(self) -> str | None:
        """Return which one it replaced."""

    @property
    def enrolled_ms(self) -> int:
        """Return when it was enrolled."""

    @property
    def last_sync_ms(self) -> int | None:
        """Return when it was last heard."""

    @property
    def unsent(self) -> int:
        """Return how many entries it had not delivered then."""

    @property
    def delivered_ms(self) -> int | None:
        """Return before when everything captured has been received."""

    @property
    def revoked_ms(self) -> int | None:
        """Return when it was revoked."""

    @property
    def written_off_ms(self) -> int | None:
        """Return when two people gave it up."""


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A tablet that may still hold something of the period, and why."""

    installation_id: str
    worker_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """What is still missing of a period; `unsettled` counts each worker's held and quarantined entries."""

    installations: int
    outstanding: Sequence[Outstanding]
    unsettled: Mapping[str, int]
    written_off: int
    is_over: bool
    is_recovering: bool = False

    @property
    def unsettled_count(self) -> int:
        """Return how many entries wait for something or somebody."""
        return sum(self.unsettled.values())

    @property
    def is_final(self) -> bool:
        """Return whether everything that belongs to the period is known."""
        return self.is_over and not self.outstanding and not self.unsettled_count and not self.is_recovering

    def is_final_for(self, worker_id: str) -> bool:
        """Return whether everything that this worker captured in the period is known."""
        missing = any(each.worker_id == worker_id for each in self.outstanding)
        return self.is_over and not missing and not self.unsettled.get(worker_id) and not self.is_recovering


def period_end_ms(to_day: date, zone: ZoneInfo) -> int:
    """Return the first moment after a period's last day."""
    return int(datetime.combine(to_day + timedelta(days=1), time(), zone).timestamp() * 1000)


def completeness_of(
    tablets: Collection[Tablet],
    lost_ids: Collection[str],
    unsettled: Mapping[str, int],
    end_ms: int,
    now_ms: int,
    *,
    is_recovering: bool = False,
) -> Completeness:
    """Return how complete a period that ends at `end_ms` is.

    `lost_ids` names the replaced tablets of which the successor did not carry everything over.
    """
    by_id = {tablet.id: tablet for tablet in tablets}
    replaced = {tablet.predecessor_id for tablet in tablets}
    total = written_off = 0
    outstanding = []
    for tablet in tablets:
        if _first_enrolled_ms(tablet, by_id) >= end_ms:
            continue
        if tablet.id in replaced and tablet.id not in lost_ids:
            continue
        total += 1
        if _is_given_up(tablet):
            written_off += 1
            continue
        reason = "not_carried_over" if tablet.id in replaced else _reason(tablet, end_ms, now_ms)
        if reason is not None:
            outstanding.append(Outstanding(tablet.id, tablet.worker_id, reason))
    is_over = now_ms >= end_ms
    return Completeness(total, outstanding, unsettled, written_off, is_over, is_recovering)


def _first_enrolled_ms(tablet: Tablet, by_id: Mapping[str, Tablet]) -> int:
    """Return when the first of the tablet's line was enrolled: the last one carries its entries."""
    seen = set()
    while tablet.id not in seen:
        seen.add(tablet.id)
        tablet = by_id.get(tablet.predecessor_id or "", tablet)
    return tablet.enrolled_ms


def _is_given_up(tablet: Tablet) -> bool:
    """Return whether nobody waits for the tablet; one that is heard again is waited for again."""
    if tablet.written_off_ms is None:
        return False
    return tablet.last_sync_ms is None or tablet.last_sync_ms <= tablet.written_off_ms


def _reason(tablet: Tablet, end_ms: int, now_ms: int) -> str | None:
    """Return why a tablet has not delivered the period, or None.

    While the period runs, a tablet that was heard within a day and kept nothing back will do.
    """
    if tablet.state == "fenced":
        return "fenced"
    if tablet.last_sync_ms is None:
        return "never_heard"
    if now_ms < end_ms:
        if tablet.last_sync_ms < now_ms - DAY_MS:
            return "silent"
        return "unsent" if tablet.unsent else None
    # What a revoked tablet captures after its revocation counts for nothing.
    needed_ms = end_ms if tablet.revoked_ms is None else min(end_ms, tablet.revoked_ms)
    if tablet.delivered_ms is not None and tablet.delivered_ms >= needed_ms:
        return None
    if tablet.last_sync_ms < needed_ms:
        return "silent"
    return "unsent" if tablet.unsent else "unproven"


def depends_on_others(indicator: Indicator) -> bool:
    """Return whether what other agents recorded can move a holder's figure."""
    return indicator.is_unique or indicator.cap_per == "subject" or indicator.credits != "agent"


def figure_standing(indicator: Indicator, worker_id: str | None, known: Completeness) -> str:
    """Return how sure a holder's figure is: final, may_move (through others) or provisional."""
    if known.is_final:
        return "final"
    if worker_id is None or not known.is_final_for(worker_id):
        return "provisional"
    return "may_move" if depends_on_others(indicator) else "final"


def within(known: Completeness, worker_ids: Iterable[str] | None) -> list[Outstanding]:
    """Return the outstanding tablets of these workers; of all when None."""
    if worker_ids is None:
        return list(known.outstanding)
    mine = set(worker_ids)
    return [each for each in known.outstanding if each.worker_id in mine]
