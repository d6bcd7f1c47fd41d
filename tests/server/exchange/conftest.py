"""Every test of the exchange runs over both databases and ends with an audit of the whole office."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.office_checks import problems_of
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import SmallOffice, small_office


@pytest.fixture
def office(any_database: str) -> Iterator[SmallOffice]:
    """A small office on each kind of database, audited when the test is done."""
    with small_office(any_database) as office:
        yield office
        assert problems_of(office) == []
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def tablet(office: SmallOffice) -> RawTablet:
    """An enrolled tablet of the agent An."""
    return a_tablet(office)
