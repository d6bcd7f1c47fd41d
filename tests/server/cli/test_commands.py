from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from urllib.error import HTTPError

import pytest
from click.testing import CliRunner

from server.access.actions import log_in
from server.cli import main
from server.config import read_config
from tests.support.offices import office_environment, open_runtime

START_TIMEOUT_S = 60


@pytest.fixture
def office(tmp_path, monkeypatch):
    """A blank office in the environment; gives its URL."""
    url = f"sqlite:///{tmp_path / 'office.sqlite3'}"
    for name, value in office_environment(url).items():
        monkeypatch.setenv(name, value)
    return url


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, arguments, input=stdin)


def test_fresh_keys_are_a_whole_configuration_and_never_the_same():
    first, second = (run("new-keys").output for _ in range(2))
    assert first != second
    config = read_config(dict(line.split("=", 1) for line in first.splitlines()))
    assert list(config.data_keys) == ["k1"]


def test_an_office_is_set_up_from_nothing(office, tmp_path):
    assert run("migrate").exit_code == 0
    areas = run("load-areas")
    assert "176 areas" in areas.output
    assert run("load-areas").exit_code == 1
    made = run("create-admin", "quan-tri", "--generate")
    password = re.search(r"this once: (\S+)", made.output).group(1)
    assert run("create-admin", "quan-tri", "--generate").exit_code == 1
    prompted = run("create-admin", "khac", stdin="mot-hai-ba-bon\nmot-hai-ba-bon\n")
    assert prompted.exit_code == 0
    assert "mot-hai" not in prompted.output
    with open_runtime(office) as runtime:
        assert log_in(runtime.transactions, runtime.clock.now_ms(), "quan-tri", password) is not None
    backup = run("backup", str(tmp_path / "backup.sqlite3"))
    assert "checked" in backup.output
    assert run("backup", str(tmp_path / "backup.sqlite3")).exit_code == 1


@pytest.mark.usefixtures("office")
def test_a_missing_variable_is_named_and_no_traceback_shown(monkeypatch):
    monkeypatch.delenv("TUNGNHA_OFFICE_KEY")
    answer = run("migrate")
    assert answer.exit_code == 1
    assert "TUNGNHA_OFFICE_KEY" in answer.output


@pytest.mark.usefixtures("office")
def test_sqlite_is_served_by_one_process():
    assert "one process" in run("serve", "--workers", "2").output


@contextmanager
def running(*arguments):
    """Run `tungnha` as a process and give it with its first line of output."""
    command = [sys.executable, "-c", "from server.cli import main; main()", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize("arguments", [[], ["--with-waitress"]], ids=["gunicorn", "waitress"])
def test_the_server_serves_until_it_is_told_to_stop(arguments):
    assert run("migrate").exit_code == 0
    with running("serve", "--port", "0", *arguments) as (process, line):
        address = re.fullmatch(r"Listening on (http://127\.0\.0\.1:[1-9][0-9]*)", line)
        assert address is not None, line
        assert status_of(f"{address.group(1)}/readyz") == 200
        assert status_of(f"{address.group(1)}/nothing/31415926535897") == 404
        process.terminate()
        _out, told = process.communicate(timeout=START_TIMEOUT_S)
        assert process.returncode == 0, told
        assert '"route": "-"' in told
        assert "31415926535897" not in told


@pytest.mark.usefixtures("office")
def test_the_worker_runs_until_it_is_told_to_stop():
    assert run("migrate").exit_code == 0
    with running("worker") as (process, line):
        assert line == "Jobs are scheduled."
        process.terminate()
        process.communicate(timeout=START_TIMEOUT_S)
        assert process.returncode == 0
