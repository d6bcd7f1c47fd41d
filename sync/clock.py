"""Clocks: the only module that reads the wall clock, and the rule of corrected time.

Device clocks are evidence, not truth (docs/protocol.md, rule 8). `boot` names one run of a
device's monotonic clock; each sync leaves a mark tying (boot, monotonic) to the server's time, and
an entry's corrected time is the interval that the marks prove.
"""

from __future__ import annotations

import json
import os
import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Protocol

DAY_MS = 24 * 60 * 60 * 1000
_HOUR_MS = 60 * 60 * 1000
# A tablet's clock may run ahead of the server's by this much before anyone is told.
CLOCK_TOLERANCE_MS = 5 * 60 * 1000


class Clock(Protocol):
    """A source of time. Both values are in milliseconds."""

    def now_ms(self) -> int:
        """Return the time since the Unix epoch."""

    def monotonic_ms(self) -> int:
        """Return a time that never goes back within one boot."""


class SystemClock:
    """The machine's own clock."""

    is_virtual = False

    def now_ms(self) -> int:
        """Return the wall clock in Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Return the monotonic clock in milliseconds."""
        return time.monotonic_ns() // 1_000_000


class VirtualClock:
    """A clock that several processes share through a file, for the demo's replay of a past year.

    The file holds `{anchor_virtual_ms, anchor_real_ms, rate}`: virtual time runs `rate` times as
    fast as real time from the anchor on. It is written by rename, so a reader sees a whole file.
    """

    is_virtual = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._anchor = (0, 0, 1.0)

    def now_ms(self) -> int:
        """Return the virtual time in Unix milliseconds."""
        status = os.stat(self._path)
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            content = json.loads(self._path.read_text(encoding="ascii"))
            self._anchor = (content["anchor_virtual_ms"], content["anchor_real_ms"], content["rate"])
            self._stamp = stamp
        virtual_ms, real_ms, rate = self._anchor
        return virtual_ms + int((time.time_ns() // 1_000_000 - real_ms) * rate)

    def monotonic_ms(self) -> int:
        """Return the virtual time: the demo moves it forwards only."""
        return self.now_ms()

    def set(self, virtual_ms: int, rate: float) -> None:
        """Move the shared clock to `virtual_ms` and let it run at `rate` from here."""
        content = {
            "anchor_virtual_ms": virtual_ms,
            "anchor_real_ms": time.time_ns() // 1_000_000,
            "rate": rate,
        }
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(content), encoding="ascii")
        os.replace(fresh, self._path)


# There is one of these for each entry, and a tuple is made in a third of the time of a frozen dataclass.
class ClockReading(NamedTuple):
    """What a device's clocks said at one moment; times in milliseconds."""

    wall_ms: int
    boot: str
    monotonic_ms: int


@dataclass(frozen=True, slots=True)
class ClockMark:
    """A sync, seen by both clocks: the server's time and the device's boot and monotonic time.

    `head_seq` is the end of the journal that the device showed then: what stands up to there was
    captured before, what follows after. None where it counts another journal (a predecessor's).
    """

    server_ms: int
    boot: str
    monotonic_ms: int
    head_seq: int | None = None


class CorrectedTime(NamedTuple):
    """The interval in which a capture provably happened, in the server's Unix milliseconds."""

    lower_ms: int
    upper_ms: int


def correct_time(
    captured: ClockReading,
    seq: int,
    marks: Sequence[ClockMark],
    this_sync: ClockMark,
    enrolled_ms: int,
    received_ms: int | None = None,
) -> CorrectedTime:
    """Return the interval that the marks prove for what was `captured` at `seq` of the journal.

    `marks` are earlier syncs of the installation and its predecessors, oldest first; `this_sync`
    is the one that brings the entry. Without any mark the enrolment bounds the time from below.
    `received_ms` is when the entry had first arrived, where a shown acknowledgement proves it.
    """
    return Timeline(marks, this_sync, enrolled_ms).corrected(captured, seq, received_ms)


class Timeline:
    """The marks of `correct_time`, arranged once for all entries of one push: a year has hundreds."""

    def __init__(self, marks: Sequence[ClockMark], this_sync: ClockMark, enrolled_ms: int) -> None:
        self._this_sync = this_sync
        self._boots: dict[str, list[ClockMark]] = {}
        for mark in marks:
            self._boots.setdefault(mark.boot, []).append(mark)
        self._are_ordered = {
            boot: all(one.monotonic_ms <= two.monotonic_ms for one, two in pairwise(same))
            for boot, same in self._boots.items()
        }
        placed = sorted((mark.head_seq, mark.server_ms) for mark in marks if mark.head_seq is not None)
        self._enrolled_ms = enrolled_ms
        self._heads = [head_seq for head_seq, _ in placed]
        times = [server_ms for _, server_ms in placed]
        # The latest sync up to each of the shown heads, the first one from it on.
        self._latest_ms = list(accumulate(times, max))
        self._first_ms = list(accumulate(reversed(times), min))[::-1]

    def corrected(self, captured: ClockReading, seq: int, received_ms: int | None = None) -> CorrectedTime:
        """Return the interval that the marks prove; see `correct_time`."""
        this_sync, monotonic_ms = self._this_sync, captured.monotonic_ms
        arrival_ms = this_sync.server_ms
        if received_ms is not None and received_ms < arrival_ms:
            arrival_ms = received_ms
        lower_ms, upper_ms = self._bounds_by_position(seq, arrival_ms)
        before, next_sync = self._neighbours(captured)
        if before is not None:
            lower_ms = before.server_ms + monotonic_ms - before.monotonic_ms
        if next_sync is None and this_sync.monotonic_ms >= monotonic_ms and this_sync.boot == captured.boot:
            next_sync = this_sync
        if next_sync is not None:
            upper_ms = next_sync.server_ms - (next_sync.monotonic_ms - monotonic_ms)
        upper_ms = min(upper_ms, arrival_ms)
        if upper_ms < lower_ms:
            # A tampered monotonic clock can contradict the marks; the later bound keeps contests fair.
            lower_ms = min(lower_ms, arrival_ms)
            upper_ms = max(upper_ms, lower_ms)
        return CorrectedTime(lower_ms, upper_ms)

    def _bounds_by_position(self, seq: int, arrival_ms: int) -> tuple[int, int]:
        """Return the span between the syncs that showed a journal without, and with, the entry at `seq`.

        A journal too long for one push arrives in several: the syncs between them prove nothing about
        when the later entries were captured.
        """
        lower_ms, upper_ms, heads = self._enrolled_ms, arrival_ms, self._heads
        lower_ms = min(lower_ms, arrival_ms)
        earlier = bisect_left(heads, seq)
        if earlier and self._latest_ms[earlier - 1] > lower_ms:
            lower_ms = self._latest_ms[earlier - 1]
        if earlier < len(heads) and self._first_ms[earlier] < upper_ms:
            upper_ms = self._first_ms[earlier]
        return lower_ms, upper_ms if upper_ms > lower_ms else lower_ms

    def _neighbours(self, captured: ClockReading) -> tuple[ClockMark | None, ClockMark | None]:
        """Return the last mark of the same boot up to the capture, and the first one after it."""
        same = self._boots.get(captured.boot)
        if same is None:
            return None, None
        if self._are_ordered[captured.boot]:
            place = bisect_right(same, captured.monotonic_ms, key=_monotonic_of)
            return same[place - 1] if place else None, same[place] if place < len(same) else None
        # A monotonic clock that went back is tampered with; what the marks say is taken in their order.
        before = [mark for mark in same if mark.monotonic_ms <= captured.monotonic_ms]
        after = [mark for mark in same if mark.monotonic_ms > captured.monotonic_ms]
        return before[-1] if before else None, after[0] if after else None


def spans_by_boot(readings: Iterable[ClockReading]) -> dict[str, tuple[int, int]]:
    """Return, for each boot, the least and the most that the monotonic clock said in it."""
    said: dict[str, list[int]] = defaultdict(list)
    for reading in readings:
        said[reading.boot].append(reading.monotonic_ms)
    return {boot: (min(moments), max(moments)) for boot, moments in said.items()}


_monotonic_of = attrgetter("monotonic_ms")


def local_day(moment_ms: int, zone: tzinfo) -> date:
    """Return the day of `moment_ms` in the office's time zone.

    Times that no calendar holds (a broken device clock) give the nearest day that one does.
    """
    # Most hours lie within one day, which is asked for many times over.
    return _day_of_hour(moment_ms // _HOUR_MS, zone) or _exact_day(moment_ms, zone)


@lru_cache(maxsize=4096)
def _day_of_hour(hour: int, zone: tzinfo) -> date | None:
    """Return the day that a whole hour since the Unix epoch lies in; None where midnight is in it."""
    first = _exact_day(hour * _HOUR_MS, zone)
    return first if first == _exact_day((hour + 1) * _HOUR_MS - 1, zone) else None


def _exact_day(moment_ms: int, zone: tzinfo) -> date:
    seconds = min(max(moment_ms / 1000, -62_135_510_400), 253_402_214_400)
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone(zone).date()


def business_day(captured: ClockReading, corrected: CorrectedTime, zone: tzinfo) -> date:
    """Return the claimed day, clamped to the corrected interval (docs/protocol.md, rule 8)."""
    lowest = local_day(corrected.lower_ms, zone)
    highest = local_day(corrected.upper_ms, zone)
    if lowest == highest:
        return lowest
    return min(max(local_day(captured.wall_ms, zone), lowest), highest)
