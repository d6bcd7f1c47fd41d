"""`make bench`: push and pull of 10,000 visits over HTTP, beside the bare limit of the same run.

One server process over a SQLite file (WAL, synchronous=FULL), one kept-alive connection on
loopback, everything on: chain, signature, verdicts, records, feed, credits, progress, audit,
encryption. Prints the median of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from server.audit.changes import Actor, Change, run_change
from server.campaigns.actions import announce_campaign
from server.devices.actions import create_enrolment_code
from server.office.actions import NewArea, assign_worker, register_areas, register_worker
from server.quotas.actions import define_indicator
from server.quotas.rules import Indicator
from sync.clock import SystemClock, local_day
from sync.limits import LIMITS
from tests.bench.reference import read_seconds, replay_seconds, rows_by_table
from tests.bench.tablet import BenchTablet
from tests.support.offices import create_schema, office_environment, open_runtime

_AREA = "28249@2004-01-01"
_HOUSEHOLDS = 2000
_CAMPAIGN = 1


@dataclass(frozen=True, slots=True)
class Round:
    """One round's figures, in records a second."""

    push: float
    bare_push: float
    rows_a_visit: float
    pull: float
    bare_pull: float


def _set_up(url: str) -> str:
    """Make an office with one agent; return a one-time code."""
    create_schema(url)
    with open_runtime(url, SystemClock()) as runtime:  # type: ignore[arg-type]
        zone: ZoneInfo = runtime.config.time_zone
        today = local_day(runtime.clock.now_ms(), zone)

        def work(change: Change) -> str:
            since = date(2004, 1, 1)
            register_areas(
                change,
                [
                    NewArea("82", "Tỉnh", "province", since),
                    NewArea("815", "Huyện", "district", since, "82"),
                    NewArea("28249", "Xã", "commune", since, "815"),
                ],
            )
            worker = register_worker(change, runtime.ids, "Agent")
            change.flush()
            assign_worker(change, runtime.ids, worker, "agent", area_key=_AREA)
            announce_campaign(change, _CAMPAIGN, "Bench", "drive", today, today.replace(year=today.year + 1))
            change.flush()
            visited = Indicator("visited", "visit", is_unique=False)
            define_indicator(change, zone, visited, "Thăm hộ", "Visits")
            return create_enrolment_code(change, worker, "bench")

        return run_change(runtime.transactions, Actor("job:bench"), runtime.clock.now_ms(), work)


@contextmanager
def _server(url: str, folder: Path) -> Iterator[str]:
    environment = os.environ | office_environment(url)
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            [Path(sys.executable).with_name("tungnha"), "serve", "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "http://" in line:
                    yield line.split()[-1]
                    break
        finally:
            process.terminate()


def _pushed(tablet: BenchTablet, entries: list[str], batch: int) -> float:
    requests = [
        tablet.push_request(entries[start : start + batch]) for start in range(0, len(entries), batch)
    ]
    started = time.perf_counter()
    for request in requests:
        answer = tablet.send(request)
        if any(verdict["verdict"] != "applied" for verdict in answer["verdicts"]):
            raise SystemExit(f"not applied: {answer['verdicts'][0]}")
    return time.perf_counter() - started


def _pulled(tablet: BenchTablet) -> tuple[float, int]:
    """Pull the agent's area from the start; return the seconds and how many rows came."""
    have: dict[str, dict[str, object]] = {}
    seconds, count = 0.0, 0
    while True:
        request = tablet.pull_request(list(have.values()), LIMITS.pull_rows)
        started = time.perf_counter()
        response = tablet.http.send(request)
        seconds += time.perf_counter() - started
        answer = response.json()
        if not answer["rows"]:
            return seconds, count
        count += len(answer["rows"])
        epochs = {grant["scope"]: grant["epoch"] for grant in answer["grants"]}
        for row in answer["rows"]:
            have[row["scope"]] = {
                "scope": row["scope"],
                "epoch": epochs[row["scope"]],
                "seq": row["seq"],
                "count": 0,
                "sum": "0" * 16,
            }


def measure_round(visits: int, batch: int) -> Round:
    """Serve a fresh office, push `visits` visits in batches of `batch`, pull them, and replay them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "office.sqlite3"
        url = f"sqlite:///{path}"
        code = _set_up(url)
        with _server(url, folder) as address, httpx.Client(base_url=address, timeout=120) as http:
            tablet = BenchTablet(http)
            tablet.enrol(code)
            households = [
                tablet.entry(
                    "household_registered",
                    {"area": _AREA, "head_name": f"Hộ {n}", "address": f"{n} Ấp Bắc"},
                )
                for n in range(_HOUSEHOLDS)
            ]
            _pushed(tablet, [text for _, text in households], batch)
            before = rows_by_table(path)
            entries = [
                tablet.entry(
                    "visit_recorded",
                    {
                        "area": _AREA,
                        "household": households[n % _HOUSEHOLDS][0],
                        "disposition": "agreed",
                        "note": "Gia chủ hẹn đến cuối tháng, đang chờ lương hưu",
                        "campaign": _CAMPAIGN,
                    },
                )[1]
                for n in range(visits)
            ]
            push_s = _pushed(tablet, entries, batch)
            pull_s, pulled = _pulled(tablet)
        bare_s, rows = replay_seconds(path, before, folder / "bare.sqlite3", -(-visits // batch))
        read_s, read = read_seconds(path, f"area:{_AREA}", LIMITS.pull_rows)
    return Round(visits / push_s, visits / bare_s, rows / visits, pulled / pull_s, read / read_s)


def main() -> None:
    """Run the rounds and print their medians."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--visits", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rounds = []
    for number in range(options.rounds):
        rounds.append(measure_round(options.visits, options.batch))
        print(f"round {number + 1}: {rounds[-1]}", flush=True)  # noqa: T201
    middle = {name: statistics.median(getattr(item, name) for item in rounds) for name in Round.__slots__}
    print(  # noqa: T201
        f"push {middle['push']:,.0f} visits/s, bare limit {middle['bare_push']:,.0f}"
        f" ({middle['rows_a_visit']:.1f} rows a visit): {middle['push'] / middle['bare_push']:.1%}\n"
        f"pull {middle['pull']:,.0f} rows/s, bare read {middle['bare_pull']:,.0f}:"
        f" {middle['pull'] / middle['bare_pull']:.1%}"
    )


if __name__ == "__main__":
    main()
