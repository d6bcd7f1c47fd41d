"""Reads of outreach facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from server.database import chunks
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
    voided_by: str | None


def enrolments_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, EnrolmentState]:
    """Return the enrolments that exist."""
    table, found = Enrolment.__table__, {}
    columns = [table.c[name] for name in EnrolmentState.__dataclass_fields__]
    for part in chunks(sorted(ids)):
        for row in connection.execute(select(*columns).where(table.c.entry_id.in_(part))):
            found[row.entry_id] = EnrolmentState(*row)
    return found


def fact_ids_of_persons(connection: Connection, person_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return, per person, the ids of the installs and enrolments that are about them."""
    found: dict[str, list[str]] = defaultdict(list)
    for part in chunks(sorted(set(person_ids))):
        for table in (VssidInstall.__table__, Enrolment.__table__):
            rows = connection.execute(
                select(table.c.person_id, table.c.entry_id).where(table.c.person_id.in_(part))
            )
            for person_id, entry_id in rows:
                found[person_id].append(entry_id)
    return found


def visit_ids_of_households(connection: Connection, household_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return, per household, the ids of the visits to it."""
    visit, found = Visit.__table__.c, defaultdict(list)
    for part in chunks(sorted(set(household_ids))):
        rows = connection.execute(
            select(visit.household_id, visit.entry_id).where(visit.household_id.in_(part))
        )
        for household_id, entry_id in rows:
            found[household_id].append(entry_id)
    return found
