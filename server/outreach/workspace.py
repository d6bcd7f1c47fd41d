"""The outreach facts that one push touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from schemas.rate_tables import RateTables
from schemas.rates import is_first_member
from server.audit.changes import Change
from server.office.queries import rate_tables
from server.outreach.models import Enrolment, Visit, VssidInstall
from server.outreach.queries import (
    EnrolmentState,
    enrolments_by_id,
    fact_ids_of_persons,
    first_member_years,
    visit_ids_of_households,
)
from server.outreach.rules import expected_due, is_paid, promoter_of
from sync.codes import Flag
from sync.judgement import Arrival
from sync.scope import agent_scope, area_scope

_TABLES = {
    "visit_recorded": Visit.__table__,
    "vssid_installed": VssidInstall.__table__,
    "enrolment_recorded": Enrolment.__table__,
}


class OutreachWorkspace:
    """Reads and changes of outreach facts within one change of state."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._wanted: set[str] = set()
        self._wanted_persons: set[str] = set()
        self._wanted_households: set[str] = set()
        self._wants_rates = False
        self._wanted_first_members: set[str] = set()
        self._rates = RateTables()
        self._first_members: set[tuple[str, int]] = set()
        self._enrolments: dict[str, EnrolmentState] = {}
        self._fresh: set[str] = set()
        self._touched: dict[str, None] = {}
        self._facts_of: dict[str, list[str]] = defaultdict(list)

    def want_enrolments(self, ids: Iterable[str]) -> None:
        """Ask for enrolments before `load`."""
        self._wanted.update(ids)

    def want_rates(self) -> None:
        """Ask for the rate tables before `load`."""
        self._wants_rates = True

    def want_first_members(self, household_ids: Iterable[str]) -> None:
        """Ask, before `load`, for the years in which households have a first member."""
        self._wanted_first_members.update(household_ids)

    def want_facts_of(self, person_ids: Iterable[str]) -> None:
        """Ask for the facts about persons whose identity may change, before `load`."""
        self._wanted_persons.update(person_ids)

    def want_visits_of(self, household_ids: Iterable[str]) -> None:
        """Ask for the visits to households that may be merged, before `load`."""
        self._wanted_households.update(household_ids)

    def load(self) -> None:
        """Read everything wanted, one query a table."""
        connection = self._change.connection
        self._enrolments = enrolments_by_id(connection, self._wanted)
        self._rates = rate_tables(connection) if self._wants_rates else self._rates
        self._first_members = first_member_years(connection, self._wanted_first_members)
        self._facts_of.update(fact_ids_of_persons(connection, self._wanted_persons))
        self._facts_of.update(visit_ids_of_households(connection, self._wanted_households))

    def loaded_fact_ids(self) -> set[str]:
        """Return the ids of every fact that this change may touch."""
        facts = {fact_id for fact_ids in self._facts_of.values() for fact_id in fact_ids}
        return facts | self._enrolments.keys()

    def enrolment(self, enrolment_id: str) -> EnrolmentState:
        """Return an enrolment that is known to exist."""
        return self._enrolments[enrolment_id]

    def facts_of(self, record_id: str) -> list[str]:
        """Return the ids of the facts about a person, or of the visits to a household."""
        return self._facts_of[record_id]

    def record_visit(self, arrival: Arrival) -> None:
        """Store a visit and stamp it into its area's scope."""
        body = arrival.body
        self._insert(
            arrival,
            {
                "household_id": body["household"],
                "disposition": body["disposition"],
                "call_back_on": body["call_back_on"],
                "note": body["note"],
            },
        )
        wire = {
            "household": body["household"],
            "disposition": body["disposition"],
            "call_back_on": _iso(body["call_back_on"]),
            "agent": arrival.worker_id,
            "day": arrival.business_day.isoformat(),
        }
        assert arrival.area_key is not None
        self._change.put_record("visit", arrival.entry_id, wire, {area_scope(arrival.area_key)})

    def record_install(self, arrival: Arrival) -> None:
        """Store a VssID install."""
        body = arrival.body
        self._insert(
            arrival,
            {
                "person_id": body["person"],
                "state": body["state"],
                "occasion": body["occasion"],
                "evidence": body["evidence"],
            },
        )
        self._facts_of[body["person"]].append(arrival.entry_id)

    def record_enrolment(self, arrival: Arrival, household_id: str | None) -> tuple[Flag, ...]:
        """Take up an enrolment, which is stamped with what was paid for it at the end; return flags.

        Money that was taken is never refused: a wrong amount is flagged beside the expected one.
        """
        body = arrival.body
        expected_vnd, flags = expected_due(self._rates, body, arrival.business_day)
        if household_id is not None and is_first_member(body):
            year = (household_id, arrival.business_day.year)
            flags = (*flags, Flag.FIRST_MEMBER_TWICE) if year in self._first_members else flags
            self._first_members.add(year)
        state = EnrolmentState(
            entry_id=arrival.entry_id,
            agent_id=arrival.worker_id,
            person_id=body["person"],
            scheme=body["scheme"],
            status=body["status"],
            from_day=date.fromisoformat(f"{body['from_month']}-01"),
            months=body["months"],
            campaign=body["campaign"],
            amount_due_vnd=body["amount_due_vnd"],
            paid_vnd=0,
            expected_vnd=expected_vnd,
            voided_by=None,
        )
        self._insert(
            arrival,
            {
                "person_id": state.person_id,
                "scheme": state.scheme,
                "status": state.status,
                "from_day": state.from_day,
                "months": state.months,
                "income_vnd": body["income_vnd"],
                "amount_due_vnd": state.amount_due_vnd,
                "paid_vnd": 0,
                "expected_vnd": expected_vnd,
                "member": body["member"],
                "household_id": household_id,
            },
        )
        self._enrolments[arrival.entry_id] = state
        self._touched[arrival.entry_id] = None
        self._facts_of[state.person_id].append(arrival.entry_id)
        return flags

    def add_payment(self, enrolment_id: str, amount_vnd: int) -> bool:
        """Add a settled (or, negative, a voided) amount; return whether the enrolment is paid now."""
        state = self._enrolments[enrolment_id]
        state = replace(state, paid_vnd=state.paid_vnd + amount_vnd)
        self._enrolments[enrolment_id] = state
        self._touched[enrolment_id] = None
        self._change.update(Enrolment.__table__, {"entry_id": enrolment_id}, paid_vnd=state.paid_vnd)
        return is_paid(state.paid_vnd, state.amount_due_vnd)

    def void(self, kind: str, entry_id: str, by_entry_id: str) -> None:
        """Mark a fact as voided by another entry."""
        self._change.update(_TABLES[kind], {"entry_id": entry_id}, voided_by=by_entry_id)
        if kind == "visit_recorded":
            self._change.remove_record("visit", entry_id)
        if kind == "enrolment_recorded":
            self._enrolments[entry_id] = replace(self._enrolments[entry_id], voided_by=by_entry_id)
            self._touched[entry_id] = None

    def finish(self) -> None:
        """Stamp the enrolments that changed into their agents' scopes."""
        for enrolment_id in self._touched:
            state = self._enrolments[enrolment_id]
            wire = {
                "person": state.person_id,
                "scheme": state.scheme,
                "status": state.status,
                "from_day": state.from_day.isoformat(),
                "months": state.months,
                "amount_due_vnd": state.amount_due_vnd,
                "paid_vnd": state.paid_vnd,
                "expected_vnd": state.expected_vnd,
                "is_voided": state.voided_by is not None,
            }
            self._change.put_record("enrolment", enrolment_id, wire, {agent_scope(state.agent_id)})

    def _insert(self, arrival: Arrival, columns: dict[str, Any]) -> None:
        columns["entry_id"] = arrival.entry_id
        columns["agent_id"] = arrival.worker_id
        columns["area_key"] = arrival.area_key
        columns["campaign"] = arrival.body["campaign"]
        columns["promoter"] = promoter_of(arrival.body)
        columns["business_day"] = arrival.business_day
        columns["voided_by"] = None
        self._change.insert_row(_TABLES[arrival.kind], columns)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
