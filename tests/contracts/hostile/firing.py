"""Shoots at a server process, checks every answer, and weighs the process before and after."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from sync.clock import SystemClock
from tests.contracts.hostile.checking import FAMILIES, RECEIPTS, Report, faults_of
from tests.contracts.hostile.lanes import Family, Lane, Shot
from tests.contracts.hostile.line import Line
from tests.end_to_end.serving import Serving
from tests.support.office_checks import problems_of
from tests.support.raw_tablet import ENROLMENTS, SYNC
from tests.support.small_office import SmallOffice, small_office

_LANES = 2
# Each of the server's 32 threads has met a heavy body by then; its allocator keeps what that took.
_WARM = 600
_PART = 2_500
_WEIGHTS = [family.weight for family in FAMILIES]
_OPERATIONS = {(SYNC, "post"), (ENROLMENTS, "post"), (RECEIPTS + "{digits}", "get")}


def aimed(seed: int, number: int, lane: Lane) -> tuple[Family, Shot]:
    """Return the body of a number: each family once at first, then by weight."""
    rng = Random(f"{seed}/{number}")
    family = FAMILIES[number] if number < len(FAMILIES) else rng.choices(FAMILIES, _WEIGHTS)[0]
    lane.rng = Random(f"{seed}/{number}/lane")
    return family, family.make(rng, lane)


class Range:
    """The office, its server process, and lanes of hostile tablets."""

    def __init__(self, office: SmallOffice, serving: Serving, seed: int) -> None:
        self.office, self.serving, self.seed = office, serving, seed
        self.report = Report()
        self._lock = threading.Lock()
        self._lines = [Line(serving.port) for _ in range(_LANES)]
        self._lanes = [Lane(Random(f"{seed}/lane {n}"), self._code) for n in range(_LANES)]
        self._declared = self._read_declared()

    def _code(self) -> str:
        with self._lock:
            return self.office.enrolment_code("an")

    def _read_declared(self) -> dict[str, frozenset[int]]:
        """Return the statuses that the server's own OpenAPI document declares, by path."""
        heard = self._lines[0].send(Shot("/api/v1/openapi.json", b"", {}, method="GET"))
        self._lines[0].close()
        return {
            path: frozenset(int(status) for status in operation["responses"] if status.isdecimal())
            for path, item in heard.content["paths"].items()
            for method, operation in item.items()
            if (path, method) in _OPERATIONS
        }

    def fire(self, first: int, last: int) -> None:
        """Shoot the bodies numbered from `first` up to before `last`; each lane takes its share in order."""
        threads = [
            threading.Thread(target=self._fire_lane, args=(n, range(first + n, last, _LANES)))
            for n in range(_LANES)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _fire_lane(self, lane_number: int, numbers: range) -> None:
        lane, line = self._lanes[lane_number], self._lines[lane_number]
        try:
            for number in numbers:
                while lane.is_lost:
                    shot = lane.renew()
                    heard = line.send(shot)
                    assert heard.status == 200, f"enrolling: {heard.status} {heard.body[:200]!r}"
                    lane.take(shot, heard.status, heard.content)
                self._fire_one(number, lane, line)
        except Exception as error:  # noqa: BLE001  # a thread's exception would be lost
            self._note(f"lane {lane_number}: {type(error).__name__}: {error}")
        finally:
            line.close()

    def _fire_one(self, number: int, lane: Lane, line: Line) -> None:
        family, shot = aimed(self.seed, number, lane)
        heard = line.send(shot)
        content = heard.content
        lane.take(shot, heard.status, content)
        faults = list(faults_of(family, shot, heard, self._declared))
        with self._lock:
            self.report.statuses[family.name][heard.status] += 1
            if heard.status == 200 and shot.entries:
                decisions = [verdict["verdict"] for verdict in content["verdicts"][:-1]]
                self.report.verdicts[family.name].update(decisions)
        for fault in faults:
            self._note(f"body {number} of seed {self.seed}, {family.name}: {fault}; {heard.body[:200]!r}")

    def _note(self, fault: str) -> None:
        with self._lock:
            self.report.faults.append(fault)


def processes_below(pid: int) -> list[int]:
    """Return the ids of a process's children and of theirs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [found for child in map(int, children) for found in (child, *processes_below(child))]


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process and of all below it, in KiB."""
    total = 0
    for each in (pid, *processes_below(pid)):
        lines = Path(f"/proc/{each}/status").read_text("ascii").splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total


@contextmanager
def a_range(folder: Path, seed: int, database_url: str | None = None) -> Iterator[Range]:
    """Give an office with a server process as it runs in production."""
    url = database_url or f"sqlite:///{folder / 'office.sqlite3'}"
    with small_office(url, SystemClock()) as office:  # type: ignore[arg-type]
        # No 503 because the machine is busy with other things: a wait that long is another test's.
        serving = Serving(url, folder, options=(), TUNGNHA_BUSY_TIMEOUT_MS="100000")
        try:
            yield Range(office, serving, seed)
        finally:
            serving.stop()
            office.runtime.transactions.engine.dispose()


def run(
    folder: Path,
    bodies: int,
    seed: int,
    database_url: str | None = None,
    tell: Callable[[str], object] = lambda _line: None,
) -> Report:
    """Shoot `bodies` of them and report; the first part warms the server up. `tell` hears of each part."""
    with a_range(folder, seed, database_url) as firing:
        report, pid = firing.report, firing.serving.pid
        report.before_kib, processes = resident_kib(pid), processes_below(pid)
        started = time.monotonic()
        warm = max(bodies // 20, min(_WARM, bodies // 2))
        firing.fire(0, warm)
        report.warm_kib = resident_kib(pid)
        tell(f"{warm:,} bodies, {report.warm_kib:,} KiB resident, warm")
        for first in range(warm, bodies, _PART):
            firing.fire(first, min(first + _PART, bodies))
            report.end_kib = resident_kib(pid)
            told = [f"{report.shot:,} bodies, {report.end_kib:,} KiB, {len(report.faults)} faults"]
            tell("\n".join(told + report.faults[-3:]))
        report.seconds = time.monotonic() - started
        if processes_below(pid) != processes:
            report.faults.append("the process that serves did not outlive it")
        report.faults += problems_of(firing.office)
    return report
