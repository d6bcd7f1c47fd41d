"""Part 2: the k-th system call of a push fails, for every k until a push goes through untouched.

strace makes the calls fail (EIO, ENOSPC) or kills at them. On SQLite they are the server's own, on
the database's files; on PostgreSQL the server's talk with the database and the backends' files.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import create_engine, text

from tests.torture.checking import check
from tests.torture.hand import Answer, Hand
from tests.torture.report import Row
from tests.torture.stage import Stage, staged

# With as many cycles as this every k is tried; with fewer only some, ever further apart.
EVERY_K_FROM_CYCLES = 100
FEW_CYCLES = 10
_K_MOST = 1000
# How long the same push is sent again, and how long is waited in between: ever longer.
_AGAIN_S, _WAIT_FIRST_S, _WAIT_MOST_S = 30.0, 0.02, 0.5
_ATTACH_S, _DETACH_S, _DYING_S = 20.0, 2.0, 0.15


@dataclass(frozen=True)
class Fault:
    """A system call and what becomes of it."""

    call: str
    what: str

    @property
    def name(self) -> str:
        """Return how the table calls it."""
        return f"{self.call} {self.what}"

    def expression(self, k: int) -> str:
        """Return strace's expression for the k-th call."""
        effect = "signal=SIGKILL" if self.what == "kill" else f"error={self.what}"
        return f"inject={self.call}:{effect}:when={k}"


_FILES = tuple(
    Fault(call, what)
    for call, what in (
        *(("pwrite64", what) for what in ("EIO", "ENOSPC", "kill")),
        *(("fdatasync", what) for what in ("EIO", "ENOSPC", "kill")),
        *(("pread64", what) for what in ("EIO", "kill")),
        *(("ftruncate", what) for what in ("EIO", "ENOSPC", "kill")),
        *(("openat", what) for what in ("EIO", "ENOSPC", "kill")),
    )
)
# Only what a line to the database can do. A failing `sendto` on a living socket is none of it: libpq
# then waits for the other end's last words.
_TALK = (
    Fault("recvfrom", "EIO"),
    Fault("recvfrom", "ECONNRESET"),
    Fault("recvfrom", "kill"),
    Fault("sendto", "kill"),
)


def reason_not_to_run() -> str | None:
    """Return why this machine cannot trace; None where it can."""
    if shutil.which("strace") is None:
        return "no strace"
    tried = subprocess.run(
        ["strace", "-f", "-e", "trace=write", "-e", "inject=write:error=EIO:when=1", "echo", "x"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if "INJECTED" in tried.stderr else "strace may not trace here"


@contextmanager
def failing(pids: list[int], fault: Fault, k: int, paths: list[Path], log: Path) -> Iterator[None]:
    """Let the k-th call of each thread of the processes fail while the block runs."""
    log.unlink(missing_ok=True)
    command = ["strace", "-f", "-o", str(log), "-e", f"trace={fault.call}", "-e", fault.expression(k)]
    command += [part for path in paths for part in ("-P", str(path))]
    command += [part for pid in pids for part in ("-p", str(pid))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as tracing:
        assert tracing.stderr is not None
        for _ in pids:
            said = tracing.stderr.readline()
            assert b"attached" in said, said
        try:
            yield
        finally:
            if fault.what != "kill" or not _is_one_gone(pids):
                tracing.send_signal(signal.SIGINT)
            # Of dead threads it hears by itself. Told to let go of one that is dying it may wait for ever.
            try:
                tracing.wait(_DETACH_S)
            except subprocess.TimeoutExpired:
                tracing.kill()


def _is_one_gone(pids: list[int]) -> bool:
    """Return whether one of the processes is dead, or dies within a moment."""
    until_s = time.monotonic() + _DYING_S
    while not any(_is_dead(pid) for pid in pids):
        if time.monotonic() > until_s:
            return False
        time.sleep(0.01)
    return True


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def has_fired(fault: Fault, log: Path, pids: list[int]) -> bool:
    """Return whether the call was reached."""
    if fault.what == "kill":
        return any(_is_dead(pid) for pid in pids)
    return "(INJECTED)" in (log.read_text(errors="replace") if log.exists() else "")


class FailingCalls:
    """Pushes over one stage, each with one failing call, each sent again until it is taken."""

    def __init__(self, stage: Stage, row: Row, cycles: int, seed: int) -> None:
        self._stage, self._row, self._cycles = stage, row, cycles
        self._chance = random.Random(f"{seed} calls")
        self._log = stage.folder / "strace.log"
        stage.server.start("--workers", "1")
        self._hand = Hand(stage, "hand")
        self._require_taken(self._hand.send(self._hand.push(self._hand.door())), "the first push")

    def walk(self, fault: Fault, *, on_backends: bool = False) -> None:
        """Let k grow until a push does not reach the k-th call any more."""
        k = 1
        while k <= _K_MOST and not self._row.wrong:
            if not self._one(fault, k, on_backends):
                return
            self._row.cycles += 1
            self._row.fired[f"{fault.name}{' in a backend' if on_backends else ''}"] += 1
            k += self._step(k)

    def _step(self, k: int) -> int:
        """Return how many k are left out, more of them the fewer cycles there are."""
        if self._cycles >= EVERY_K_FROM_CYCLES:
            return 1
        return self._chance.randint(1, 2 * k) if self._cycles >= FEW_CYCLES else 7 * k

    def _one(self, fault: Fault, k: int, on_backends: bool) -> bool:
        stage = self._stage
        if fault.call == "openat" and not on_backends:
            # Files are opened with the first connection alone.
            stage.server.kill_worker()
            self._wait_for_worker()
        pids = self._backends() if on_backends else [stage.server.worker()]
        request = self._hand.push(self._hand.door())
        with failing(pids, fault, k, self._paths(on_backends), self._log):
            answer = self._hand.send(request)
        fired = has_fired(fault, self._log, pids)
        if not fired:
            self._require_taken(answer, f"an untouched push ({fault.name}, k={k})")
        elif not answer.is_declared or answer.is_silence:
            self._row.wrong.append(f"{fault.name}, k={k}: answered {answer}")
        answer = self._until_taken(request, answer)
        self._require_taken(answer, f"{fault.name}, k={k}, again")
        return fired

    def _until_taken(self, request: httpx.Request, answer: Answer) -> Answer:
        """Send again until the server takes it, or for so long that it never will."""
        until_s, wait_s = time.monotonic() + _AGAIN_S, _WAIT_FIRST_S
        while answer.status != 200 and time.monotonic() < until_s:
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, _WAIT_MOST_S)
            answer = self._hand.send(request)
        return answer

    def _wait_for_worker(self) -> None:
        """Wait for the next worker without asking it anything that opens a connection."""
        worker = self._stage.server.worker()
        until_s = time.monotonic() + _ATTACH_S
        while time.monotonic() < until_s:
            threads = len(list(Path(f"/proc/{worker}/task").iterdir()))
            if threads > 1:
                return
            time.sleep(0.05)
        raise AssertionError("no worker came")

    def _paths(self, on_backends: bool) -> list[Path]:
        if self._stage.cluster is not None or on_backends:
            return []
        return [
            self._stage.file.with_name(self._stage.file.name + end)
            for end in ("", "-wal", "-shm", "-journal")
        ]

    def _backends(self) -> list[int]:
        engine = create_engine(self._stage.url)
        try:
            with engine.connect() as connection:
                statement = (
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                    "AND datname = current_database() AND pid <> pg_backend_pid()"
                )
                return list(connection.scalars(text(statement)))
        finally:
            engine.dispose()

    def _require_taken(self, answer: Answer, what: str) -> None:
        if answer.status != 200:
            self._row.wrong.append(f"{what}: answered {answer}")
        elif any(verdict["verdict"] != "applied" for verdict in answer.content["verdicts"]):
            verdicts = [f"{item['verdict']} {item['code']}" for item in answer.content["verdicts"]]
            self._row.wrong.append(f"{what}: {verdicts}")

    def finish(self) -> None:
        """Check everything."""
        self._hand.close()
        self._row.take(check(self._stage))


def fail_calls(database: str, cycles: int, seed: int) -> Row:
    """Walk through every fault on a fresh office."""
    row = Row("failing calls", database, not_run=reason_not_to_run())
    if row.not_run is not None:
        return row
    row.wanted = frozenset({"pwrite64 EIO", "pwrite64 ENOSPC", "pwrite64 kill", "fdatasync EIO"})
    if database == "postgresql":
        row.wanted = frozenset(f"{name} in a backend" for name in row.wanted) | {
            "sendto kill",
            "recvfrom EIO",
        }
    with staged(database) as stage:
        calls = FailingCalls(stage, row, cycles, seed)
        for fault in _FILES if database == "sqlite" else _TALK:
            calls.walk(fault)
        if database == "postgresql":
            for fault in _FILES:
                calls.walk(fault, on_backends=True)
        calls.finish()
    return row
