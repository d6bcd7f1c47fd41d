"""Push and first pull on SQLite, one process, beside the bare limit of the same round."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sync.limits import LIMITS
from tests.bench.office import Agent, served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.bench.reference import read_seconds, replay_seconds, rows_by_table
from tests.bench.tablet import BenchTablet
from tests.bench.wire import Line

_SETTINGS = (
    "SQLite WAL, synchronous=FULL; gunicorn gthread, 1 process × 32 threads; one kept-alive connection;"
    " chain, signature, verdicts, records, feed, credits, progress, audit, encryption on; requests gzip 1"
)


def seed_households(tablet: BenchTablet, households: int, batch: int) -> list[str]:
    """Register households, untimed; return their ids."""
    made = [tablet.household(number) for number in range(households)]
    tablet.push([text for _, text in made], batch)
    return [household for household, _ in made]


def push_measures(scale: Scale, batch: int) -> Measures:
    """Push the visits to a fresh office in batches of `batch`, pull everything, replay the rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "office.sqlite3"
        url = f"sqlite:///{path}"
        (agent,) = set_up(url)
        with served(url, folder) as server, Line(server.address) as line:
            tablet = BenchTablet(line, agent)
            tablet.enrol()
            households = seed_households(tablet, scale.households, batch)
            before = rows_by_table(path)
            visits = [tablet.visit(households[n % len(households)]) for n in range(scale.records)]
            idle_s = server.cpu_s()
            push_s = tablet.push(visits, batch)
            pushed_s = server.cpu_s()
            pull_s, pulled = tablet.pull()
            read_cpu_s = server.cpu_s() - pushed_s
            gzip_s = _pull_again_seconds(tablet)
        commits = -(-scale.records // batch)
        bare_s, rows = replay_seconds(path, before, folder / "bare.sqlite3", commits)
        read_s, read = read_seconds(path, _largest_scope(agent), LIMITS.pull_rows)
    return {
        "push_per_s": scale.records / push_s,
        "bare_push_per_s": scale.records / bare_s,
        "rows_a_visit": rows / scale.records,
        "pull_rows_per_s": pulled / pull_s,
        "gzip_pull_rows_per_s": pulled / gzip_s,
        "bare_pull_rows_per_s": read / read_s,
        # Processor time of the worker: what is left when other programs load the machine.
        "cpu_us_a_visit": (pushed_s - idle_s) * 1e6 / scale.records,
        "cpu_us_a_pulled_row": read_cpu_s * 1e6 / pulled,
        "entry_bytes": sum(len(text.encode()) for text in visits) / len(visits),
    }


def _pull_again_seconds(tablet: BenchTablet) -> float:
    """Return how long the same first pull takes compressed, as tablets ask for it."""
    tablet.forget_cursors()
    tablet.takes_gzip = True
    seconds, _ = tablet.pull()
    return seconds


def _largest_scope(agent: Agent) -> str:
    return f"area:{agent.area}"


def _measure_large(scale: Scale) -> Measures:
    return push_measures(scale, scale.large_batch)


def _measure_small(scale: Scale) -> Measures:
    return push_measures(scale, scale.small_batch)


PUSH = Part("push", f"500 a batch; {_SETTINGS}; pull 1,000 a page", _measure_large)
PUSH_SMALL = Part("push50", f"50 a batch; {_SETTINGS}", _measure_small)
