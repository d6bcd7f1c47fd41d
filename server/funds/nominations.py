"""Reads of nominations: who was named for a card, and what speaks against it on a day.

Whatever shares a number or a cluster is one person, in this fund and in every other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection, select

from server.bulk_rows import among, rows_among
from server.funds.eligibility import (
    Candidate,
    Conditions,
    Exclusion,
    OtherClaim,
    PoolRule,
    Verdict,
    rule_on,
    verdict_on,
)
from server.funds.models import Nomination, NominationDecision
from server.funds.office_queries import AllocationState, allocations_of_persons, pool_rules
from server.funds.rules import Stage
from server.outreach.queries import enrolments_by_id, fact_ids_of_persons
from server.people.queries import PersonState, cluster_members, persons_by_id, persons_sharing_numbers
from server.people.rules import IDENTIFYING_NUMBERS
from server.quotas.queries import facts_by_id
from server.register.queries import insured_until, last_day

CONSENT_PURPOSE = "card_donation"


class NominationStanding(StrEnum):
    """What has become of a nomination."""

    VOIDED = "voided"
    REJECTED = "rejected"
    EXCLUDED = "excluded"
    ALLOCATED = "allocated"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class NominationState:
    """A nomination as the tablets brought it."""

    entry_id: str
    worker_id: str
    fund: int
    pool: str
    person_id: str
    evidence: str
    member: int | None
    area_key: str
    upper_ms: int
    business_day: date
    voided_by: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the office last decided about a nomination itself."""

    decision: str
    code: str
    reason: str | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class NominationView:
    """A nomination with its person, verdict, the office's decision and its allocation, if there are."""

    nomination: NominationState
    person: PersonState | None
    verdict: Verdict
    decision: Decision | None
    allocation: AllocationState | None

    @property
    def standing(self) -> NominationStanding:
        """Return what has become of it; one that waits may still not be eligible."""
        if self.nomination.voided_by is not None:
            return NominationStanding.VOIDED
        if self.allocation is not None:
            return NominationStanding.ALLOCATED
        if self.decision is not None:
            return NominationStanding(self.decision.decision)
        return NominationStanding.WAITING

    @property
    def can_be_proposed(self) -> bool:
        """Return whether a card may be proposed for it."""
        return self.standing is NominationStanding.WAITING and self.verdict.is_eligible


_COLUMN, _DECIDED = Nomination.__table__.c, NominationDecision.__table__.c
_NOMINATIONS = select(*(_COLUMN[name] for name in NominationState.__dataclass_fields__))
_BY_ID = _NOMINATIONS.where(among(_COLUMN.entry_id))
_BY_PERSON = _NOMINATIONS.where(among(_COLUMN.person_id), _COLUMN.voided_by.is_(None))
_DECISIONS = (
    select(_DECIDED.nomination_id, _DECIDED.decision, _DECIDED.code, _DECIDED.reason, _DECIDED.at_ms)
    .where(among(_DECIDED.nomination_id))
    .order_by(_DECIDED.at_ms, _DECIDED.id)
)
_REOPENED = "reopened"


def nominations_of(connection: Connection, fund: int, today: date) -> list[NominationView]:
    """Return a fund's nominations in the order of their capture, each with its verdict on a day."""
    statement = _NOMINATIONS.where(_COLUMN.fund == fund).order_by(_COLUMN.upper_ms, _COLUMN.entry_id)
    return _viewed(connection, [NominationState(*row) for row in connection.execute(statement)], today)


def nominations_by_id(connection: Connection, ids: Iterable[str], today: date) -> dict[str, NominationView]:
    """Return these nominations, each with its verdict on a day."""
    found = [NominationState(*row) for row in rows_among(connection, _BY_ID, ids)]
    return {view.nomination.entry_id: view for view in _viewed(connection, found, today)}


def nomination_states(connection: Connection, ids: Iterable[str]) -> dict[str, NominationState]:
    """Return these nominations as the tablets brought them, without a verdict."""
    found = [NominationState(*row) for row in rows_among(connection, _BY_ID, ids)]
    return {each.entry_id: each for each in found}


def standing_decisions(connection: Connection, ids: Iterable[str]) -> dict[str, Decision]:
    """Return the latest decision about each nomination that has one and was not reopened."""
    found = {row.nomination_id: Decision(*row[1:]) for row in rows_among(connection, _DECISIONS, ids)}
    return {key: each for key, each in found.items() if each.decision != _REOPENED}


def _viewed(connection: Connection, found: list[NominationState], today: date) -> list[NominationView]:
    people = _People(connection, {each.person_id for each in found})
    others = [NominationState(*row) for row in rows_among(connection, _BY_PERSON, people.known)]
    decisions = standing_decisions(
        connection, [*(each.entry_id for each in found), *(each.entry_id for each in others)]
    )
    given = allocations_of_persons(connection, people.known)
    live = {each.nomination_id: each for each in given if each.ended is None}
    rules, claims = pool_rules(connection), _Claims(people, others, decisions, given)
    insured = _insured_by_group(connection, people)
    views = []
    for each in found:
        person = people.known.get(each.person_id)
        group = people.group(each.person_id)
        candidate = Candidate(
            evidence=each.evidence,
            is_known=person is not None,
            has_consent=person is not None and person.consents.get(CONSENT_PURPOSE, ("",))[0] == "given",
            birth_date=None if person is None else person.birth_date,
            insured_until=insured.get(group),
            others=claims.against(each),
        )
        verdict = verdict_on(candidate, _conditions(rules, each.pool, today), today)
        decision = decisions.get(each.entry_id)
        views.append(NominationView(each, person, verdict, decision, live.get(each.entry_id)))
    return views


def _conditions(rules: list[PoolRule], pool: str, day: date) -> Conditions | None:
    rule = rule_on(rules, pool, day)
    return None if rule is None else rule.conditions


class _People:
    """Persons with everybody who shares a number or a cluster with them, in groups of one person each."""

    def __init__(self, connection: Connection, person_ids: set[str]) -> None:
        named = persons_by_id(connection, person_ids)
        numbers = {
            (field, index)
            for person in named.values()
            for field in IDENTIFYING_NUMBERS
            if (index := person.numbers[field][1]) is not None
        }
        related = {one for ids in persons_sharing_numbers(connection, numbers).values() for one in ids}
        clusters = {person.cluster_id or person.id for person in named.values()}
        related |= cluster_members(connection, "person", clusters)
        self.known = named | persons_by_id(connection, related - set(named))
        self._leader: dict[str, str] = {}
        holders: dict[str, str] = {}
        for person in sorted(self.known.values(), key=lambda each: each.id):
            for key in self.keys_of(person):
                self._join(holders.setdefault(key, person.id), person.id)

    @staticmethod
    def keys_of(person: PersonState) -> list[str]:
        """Return what makes a record one person with others."""
        numbers = [
            f"{field}:{index}"
            for field in IDENTIFYING_NUMBERS
            if (index := person.numbers[field][1]) is not None
        ]
        return [f"cluster:{person.cluster_id or person.id}", *numbers]

    def group(self, person_id: str) -> str:
        """Return the id that stands for everybody who is one with this record."""
        while (leader := self._leader.get(person_id, person_id)) != person_id:
            person_id = leader
        return person_id

    def _join(self, first: str, second: str) -> None:
        first, second = self.group(first), self.group(second)
        if first != second:
            self._leader[max(first, second)] = min(first, second)


class _Claims:
    """What each person was nominated for and given, to hold one nomination against the others."""

    def __init__(
        self,
        people: _People,
        nominations: list[NominationState],
        decisions: Mapping[str, Decision],
        allocations: list[AllocationState],
    ) -> None:
        self._people = people
        self._allocations: dict[str, list[AllocationState]] = defaultdict(list)
        self._nominations: dict[str, list[NominationState]] = defaultdict(list)
        for allocation in allocations:
            self._allocations[people.group(allocation.person_id)].append(allocation)
        used = {each.nomination_id for each in allocations if each.stage is not Stage.CANCELLED}
        for nomination in nominations:
            # One that was decided against, or that was followed by a card, no longer stands in the way.
            if nomination.entry_id not in decisions and nomination.entry_id not in used:
                self._nominations[people.group(nomination.person_id)].append(nomination)

    def against(self, nomination: NominationState) -> tuple[OtherClaim, ...]:
        """Return the other claims of the person that a nomination names."""
        group = self._people.group(nomination.person_id)
        found = []
        for allocation in self._allocations[group]:
            if allocation.nomination_id == nomination.entry_id or allocation.ended is not None:
                continue
            if allocation.issued_ms is None:
                found.append(OtherClaim(Exclusion.ALLOCATED_BEFORE, allocation.id))
            else:
                found.append(OtherClaim(Exclusion.HOLDS_A_CARD, allocation.id, allocation.valid_to))
        place = (nomination.upper_ms, nomination.entry_id)
        found += [
            OtherClaim(Exclusion.NOMINATED_BEFORE, other.entry_id)
            for other in self._nominations[group]
            if (other.upper_ms, other.entry_id) < place
        ]
        return tuple(found)


def _insured_by_group(connection: Connection, people: _People) -> dict[str, date]:
    """Return until when each person is insured, by the register's newest line or a paid enrolment."""
    latest: dict[str, date] = {}

    def note(person_id: str, until: date) -> None:
        group = people.group(person_id)
        latest[group] = max(latest.get(group, until), until)

    by_number: dict[str, list[str]] = defaultdict(list)
    for person in people.known.values():
        for key in people.keys_of(person)[1:]:
            by_number[key].append(person.id)
    for number, until in insured_until(connection, "health", by_number).items():
        for person_id in by_number[number]:
            note(person_id, until)
    facts = fact_ids_of_persons(connection, people.known)
    paid = {
        fact_id
        for fact_id, fact in facts_by_id(connection, [one for ids in facts.values() for one in ids]).items()
        if fact.kind == "enrolment" and fact.scheme == "health" and fact.paid and not fact.voided
    }
    for enrolment in enrolments_by_id(connection, paid).values():
        note(enrolment.person_id, last_day(enrolment.from_day, enrolment.months))
    return latest
