"""The office of these tests, on each kind of database or on one."""

from __future__ import annotations

import pytest

from server.runtime import Runtime
from tests.support.funds import FundOffice, a_fund_office


@pytest.fixture
def office(sqlite_runtime: Runtime) -> FundOffice:
    """A fund's office on SQLite: for rules that no database can change."""
    return a_fund_office(sqlite_runtime)


@pytest.fixture
def any_office(any_runtime: Runtime) -> FundOffice:
    """A fund's office on each kind of database."""
    return a_fund_office(any_runtime)
