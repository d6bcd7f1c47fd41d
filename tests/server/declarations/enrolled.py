"""An office whose agent Lan has a code and enrols whom a list needs, and An, who has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from field_client.client import FieldClient
from schemas.rate_tables import published_rows
from server.access.actions import hash_password, open_account
from server.audit.changes import Change
from server.imports.given_codes import WORKER, GivenCodes
from server.office.actions import (
    NewOrganisation,
    assign_worker,
    load_rates,
    register_organisation,
    register_worker,
)
from tests.server.imports.builders import imported
from tests.support.desk import a_supervisor, decide
from tests.support.small_office import COMMUNES, SmallOffice, small_office
from tests.support.staff import PASSWORD

MAY = (date(2020, 5, 1), date(2020, 5, 31))
# 1,500,000 × 22 % × 3 = 990,000, less 10 % of 22 % of the poverty line of 700,000, three times.
GROSS, STATE, LOCAL = 990_000, 46_200, 46_200
# 1,490,000 × 4.5 % × 12, the first member of a household.
PREMIUM = 804_600


@dataclass
class EnrolledOffice:
    """The office, what its enrolments are called, and the printed numbers of the receipts given."""

    office: SmallOffice
    enrolments: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)


@contextmanager
def enrolled_office(database_url: str) -> Iterator[EnrolledOffice]:
    """Give the office; log-ins "quanly" (administrator), "giamsat" (supervisor of the third commune
    alone), "kiemtoan" (auditor)."""
    with small_office(database_url) as office:
        found = EnrolledOffice(office)
        supervisor = a_supervisor(office)
        office.change(lambda change: _set_up(office, change))
        imported(
            office.runtime,
            supervisor,
            "workers",
            {"code": "NV0007", "name": "Phan Thị Lan", "organisation_code": "BD-MT"},
        )
        imported(
            office.runtime,
            supervisor,
            "assignments",
            {"worker_code": "NV0007", "role": "agent", "area_code": "815", "from_day": date(2020, 1, 1)},
        )
        with office.runtime.transactions.reading() as connection:
            codes = GivenCodes(connection, office.runtime.sealer, WORKER)
            codes.load(["NV0007"])
            worker_id = codes.target("NV0007")
        assert worker_id is not None
        office.agents["lan"] = worker_id
        _work(found)
        _merge_the_twice_registered(found, supervisor)
        yield found


def _set_up(office: SmallOffice, change: Change) -> None:
    ids = office.runtime.ids
    load_rates(change, published_rows())
    below = NewOrganisation("BD-MT", "Bưu điện Mỹ Tho", "post_office", date(2004, 1, 1), "BD")
    register_organisation(change, below)
    for login, role, area in (
        ("quanly", "administrator", None),
        ("giamsat", "supervisor", COMMUNES[2]),
        ("kiemtoan", "auditor", None),
    ):
        worker = register_worker(change, ids, login)
        change.flush()
        assign_worker(change, ids, worker, role, area_key=area)
        open_account(change, ids, worker, login, hash_password(PASSWORD))


def _work(found: EnrolledOffice) -> None:
    office = found.office
    lan, an = office.tablet("lan"), office.tablet("an")
    office.clock.advance(hours=1)
    _voluntary(
        found, lan, "whole", "Trần Thị Ánh", number=1, local_support_vnd=LOCAL, pays=GROSS - STATE - LOCAL
    )
    _voluntary(found, lan, "formula", "=Nguyễn Văn Công", number=2, pays=GROSS - STATE)
    _voluntary(found, lan, "unpaid", "Lê Văn Bình", number=3, pays=None)
    _voluntary(found, lan, "nobody", "Đỗ Văn Danh", number=None, pays=GROSS - STATE)
    _voluntary(found, lan, "homeless", "Ngô Thị Em", number=5, pays=GROSS - STATE, has_household=False)
    _voluntary(found, lan, "termless", "Phạm Văn Giàu", number=6, pays=900_000, income_vnd=None)
    _voluntary(found, lan, "wrong", "Vũ Thị Hoa", number=7, pays=GROSS - STATE - 1_000)
    _voluntary(found, an, "codeless", "Bùi Văn Kha", number=8, pays=GROSS - STATE, area=COMMUNES[2])
    _voluntary(found, lan, "waived", "Hồ Thị Lài", number=9, pays=0)
    _voluntary(found, lan, "voided", "Đinh Văn Nam", number=10, pays=None)
    with lan.recording() as actions:
        actions.void_entry(found.enrolments["voided"], "Nhầm người")
    _health(
        found,
        lan,
        "member",
        "Trần Văn Ngọc",
        number=11,
        birth_date="1980-02-29",
        sex="male",
        hospital="BV Mỹ Tho",
    )
    _health(found, lan, "bare", "Trần Thị Oanh", number=12)
    _twice_registered(found, lan)
    lan.sync()
    an.sync()


def _person(
    found: EnrolledOffice,
    client: FieldClient,
    name: str,
    number: int | None,
    area: str,
    *,
    has_household: bool = True,
    **more: Any,
) -> str:
    household = None
    if has_household:
        household = client.actions.register_household(
            area=area, head_name=name, address="12 Lý Thường Kiệt", hamlet="Khu phố 3"
        )
    place = {"household": household} if household else {"area": area}
    if number is not None:
        more["national_id"] = f"0820900000{number:02}"
    return client.actions.register_person(full_name=name, **place, **more)


def _voluntary(
    found: EnrolledOffice,
    client: FieldClient,
    key: str,
    name: str,
    *,
    number: int | None,
    pays: int | None,
    area: str = COMMUNES[0],
    has_household: bool = True,
    **terms: Any,
) -> None:
    """Enrol somebody; `pays` None: what is due, and nothing is collected."""
    person = _person(found, client, name, number, area, has_household=has_household)
    terms = {"income_vnd": 1_500_000, "category": "other", **terms}
    found.enrolments[key] = client.actions.record_enrolment(
        person=person,
        scheme="voluntary",
        status="new",
        from_month="2020-06",
        months=3,
        amount_due_vnd=GROSS - STATE if pays is None else pays,
        **terms,
    )
    if pays:
        _pay(found, client, key, pays)


def _health(
    found: EnrolledOffice,
    client: FieldClient,
    key: str,
    name: str,
    *,
    number: int,
    hospital: str | None = None,
    **more: Any,
) -> None:
    person = _person(found, client, name, number, COMMUNES[0], **more)
    found.enrolments[key] = client.actions.record_enrolment(
        person=person,
        scheme="health",
        status="renewal",
        from_month="2020-06",
        months=12,
        amount_due_vnd=PREMIUM,
        member=1,
        hospital=hospital,
    )
    _pay(found, client, key, PREMIUM)


def _pay(found: EnrolledOffice, client: FieldClient, key: str, amount_vnd: int) -> None:
    collected = client.actions.collect_payment([(found.enrolments[key], amount_vnd)])
    found.receipts[key] = collected.receipt.number


def _twice_registered(found: EnrolledOffice, client: FieldClient) -> None:
    """Enrol somebody without a number, who is registered once more with one."""
    _voluntary(found, client, "merged", "Quách Văn Phú", number=None, pays=GROSS - STATE)
    found.enrolments["merged person"] = _person(found, client, "Quách Văn Phú", 13, COMMUNES[0])


def _merge_the_twice_registered(found: EnrolledOffice, supervisor: Any) -> None:
    """Let the office find that both are one, and keep the record with the number."""
    from sqlalchemy import text

    with found.office.runtime.transactions.reading() as connection:
        person_id = connection.scalar(
            text("SELECT person_id FROM enrolment WHERE entry_id = :id"), {"id": found.enrolments["merged"]}
        )
    merged = {"from": person_id, "into": found.enrolments["merged person"], "record_type": "person"}
    decide(found.office, supervisor, "records_merged", **merged)
