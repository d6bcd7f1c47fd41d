"""Push on PostgreSQL: several worker processes, several tablets at once, each in a commune of its own."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.office import Agent, served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.bench.processes import NotRunError, cpu_seconds
from tests.bench.pushing import seed_households
from tests.bench.tablet import BenchTablet, require_applied
from tests.bench.wire import Line, Request
from tests.support.postgres import ClusterFailedError, PostgresCluster

WORKERS = 2


@contextmanager
def durable_cluster() -> Iterator[PostgresCluster]:
    """Give a PostgreSQL that keeps what it acknowledged (fsync and full_page_writes on)."""
    try:
        cluster = PostgresCluster(durable=True)
    except (ClusterFailedError, AssertionError) as error:
        raise NotRunError(f"PostgreSQL: {error}") from error
    try:
        yield cluster
    finally:
        cluster.close()


def measure(scale: Scale) -> Measures:
    """Push the visits over several connections at once; the clock runs from first to last."""
    with tempfile.TemporaryDirectory() as name, durable_cluster() as cluster:
        url = cluster.url(cluster.new_database())
        agents = set_up(url, scale.postgres_tablets)
        with served(url, Path(name), WORKERS) as server, ExitStack() as stack:
            tablets = [_tablet(stack.enter_context(Line(server.address)), agent) for agent in agents]
            share = scale.records // len(tablets)
            requests = [_requests(tablet, share, scale) for tablet in tablets]
            before = {pid: cpu_seconds(pid) for pid in server.workers()}
            seconds = _all_at_once(tablets, requests)
            used = sorted(cpu_seconds(pid) - before[pid] for pid in server.workers())
    return {
        "push_per_s": share * len(tablets) / seconds,
        "workers": len(used),
        # 0: one worker took every connection; 1: both did the same.
        "evenness": used[0] / used[-1] if used and used[-1] else 0.0,
    }


def _tablet(line: Line, agent: Agent) -> BenchTablet:
    tablet = BenchTablet(line, agent)
    tablet.enrol()
    return tablet


def _requests(tablet: BenchTablet, records: int, scale: Scale) -> list[Request]:
    households = seed_households(
        tablet, max(scale.households // scale.postgres_tablets, 1), scale.large_batch
    )
    visits = [tablet.visit(households[n % len(households)]) for n in range(records)]
    starts = range(0, len(visits), scale.large_batch)
    return [tablet.sync_request(visits[start : start + scale.large_batch]) for start in starts]


def _all_at_once(tablets: list[BenchTablet], requests: list[list[Request]]) -> float:
    ready = threading.Barrier(len(tablets) + 1)
    failures: list[Exception] = []

    def deliver(tablet: BenchTablet, own: list[Request]) -> None:
        ready.wait()
        try:
            for request in own:
                require_applied(tablet.line.send(request))
                # Anew for each batch: four connections kept alive stay where chance put them, often
                # three on one worker, while an office's five hundred tablets even out.
                tablet.line.close()
        except Exception as error:  # noqa: BLE001 - told to the thread that started this one
            failures.append(error)

    threads = [threading.Thread(target=deliver, args=pair) for pair in zip(tablets, requests, strict=True)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures:
        raise failures[0]
    return seconds


PART = Part(
    "postgres",
    f"embedded PostgreSQL, fsync on; `tungnha serve --workers {WORKERS}`, gthread × 32 threads;"
    " 4 tablets in 4 communes push 500 a batch at once, over 4 connections made anew for each batch",
    measure,
)
