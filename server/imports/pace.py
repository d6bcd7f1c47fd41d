"""How many rows a change of an import has, and how long it leaves the write lock alone.

A push that comes meanwhile waits for one change at most, so it is the time that a change holds the lock
that is bounded, not its rows: on a busy machine the same rows hold it several times as long.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# A push of 500 entries holds the lock about as long.
_HELD_S = 0.2
_ROWS_LEAST = 50
# SQLite has no queue between processes: who waits asks again after 25 ms at first, later every 100 ms.
# Whatever is shorter than that lets a server hardly get its turn beside `tungnha import`.
_LEFT_ALONE_S = 0.06


class Pace:
    """Follows the changes of one import; `rows` is how many the next one may have."""

    def __init__(
        self,
        rows_most: int,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rows = self._most = rows_most
        self._now_s, self._sleep = now_s, sleep
        self._began_s: float | None = None
        self._ended_s: float | None = None
        self._held_s = 0.0

    def wait(self) -> None:
        """Sleep for what is left of the time that the lock is left alone after a change.

        At least half as long as the change held it; preparing the next one counts as that.
        """
        if self._ended_s is not None:
            until_s = self._ended_s + max(_LEFT_ALONE_S, self._held_s / 2)
            self._sleep(max(0.0, until_s - self._now_s()))

    def begin(self) -> None:
        """Take down that the lock is held from now on."""
        self._began_s = self._now_s()

    def end(self, rows: int) -> None:
        """Take down that a change of so many rows is over, and let the next one hold the lock no longer."""
        assert self._began_s is not None, "a change begins before it ends"
        self._ended_s = self._now_s()
        self._held_s = self._ended_s - self._began_s
        fitting = int(rows * _HELD_S / self._held_s) if self._held_s > 0 else self._most
        # Growing by half: one quick change says little about the next.
        grown = min(fitting, max(rows + rows // 2, _ROWS_LEAST))
        self.rows = min(self._most, max(grown, _ROWS_LEAST))
