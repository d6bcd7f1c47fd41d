"""Pages survive whatever a tablet delivered and whatever a browser asks for, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.access.actions import hash_password, open_account
from server.office.actions import assign_worker, register_worker
from tests.support.raw_tablet import a_household, a_tablet
from tests.support.small_office import SmallOffice, small_office
from tests.support.staff import PASSWORD, form_token, log_in


@pytest.fixture
def office(any_database: str) -> Iterator[SmallOffice]:
    """A small office with an administrator, "quanly"."""
    with small_office(any_database) as office:

        def work(change):
            worker = register_worker(change, office.runtime.ids, "Võ Thị Quản Lý")
            change.flush()
            assign_worker(change, office.runtime.ids, worker, "administrator")
            open_account(change, office.runtime.ids, worker, "quanly", hash_password(PASSWORD))

        office.change(work)
        yield office
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def viewer(office):
    """A browser in which the administrator is logged in."""
    client = office.app.test_client()
    assert log_in(client, "quanly").status_code == 303
    return client


HOSTILE = {
    "half a surrogate pair": ("HOSTILE", "\\ud800"),
    "a NUL": ("HOSTILE", "\\u0000"),
    "deep nesting": ('"HOSTILE"', "[" * 3000 + "]" * 3000),
    "an endless number": ('"HOSTILE"', "9" * 5000),
    "no number": ('"HOSTILE"', "1e999"),
    "markup": ("HOSTILE", "<script>alert(1)</script>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_original_bytes_of_any_entry_can_be_looked_at(office, viewer, name):
    tablet = a_tablet(office)
    _, text = tablet.entry("household_registered", a_household("99999@2004-01-01", head_name="HOSTILE"))
    tablet.journal.append(text.replace(*HOSTILE[name]))
    assert tablet.sync().decisions == ["quarantined"]
    assert viewer.get("/quarantine").status_code == 200
    page = viewer.get(f"/quarantine/{tablet.installation}/1")
    assert page.status_code == 200
    assert "<script>alert" not in page.get_data(as_text=True)


@pytest.mark.parametrize("worker", ["", "\x00", "x" * 5000, "\ufffd", "' OR 1=1"])
def test_a_code_for_nobody_is_not_made(viewer, worker):
    form = {"worker_id": worker, "csrf_token": form_token(viewer, "/devices")}
    assert viewer.post("/devices", data=form).status_code == 404


@pytest.mark.parametrize("query", ["indicator=%00", "holder=%00", "sort=%00", "campaign=%00", "lang=%00"])
def test_any_question_to_the_board_is_answered(viewer, query):
    assert viewer.get(f"/board?{query}").status_code in {200, 404}
    assert viewer.get(f"/api/v1/board?{query}").status_code in {200, 404, 422}


@pytest.mark.parametrize("wall_ms", [-(2**53) + 1, 2**53 - 1])
def test_a_clock_that_is_out_of_all_calendars_can_be_shown(office, viewer, wall_ms):
    tablet = a_tablet(office)
    clock = tablet.clock_shown() | {"wall_ms": wall_ms}
    household = tablet.append("household_registered", a_household(), captured=clock)
    tablet.append("household_registered", a_household("99999@2004-01-01"), captured=clock)
    tablet.append("household_amended", {"household": household, "base": household, "set": {"members": 60}})
    person = tablet.person(household, birth_date="0001-01-01")
    tablet.enrolment(person, from_month="9999-12", months=60)
    assert tablet.sync(clock=clock, pull=True).decisions[:2] == ["applied", "quarantined"]
    agent = office.agents["an"]
    for path in (
        "/board",
        "/quarantine",
        "/devices",
        "/incidents",
        f"/agents/{agent}",
        f"/agents/{agent}?tab=entries",
        f"/quarantine/{tablet.installation}/2",
        "/api/v1/quarantine",
        f"/api/v1/agents/{agent}/entries",
    ):
        assert viewer.get(path).status_code == 200, path
