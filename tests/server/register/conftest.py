"""An office whose register is imported, held against its auditor at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.audit.changes import Actor
from tests.support.desk import a_supervisor
from tests.support.office_checks import problems_of
from tests.support.small_office import SmallOffice, small_office


@pytest.fixture
def any_office(any_blank_database) -> Iterator[SmallOffice]:
    """The small office on each kind of database."""
    with small_office(any_blank_database) as office:
        yield office
        assert problems_of(office) == []
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def author(any_office) -> Actor:
    """Who imports."""
    return a_supervisor(any_office)
