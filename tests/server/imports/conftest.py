"""An office into which sheets are imported, and who decides it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.audit.changes import Actor
from tests.support.desk import a_supervisor
from tests.support.office_checks import problems_of
from tests.support.small_office import SmallOffice, small_office


@pytest.fixture
def office(tmp_path) -> Iterator[SmallOffice]:
    """The small office on SQLite, held against its auditor at the end."""
    yield from an_office(f"sqlite:///{tmp_path / 'imports.sqlite3'}")


@pytest.fixture
def any_office(any_blank_database) -> Iterator[SmallOffice]:
    """The small office on each kind of database."""
    yield from an_office(any_blank_database)


def an_office(url: str) -> Iterator[SmallOffice]:
    with small_office(url) as office:
        yield office
        assert problems_of(office) == []
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def author(request) -> Actor:
    """Who imports: somebody with a worker."""
    name = "any_office" if "any_office" in request.fixturenames else "office"
    return a_supervisor(request.getfixturevalue(name))
