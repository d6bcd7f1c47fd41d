"""Five o'clock: every tablet of an office comes home and syncs, again and again, at a given rate.

The load is open: a sync is due at its time whether or not earlier ones have been answered, and its
latency counts from when it was due, so that a slow server cannot hide by slowing its clients.
"""

from __future__ import annotations

import http.client
import queue
import statistics
import tempfile
import threading
import time
from pathlib import Path

from tests.bench.office import Agent, served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.bench.processes import resident_mib
from tests.bench.tablet import BenchTablet, require_applied
from tests.bench.wire import Line, RefusedError

ENTRIES = 30
_AGENTS_A_COMMUNE = 5
_CONNECTIONS = 48


def measure(scale: Scale) -> Measures:
    """Bring the tablets home; return rate, latency and failures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'office.sqlite3'}"
        agents = set_up(url, scale.load_tablets, _AGENTS_A_COMMUNE)
        with served(url, folder) as server:
            evening = _Evening(server.address, agents)
            seconds = evening.run(scale.load_entries_per_s / ENTRIES, scale.load_minutes * 60)
            most_mib = max((resident_mib(pid) for pid in server.workers()), default=0.0)
    latencies_s = sorted(evening.latencies_s)
    if not latencies_s:
        raise RefusedError(f"no sync was answered: {evening.failures[:1]}")
    return {
        "asked_entries_per_s": scale.load_entries_per_s,
        "entries_per_s": len(latencies_s) * ENTRIES / seconds,
        "failed": len(evening.failures),
        "median_s": statistics.median(latencies_s),
        "p95_s": latencies_s[int(len(latencies_s) * 0.95)],
        "worker_mib": most_mib,
        "minutes": scale.load_minutes,
    }


class _Evening:
    """All tablets, the syncs that are due, and what became of them."""

    def __init__(self, address: str, agents: list[Agent]) -> None:
        self._address = address
        self._tablets = [BenchTablet(Line(address), agent, takes_gzip=True) for agent in agents]
        self._households: list[str] = []
        with Line(address) as line:
            for tablet in self._tablets:
                tablet.line = line
                tablet.enrol()
                household, text = tablet.household(1)
                tablet.push([text], 1)
                tablet.pull()
                self._households.append(household)
        # A tablet never runs two syncs of its journal at once.
        self._turns = [threading.Lock() for _ in self._tablets]
        self._due: queue.Queue[tuple[float, int] | None] = queue.Queue()
        self.latencies_s: list[float] = []
        self.failures: list[str] = []

    def run(self, syncs_per_s: float, minutes_s: float) -> float:
        """Make syncs due at an even rate, tablet after tablet; return the seconds until all are done."""
        threads = [threading.Thread(target=self._connection) for _ in range(_CONNECTIONS)]
        for thread in threads:
            thread.start()
        started = time.monotonic()
        for number in range(max(int(syncs_per_s * minutes_s), 1)):
            due_s = started + number / syncs_per_s
            time.sleep(max(due_s - time.monotonic(), 0))
            self._due.put((due_s, number % len(self._tablets)))
        for _ in threads:
            self._due.put(None)
        for thread in threads:
            thread.join()
        return time.monotonic() - started

    def _connection(self) -> None:
        line = Line(self._address)
        while (item := self._due.get()) is not None:
            due_s, number = item
            tablet = self._tablets[number]
            with self._turns[number]:
                tablet.line = line
                visits = [tablet.visit(self._households[number]) for _ in range(ENTRIES)]
                try:
                    reply = line.send(tablet.sync_request(visits, pulls=True))
                    self.latencies_s.append(time.monotonic() - due_s)
                    require_applied(reply)
                    tablet.take_in(reply)
                except (RefusedError, OSError, http.client.HTTPException) as error:
                    self.failures.append(f"{type(error).__name__}: {error}")
                    line.close()
        line.close()


PART = Part(
    "load",
    "SQLite, one process; 500 tablets, 5 in a commune; each sync 30 visits up and what is new down, answers"
    " gzip; open load over 48 connections, latency from when a sync was due; the tablets run on the same"
    " two cores",
    measure,
    repeats=False,
)
