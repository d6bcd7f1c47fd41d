"""Facts derived anew from the stored entry bytes, to hold against what pushes kept step by step.

Reads of the stored state only the outcomes (which entries are in effect) and the office's own
data; persons, households, facts and payments come from the bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from server.devices.queries import installation_numbers
from server.exchange.intake import Candidate, held_candidate
from server.exchange.surroundings import Surroundings, load_surroundings, named_areas
from server.journals.queries import StoredEntry, every_stored_entry
from server.outreach.rules import FACT_KINDS, fact_of, is_paid
from server.people.rules import identity
from server.quotas.rules import Fact
from server.quotas.verification import Difference, differences
from server.runtime import Runtime
from server.sealing import Sealer
from sync.judgement import Arrival
from sync.verdict import IN_EFFECT, OutcomeState


def quota_differences(connection: Connection, runtime: Runtime) -> list[Difference]:
    """Return where stored facts, credits and progress differ from what the entry bytes say."""
    return differences(connection, derived_facts(connection, runtime), runtime.config.time_zone)


def derived_facts(connection: Connection, runtime: Runtime) -> list[Fact]:
    """Return every fact, derived from the bytes of the entries in effect."""
    stored = [
        entry
        for entry in every_stored_entry(connection, runtime.sealer)
        if entry.state in IN_EFFECT or entry.state == OutcomeState.VOIDED
    ]
    stored.sort(key=lambda entry: (entry.effective_ms, entry.installation_id, entry.seq))
    entries = [(entry, held_candidate(entry)) for entry in stored]
    candidates = [candidate for _, candidate in entries if candidate is not None]
    areas = set().union(*(named_areas(candidate.body) for candidate in candidates))
    surroundings = load_surroundings(connection, candidates, areas)
    numbers = installation_numbers(connection, {entry.installation_id for entry in stored})
    derivation = _Derivation(surroundings, numbers, runtime.sealer)
    derivation.run([(entry, candidate) for entry, candidate in entries if candidate is not None])
    return derivation.facts()


class _Derivation:
    """Replays entries in the order in which they took effect."""

    def __init__(self, surroundings: Surroundings, numbers: dict[str, int], sealer: Sealer) -> None:
        self._surroundings = surroundings
        self._numbers = numbers
        self._sealer = sealer
        self._seen: set[str] = set()
        self._area_of: dict[str, str] = {}
        self._household_of: dict[str, str | None] = {}
        self._numbers_of: dict[str, dict[str, str | None]] = {}
        self._facts: dict[str, Fact] = {}
        self._person_of: dict[str, str] = {}
        self._due: dict[str, int] = {}
        self._paid: dict[str, int] = defaultdict(int)

    def run(self, entries: Sequence[tuple[StoredEntry, Candidate]]) -> None:
        """Take in entries; one that was released by another push waits for what it refers to."""
        pending = list(entries)
        while pending:
            deferred = []
            for entry, candidate in pending:
                if all(referral.entry_id in self._seen for referral in candidate.referrals):
                    self._take(entry, candidate)
                    self._seen.add(candidate.entry_id)
                else:
                    deferred.append((entry, candidate))
            if len(deferred) == len(pending):
                return
            pending = deferred

    def facts(self) -> list[Fact]:
        """Return the facts with the identities and payments that stand at the end."""
        return [
            replace(
                fact,
                subject=self._identity(self._person_of[fact.fact_id])
                if fact.fact_id in self._person_of
                else fact.subject,
                paid=fact.fact_id in self._due and is_paid(self._paid[fact.fact_id], self._due[fact.fact_id]),
            )
            for fact in self._facts.values()
        ]

    def _take(self, entry: StoredEntry, candidate: Candidate) -> None:
        body = candidate.body
        match candidate.kind.name:
            case "household_registered":
                self._area_of[candidate.entry_id] = body["area"]
            case "household_amended":
                self._move_household(body["household"], body["set"].get("area"))
            case "person_registered":
                self._household_of[candidate.entry_id] = body["household"]
                area = self._area_of[body["household"]] if body["household"] else body["area"]
                self._area_of[candidate.entry_id] = area
                self._numbers_of[candidate.entry_id] = {
                    name: body[name] for name in ("national_id", "insurance_number")
                }
            case "person_amended":
                self._amend_person(body["person"], body["set"])
            case "payment_collected" if entry.state != OutcomeState.VOIDED:
                for item in body["allocations"]:
                    self._paid[item["enrolment"]] += item["amount_vnd"]
        if candidate.kind.name in FACT_KINDS:
            self._facts[candidate.entry_id] = self._fact(entry, candidate)

    def _move_household(self, household_id: str, area: str | None) -> None:
        if area is None:
            return
        self._area_of[household_id] = area
        for person_id, lives_in in self._household_of.items():
            if lives_in == household_id:
                self._area_of[person_id] = area

    def _amend_person(self, person_id: str, values: dict[str, Any]) -> None:
        if "household" in values:
            self._household_of[person_id] = values["household"]
            self._area_of[person_id] = self._area_of[values["household"]]
        numbers = self._numbers_of[person_id]
        numbers.update({name: values[name] for name in numbers if name in values})

    def _identity(self, person_id: str) -> str:
        indexes = {
            name: None if value is None else self._sealer.blind_index(name, value)
            for name, value in self._numbers_of[person_id].items()
        }
        return identity(person_id, indexes["national_id"], indexes["insurance_number"])

    def _fact(self, entry: StoredEntry, candidate: Candidate) -> Fact:
        body = candidate.body
        about = body["household"] if candidate.kind.name == "visit_recorded" else body["person"]
        if "person" in body:
            self._person_of[candidate.entry_id] = about
        if candidate.kind.name == "enrolment_recorded":
            self._due[candidate.entry_id] = body["amount_due_vnd"]
        area_key = self._area_of[about]
        arrival = Arrival(
            entry_id=candidate.entry_id,
            kind=candidate.kind.name,
            body=body,
            sha256=candidate.sha256,
            installation_id=candidate.installation_id,
            installation_number=self._numbers[candidate.installation_id],
            worker_id=candidate.worker_id,
            corrected=candidate.corrected,
            business_day=candidate.business_day,
            received_ms=candidate.received_ms,
            area_key=area_key,
            in_area=self._surroundings.standing(candidate, area_key)[0],
            team_id=self._surroundings.team(candidate),
            organisation_key=self._surroundings.organisation(candidate),
        )
        fact = fact_of(arrival, f"household:{about}")
        return replace(fact, voided=entry.state == OutcomeState.VOIDED)
