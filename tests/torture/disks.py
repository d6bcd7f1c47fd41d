"""Part 3: the disk is full, under the server's database and under a tablet's home, on a small tmpfs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.staff import PASSWORD
from tests.torture.checking import check
from tests.torture.hand import Answer, Hand
from tests.torture.report import Row
from tests.torture.stage import LOGIN, Stage, TabletProcess, staged

_SERVER_MIB, _HOME_MIB = 12, 3
_BALLAST_SHARE = 0.5
_PUSHES_MOST = 400
_RESERVED_BYTES = 512 * 1024
_REFUSALS = {"NoSpaceError": "new form refused", "StoreError": "refused in the middle"}
_DOORS_A_PUSH = 20


def reason_not_to_run() -> str | None:
    """Return why this machine cannot mount a small disk; None where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "mounting needs root"
    with tempfile.TemporaryDirectory() as folder:
        tried = _mounted(Path(folder), 1)
        if tried.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return None if tried.returncode == 0 else f"mount: {tried.stderr.strip()[:60]}"


def _mounted(folder: Path, mib: int) -> subprocess.CompletedProcess[str]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tungnha-torture", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@contextmanager
def small_disk(mib: int) -> Iterator[Path]:
    """Give a folder on a disk of this size with a ballast file on it, which `free` takes away."""
    with tempfile.TemporaryDirectory(prefix="tungnha-disk-") as name:
        folder = Path(name)
        _mounted(folder, mib).check_returncode()
        folder.chmod(0o777)
        try:
            (folder / "ballast").write_bytes(bytes(int(mib * _BALLAST_SHARE * 1024 * 1024)))
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


class FullDisk:
    """An office whose database lies on a small disk, and a hand that pushes until it is full."""

    def __init__(self, stage: Stage, disk: Path, row: Row) -> None:
        self._stage, self._disk, self._row = stage, disk, row
        stage.server.start()
        self._hand = Hand(stage, "hand")
        self._http = httpx.Client(base_url=stage.server.url, trust_env=False, timeout=30)
        page = self._http.get("/login").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None
        fields = {"login": LOGIN, "password": PASSWORD, "csrf_token": found[1]}
        assert self._http.post("/login", data=fields).status_code == 303

    def run(self, cycles: int) -> None:
        """Fill the disk, read, free it, drain; and fill it again."""
        for _ in range(cycles):
            refused = self._fill()
            if refused is None:
                return
            self._row.fired["507"] += 1
            self._read()
            request, answer = refused
            for _ in range(2):
                answer = self._hand.send(request)
                if answer.status not in {507, 503}:
                    self._row.wrong.append(f"still full, and answered {answer}")
            (self._disk / "ballast").unlink()
            answer = self._hand.send(request)
            if answer.status != 200:
                self._row.wrong.append(f"room again, and answered {answer}")
            self._row.cycles += 1
        self._row.take(check(self._stage))

    def _fill(self) -> tuple[httpx.Request, Answer] | None:
        for _ in range(_PUSHES_MOST):
            request = self._hand.push([entry for _ in range(_DOORS_A_PUSH) for entry in self._hand.door()])
            answer = self._hand.send(request)
            if answer.status == 507:
                return request, answer
            if answer.status != 200:
                self._row.wrong.append(f"nearly full: {answer}")
                return None
        self._row.wrong.append("the disk never got full")
        return None

    def _read(self) -> None:
        """Pages and the states of receipts are read all the same."""
        for path in ("/board", "/r/123", "/healthz", "/readyz", "/login"):
            status = self._http.get(path).status_code
            self._row.fired["pages read while full"] += 1
            if status >= 500:
                self._row.wrong.append(f"{path} answered {status} on a full disk")

    def close(self) -> None:
        """Let the lines go."""
        self._hand.close()
        self._http.close()


def fill_disk(database: str, cycles: int, seed: int) -> Row:
    """Fill the database's disk. On PostgreSQL its tables lie there, and its log where there is room."""
    row = Row("full disk", database, not_run=reason_not_to_run(), wanted=frozenset({"507"}))
    if row.not_run is not None:
        return row
    mib = _SERVER_MIB * (3 if database == "postgresql" else 1)
    with small_disk(mib) as disk, staged(database, disk) as stage:
        full = FullDisk(stage, disk, row)
        full.run(1)
        full.close()
    return row


def fill_tablet(_database: str, _cycles: int, seed: int) -> Row:
    """Fill a tablet's disk while it records, and while it takes an answer in."""
    row = Row("full tablet", "sqlite", not_run=reason_not_to_run(), wanted=frozenset(_REFUSALS.values()))
    if row.not_run is not None:
        return row
    with staged("sqlite") as stage, small_disk(_HOME_MIB) as disk:
        stage.server.start()
        tablet = stage.tablet("tablet", home=disk / "home")
        _record_until(tablet, row, "NoSpaceError", seed, reserved_bytes=_RESERVED_BYTES)
        nearly_full = tablet.do("sync", rounds=1)
        if nearly_full["outcome"] != "synced":
            row.wrong.append(f"nearly full, and did not sync: {nearly_full}")
        # Whoever goes on (money was taken) comes to the end of the disk in the middle of an entry.
        _record_until(tablet, row, "StoreError", seed + 1000, reserved_bytes=0)
        tablet.do("sync", rounds=1)
        (disk / "ballast").unlink()
        done = tablet.do("sync", rounds=3)
        if done["outcome"] != "synced" or done["unsent"] or done["differing"]:
            row.wrong.append(f"room again, and did not drain: {done}")
        row.cycles = 1
        found = check(stage)
        sent = "\n".join(stage.testimony().sent.values())
        row.lost += [f"{entry}: saved, never sent" for entry in tablet.saved if f'"id":"{entry}"' not in sent]
        row.take(found)
        tablet.kill()
    return row


def _record_until(tablet: TabletProcess, row: Row, refusal: str, seed: int, reserved_bytes: int) -> None:
    """Record until the client refuses in this way."""
    for number in range(_PUSHES_MOST):
        done = tablet.do("work", seed=seed + number, doors=5, reserved_bytes=reserved_bytes)
        if "refused" in done:
            row.fired[_REFUSALS[refusal]] += done["refused"] == refusal
            return
    row.wrong.append("the tablet's disk never got full")
