"""An office to measure: one province of communes, agents in them, and `tungnha serve` over it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from server.audit.changes import Actor, Change, run_change
from server.campaigns.actions import announce_campaign
from server.devices.actions import create_enrolment_code
from server.office.actions import NewArea, assign_worker, register_areas, register_worker
from server.quotas.actions import define_indicator
from server.quotas.rules import Indicator
from sync.clock import SystemClock, local_day
from sync.identifiers import ClockIds
from tests.bench.processes import NotRunError, children_of, cpu_seconds, last_lines, running
from tests.support.offices import create_schema, office_environment, open_runtime

CAMPAIGN = 1
_SINCE = date(2004, 1, 1)
_FIRST_COMMUNE = 28249
_ROOT = Path(__file__).parents[2]
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class Agent:
    """Where an agent works, and a one-time code for a tablet."""

    area: str
    code: str


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens."""

    address: str
    pid: int
    log: Path

    def workers(self) -> list[int]:
        """Return the processes that answer requests: gunicorn's master answers none."""
        return children_of(self.pid)

    def cpu_s(self) -> float:
        """Return the processor time that the workers have used; 0 where the machine does not tell."""
        return sum(map(cpu_seconds, self.workers()))


def area_key(commune: int) -> str:
    """Return the key of the commune with this number, from 0."""
    return f"{_FIRST_COMMUNE + commune}@{_SINCE.isoformat()}"


def set_up(url: str, agents: int = 1, agents_a_commune: int = 1) -> list[Agent]:
    """Make an office with one indicator and one campaign; return its agents."""
    create_schema(url)
    communes = -(-agents // agents_a_commune)
    with open_runtime(url, SystemClock()) as runtime:  # type: ignore[arg-type]
        zone: ZoneInfo = runtime.config.time_zone
        today = local_day(runtime.clock.now_ms(), zone)
        ids = ClockIds(runtime.clock)

        def work(change: Change) -> list[Agent]:
            areas = [
                NewArea("82", "Tỉnh", "province", _SINCE),
                NewArea("815", "Huyện", "district", _SINCE, "82"),
            ]
            for number in range(communes):
                code = str(_FIRST_COMMUNE + number)
                areas.append(NewArea(code, f"Xã {number}", "commune", _SINCE, "815"))
            register_areas(change, areas)
            announce_campaign(change, CAMPAIGN, "Bench", "drive", today, today.replace(year=today.year + 1))
            visited = Indicator("visited", "visit", is_unique=False)
            define_indicator(change, zone, visited, "Thăm hộ", "Visits")
            workers = [register_worker(change, ids, f"Agent {number}") for number in range(agents)]
            change.flush()
            found = []
            for number, worker in enumerate(workers):
                area = area_key(number // agents_a_commune)
                assign_worker(change, ids, worker, "agent", area_key=area)
                found.append(Agent(area, create_enrolment_code(change, worker, "bench")))
            return found

        return run_change(runtime.transactions, Actor("job:bench"), runtime.clock.now_ms(), work)


@contextmanager
def served(url: str, folder: Path, workers: int = 1) -> Iterator[Served]:
    """Serve the office on a free port, as an administrator would; stop at the end."""
    log = folder / "server.log"
    command = [sys.executable, "-c", "from server.cli import main; main()", "serve", "--port", "0"]
    variables = office_environment(url) | {"PYTHONPATH": str(_ROOT)}
    with running([*command, "--workers", str(workers)], folder, log, variables) as process:
        yield Served(_address(process, log), process.pid, log)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < until:
        found = re.search(r"Listening on (http://\S+)", log.read_text(errors="replace"))
        if found:
            return found[1]
        time.sleep(0.02)
    raise NotRunError(f"the server did not start: {last_lines(log)}")
