"""Sizes, names, clocks, marks: the style that a machine can see, and proof that each guard sees it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.architecture import guards
from tests.architecture.sources import PACKAGES, ROOT, project_files, python_sources, source_from

CLOCK_OWNER = "sync/clock.py"
_TEXT_SUFFIXES = (
    *(".py", ".js", ".html", ".css", ".md", ".toml", ".txt", ".in"),
    *(".ini", ".mako", ".po", ".sh", ".csv", ".json"),
)
# The guards and their plants name what they forbid; the lint configuration forbids it, too.
_GUARDS = "tests/architecture/"


def own_sources():
    """The four packages without the frozen history of migrations."""
    return [s for s in python_sources(*PACKAGES) if not s.name.startswith("server/migrations/versions/")]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_imported_packages_are_ours(package):
    assert Path(importlib.import_module(package).__file__).parents[1] == ROOT


def test_files_and_functions_stay_small():
    faults = [f for s in [*own_sources(), *python_sources("tests")] for f in guards.size_faults(s)]
    assert faults == []


def test_names_say_what_a_thing_is():
    faults = [f for s in [*own_sources(), *python_sources("tests")] for f in guards.name_faults(s)]
    assert faults == []


def test_only_the_clock_reads_the_wall_clock():
    others = [s for s in own_sources() if s.name != CLOCK_OWNER]
    assert [f for s in others for f in guards.clock_faults(s)] == []
    assert [f for s in others for f in guards.sql_clock_faults(s)] == []


def test_the_clock_itself_is_seen_by_the_guard():
    [owner] = [s for s in own_sources() if s.name == CLOCK_OWNER]
    assert list(guards.clock_faults(owner))


def test_nothing_unfinished_is_marked():
    assert _faults_in_texts(guards.mark_faults) == []


def test_nothing_depends_on_one_machine_or_registry():
    assert _faults_in_texts(guards.machine_faults) == []


def test_requirement_files_pin_every_package_and_name_no_address():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text(encoding="ascii").splitlines() if line]
        assert lines
        assert [line for line in lines if not line.startswith("#") and line.count("==") != 1] == []
        assert [line for line in lines if "://" in line or line.startswith("-")] == []


def test_development_pins_agree_with_the_runtime_pins():
    runtime = set((ROOT / "requirements.txt").read_text(encoding="ascii").split())
    assert runtime - set((ROOT / "requirements-dev.txt").read_text(encoding="ascii").split()) == set()


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "import time as t\nt.time_ns()",
        "from time import time as now_s\nnow_s()",
        "from datetime import datetime as dt\ndt.now(UTC)",
        "import datetime\ndatetime.date.today()",
        "from sqlalchemy import func\nfunc.now()",
        "field(default_factory=datetime.utcnow)",
    ],
)
def test_a_planted_wall_clock_is_found(text):
    assert list(guards.clock_faults(source_from("server/planted.py", text)))


@pytest.mark.parametrize(
    "text", ["import time\ntime.monotonic()", "clock.now_ms()", "datetime.fromtimestamp(1, tz=UTC)"]
)
def test_other_uses_of_time_are_let_through(text):
    assert not list(guards.clock_faults(source_from("server/planted.py", text)))


def test_a_planted_database_clock_is_found():
    assert list(guards.sql_clock_faults(source_from("server/planted.py", 'text("SELECT CURRENT_TIMESTAMP")')))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("server/utils.py", ""),
        ("server/money/common.py", ""),
        ("server/planted.py", "def load_data(): ..."),
        ("server/planted.py", "class SessionManager: ..."),
        ("server/planted.py", "class Outer:\n    def user_info(self): ..."),
    ],
)
def test_a_planted_name_that_says_nothing_is_found(name, text):
    assert list(guards.name_faults(source_from(name, text)))


def test_a_planted_giant_is_found():
    body = "\n".join(["    x = 1"] * guards.FUNCTION_LINES_MOST)
    assert list(guards.size_faults(source_from("server/planted.py", f"def grown():\n{body}\n")))
    assert list(
        guards.size_faults(source_from("server/planted.py", "x = 1\n" * (guards.FILE_LINES_MOST + 1)))
    )


def test_planted_marks_and_machine_paths_are_found():
    assert list(guards.mark_faults("server/planted.py", "# " + "TO" + "DO: later"))
    for line in (
        'open("/home/someone/office.sqlite3")',
        "--index" + "-url https://example.org/simple",
        "/ro" + "ot/.venv/bin",
    ):
        assert list(guards.machine_faults("Makefile", line))
    assert not list(guards.machine_faults("server/planted.py", 'url_for("x") + "/work-items/"'))


def _faults_in_texts(guard):
    """Run `guard` over every committed text but the guards' own."""
    return [
        fault
        for name in project_files()
        if (name.endswith(_TEXT_SUFFIXES) or "." not in Path(name).name) and not name.startswith(_GUARDS)
        for fault in guard(name, (ROOT / name).read_text(encoding="utf-8"))
    ]
