"""The processes of the demo: the server, the tablets and the recount. Each is ended by who started it.

All are sessions of their own, so that Ctrl-C reaches the demo alone, which then ends them in order.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx

SERVER_COMMAND = (sys.executable, "-c", "from server.cli import main; main()")
_START_S = 60.0
_STOP_S = 15.0
_ANSWER_S = 240.0


class DemoFailedError(Exception):
    """The demo cannot go on; the message says what happened."""


def free_port(wanted: int) -> int:
    """Return `wanted` if nobody listens there, otherwise any free port of this machine."""
    for port in (wanted, 0):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise DemoFailedError("no free port")


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: this one's, with these `TUNGNHA_*` and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TUNGNHA_")}
    return {**inherited, **environment, "PYTHONUNBUFFERED": "1"}


class ServerProcess:
    """`tungnha serve` in a process group of its own, restarted at will on the same port."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], port: int, log: Path) -> None:
        self._command = [*command, "serve", "--port", str(port)]
        self._environment = child_environment(environment)
        self._log = log
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers. Raises DemoFailedError."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command, or a test's
                self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            if self._process.poll() is not None:
                break
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            time.sleep(0.05)
        raise DemoFailedError(f"the server did not start; see {self._log}")

    def freeze(self) -> None:
        """Stop every process of the server where it stands."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill every process of the server with SIGKILL."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(_STOP_S)

    def stop(self) -> None:
        """End it in peace, or without."""
        if self._process is None or self._process.poll() is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


class Tablet:
    """One field client in a process of its own, led by JSON lines. Use from one thread."""

    def __init__(self, home: Path, clock_path: Path, log: Path) -> None:
        self.home = home
        environment = child_environment({"TUNGNHA_DEMO_CLOCK": str(clock_path)})
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-m", "field_client.demo_agent", str(home)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def do(self, what: str, **members: Any) -> dict[str, Any]:
        """Send a command and return what came of it. Raises DemoFailedError."""
        return self.until("done", self.tell(what, **members))

    def tell(self, what: str, **members: Any) -> list[dict[str, Any]]:
        """Send a command and do not wait; returns where `until` collects what was heard before."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": what, **members}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise DemoFailedError(f"tablet {self.home.name} is gone") from error
        return []

    def until(self, member: str, heard: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the next event with this member, with earlier ones under "heard"."""
        assert self._process.stdout is not None
        while True:
            ready, _, _ = select.select([self._process.stdout], [], [], _ANSWER_S)
            line = self._process.stdout.readline() if ready else b""
            if not line:
                raise DemoFailedError(f"tablet {self.home.name} does not answer")
            event: dict[str, Any] = json.loads(line)
            if member in event:
                return {**event, "heard": heard}
            heard.append(event)

    def kill(self) -> tuple[int, bytes]:
        """Kill with SIGKILL; return the exit status and what it still said."""
        self._process.kill()
        assert self._process.stdout is not None
        left = self._process.stdout.read()
        return self._process.wait(_STOP_S), left

    def abort(self) -> None:
        """Kill the process while another thread may still be listening to it."""
        self._process.kill()
        self._process.wait(_STOP_S)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._process.stdout.close()


def recount_homes(homes: Sequence[Path]) -> dict[str, Any]:
    """Run the recount over the tablets' files in a process of its own."""
    done = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "field_client.recount", *map(str, homes)],
        capture_output=True,
        check=False,
        env=child_environment({}),
    )
    if done.returncode != 0:
        raise DemoFailedError(f"the recount failed: {done.stderr.decode(errors='replace')[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class KillInTransaction:
    """Waits until the server is inside a writing transaction, kills it there and starts it again.

    The proof: with the whole server frozen, nobody else can begin to write, so the lock is held by
    a transaction that will never end.
    """

    def __init__(self, server: ServerProcess, database: Path) -> None:
        self._server = server
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.is_done = False
        self.error: Exception | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def finish(self) -> bool:
        """Stop watching; return whether the server was killed inside a transaction."""
        self._stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error
        return self.is_done

    def _watch(self) -> None:
        try:
            while not self._stop.is_set() and not self.is_done:
                if self._is_being_written():
                    self._server.freeze()
                    if self._is_being_written():
                        self._server.kill()
                        self._server.start()
                        self.is_done = True
                    else:
                        self._server.thaw()
                time.sleep(0.002)
        except Exception as error:  # noqa: BLE001  # raised again in `finish`, in the demo's thread
            self.error = error

    def _is_being_written(self) -> bool:
        with closing(sqlite3.connect(self._database, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
            return False
