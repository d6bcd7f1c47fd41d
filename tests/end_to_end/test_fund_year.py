"""A fund's year on a small scale: the recount and the public page equal the books, and two sabotages show."""

from __future__ import annotations

import subprocess
import sys

import pytest

from server.demo.fund.figures import FUND_SCALES
from server.demo.fund.plan import make_fund_plan
from server.office.area_list import TIEN_GIANG_2025, read_area_list
from tests.architecture.sources import ROOT
from tests.end_to_end.test_demo import demo_environment, files_with, processes_in

SEED = 7
_DEMO = [sys.executable, "-c", "from server.cli import main; main()", "demo", "--part", "fund", "--once"]
_RUN_S = 150


def fund_year(folder, *more):
    return subprocess.run(
        [*_DEMO, "--scale", "small", "--port", "0", "--seed", str(SEED), "--keep", str(folder), *more],
        cwd=ROOT,
        env=demo_environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=_RUN_S,
    )


@pytest.mark.slow
def test_a_small_year_of_a_fund_agrees_and_leaves_no_number_in_clear(tmp_path):
    folder = tmp_path / "kept"
    done = fund_year(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("Sổ cái đồng khớp", "Sổ cái thẻ khớp", "Trang công khai đúng như sổ", "Sổ quỹ tính lại"):
        assert f"✓ {name}" in done.stdout, name
    plan = make_fund_plan(FUND_SCALES["small"], SEED, read_area_list(TIEN_GIANG_2025))
    assert files_with(folder, plan.numbers()) == []
    assert processes_in(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("safeguard", "what_differs"),
    [
        ("ledger_lines", ("Sổ cái đồng khớp", "Sổ quỹ tính lại")),
        ("donations_once", ("Sổ cái đồng khớp", "Trang công khai đúng như sổ")),
    ],
)
def test_the_year_of_a_fund_fails_without(safeguard, what_differs, tmp_path):
    server = f"{sys.executable} {ROOT / 'tests/end_to_end/sabotaged_server.py'} {safeguard}"
    folder = tmp_path / "kept"
    done = fund_year(folder, "--server-command", server)
    assert done.returncode == 1, done.stdout + done.stderr
    wrong = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    for name in what_differs:
        assert any(name in line for line in wrong), done.stdout
    assert processes_in(folder) == []
