"""Server processes of a benchmark: started, waited for, watched, and always ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_START_S = 60.0
_STOP_S = 15.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class NotRunError(Exception):
    """A part cannot run on this machine; the message says why."""


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def program(name: str) -> str:
    """Return where a program of the machine is. Raises NotRunError."""
    found = shutil.which(name)
    if found is None:
        raise NotRunError(f"{name} is not installed")
    return found


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, log: Path, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` in `folder` with everything that it says in `log`; end it at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_listener(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until `port` accepts. Raises NotRunError when the process ends or takes too long."""
    until = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise NotRunError(f"did not start: {last_lines(log)}")


def last_lines(log: Path) -> str:
    """Return the errors that a log names, or else its end, in one line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join([line for line in lines if "Error" in line][-2:] or lines[-3:])[:400]


def children_of(pid: int) -> list[int]:
    """Return the processes that `pid` started; empty where the machine has no /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = _stat_fields(int(entry.name))
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.name))
    return sorted(found)


def resident_mib(pid: int) -> float:
    """Return the resident set of a process, in MiB, pages shared with its parent included."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * _PAGE_BYTES / 2**20


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = _stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may hold blanks: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
