"""Areas, workers and accounts for tests, and browsers that log in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from flask import Flask
from flask.testing import FlaskClient

from server.access.actions import hash_password, open_account
from server.app import create_app
from server.audit.changes import Actor, Change, run_change
from server.config import read_config
from server.office.actions import NewArea, assign_worker, register_areas, register_worker
from server.runtime import Runtime, runtime_of
from tests.support.clocks import FakeClock
from tests.support.offices import office_environment

TEST_ACTOR = Actor("job:test")
PASSWORD = "mot-hai-ba-bon"
PROVINCE, DISTRICT, COMMUNE, OTHER_COMMUNE = (
    "82@2004-01-01",
    "815@2004-01-01",
    "28249@2004-01-01",
    "28252@2004-01-01",
)
_FIRST_DAY = date(2004, 1, 1)


def changed(runtime: Runtime, work):
    """Run `work` as one change of a test and return its result."""
    return run_change(runtime.transactions, TEST_ACTOR, runtime.clock.now_ms(), work)


def a_province(runtime: Runtime) -> list[str]:
    """Register a province, a district and two communes; the keys are the constants above."""
    areas = [
        NewArea("82", "Tỉnh Tiền Giang", "province", _FIRST_DAY),
        NewArea("815", "Thành phố Mỹ Tho", "district", _FIRST_DAY, "82"),
        NewArea("28249", "Phường 5", "commune", _FIRST_DAY, "815"),
        NewArea("28252", "Phường 4", "commune", _FIRST_DAY, "815"),
    ]
    return changed(runtime, lambda change: register_areas(change, areas))


def a_worker(runtime: Runtime, name: str = "Nguyễn Văn Ba") -> str:
    """Register a worker and return the id."""
    return changed(runtime, lambda change: register_worker(change, runtime.ids, name))


def an_account(
    runtime: Runtime, login: str = "ba", role: str | None = None, area_key: str | None = None
) -> tuple[str, str]:
    """Open an account for a new worker with a role; return the worker's id and the account's."""
    worker_id = a_worker(runtime, login)
    password_hash = hash_password(PASSWORD)

    def work(change: Change) -> str:
        if role is not None:
            assign_worker(change, runtime.ids, worker_id, role, area_key=area_key)
        return open_account(change, runtime.ids, worker_id, login, password_hash)

    return worker_id, changed(runtime, work)


@contextmanager
def an_app(database_url: str, clock: FakeClock, **environment: str) -> Iterator[Flask]:
    """Give the assembled server over a database that has its tables."""
    app = create_app(read_config(office_environment(database_url) | environment), clock)
    app.testing = True
    try:
        yield app
    finally:
        runtime_of(app).transactions.engine.dispose()


def form_token(client: FlaskClient, path: str = "/login", base_url: str | None = None) -> str:
    """Return the CSRF token of the form at `path`."""
    page = client.get(path, base_url=base_url).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


def log_in(client: FlaskClient, login: str = "ba", password: str = PASSWORD, following: str = ""):
    """Fill in the form and return the answer."""
    fields = {"login": login, "password": password, "next": following, "csrf_token": form_token(client)}
    return client.post("/login", data=fields)
