"""The demo on a small scale: a green run, what it leaves on the disk, and three sabotaged servers."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from server.demo.figures import SCALES
from server.demo.plan import make_plan
from server.office.area_list import TIEN_GIANG_2025, read_area_list
from tests.architecture.sources import ROOT

SEED = 7
_TUNGNHA = [sys.executable, "-c", "from server.cli import main; main()"]
_DEMO = [*_TUNGNHA, "demo"]
_SMALL = ["--scale", "small", "--port", "0", "--seed", str(SEED)]
_LAST_LINE = "Ctrl-C"
_RUN_S = 150


@dataclass
class ServedDemo:
    """A demo that is done and goes on serving."""

    process: subprocess.Popen[str]
    folder: Path
    output: str

    @property
    def url(self) -> str:
        """Where it serves."""
        return re.search(r"http://127\.0\.0\.1:\d+", self.output).group()


@contextmanager
def served_demo(folder: Path) -> Iterator[ServedDemo]:
    """Run a small demo until it waits for Ctrl-C; its write-ahead log is still there then."""
    with subprocess.Popen(
        [*_DEMO, *_SMALL, "--keep", str(folder)],
        cwd=ROOT,
        env=demo_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        too_long = threading.Timer(_RUN_S, process.terminate)
        too_long.start()
        lines = []
        for line in process.stdout:
            lines.append(line)
            if _LAST_LINE in line:
                break
        too_long.cancel()
        try:
            yield ServedDemo(process, folder, "".join(lines))
        finally:
            process.terminate()


def demo_environment() -> dict[str, str]:
    """The environment of a run: none of this process's configuration, wide lines."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TUNGNHA_")}
    return {**mine, "PYTHONIOENCODING": "utf-8", "COLUMNS": "160"}


def files_with(folder: Path, numbers: set[str]) -> list[str]:
    """Return the files below `folder` that hold one of the numbers in clear, as a whole number."""
    longest_first = "|".join(sorted(numbers, key=len, reverse=True))
    # Receipt tokens are runs of hundreds of digits, in which any ten can occur.
    pattern = re.compile(rb"(?<![0-9])(?:" + longest_first.encode("ascii") + rb")(?![0-9])")
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and pattern.search(path.read_bytes())
    )


@pytest.mark.slow
def test_a_small_demo_agrees_serves_keeps_its_secrets_and_ends_with_ctrl_c(tmp_path):
    """One run for all of it, since every run takes its time."""
    plan = make_plan(SCALES["small"], SEED, read_area_list(TIEN_GIANG_2025))
    with served_demo(tmp_path / "kept") as served:
        assert "Mọi con số đều khớp" in served.output, served.output
        assert "✗" not in served.output
        for name in ("D05-TS", "D03-TS", "Bảng của văn phòng tải về", "Số biên lai của cơ quan BHXH"):
            assert f"✓ {name}" in served.output, name
        assert "đầu năm 2025" in served.output
        assert f"(hạt giống {SEED})" in served.output
        assert httpx.get(f"{served.url}/readyz", timeout=10).status_code == 200
        assert_no_number_in_clear(served, plan.numbers(), tmp_path / "backup")
        assert_a_planted_number_is_found(served, plan.numbers(), tmp_path / "planted")
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(30) == 0
        assert processes_in(served.folder) == []


def assert_no_number_in_clear(served: ServedDemo, numbers: set[str], folder: Path) -> None:
    """Database, write-ahead log, backup, tablets' files and logs, while the demo serves."""
    folder.mkdir()
    lines = (served.folder / "office.env").read_text(encoding="ascii").splitlines()
    environment = {**demo_environment(), **dict(line.split("=", 1) for line in lines)}
    backup = [*_TUNGNHA, "backup", str(folder / "backup.sqlite3")]
    subprocess.run(backup, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)
    names = {path.name for path in served.folder.rglob("*")}
    assert {"office.sqlite3", "office.sqlite3-wal", "server.log", "field.sqlite3"} <= names
    assert files_with(served.folder, numbers) == []
    assert files_with(folder, numbers) == []
    assert not any(number in served.output for number in numbers)


def assert_a_planted_number_is_found(served: ServedDemo, numbers: set[str], folder: Path) -> None:
    """The same scan, with one number in a copy of the database and one in a log."""
    folder.mkdir()
    number, copy = min(numbers), folder / "office.sqlite3"
    with (
        closing(sqlite3.connect(served.folder / "office.sqlite3")) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("UPDATE household SET address = ?", [f"{number} Lê Lợi"])
        target.commit()
    (folder / "server.log").write_text(f'{{"event": "request", "national_id": "{number}"}}', encoding="utf-8")
    assert files_with(folder, numbers) == ["office.sqlite3", "server.log"]


def processes_in(folder: Path) -> list[str]:
    """Return the processes whose command line or environment names `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in known:
            found.append(process.name)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("safeguard", "what_differs"),
    [
        ("stored_verdicts", "Kết luận trên máy đúng như máy chủ lưu"),
        ("entry_ids", "Tiền trên sổ cái khớp đếm lại"),
        ("person_uniqueness", "Đếm lại độc lập khớp bảng chỉ tiêu"),
    ],
)
def test_the_demo_fails_without(safeguard, what_differs, tmp_path):
    server = f"{sys.executable} {ROOT / 'tests/end_to_end/sabotaged_server.py'} {safeguard}"
    folder = tmp_path / "kept"
    done = subprocess.run(
        [*_DEMO, *_SMALL, "--part", "campaigns", "--once", "--keep", str(folder), "--server-command", server],
        cwd=ROOT,
        env=demo_environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=_RUN_S,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    wrong = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert any(what_differs in line for line in wrong), done.stdout
    assert processes_in(folder) == []
