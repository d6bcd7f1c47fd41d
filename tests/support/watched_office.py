"""A small office on its launch day with something on every page: for the pages' tests and browsers.

Four agents have synced, one never has; there are two people enrolled twice, payments with receipts, a
voided visit, a quarantined entry, promoters over their quota, and a cloned tablet.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from field_client.client import FieldClient
from server.access.actions import hash_password, open_account
from server.audit.changes import Change
from server.office.actions import add_member, assign_worker, form_team, register_worker
from server.quotas.actions import QuotaAsked, adopt_plan
from tests.support.clocks import FakeClock
from tests.support.small_office import COMMUNES, DRIVE, LAUNCH_DAY, SmallOffice, small_office
from tests.support.staff import PASSWORD

DAY = date(2020, 5, 12)
UNKNOWN_AREA = "99999@2004-01-01"
_DISTRICT = "815@2004-01-01"
_NAMES = {"cuc": "Lê Thị Cúc", "dung": "Phạm Quốc Dũng", "hanh": "Huỳnh Thị Mỹ Hạnh"}


@dataclass(frozen=True, slots=True)
class WatchedOffice:
    """The office, the workers behind its log-ins, and a receipt that a citizen may check."""

    office: SmallOffice
    logins: dict[str, str]
    receipt_digits: str
    payment_id: str


@contextmanager
def watched_office(database_url: str, clock: FakeClock | None = None) -> Iterator[WatchedOffice]:
    """Give the office; log-ins are "quanly" (administrator), "giamsat" (supervisor of commune 28252
    alone) and "uyban" (committee), all with the password of `tests.support.staff`."""
    with small_office(database_url, clock) as office:
        logins = office.change(lambda change: _set_up(office, change))
        digits, payment_id = _work(office)
        yield WatchedOffice(office, logins, digits, payment_id)


def _set_up(office: SmallOffice, change: Change) -> dict[str, str]:
    ids = office.runtime.ids
    for key, name in _NAMES.items():
        office.agents[key] = register_worker(change, ids, name)
        change.flush()
        assign_worker(change, ids, office.agents[key], "agent", area_key=_DISTRICT)
    second = form_team(change, ids, "Tổ 2")
    change.flush()
    for key in ("binh", "cuc"):
        add_member(change, ids, second, office.agents[key], date(2020, 1, 1))
    amounts = {"an": (10, 2), "binh": (8, 2), "cuc": (4, 1), "dung": (6, None), "hanh": (5, None)}
    agents = {key: office.agents[key] for key in amounts}
    for scheme, place in (("initial", 0), ("supplementary", 1)):
        asked = [
            QuotaAsked("voluntary_enrolled", "agent", agents[key], DAY, DAY, amount)
            for key, both in amounts.items()
            if (amount := both[place]) is not None
        ]
        adopt_plan(change, ids, LAUNCH_DAY, scheme, asked)
    health = [QuotaAsked("health_enrolled", "agent", agents[key], DAY, DAY, 12) for key in agents]
    initial = [
        QuotaAsked("voluntary_enrolled", "agent", agents[key], DAY, DAY, both[0])
        for key, both in amounts.items()
    ]
    adopt_plan(change, ids, LAUNCH_DAY, "initial", [*initial, *health])
    persuaded = [
        QuotaAsked("persuaded", "promoter", f"officer:{officer}", DAY, DAY, 3) for officer in office.officers
    ]
    adopt_plan(change, ids, DRIVE, "initial", persuaded, {"persuaded": "107"})
    accounts = {
        "quanly": ("Võ Thị Quản Lý", "administrator", None),
        "giamsat": ("Đặng Văn Giám Sát", "supervisor", COMMUNES[1]),
        "uyban": ("Ủy ban", "committee", None),
    }
    found = {}
    for login, (name, role, area_key) in accounts.items():
        found[login] = register_worker(change, ids, name)
        change.flush()
        assign_worker(change, ids, found[login], role, area_key=area_key)
        open_account(change, ids, found[login], login, hash_password(PASSWORD))
    return found


def _work(office: SmallOffice) -> tuple[str, str]:
    clock = office.clock
    an, binh = office.tablet("an"), office.tablet("binh")
    cuc, dung = office.tablet("cuc"), office.tablet("dung")
    clock.advance(hours=1)
    household, first = _enrol(an, 6, digits_from=100)
    digits, payment_id = _pay(an, first)
    _enrol(an, 3, scheme="health", digits_from=200)
    with an.recording() as actions:
        actions.register_household(area=UNKNOWN_AREA, head_name="Hộ ở đâu", address="Không rõ")
        actions.record_visit(household=household, disposition="agreed", campaign=LAUNCH_DAY)
        unwanted = actions.record_visit(household=household, disposition="nobody_home", campaign=LAUNCH_DAY)
        actions.void_entry(unwanted, "Nhầm hộ")
    _persuade(an, office.officers, 7)
    an.sync()
    # Contests go by the time of capture, and the clock stands still unless it is moved.
    clock.advance(seconds=60)
    _enrol(binh, 9, area=COMMUNES[1], digits_from=300)
    # The same people as An's first two, met later by another agent.
    _enrol(binh, 2, area=COMMUNES[1], digits_from=100)
    binh.sync()
    _enrol(cuc, 7, digits_from=400)
    cuc.sync()
    _clone(office, dung)
    clock.advance(hours=2)
    return digits, payment_id


def _enrol(
    client: FieldClient,
    count: int,
    *,
    scheme: str = "voluntary",
    area: str = COMMUNES[0],
    digits_from: int,
) -> tuple[str, str]:
    """Enrol `count` people of one household; return the household and the first enrolment."""
    enrolments = []
    with client.recording() as actions:
        household = actions.register_household(
            area=area, head_name="Nguyễn Văn Hộ", address="12 Lý Thường Kiệt"
        )
        for number in range(digits_from, digits_from + count):
            person = actions.register_person(
                full_name=f"Người {number}", household=household, national_id=f"99917000{number:04}"
            )
            enrolments.append(
                actions.record_enrolment(
                    person=person,
                    scheme=scheme,
                    status="new",
                    from_month=DAY.isoformat()[:7],
                    months=3,
                    amount_due_vnd=891_000,
                    campaign=LAUNCH_DAY,
                )
            )
    return household, enrolments[0]


def _persuade(client: FieldClient, officers: list[str], count: int) -> None:
    with client.recording() as actions:
        for number in range(count):
            person = actions.register_person(
                full_name=f"Người vận động {number}", area=COMMUNES[0], national_id=f"99917009{number:04}"
            )
            enrolment = actions.record_enrolment(
                person=person,
                scheme="voluntary",
                status="new",
                from_month=DAY.isoformat()[:7],
                months=3,
                amount_due_vnd=891_000,
                campaign=DRIVE,
                promoter={"kind": "officer", "id": officers[number % len(officers)]},
            )
            actions.collect_payment([(enrolment, 891_000)])


def _pay(client: FieldClient, enrolment: str) -> tuple[str, str]:
    with client.recording() as actions:
        collected = actions.collect_payment([(enrolment, 891_000)])
    return collected.receipt.token, collected.payment_id


def _clone(office: SmallOffice, tablet: FieldClient) -> None:
    """Let a copy of the tablet's home directory sync first, and the tablet itself afterwards."""
    _enrol(tablet, 1, digits_from=500)
    tablet.sync()
    copy = office.folder / "copied"
    home = next(path for path in office.folder.iterdir() if path.name.startswith("dung"))
    shutil.copytree(home, copy)
    cloned = office.open_tablet(copy)
    _enrol(cloned, 1, digits_from=510)
    cloned.sync()
    _enrol(tablet, 1, digits_from=520)
    try:
        tablet.sync()
    except Exception:  # noqa: BLE001 - whichever way the client stops, the office has seen the fork
        return
