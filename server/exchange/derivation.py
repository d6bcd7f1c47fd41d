"""Facts derived anew from the stored entry bytes, to hold against what pushes kept step by step.

Reads of the stored state only the outcomes (which entries are in effect) and the office's own
data; persons, households, facts and payments come from the bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from server.devices.queries import installation_numbers
from server.exchange.intake import Candidate, held_candidate
from server.exchange.surroundings import Surroundings, load_surroundings, named_areas
from server.journals.queries import StoredEntry, every_stored_entry
from server.outreach.rules import FACT_KINDS, fact_of, is_paid
from server.people.rules import IDENTIFYING_NUMBERS, Identified, cluster_identity, root_of
from server.quotas.rules import Fact
from server.quotas.verification import Difference, differences
from server.register.verification import register_differences
from server.runtime import Runtime
from server.sealing import Sealer
from sync.journal import DESK, DESK_NUMBER
from sync.judgement import Arrival
from sync.merge import LoggedEdit, ranked
from sync.verdict import IN_EFFECT, OutcomeState


def quota_differences(connection: Connection, runtime: Runtime) -> list[Difference]:
    """Return where stored facts, credits and progress differ from what the entry bytes say.

    The participant register is held against its own sealed lines.
    """
    found = differences(connection, derived_facts(connection, runtime), runtime.config.time_zone)
    return found + register_differences(connection, runtime.sealer)


def derived_facts(connection: Connection, runtime: Runtime) -> list[Fact]:
    """Return every fact, derived from the bytes of the entries in effect."""
    stored = [
        entry
        for entry in every_stored_entry(connection, runtime.sealer)
        if entry.state in IN_EFFECT or entry.state == OutcomeState.VOIDED
    ]
    entries = [(entry, held_candidate(entry)) for entry in stored]
    candidates = [candidate for _, candidate in entries if candidate is not None]
    areas = set().union(*(named_areas(candidate.body) for candidate in candidates))
    surroundings = load_surroundings(connection, candidates, areas)
    numbers = installation_numbers(connection, {entry.installation_id for entry in stored})
    numbers[DESK] = DESK_NUMBER
    derivation = _Derivation(surroundings, numbers, runtime.sealer)
    derivation.run([(entry, candidate) for entry, candidate in entries if candidate is not None])
    return derivation.facts()


class _Derivation:
    """Takes in entries in any order in which each comes after what it refers to."""

    def __init__(self, surroundings: Surroundings, numbers: dict[str, int], sealer: Sealer) -> None:
        self._surroundings = surroundings
        self._numbers = numbers
        self._sealer = sealer
        self._seen: set[str] = set()
        self._numbers_of: dict[str, dict[str, str | None]] = {}
        self._amendments: dict[str, list[LoggedEdit]] = {}
        self._facts: dict[str, Fact] = {}
        self._person_of: dict[str, str] = {}
        self._household_of: dict[str, str] = {}
        self._merges: dict[str, tuple[str, str, str]] = {}
        self._due: dict[str, int] = {}
        self._paid: dict[str, int] = defaultdict(int)

    def run(self, entries: Sequence[tuple[StoredEntry, Candidate]]) -> None:
        """Take in entries; one from another tablet may have to wait for what it refers to."""
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
        identities, households = self._identities(), self._roots("household")
        return [
            replace(
                fact,
                subject=identities[self._person_of[fact.fact_id]]
                if fact.fact_id in self._person_of
                else _household_subject(self._household_of[fact.fact_id], households),
                paid=fact.fact_id in self._due and is_paid(self._paid[fact.fact_id], self._due[fact.fact_id]),
            )
            for fact in self._facts.values()
        ]

    def _take(self, entry: StoredEntry, candidate: Candidate) -> None:
        body = candidate.body
        match candidate.kind.name:
            case "person_registered":
                self._numbers_of[candidate.entry_id] = {name: body[name] for name in IDENTIFYING_NUMBERS}
            case "person_amended":
                self._amend_person(candidate)
            case "records_merged":
                self._merges[candidate.entry_id] = (body["record_type"], body["from"], body["into"])
            case "records_unmerged":
                del self._merges[body["merge"]]
            case "payment_collected" if entry.state != OutcomeState.VOIDED:
                for item in body["allocations"]:
                    self._paid[item["enrolment"]] += item["amount_vnd"]
        if candidate.kind.name in FACT_KINDS:
            self._facts[candidate.entry_id] = self._fact(entry, candidate)

    def _amend_person(self, candidate: Candidate) -> None:
        """Rank the amendment by its own base; which numbers stand is settled at the end."""
        person_id, values = candidate.body["person"], candidate.body["set"]
        numbers = {name: values[name] or "" for name in IDENTIFYING_NUMBERS if name in values}
        log = self._amendments.setdefault(person_id, [LoggedEdit(person_id, {})])
        base, upper_ms = candidate.body["base"], candidate.corrected.upper_ms
        log.append(ranked(log, base, candidate.entry_id, upper_ms, numbers))

    def _roots(self, record_type: str) -> dict[str, str]:
        """Return where the merges in force lead, for every record that one of them names."""
        edges = {from_id: into for kind, from_id, into in self._merges.values() if kind == record_type}
        return {each: root_of(each, edges) for each in {*edges, *edges.values()}}

    def _identities(self) -> dict[str, str]:
        """Return what every person with facts, and everybody merged with them, is for credits."""
        roots, members = self._roots("person"), defaultdict(list)
        for person_id in {*self._person_of.values(), *roots}:
            members[roots.get(person_id, person_id)].append(person_id)
        return {
            person_id: cluster_identity(root, [self._identified(each) for each in clustered])
            for root, clustered in members.items()
            for person_id in clustered
        }

    def _identified(self, person_id: str) -> Identified:
        numbers = dict(self._numbers_of[person_id])
        for edit in sorted(self._amendments.get(person_id, []), key=lambda edit: edit.order):
            numbers.update(edit.fields)
        indexes = {
            name: self._sealer.blind_index(name, value) if value else None for name, value in numbers.items()
        }
        return Identified(person_id, indexes["national_id"], indexes["insurance_number"])

    def _fact(self, entry: StoredEntry, candidate: Candidate) -> Fact:
        body = candidate.body
        about = body["household"] if candidate.kind.name == "visit_recorded" else body["person"]
        if "person" in body:
            self._person_of[candidate.entry_id] = about
        else:
            self._household_of[candidate.entry_id] = about
        if candidate.kind.name == "enrolment_recorded":
            self._due[candidate.entry_id] = body["amount_due_vnd"]
        area_key = body["area"]
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


def _household_subject(household_id: str, roots: Mapping[str, str]) -> str:
    return f"household:{roots.get(household_id, household_id)}"
