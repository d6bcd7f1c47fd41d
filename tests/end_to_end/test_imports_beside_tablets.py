"""Imports while tablets sync, and an import whose process is killed with -9 between two chunks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from server.imports.applying import apply_import
from server.imports.jobs import continue_cut_off_imports
from server.imports.kept import APPLIED, APPLYING
from sync.clock import SystemClock
from tests.server.imports.builders import a_household, run_now, waiting
from tests.support.desk import a_supervisor
from tests.support.office_checks import count, outcome_of, problems_of, rows
from tests.support.offices import office_environment
from tests.support.small_office import COMMUNES, small_office

HOUSEHOLDS, TABLETS = 2_000, 3
_ROOT = Path(__file__).parents[2]
SCOPE = f"area:{COMMUNES[0]}"


@pytest.fixture
def office(any_blank_database):
    with small_office(any_blank_database, SystemClock()) as office:
        yield office
        assert problems_of(office) == []
        office.runtime.transactions.engine.dispose()


def test_tablets_that_sync_meanwhile_see_nothing_of_it_or_all_of_it(office):
    """No sync fails, and after each one a tablet holds none of the sheet's households, or all."""
    run = waiting(
        office.runtime, a_supervisor(office), "households", *[a_household(n) for n in range(HOUSEHOLDS)]
    )
    homes = []
    for number in range(TABLETS):
        tablet = office.tablet("an", f"an-{number}")
        homes.append(office.folder / f"an-{number}")
        tablet.close()
    is_over, failures = threading.Event(), list[Exception]()
    held, visits = list[set[str]](), list[str]()

    def keep_syncing(home: Path) -> None:
        try:
            with office.client_at(home) as tablet:
                is_last = False
                while not is_last:
                    is_last = is_over.is_set()
                    own = tablet.actions.register_household(
                        area=COMMUNES[0], head_name="Tại cửa", address="1"
                    )
                    visits.append(tablet.actions.record_visit(household=own, disposition="agreed"))
                    assert tablet.sync().is_clean
                    listed = "SELECT record_id FROM record WHERE record_type = 'household'"
                    held.append({row[0] for row in tablet.store.connection.execute(listed)})
        except Exception as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=keep_syncing, args=(home,)) for home in homes]
    for thread in threads:
        thread.start()
    try:
        done = apply_import(office.runtime, a_supervisor(office), run.id)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert done.state == APPLIED
    imported = {row[0] for row in rows(office, "SELECT target_id FROM sheet_code")}
    assert {len(each & imported) for each in held} == {0, HOUSEHOLDS}
    assert {outcome_of(office, visit) for visit in visits} == {("applied", None)}
    assert rows(office, "SELECT kind FROM incident") == []


_DIES = """
import os, signal, sys
from server.app import create_app
from server.audit.changes import Actor
from server.imports import applying
from server.runtime import runtime_of
applying.CHUNK_ROWS = 100
import_id, chain, worker = sys.argv[1:]

def die(run):
    if run.next_number > 200:
        os.kill(os.getpid(), signal.SIGKILL)

applying.apply_import(runtime_of(create_app()), Actor(chain, worker), import_id, die)
"""


def test_an_import_killed_between_two_chunks_goes_on_and_nothing_is_there_twice(office, monkeypatch):
    author = a_supervisor(office)
    run = waiting(office.runtime, author, "households", *[a_household(n) for n in range(500)])
    environment = office_variables(office)
    arguments = [sys.executable, "-c", _DIES, run.id, author.chain, str(author.worker_id)]
    killed = subprocess.run(
        arguments, env=environment, cwd=_ROOT, capture_output=True, timeout=60, check=False
    )
    assert killed.returncode == -9, killed.stderr.decode()[-400:]
    assert run_now(office.runtime, run.id).state == APPLYING
    written = count(office, "household")
    assert 200 <= written < 500
    listed = "SELECT count(*) FROM feed WHERE scope = :scope AND record_type = 'household'"
    assert rows(office, listed, scope=SCOPE) == [(0,)]
    monkeypatch.setattr("server.imports.jobs._LEFT_AFTER_MS", -1)
    assert continue_cut_off_imports(office.runtime) == 1
    assert run_now(office.runtime, run.id).state == APPLIED
    assert (count(office, "household"), count(office, "sheet_code")) == (500, 500)
    assert rows(office, listed, scope=SCOPE) == [(500,)]


def office_variables(office) -> dict[str, str]:
    return {**os.environ, **office_environment(office.runtime.config.database_url)}
