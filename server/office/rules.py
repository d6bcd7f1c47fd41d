"""Pure decisions about the office: names, dated nodes, one team a day, and where someone stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sync.clock import DAY_MS

AREA_LEVELS = ("province", "district", "commune", "hamlet")
ORGANISATION_KINDS = (
    "insurance_office",
    "post_office",
    "viettel",
    "commune_committee",
    "farmers_union",
    "job_centre",
    "other",
)
ROLES = ("agent", "supervisor", "treasurer", "auditor", "committee", "administrator")
# Who may record facts at doors; the other roles look, count or run the office.
RECORDING_ROLES = frozenset({"agent", "supervisor"})
# An agent keeps the right to deliver what was captured shortly after an assignment ended.
GRACE_MS = 15 * DAY_MS

Standing = Literal["assigned", "in_grace", "elsewhere", "none"]


@dataclass(frozen=True, slots=True)
class AssignmentSpan:
    """A role over an area (None: every area) or organisation, from `from_ms` until before `to_ms`."""

    worker_id: str
    role: str
    area_key: str | None
    organisation_key: str | None
    from_ms: int
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A worker's days in a team, both ends included; `campaign` None is the standing team."""

    team_id: str
    worker_id: str
    campaign: int | None
    from_day: date
    to_day: date | None


@dataclass(frozen=True, slots=True)
class AreaFilter:
    """Which areas someone may look at: the whole office, or everything below some keys."""

    office_wide: bool
    area_keys: frozenset[str] = frozenset()

    def allows(self, path: Sequence[str]) -> bool:
        """Return whether an area with these ancestors (own key last) may be looked at."""
        return self.office_wide or not self.area_keys.isdisjoint(path)


def node_key(code: str, valid_from: date) -> str:
    """Return the key of an area or organisation."""
    return f"{code}@{valid_from.isoformat()}"


def is_valid_on(valid_from: date, valid_to: date | None, day: date) -> bool:
    """Return whether a dated node exists on `day`; both ends are included."""
    return valid_from <= day and (valid_to is None or day <= valid_to)


def overlap(first_from: date, first_to: date | None, second_from: date, second_to: date | None) -> bool:
    """Return whether two runs of days share one; None is open-ended."""
    return (first_to is None or second_from <= first_to) and (second_to is None or first_from <= second_to)


def team_on(memberships: Sequence[Membership], campaign: int | None, day: date) -> str | None:
    """Return the team that counts for a worker on `day`: the campaign's, else the standing one."""
    for wanted in (campaign, None):
        for membership in memberships:
            if membership.campaign == wanted and is_valid_on(membership.from_day, membership.to_day, day):
                return membership.team_id
    return None


def clashing(memberships: Sequence[Membership], fresh: Membership) -> Membership | None:
    """Return a membership of the same worker and campaign that shares a day with `fresh`."""
    for known in memberships:
        same = known.worker_id == fresh.worker_id and known.campaign == fresh.campaign
        if same and overlap(known.from_day, known.to_day, fresh.from_day, fresh.to_day):
            return known
    return None


def holds_at(span: AssignmentSpan, at_ms: int) -> bool:
    """Return whether the assignment is in force at `at_ms`."""
    return span.from_ms <= at_ms and (span.to_ms is None or at_ms < span.to_ms)


def in_grace_at(span: AssignmentSpan, at_ms: int) -> bool:
    """Return whether the assignment ended less than the grace period before `at_ms`."""
    return span.to_ms is not None and span.from_ms < span.to_ms <= at_ms < span.to_ms + GRACE_MS


def assignment_standing(spans: Sequence[AssignmentSpan], area_path: Sequence[str], at_ms: int) -> Standing:
    """Return where the recorder of a fact stood towards the fact's area at its capture.

    `area_path` holds the area's ancestors and itself. An assignment over an organisation alone
    covers every area.
    """
    recording = [span for span in spans if span.role in RECORDING_ROLES]
    here = [span for span in recording if span.area_key is None or span.area_key in area_path]
    if any(holds_at(span, at_ms) for span in here):
        return "assigned"
    if any(in_grace_at(span, at_ms) for span in here):
        return "in_grace"
    if any(holds_at(span, at_ms) or in_grace_at(span, at_ms) for span in recording):
        return "elsewhere"
    return "none"


def standing_run(spans: Sequence[AssignmentSpan], at_ms: int) -> int:
    """Return in which run between two changes of these assignments `at_ms` lies.

    `assignment_standing` answers the same for every moment of one run.
    """
    run = 0
    for span in spans:
        run += span.from_ms <= at_ms
        if span.to_ms is not None:
            run += (span.to_ms <= at_ms) + (span.to_ms + GRACE_MS <= at_ms)
    return run


def day_before(day: date) -> date:
    """Return the last day of what ends when something else begins on `day`."""
    return day - timedelta(days=1)
