"""Tablets of the fund's agents: each a process of its own, forked from one that has the client loaded."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from server.demo.processes import DemoFailedError, child_environment

_ANSWER_S = 240.0
_STOP_S = 15.0


class Nursery:
    """Starts tablets; any thread may ask for one."""

    def __init__(self, log: Path) -> None:
        self._guard = threading.Lock()
        self._requests, theirs = socket.socketpair()
        with theirs, log.open("ab") as errors:
            self._process = subprocess.Popen(  # our own module
                [sys.executable, "-m", "field_client.demo_nursery"],
                env=child_environment({}),
                stdin=theirs.fileno(),
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )

    def tablet(self, home: Path, clock_path: Path) -> FundTablet:
        """Start the tablet of a home, whose clock is the file at `clock_path`. Raises DemoFailedError."""
        mine, theirs = socket.socketpair()
        request = json.dumps({"home": str(home), "clock": str(clock_path)}).encode()
        with theirs, self._guard:
            try:
                socket.send_fds(self._requests, [request], [theirs.fileno()])
                is_born = self._requests.recv(1) == b"+"
            except OSError:
                is_born = False
        if not is_born:
            raise DemoFailedError("no more tablets can be started")
        return FundTablet(home, mine)

    def close(self) -> None:
        """End the nursery, and the tablets that are still there."""
        self._requests.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)


class FundTablet:
    """One tablet, led by JSON lines. Use from one thread."""

    def __init__(self, home: Path, line: socket.socket) -> None:
        self._home = home
        self._line = line
        self._answers = line.makefile("rb")

    def do(self, what: str, **members: Any) -> dict[str, Any]:
        """Send a command and return what came of it, events before it under "heard".

        Raises DemoFailedError.
        """
        heard: list[dict[str, Any]] = []
        try:
            self._line.sendall(json.dumps({"do": what, **members}).encode() + b"\n")
        except OSError as error:
            raise DemoFailedError(f"tablet {self._home.name} is gone") from error
        while True:
            ready, _, _ = select.select([self._line], [], [], _ANSWER_S)
            line = self._answers.readline() if ready else b""
            if not line:
                raise DemoFailedError(f"tablet {self._home.name} does not answer")
            event: dict[str, Any] = json.loads(line)
            if "done" in event:
                return {**event, "heard": heard}
            heard.append(event)

    def close(self) -> None:
        """End the tablet."""
        self._answers.close()
        self._line.close()
