"""Many new tablets at once: each pulls the whole commune, as on the morning of a launch."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench.office import served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.bench.pushing import seed_households
from tests.bench.tablet import BenchTablet
from tests.bench.wire import Line, RefusedError


def measure(scale: Scale) -> Measures:
    """Let all tablets begin their first sync at the same moment; return how long they waited."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        url = f"sqlite:///{folder / 'office.sqlite3'}"
        agents = set_up(url, scale.first_syncs + 1, scale.first_syncs + 1)
        server = stack.enter_context(served(url, folder))
        tablets = [
            BenchTablet(stack.enter_context(Line(server.address)), agent, takes_gzip=True) for agent in agents
        ]
        for tablet in tablets:
            tablet.enrol()
        writer, *readers = tablets
        seed_households(writer, scale.first_sync_rows, scale.large_batch)
        seconds, rows = _all_at_once(readers)
    return {
        "median_s": statistics.median(seconds),
        "slowest_s": max(seconds),
        "rows_per_s": sum(rows) / max(seconds),
        "rows_a_tablet": sum(rows) / len(rows),
    }


def _all_at_once(tablets: list[BenchTablet]) -> tuple[list[float], list[int]]:
    ready = threading.Barrier(len(tablets))
    done: list[tuple[float, int]] = []

    def first_sync(tablet: BenchTablet) -> None:
        ready.wait()
        started = time.perf_counter()
        _, rows = tablet.pull()
        done.append((time.perf_counter() - started, rows))

    threads = [threading.Thread(target=first_sync, args=(tablet,)) for tablet in tablets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(done) != len(tablets):
        raise RefusedError(f"{len(tablets) - len(done)} first syncs failed; their threads said why")
    return [seconds for seconds, _ in done], [rows for _, rows in done]


PART = Part(
    "first-syncs",
    "100 tablets of one commune × 5,000 households at once, 1,000 a page, answers gzip; SQLite, one process."
    " The tablets (signing, inflating, reading) run on the same two cores",
    measure,
    repeats=False,
)
