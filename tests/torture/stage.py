"""The stage of one part: an office over a real database, its server process, and its tablets."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy import create_engine

from server.access.actions import hash_password, open_account
from server.audit.changes import Actor, Change, run_change
from server.campaigns.actions import announce_campaign
from server.config import read_config
from server.demo.processes import SERVER_COMMAND, child_environment, free_port
from server.devices.actions import create_enrolment_code
from server.migrations import upgrade
from server.office.actions import NewArea, assign_worker, register_areas, register_worker
from server.quotas.actions import define_indicator
from server.quotas.rules import Indicator
from sync.clock import SystemClock
from tests.support.offices import import_all_models, office_environment, open_runtime
from tests.support.postgres import PostgresCluster
from tests.support.staff import PASSWORD
from tests.torture.agent import DRIVE
from tests.torture.witness import Testimony, Witnesses, WitnessFile

DATABASES = ("sqlite", "postgresql")
LOGIN = "giamsat"
BUSY_MS = 4_000
_ROOT = Path(__file__).parents[2]
_SINCE = date(2004, 1, 1)
_ACTOR = Actor("job:test")
_ANSWER_S = 240.0
_START_S = 90.0


class AgentGoneError(Exception):
    """A tablet's process ended without being told to."""


class Server:
    """`tungnha serve` in a process group of its own, on one port, killed and started at will."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment, self._log = child_environment(environment), log
        self.port = free_port(0)
        self.url = f"http://127.0.0.1:{self.port}"
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=30, verify=False)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start, and wait until it is ready. Raises AssertionError."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*SERVER_COMMAND, "serve", "--port", str(self.port), *options],
                cwd=_ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it answers that it can serve. Raises AssertionError."""
        until_s = time.monotonic() + _START_S
        while time.monotonic() < until_s and self._process is not None and self._process.poll() is None:
            with suppress(httpx.HTTPError):
                if self._http.get("/readyz").status_code == 200:
                    return
            time.sleep(0.03)
        raise AssertionError(f"the server did not start; see {self._log}")

    def worker(self) -> int:
        """Return the id of the process that answers requests."""
        assert self._process is not None
        master = self._process.pid
        while not (children := Path(f"/proc/{master}/task/{master}/children").read_text().split()):
            time.sleep(0.01)
        return int(children[0])

    def kill_worker(self) -> None:
        """Kill the process that answers with -9; the one above it starts another."""
        worker = self.worker()
        os.kill(worker, signal.SIGKILL)
        while Path(f"/proc/{worker}").exists():
            time.sleep(0.005)

    def kill(self) -> None:
        """Kill all of it with -9."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill it if it runs."""
        self.kill()
        self._http.close()


class TabletProcess:
    """A tablet's home directory and the process that has it open, if any does."""

    def __init__(self, home: Path, witnesses: Path, log: Path) -> None:
        self.home, self._witnesses, self._log = home, witnesses, log
        self.saved: set[str] = set()
        self.is_busy = False
        self._lives = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def is_running(self) -> bool:
        """Return whether a process has it open."""
        return self._process is not None

    def start(self) -> None:
        """Start a process over the home directory."""
        self._lives += 1
        arguments = (self.home, self._witnesses, f"{self.home.name}-{self._lives}")
        with self._log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.torture.agent", *map(str, arguments)],
                cwd=_ROOT,
                env=child_environment({}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self.until("ready")

    def do(self, what: str, **members: Any) -> dict[str, Any]:
        """Tell it what to do and return what came of it. Raises AgentGoneError."""
        self.tell(what, **members)
        return self.until("done")

    def tell(self, what: str, **members: Any) -> None:
        """Tell it what to do and do not wait."""
        assert self._process is not None
        assert self._process.stdin is not None
        self.is_busy = True
        try:
            self._process.stdin.write(json.dumps({"do": what, **members}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise AgentGoneError(self.home.name) from error

    def until(self, member: str) -> dict[str, Any]:
        """Return the next event with this member; what it says is saved is kept in mind."""
        while (event := self._next(_ANSWER_S)) is not None:
            if member in event:
                return event
        raise AgentGoneError(f"{self.home.name}: see {self._log}")

    def _next(self, seconds: float) -> dict[str, Any] | None:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return None
        return self._heard(line) if line.endswith(b"\n") else None

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _heard(self, line: bytes) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(line)
        self.is_busy = self.is_busy and "done" not in event
        self.saved.update(event.get("saved", ()))
        return event

    def kill(self) -> None:
        """Kill with -9; what it had said before is still heard."""
        if self._process is None:
            return
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        while not self._lines.empty() and (line := self._lines.get()).endswith(b"\n"):
            self._heard(line)
        with suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process, self.is_busy = None, False


class Stage:
    """An office on one database, with a server process that the part may do anything to."""

    def __init__(self, url: str, folder: Path, cluster: PostgresCluster | None) -> None:
        self.url, self.folder, self.cluster = url, folder, cluster
        self.database = "postgresql" if cluster is not None else "sqlite"
        self.witnesses = folder / "witnesses"
        self.witnesses.mkdir()
        self.log = folder / "server.log"
        self.environment = office_environment(url) | {
            "TUNGNHA_BUSY_TIMEOUT_MS": str(BUSY_MS),
            "TUNGNHA_DESK_JOURNAL": str(folder / "office.desk"),
        }
        self.config = read_config(self.environment)
        self._testimony = Witnesses(self.witnesses, self.config.office_key.public)
        self.agents: list[str] = []
        self.tablets: list[TabletProcess] = []
        self._set_up()
        self.server = Server(self.environment, self.log)

    @property
    def file(self) -> Path:
        """Return the SQLite file."""
        return Path(self.url.removeprefix("sqlite:///"))

    def testimony(self) -> Testimony:
        """Return what the witnesses have written down by now."""
        return self._testimony.read()

    def _set_up(self) -> None:
        import_all_models()
        engine = create_engine(self.url)
        upgrade(engine)
        engine.dispose()
        self._changed(self._office)

    def _changed(self, work: Any) -> Any:
        with open_runtime(self.url, SystemClock()) as runtime:
            self._runtime = runtime
            return run_change(runtime.transactions, _ACTOR, runtime.clock.now_ms(), work)

    def _office(self, change: Change) -> None:
        ids = self._runtime.ids
        areas = [("82", "province", None), ("815", "district", "82")]
        areas += [(code, "commune", "815") for code in ("28249", "28252", "28255")]
        register_areas(change, [NewArea(code, code, level, _SINCE, above) for code, level, above in areas])
        self.agents = [register_worker(change, ids, name) for name in ("An", "Bình", "Cúc")]
        chief = register_worker(change, ids, "Giám sát")
        change.flush()
        for agent in self.agents:
            assign_worker(change, ids, agent, "agent", area_key="815@2004-01-01")
        assign_worker(change, ids, chief, "supervisor")
        open_account(change, ids, chief, LOGIN, hash_password(PASSWORD))
        announce_campaign(change, DRIVE, "Vận động", "drive", date(2020, 1, 1), date(2040, 12, 31))
        change.flush()
        for code, kind in (("enrolled", "enrolment"), ("visited", "visit")):
            scheme = {"scheme": "voluntary", "credited_when": "paid"} if kind == "enrolment" else {}
            define_indicator(change, self.config.time_zone, Indicator(code, kind, **scheme), code, code)

    def code(self, agent: int = 0) -> str:
        """Return a one-time code for a tablet of an agent."""
        worker = self.agents[agent]
        found: str = self._changed(lambda change: create_enrolment_code(change, worker, "test"))
        return found

    def tablet(
        self, name: str, agent: int = 0, server: str | None = None, home: Path | None = None
    ) -> TabletProcess:
        """Return an enrolled tablet in a process of its own; the server must be running."""
        tablet = TabletProcess(home or self.folder / name, self.witnesses, self.folder / f"{name}.log")
        self.tablets.append(tablet)
        tablet.do("enrol", server=server or self.server.url, code=self.code(agent))
        return tablet

    def witness(self, name: str) -> WitnessFile:
        """Return a witness for a line of this process."""
        return WitnessFile(self.witnesses, name)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of `tungnha` over the same database."""
        return subprocess.run(
            [*SERVER_COMMAND, *arguments],
            env=child_environment(self.environment),
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def close(self) -> None:
        """Kill whatever still runs."""
        for tablet in self.tablets:
            tablet.kill()
        self.server.close()


def _database_on(cluster: PostgresCluster, folder: Path | None) -> str:
    """Create a database, its tables in `folder` where one is named; the cluster's log stays where it is."""
    name = cluster.new_database()
    if folder is None:
        return name
    place = folder / "tables"
    place.mkdir()
    shutil.chown(place, user="nobody")
    with psycopg.connect(
        f"host={cluster.folder} user=postgres dbname=postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        connection.execute(f'ALTER DATABASE "{name}" SET TABLESPACE small')
    return name


@contextmanager
def staged(database: str, folder: Path | None = None) -> Iterator[Stage]:
    """Give a stage on a fresh office. `folder` is where the SQLite file lies, where that matters."""
    with ExitStack() as closing:
        temporary = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="tungnha-torture-")))
        cluster = None
        url = f"sqlite:///{(folder or temporary) / 'office.sqlite3'}"
        if database == "postgresql":
            cluster = PostgresCluster(durable=True)
            closing.callback(cluster.close)
            url = cluster.url(_database_on(cluster, folder))
        stage = Stage(url, temporary, cluster)
        closing.callback(stage.close)
        yield stage
