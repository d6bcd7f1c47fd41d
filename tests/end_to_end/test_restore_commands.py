"""The bad day, as an administrator has it: `tungnha backup`, `restore`, `drill`, `recovery` as commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.operations import make_backup
from sync.clock import SystemClock
from tests.support.at_the_door import a_paid_enrolment
from tests.support.office_checks import cash_of, rows
from tests.support.offices import office_environment
from tests.support.restoring import emptied, programs_on_path
from tests.support.small_office import SmallOffice, small_office

# Each command is a process of its own.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
_ROOT = Path(__file__).parents[2]


@pytest.fixture
def office(any_database, monkeypatch):
    programs_on_path(monkeypatch)
    # The commands have the machine's clock, so the tablets have it too.
    with small_office(any_database, SystemClock()) as office:
        yield office
    office.runtime.transactions.engine.dispose()


class Commands:
    """Runs `tungnha` over an office's database, each time as a process of its own."""

    def __init__(self, office: SmallOffice, environment: dict[str, str]) -> None:
        self._environment = environment
        self._office = office

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-c", "from server.cli import main; main()", *map(str, arguments)],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def output(self, *arguments: str | Path) -> str:
        """Return what a command prints; it must succeed, with no connection of ours open."""
        self._office.runtime.transactions.engine.dispose()
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def commands(office, any_database):
    return Commands(office, os.environ | office_environment(any_database) | {"PYTHONPATH": str(_ROOT)})


def test_an_office_is_lost_and_restored_by_commands_alone(office, commands):
    """[R11.1] [R11.6] Two backups, a drill, the disk dies, restore; the tablets bring back the rest."""
    client = office.tablet("an")
    a_paid_enrolment(client)
    client.sync()
    first, second = office.folder / "first.backup", office.folder / "second.backup"
    assert "checked" in commands.output("backup", first)
    client.enrol_again(office.enrolment_code("an"))
    a_paid_enrolment(client, "000190000002")
    client.sync()
    commands.output("backup", second)
    a_paid_enrolment(client, "000190000003")
    client.sync()
    drilled = commands.output("drill")
    assert str(second) in drilled
    assert str(first) in drilled
    assert drilled.count("0 findings") == 2
    emptied(office)
    printed = commands.output("restore", first)
    assert "replayed 1 × installation_enrolled" in printed
    assert "epoch 2 has begun" in printed
    assert "Start the server" in printed
    assert cash_of(office) == 300_000
    assert commands.run("recovery", "close").returncode == 1
    assert client.sync().is_clean
    assert cash_of(office) == 900_000
    assert "closed" in commands.output("recovery", "close")
    assert "No recovery is open" in commands.output("recovery", "status")
    assert rows(office, "SELECT count(*), sum(acked_seq) FROM installation")[0][0] == 2


def test_a_restore_never_takes_the_place_of_what_is_in_use(office, commands):
    """SQLite: the file of a running server stays; one that nobody uses is set aside, not deleted."""
    client = office.tablet("an")
    a_paid_enrolment(client)
    client.sync()
    backup = office.folder / "one.backup"
    commands.output("backup", backup)
    engine = office.runtime.transactions.engine
    if engine.dialect.name == "postgresql":
        refused = commands.run("restore", backup)
        assert refused.returncode == 1
        assert "not empty" in refused.stderr
        assert cash_of(office) == 300_000
        return
    with office.runtime.transactions.reading():
        done = commands.run("restore", backup)
    assert done.returncode == 1
    assert "stop the server" in done.stderr
    assert cash_of(office) == 300_000
    printed = commands.output("restore", backup)
    (aside,) = [line.removeprefix("Set aside: ") for line in printed.splitlines() if "Set aside" in line]
    assert Path(aside).stat().st_size > 0
    assert client.sync().is_clean
    assert cash_of(office) == 300_000


def test_a_drill_that_finds_something_exits_with_1(office, commands):
    """A backup that was never registered: devices may have purged what it lacks."""
    office.tablet("an").sync()
    assert "no backup is registered" in commands.run("drill").stderr
    unregistered = make_backup(office.runtime.transactions.engine, office.folder / "copied.backup")
    done = commands.run("drill", unregistered.path)
    assert done.returncode == 1
    assert "was never registered" in done.stdout
