"""A server process for tests: starts on a free port, comes back on the same one, can be killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.offices import office_environment

_PROGRAM = Path(__file__).with_name("server_that_stops.py")
_ROOT = Path(__file__).parents[2]


class Serving:
    """One `tungnha serve` over a database; `order` says where the next push is to stop."""

    def __init__(
        self,
        database_url: str,
        folder: Path,
        options: tuple[str, ...] = ("--with-waitress",),
        **environment: str,
    ) -> None:
        self._options = options
        self.environment = os.environ | office_environment(database_url) | {"PYTHONPATH": str(_ROOT)}
        self.environment |= environment
        self.order = folder / "stop-at"
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = [sys.executable, str(_PROGRAM), str(self.order), "serve", *self._options]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            env=self.environment,
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = re.search(r"Listening on http://[^:]+:(\d+)", line)
            if found:
                self.port = int(found[1])
                # Nothing needs the rest; it must not fill the pipe.
                self._reader = threading.Thread(target=self._process.stdout.read)
                self._reader.start()
                return
        raise AssertionError(f"the server ended with {self._process.wait()}")

    def stop(self) -> None:
        """End it as an administrator would; processes below it end, too."""
        self._process.terminate()
        self._ended()

    def kill(self) -> None:
        """Kill with -9, as a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._ended()

    def _ended(self) -> None:
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def close(self) -> None:
        """Kill if it still runs."""
        if self._process.poll() is None:
            self.kill()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of `tungnha` over the same database."""
        return subprocess.run(
            [sys.executable, "-c", "from server.cli import main; main()", *arguments],
            env=self.environment,
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
