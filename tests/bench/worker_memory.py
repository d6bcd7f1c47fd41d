"""How much memory a worker holds while tablets push and pull without a pause, and whether it grows."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench.office import Served, served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.bench.processes import NotRunError, resident_mib
from tests.bench.pushing import seed_households
from tests.bench.tablet import BenchTablet, require_applied
from tests.bench.wire import Line

TABLETS = 4
_SAMPLE_S = 0.25


def measure(scale: Scale) -> Measures:
    """Load a server for the minutes asked for; sample the resident set of its largest worker."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        url = f"sqlite:///{folder / 'office.sqlite3'}"
        agents = set_up(url, TABLETS)
        server = stack.enter_context(served(url, folder))
        tablets = [
            BenchTablet(stack.enter_context(Line(server.address)), agent, takes_gzip=True) for agent in agents
        ]
        for tablet in tablets:
            tablet.enrol()
        if not server.workers():
            raise NotRunError("this machine has no /proc to read memory from")
        idle_mib = _largest_mib(server)
        load = _Load(tablets, scale, time.monotonic() + scale.memory_minutes * 60)
        samples = load.run(server)
    quarter = max(len(samples) // 4, 1)
    settled, last = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    return {
        "idle_mib": idle_mib,
        "most_mib": max(samples),
        # The last quarter against the second: the first fills caches and pools.
        "growth_mib": statistics.median(last) - statistics.median(settled),
        "minutes": scale.memory_minutes,
        "entries_per_s": load.entries / (scale.memory_minutes * 60),
    }


def _largest_mib(server: Served) -> float:
    return max(resident_mib(pid) for pid in server.workers())


class _Load:
    """Tablets that push whole batches and pull what came, until the time is over."""

    def __init__(self, tablets: list[BenchTablet], scale: Scale, until_s: float) -> None:
        self._tablets, self._scale, self._until_s = tablets, scale, until_s
        self._guard = threading.Lock()
        self._failures: list[Exception] = []
        self.entries = 0

    def run(self, server: Served) -> list[float]:
        """Run until the time is over; return samples of the largest worker, in MiB."""
        threads = [threading.Thread(target=self._one, args=(tablet,)) for tablet in self._tablets]
        for thread in threads:
            thread.start()
        samples = [_largest_mib(server)]
        while any(thread.is_alive() for thread in threads):
            time.sleep(_SAMPLE_S)
            samples.append(_largest_mib(server))
        if self._failures:
            raise self._failures[0]
        return samples

    def _one(self, tablet: BenchTablet) -> None:
        batch = self._scale.large_batch
        try:
            households = seed_households(tablet, batch, batch)
            # One batch at least, however long the seeding took.
            is_over = False
            while not is_over:
                visits = [tablet.visit(household) for household in households]
                reply = tablet.line.send(tablet.sync_request(visits, pulls=True))
                require_applied(reply)
                tablet.take_in(reply)
                with self._guard:
                    self.entries += len(visits)
                is_over = time.monotonic() >= self._until_s
        except Exception as error:  # noqa: BLE001 - told to the thread that started this one
            self._failures.append(error)


PART = Part(
    "memory",
    "SQLite, one process; 4 tablets that push 500 a batch and pull 1,000 a page without a pause;"
    " resident set of the worker, pages shared with its parent included",
    measure,
    repeats=False,
)
