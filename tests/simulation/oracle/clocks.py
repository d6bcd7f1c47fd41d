"""Rule 8 of docs/protocol.md, written again: when a capture happened, in server time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.simulation.oracle.office import local_day


@dataclass(frozen=True)
class Mark:
    """An accepted sync: the server's time, the device's clocks, the journal's end that it showed."""

    server_ms: int
    boot: str
    monotonic_ms: int
    head_seq: int | None


def corrected(
    captured: dict[str, Any], seq: int, marks: list[Mark], this: Mark, enrolled_ms: int, arrival_ms: int
) -> tuple[int, int]:
    """Return (lower, upper): the interval that the marks prove. `arrival_ms` may be before this sync."""
    lower, upper = min(enrolled_ms, arrival_ms), arrival_ms
    for mark in marks:
        if mark.head_seq is not None and mark.head_seq < seq:
            lower = max(lower, mark.server_ms)
        elif mark.head_seq is not None:
            upper = min(upper, mark.server_ms)
    upper = max(lower, upper)
    at = captured["monotonic_ms"]
    same = [mark for mark in marks if mark.boot == captured["boot"]]
    earlier = [mark for mark in same if mark.monotonic_ms <= at]
    later = [mark for mark in same if mark.monotonic_ms > at]
    if earlier:
        lower = earlier[-1].server_ms + (at - earlier[-1].monotonic_ms)
    if later:
        upper = later[0].server_ms - (later[0].monotonic_ms - at)
    elif this.boot == captured["boot"] and this.monotonic_ms >= at:
        upper = this.server_ms - (this.monotonic_ms - at)
    upper = min(upper, arrival_ms)
    if upper < lower:
        lower = min(lower, arrival_ms)
        upper = max(upper, lower)
    return lower, upper


def business_day(wall_ms: int, lower: int, upper: int) -> int:
    """Return the claimed day, clamped to the interval."""
    return min(max(local_day(wall_ms), local_day(lower)), local_day(upper))
