"""What the office decided, as plain values: areas, campaigns, indicators, assignments with dates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DAY_MS = 86_400_000
GRACE_MS = 15 * DAY_MS
LATE_MS = 15 * DAY_MS
# Việt Nam has no daylight saving: a local day is a day shifted by seven hours.
ZONE_MS = 7 * 3_600_000


def local_day(moment_ms: int) -> int:
    """Return the day in the office's zone as a number (days since 1970-01-01)."""
    return (moment_ms + ZONE_MS) // DAY_MS


@dataclass
class Assignment:
    """A worker records in an area and everything below it, from `from_ms` until before `to_ms`."""

    assignment_id: str
    worker: str
    area: str
    from_ms: int
    to_ms: int | None = None

    def holds(self, at_ms: int) -> bool:
        return self.from_ms <= at_ms and (self.to_ms is None or at_ms < self.to_ms)

    def in_grace(self, at_ms: int) -> bool:
        return self.to_ms is not None and self.from_ms < self.to_ms <= at_ms < self.to_ms + GRACE_MS


@dataclass
class Office:
    """`parents` maps area to the one above; `campaigns` number to (first day, last day) as numbers."""

    parents: dict[str, str | None]
    communes: list[str]
    campaigns: dict[int, tuple[int, int]]
    indicators: list[dict[str, Any]]
    workers: dict[str, str]
    assignments: dict[str, Assignment] = field(default_factory=dict)

    def _is_below(self, area: str, top: str) -> bool:
        step: str | None = area
        while step is not None:
            if step == top:
                return True
            step = self.parents[step]
        return False

    def standing(self, worker: str, area: str, at_ms: int) -> str | None:
        """Return the flag for where `worker` stood towards `area`, None when assigned there."""
        spans = [span for span in self.assignments.values() if span.worker == worker]
        here = [span for span in spans if self._is_below(area, span.area)]
        if any(span.holds(at_ms) for span in here):
            return None
        if any(span.in_grace(at_ms) for span in here):
            return "in_grace"
        if any(span.holds(at_ms) or span.in_grace(at_ms) for span in spans):
            return "out_of_area"
        return "no_assignment"

    def scopes(self, worker: str, now_ms: int) -> list[str]:
        """Return the scopes that `worker` may read now, sorted."""
        found = {"office", f"agent:{worker}"}
        for span in self.assignments.values():
            if span.worker == worker and span.holds(now_ms):
                found |= {f"area:{key}" for key in self.communes if self._is_below(key, span.area)}
        return sorted(found)
