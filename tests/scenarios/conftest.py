"""The office of every story, on each kind of database, audited when the story is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.office_checks import problems_of
from tests.support.restoring import programs_on_path
from tests.support.small_office import SmallOffice, small_office


@pytest.fixture
def office(any_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallOffice]:
    """A small office in whose books nothing disagrees at the end."""
    programs_on_path(monkeypatch)
    with small_office(any_database) as office:
        yield office
        assert problems_of(office) == []
    office.runtime.transactions.engine.dispose()
