"""Reads of outreach facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, case, func, select

from server.bulk_rows import among, rows_among
from server.outreach.models import Enrolment, Visit, VssidInstall


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """An enrolment as a change sees it; amounts in đồng."""

    entry_id: str
    agent_id: str
    person_id: str
    scheme: str
    status: str
    from_day: date
    months: int
    campaign: int | None
    amount_due_vnd: int
    paid_vnd: int
    expected_vnd: int | None
    voided_by: str | None


@dataclass(frozen=True, slots=True)
class EnrolmentListed:
    """An enrolment in a list of a period; `income_vnd` and `member` where the agent declared them."""

    entry_id: str
    agent_id: str
    area_key: str
    person_id: str
    scheme: str
    status: str
    business_day: date
    from_day: date
    months: int
    income_vnd: int | None
    member: int | None
    amount_due_vnd: int
    paid_vnd: int

    @property
    def terms(self) -> dict[str, Any]:
        """Return what the table keeps of what the agent declared, under the names of the entry's body."""
        return {
            "scheme": self.scheme,
            "months": self.months,
            "from_month": f"{self.from_day:%Y-%m}",
            "income_vnd": self.income_vnd,
            "member": self.member,
            "amount_due_vnd": self.amount_due_vnd,
        }


_ENROLMENTS = select(*(Enrolment.__table__.c[name] for name in EnrolmentState.__dataclass_fields__)).where(
    among(Enrolment.__table__.c.entry_id)
)
_FIRST_MEMBERS = select(Enrolment.household_id, Enrolment.business_day).where(
    among(Enrolment.__table__.c.household_id),
    Enrolment.__table__.c.scheme == "health",
    Enrolment.__table__.c.member == 1,
    Enrolment.__table__.c.voided_by.is_(None),
)
_DUES = select(Enrolment.entry_id, Enrolment.amount_due_vnd, Enrolment.expected_vnd).where(
    among(Enrolment.__table__.c.entry_id)
)
_VISITS_OF_HOUSEHOLDS = select(Visit.household_id, Visit.entry_id).where(
    among(Visit.__table__.c.household_id)
)
_FACTS_OF_PERSONS = [
    select(table.c.person_id, table.c.entry_id).where(among(table.c.person_id))
    for table in (VssidInstall.__table__, Enrolment.__table__)
]


def enrolments_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, EnrolmentState]:
    """Return the enrolments that exist."""
    return {row[0]: EnrolmentState(*row) for row in rows_among(connection, _ENROLMENTS, ids)}


def enrolments_between(
    connection: Connection, scheme: str, from_day: date, to_day: date, most: int
) -> list[EnrolmentListed]:
    """Return the enrolments in a scheme on these days, both included, that were not taken back."""
    table = Enrolment.__table__.c
    statement = select(*(table[name] for name in EnrolmentListed.__dataclass_fields__)).where(
        table.scheme == scheme, table.business_day.between(from_day, to_day), table.voided_by.is_(None)
    )
    rows = connection.execute(statement.order_by(table.business_day, table.entry_id).limit(most))
    return [EnrolmentListed(*row) for row in rows]


def first_member_years(connection: Connection, household_ids: Iterable[str]) -> set[tuple[str, int]]:
    """Return the households with the years in which somebody enrolled as their first member."""
    return {(row[0], row[1].year) for row in rows_among(connection, _FIRST_MEMBERS, household_ids)}


def dues_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[int, int | None]]:
    """Return, per enrolment, what is due and what the rate tables expected, in đồng."""
    return {row[0]: (row[1], row[2]) for row in rows_among(connection, _DUES, ids)}


def enrolment_periods(connection: Connection, scheme: str) -> dict[str, tuple[str, date, int]]:
    """Return of every enrolment of a scheme the person, the first day and the months."""
    columns = Enrolment.__table__.c
    query = select(columns.entry_id, columns.person_id, columns.from_day, columns.months)
    rows = connection.execute(query.where(columns.scheme == scheme)).all()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def dues_against_tables(connection: Connection) -> dict[str, int]:
    """Return how many enrolments are due what the rate tables say, another amount, or unchecked."""
    due, expected = Enrolment.__table__.c.amount_due_vnd, Enrolment.__table__.c.expected_vnd
    standing = case((expected.is_(None), "unchecked"), (due == expected, "agree"), else_="differ")
    counts = connection.execute(select(standing, func.count()).group_by(standing)).all()
    return {"agree": 0, "differ": 0, "unchecked": 0} | {row[0]: row[1] for row in counts}


def fact_ids_of_persons(connection: Connection, person_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return, per person, the ids of the installs and enrolments that are about them."""
    found: dict[str, list[str]] = defaultdict(list)
    person_ids = list(person_ids)
    for statement in _FACTS_OF_PERSONS:
        for person_id, entry_id in rows_among(connection, statement, person_ids):
            found[person_id].append(entry_id)
    return found


def visit_ids_of_households(connection: Connection, household_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return, per household, the ids of the visits to it."""
    found: dict[str, list[str]] = defaultdict(list)
    for household_id, entry_id in rows_among(connection, _VISITS_OF_HOUSEHOLDS, household_ids):
        found[household_id].append(entry_id)
    return found
