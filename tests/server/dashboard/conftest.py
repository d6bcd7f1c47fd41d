"""One watched office for all tests of the pages; they only read it, or add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.staff import log_in
from tests.support.watched_office import WatchedOffice, watched_office

_COOKIE = "tungnha_session"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedOffice]:
    """The office, on the afternoon of its launch day."""
    path = tmp_path_factory.mktemp("watched") / "office.sqlite3"
    with watched_office(f"sqlite:///{path}") as found:
        yield found


@pytest.fixture(scope="module")
def sessions() -> dict[str, str]:
    """The session of each log-in, so that a module logs in once each: log-ins are limited."""
    return {}


@pytest.fixture
def a_viewer(watched: WatchedOffice, sessions: dict[str, str]):
    """Return a function from a log-in name to a fresh browser that is logged in."""

    def viewer(login: str = "quanly"):
        client = watched.office.app.test_client()
        if login not in sessions:
            assert log_in(client, login).status_code == 303
            sessions[login] = client.get_cookie(_COOKIE).value
        client.set_cookie(_COOKIE, sessions[login])
        return client

    return viewer
