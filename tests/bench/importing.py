"""A sheet of households imported by `tungnha import` while tablets sync with the server beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from server.access.actions import hash_password, open_account
from server.audit.changes import Actor, Change, run_change
from server.office.actions import assign_worker, register_worker
from server.spreadsheets import written_xlsx
from sync.clock import SystemClock
from sync.identifiers import ClockIds
from tests.bench.office import area_key, served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.bench.processes import NotRunError, resident_mib
from tests.bench.tablet import BenchTablet, require_applied
from tests.bench.wire import Line
from tests.support.offices import office_environment, open_runtime

COMMUNES = 20
_LOGIN = "bench"
_SAMPLE_S = 0.05
# Every tablet is heard every two seconds: far more often than the tablets of 20 agents would be.
_PAUSE_S = 2.0
_HEADER = ("Mã hộ", "Mã xã", "Chủ hộ", "Địa chỉ", "Ấp, khu phố", "Điện thoại", "Số người")
_ROOT = Path(__file__).parents[2]


def measure(scale: Scale) -> Measures:
    """Import the sheet as a person at the server would; sample memory, and how long each push took."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        url = f"sqlite:///{folder / 'office.sqlite3'}"
        agents = set_up(url, COMMUNES)
        _open_account(url)
        sheet = folder / "households.xlsx"
        sheet.write_bytes(written_xlsx("Hộ gia đình", _HEADER, map(_row, range(scale.import_rows))))
        server = stack.enter_context(served(url, folder))
        tablets = [
            BenchTablet(stack.enter_context(Line(server.address)), agent, takes_gzip=True)
            for agent in agents[: scale.import_tablets]
        ]
        for tablet in tablets:
            tablet.enrol()
        syncing = _Syncing(tablets)
        with syncing:
            # What the same pushes wait for on this machine anyway.
            time.sleep(scale.import_quiet_s)
            quiet_s = max(syncing.waits_s)
            syncing.waits_s.clear()
            started = time.monotonic()
            answer, most_mib = _import(url, sheet)
            took_s = time.monotonic() - started
    if answer.get("state") != "applied" or answer["added"] != scale.import_rows:
        raise AssertionError(f"the import ended as {answer.get('state')}, {answer.get('code')}")
    return {
        "import_s": took_s,
        "rows_per_s": scale.import_rows / took_s,
        "most_mib": most_mib,
        "longest_push_s": max(syncing.waits_s),
        "longest_push_before_s": quiet_s,
        "pushes": len(syncing.waits_s),
    }


def _row(number: int) -> tuple[str | int, ...]:
    return (
        f"H{number:06}",
        area_key(number % COMMUNES).partition("@")[0],
        f"Nguyễn Văn {number}",
        f"{number} Lý Thường Kiệt",
        f"Khu phố {number % 9}",
        f"09{number:08}",
        1 + number % 7,
    )


def _open_account(url: str) -> None:
    password = hash_password(os.urandom(16).hex())
    with open_runtime(url, SystemClock()) as runtime:  # type: ignore[arg-type]
        ids = ClockIds(runtime.clock)

        def work(change: Change) -> None:
            worker_id = register_worker(change, ids, "Quản trị")
            change.flush()
            assign_worker(change, ids, worker_id, "administrator")
            open_account(change, ids, worker_id, _LOGIN, password)

        run_change(runtime.transactions, Actor("job:bench"), runtime.clock.now_ms(), work)


def _import(url: str, sheet: Path) -> tuple[dict[str, object], float]:
    """Run the command; return its answer and the most memory that it held, in MiB."""
    script = "from server.cli import main; main()"
    command = [sys.executable, "-c", script, "import", "households", sheet, "--by", _LOGIN, "--json"]
    environment = {**os.environ, **office_environment(url)}
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=out, stderr=subprocess.DEVNULL)
        most = 0.0
        while process.poll() is None:
            try:
                most = max(most, resident_mib(process.pid))
            except (OSError, IndexError) as error:
                if process.poll() is None and not Path("/proc").exists():
                    process.kill()
                    process.wait()
                    raise NotRunError("this machine has no /proc to read memory from") from error
            time.sleep(_SAMPLE_S)
        out.seek(0)
        text = out.read().decode()
    return json.loads(text) if text.startswith("{") else {"state": text[:200]}, most


class _Syncing:
    """Tablets that push a visit and its household again and again; how long each push took."""

    def __init__(self, tablets: list[BenchTablet]) -> None:
        self._tablets = tablets
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failures: list[Exception] = []
        self.waits_s: list[float] = []

    def __enter__(self) -> None:
        self._threads = [threading.Thread(target=self._one, args=(tablet,)) for tablet in self._tablets]
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _one(self, tablet: BenchTablet) -> None:
        number = 0
        try:
            while not self._is_over.is_set():
                number += 1
                household, raw = tablet.household(number)
                request = tablet.sync_request([raw, tablet.visit(household)])
                started = time.monotonic()
                reply = tablet.line.send(request)
                self.waits_s.append(time.monotonic() - started)
                require_applied(reply)
                tablet.take_in(reply)
                self._is_over.wait(_PAUSE_S)
        except Exception as error:  # noqa: BLE001 - told to the thread that started this one
            self._failures.append(error)


PART = Part(
    "imports",
    "SQLite, one server process; `tungnha import households` of an XLSX sheet in a process of its own, from"
    " start to end, while tablets push two entries every two seconds; resident set of the importing process",
    measure,
    repeats=False,
)
