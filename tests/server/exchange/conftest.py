"""Every test of the exchange runs over both databases and ends with an audit of the whole office."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.audit.changes import Change
from tests.conftest import BACKENDS
from tests.support.office_checks import problems_of
from tests.support.postgres import PostgresCluster
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import SmallOffice, small_office


def audited(office: SmallOffice) -> Iterator[SmallOffice]:
    """Give an office, and audit it in the end."""
    try:
        yield office
        assert problems_of(office) == []
    finally:
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def office(any_database: str) -> Iterator[SmallOffice]:
    """A small office on each kind of database, audited when the test is done."""
    with small_office(any_database) as office:
        yield from audited(office)


@pytest.fixture(scope="module", params=BACKENDS)
def shared_office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SmallOffice]:
    """An office that the many small tests of one module share, each with a tablet of its own."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        url = f"sqlite:///{shutil.copyfile(template, tmp_path_factory.mktemp('shared') / 'office.sqlite3')}"
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
        url = cluster.url(cluster.new_database(request.getfixturevalue("postgres_template")))
    with small_office(url) as office:
        yield from audited(office)


@pytest.fixture
def tablet(office: SmallOffice) -> RawTablet:
    """An enrolled tablet of the agent An."""
    return a_tablet(office)


@pytest.fixture
def overlapping(monkeypatch):
    """Return a function that syncs a second tablet while the first one's push waits to commit."""

    def overlap(first, second):
        is_written, may_commit = threading.Event(), threading.Event()
        finish = Change.finish

        def finish_slowly(change):
            finish(change)
            if change.actor.chain == f"installation:{first.installation}":
                is_written.set()
                may_commit.wait(10)

        monkeypatch.setattr(Change, "finish", finish_slowly)
        answers = {}

        def sync(name, tablet):
            answers[name] = tablet.sync()

        threads = [
            threading.Thread(target=sync, args=("first", first)),
            threading.Thread(target=sync, args=("second", second)),
        ]
        threads[0].start()
        assert is_written.wait(10)
        threads[1].start()
        threads[1].join(0.7)
        assert threads[1].is_alive(), "the second push waits for what the first one locked"
        may_commit.set()
        for thread in threads:
            thread.join(20)
        monkeypatch.undo()
        return answers["first"].decisions, answers["second"].decisions

    return overlap
