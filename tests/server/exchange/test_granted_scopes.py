"""Which scopes a worker's tablet may read: those of the assignments with which one records."""

from __future__ import annotations

import pytest

from server.office.actions import assign_worker
from sync.clock import DAY_MS
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import COMMUNES, SmallOffice


@pytest.fixture
def tablet(office: SmallOffice) -> RawTablet:
    """An enrolled tablet of the agent Bình, who is assigned to the second commune."""
    return a_tablet(office, "binh")


def scopes(tablet) -> set[str]:
    return {grant["scope"] for grant in tablet.sync(pull=True).json["grants"]}


def own(office, *areas: str) -> set[str]:
    return {"office", f"agent:{office.agents['binh']}", *(f"area:{area}" for area in areas)}


def assign_binh(office, role, **where) -> None:
    ids, worker = office.runtime.ids, office.agents["binh"]
    office.change(lambda change: assign_worker(change, ids, worker, role, **where))


def test_an_agent_reads_the_assigned_commune_alone(office, tablet):
    assert scopes(tablet) == own(office, COMMUNES[1])


def test_a_role_that_reads_sums_puts_no_names_on_a_tablet(office, tablet):
    for role in ("committee", "treasurer", "auditor"):
        assign_binh(office, role)
    assert scopes(tablet) == own(office, COMMUNES[1])


def test_a_supervisor_reads_the_communes_below_the_area(office, tablet):
    assign_binh(office, "supervisor", area_key="815@2004-01-01")
    assert scopes(tablet) == own(office, *COMMUNES)


def test_an_assignment_that_is_over_or_yet_to_come_opens_nothing(office, tablet):
    """[P2] Grants follow the assignments in force now."""
    now_ms = office.clock.now_ms()
    assign_binh(office, "agent", area_key=COMMUNES[0], from_ms=now_ms - 2 * DAY_MS, to_ms=now_ms)
    assign_binh(office, "agent", area_key=COMMUNES[2], from_ms=now_ms + DAY_MS)
    assert scopes(tablet) == own(office, COMMUNES[1])
