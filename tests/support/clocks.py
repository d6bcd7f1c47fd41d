"""A clock and an id source that tests own."""

from __future__ import annotations

from sync.clock import DAY_MS

# 12 May 2020 09:00 in Việt Nam (02:00 UTC), eleven days before the first launch day.
START_MS = 1_589_248_800_000


class FakeClock:
    """Stands still until a test moves it. Times in milliseconds."""

    is_virtual = True

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the time since the Unix epoch."""
        return self._now_ms

    def monotonic_ms(self) -> int:
        """Return the same: a test moves it forwards only."""
        return self._now_ms

    def advance(self, *, ms: int = 0, seconds: int = 0, hours: int = 0, days: int = 0) -> int:
        """Move forwards and return the new time."""
        self._now_ms += ms + seconds * 1000 + hours * 3_600_000 + days * DAY_MS
        return self._now_ms

    def set(self, now_ms: int) -> None:
        """Move to `now_ms`."""
        self._now_ms = now_ms


class CountingIds:
    """UUIDv7-shaped ids in order: 00000000-0000-7000-8000-000000000001, …"""

    def __init__(self, series: int = 0) -> None:
        self._series, self._last = series, 0

    def new_id(self) -> str:
        """Return the next id in lower-case text."""
        self._last += 1
        return f"{self._series:08x}-0000-7000-8000-{self._last:012x}"
