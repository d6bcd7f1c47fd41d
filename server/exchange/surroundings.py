"""The office's side of a judgement: areas, campaigns, workers, assignments and teams of one batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from server.campaigns.queries import CampaignView, campaigns_by_number
from server.exchange.intake import Candidate
from server.office.queries import (
    AreaNode,
    WorkerView,
    areas_by_key,
    assignments_of,
    team_memberships_of,
    workers_by_id,
)
from server.office.rules import AssignmentSpan, Membership, assignment_standing, standing_run, team_on
from sync.clock import CLOCK_TOLERANCE_MS, DAY_MS
from sync.codes import EntryCode, Flag
from sync.entry import Fault

LATE_AFTER_MS = 15 * DAY_MS
# Scopes are communes: what is put into a larger or smaller area would reach no tablet.
AREA_OF_RECORDS = "commune"
_WORKER_PROMOTERS = {"officer", "hamlet_head"}
_STANDING_FLAGS = {
    "in_grace": Flag.IN_GRACE,
    "elsewhere": Flag.OUT_OF_AREA,
    "none": Flag.NO_ASSIGNMENT,
}


def named_areas(body: dict[str, Any]) -> list[str]:
    """Return the area keys that a body names itself."""
    own = body.get("area")
    named = [] if own is None else [own]
    if "set" in body and body["set"].get("area") is not None:
        named.append(body["set"]["area"])
    return named


def _worker_promoters(candidates: Iterable[Candidate]) -> set[str]:
    found = set()
    for candidate in candidates:
        promoter = candidate.body.get("promoter")
        if promoter is not None and promoter["kind"] in _WORKER_PROMOTERS:
            found.add(promoter["id"])
    return found


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the office knew when the batch was judged."""

    areas: dict[str, AreaNode]
    campaigns: dict[int, CampaignView]
    workers: dict[str, WorkerView]
    assignments: dict[str, list[AssignmentSpan]]
    memberships: dict[str, list[Membership]]
    # What was found already for a worker, an area and a run of time between two changes of assignments.
    # Bodies that name nothing unknown, by all the office data that they name.
    _sound: set[tuple[str | None, int | None]] = field(default_factory=set)
    _standings: dict[tuple[str, str, int], tuple[bool, tuple[Flag, ...]]] = field(default_factory=dict)

    def fault_of(self, candidate: Candidate) -> Fault | None:
        """Return the unknown office data that the body names, if any: it is quarantined, not held."""
        body = candidate.body
        named = (body.get("area"), body.get("campaign"))
        is_plain = body.get("promoter") is None and "set" not in body
        if is_plain and named in self._sound:
            return None
        for key in named_areas(body):
            area = self.areas.get(key)
            if area is None or area.level != AREA_OF_RECORDS:
                return Fault(EntryCode.AREA_UNKNOWN, "set.area" if "set" in body else "area")
        if body.get("campaign") is not None and body["campaign"] not in self.campaigns:
            return Fault(EntryCode.CAMPAIGN_UNKNOWN, "campaign")
        if body.get("promoter") is not None and not _worker_promoters([candidate]) <= self.workers.keys():
            return Fault(EntryCode.PROMOTER_UNKNOWN, "promoter.id")
        if is_plain:
            self._sound.add(named)
        return None

    def standing(self, candidate: Candidate, area_key: str) -> tuple[bool, tuple[Flag, ...]]:
        """Return whether the agent was assigned to the area at capture, and the flag otherwise."""
        spans = self.assignments[candidate.worker_id]
        key = (candidate.worker_id, area_key, standing_run(spans, candidate.capture_ms))
        found = self._standings.get(key)
        if found is None:
            standing = assignment_standing(spans, self.areas[area_key].path, candidate.capture_ms)
            flag = _STANDING_FLAGS.get(standing)
            found = (standing in {"assigned", "in_grace"}, () if flag is None else (flag,))
            self._standings[key] = found
        return found

    def team(self, candidate: Candidate) -> str | None:
        """Return the agent's team on that day of that campaign."""
        memberships = self.memberships[candidate.worker_id]
        if not memberships:
            return None
        return team_on(memberships, candidate.body.get("campaign"), candidate.business_day)

    def organisation(self, candidate: Candidate) -> str | None:
        """Return the agent's organisation."""
        worker = self.workers.get(candidate.worker_id)
        return None if worker is None else worker.organisation_key

    def remarks(self, candidate: Candidate) -> tuple[Flag, ...]:
        """Return the flags about the entry's time: its campaign's days, and how late it came."""
        flags: tuple[Flag, ...] = ()
        campaign = self.campaigns.get(candidate.body.get("campaign") or 0)
        if campaign is not None and not campaign.from_day <= candidate.business_day <= campaign.to_day:
            flags = (Flag.OUT_OF_CAMPAIGN,)
        lower_ms, upper_ms = candidate.corrected
        # The capture is at least its lower end: most entries cannot be late whatever they claim.
        is_old = candidate.received_ms - lower_ms > LATE_AFTER_MS
        if is_old and candidate.received_ms - candidate.capture_ms > LATE_AFTER_MS:
            flags += (Flag.LATE_ARRIVAL,)
        if candidate.claimed_ms > upper_ms + CLOCK_TOLERANCE_MS:
            flags += (Flag.CLOCK_AHEAD,)
        return flags


def load_surroundings(
    connection: Connection, candidates: Sequence[Candidate], known_areas: Iterable[str]
) -> Surroundings:
    """Read what the candidates need of the office, one query a table."""
    bodies = [candidate.body for candidate in candidates]
    agents = {candidate.worker_id for candidate in candidates}
    areas = set(known_areas).union(*(named_areas(body) for body in bodies))
    numbers = {body["campaign"] for body in bodies if body.get("campaign") is not None}
    return Surroundings(
        areas=areas_by_key(connection, areas),
        campaigns=campaigns_by_number(connection, numbers),
        workers=workers_by_id(connection, agents | _worker_promoters(candidates)),
        assignments=assignments_of(connection, agents),
        memberships=team_memberships_of(connection, agents),
    )
