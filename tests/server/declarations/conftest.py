"""An office with a month's enrolments: whole lines, and lines that lack each of what a form needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.declarations.enrolled import EnrolledOffice, enrolled_office


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory) -> Iterator[EnrolledOffice]:
    """Give the office; nothing of it is changed by the tests of a module."""
    path = tmp_path_factory.mktemp("declarations") / "office.sqlite3"
    with enrolled_office(f"sqlite:///{path}") as found:
        yield found
        found.office.runtime.transactions.engine.dispose()
