"""The plans of the demo: a tree for each launch day, the officers' quota of three with a minimum, the year.

That an officer persuades three, and the year's two ratios, are published. How a launch day's plan
splits over districts and agents, its reserve and the numbers of the decisions are made up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from server.audit.changes import Change
from server.demo.figures import (
    DRIVE,
    DRIVE_FROM,
    DRIVE_TO,
    LAUNCH_DAYS,
    LAUNCH_PLAN_STEP,
    MINIMUM_CODE,
    MINIMUM_PARTS,
    PUBLISHED_PEOPLE,
    PUBLISHED_PERCENTS,
    QUOTA_OF_AN_OFFICER,
    QUOTED_PERCENT,
    TRAINING_DAY,
)
from server.demo.plan import Plan
from server.quotas.actions import adopt_plan
from server.quotas.holidays import HOLIDAYS
from server.quotas.pace import WorkingDays, denominators_of
from server.quotas.phases import Phase
from server.quotas.rules import OFFICE_CAMPAIGN
from server.quotas.splitting import split_amount
from server.quotas.trees import OFFICE_HOLDER, Holder, MinimumAsked, PlanTerms, QuotaAsked
from sync.ports import IdSource

_MONTHS = (
    Phase("2020-07", "month", "Tháng 7", DRIVE_FROM, date(2020, 7, 31)),
    Phase("2020-08", "month", "Tháng 8", date(2020, 8, 1), DRIVE_TO),
)


def adopt_plans(
    change: Change,
    ids: IdSource,
    zone: ZoneInfo,
    plan: Plan,
    agents: Sequence[str],
    officers: Sequence[str],
    districts: Mapping[str, str],
) -> None:
    """Adopt every plan; `districts` gives the area key of each district's code."""
    for number, day in LAUNCH_DAYS.items():
        quotas = [
            quota
            for scheme in ("voluntary", "health")
            for quota in _launch_tree(plan, number, scheme, day, agents, districts)
        ]
        adopt_plan(change, ids, number, "initial", quotas, terms=_decided(number), zone=zone)
    adopt_plan(
        change,
        ids,
        DRIVE,
        "initial",
        _officers_tree(officers),
        {"persuaded": QUOTED_PERCENT},
        terms=_decided(DRIVE, phases=_MONTHS, minimums=(_minimum(officers),)),
        zone=zone,
    )
    for kind, percent in PUBLISHED_PERCENTS.items():
        bounds = denominators_of(PUBLISHED_PEOPLE, percent)
        assert bounds is not None
        published = PlanTerms(
            denominators={"voluntary_enrolled": bounds},
            published_done={"voluntary_enrolled": PUBLISHED_PEOPLE},
        )
        quoted = {"voluntary_enrolled": percent}
        adopt_plan(change, ids, OFFICE_CAMPAIGN, kind, [], quoted, terms=published)


def _decided(
    number: int, phases: tuple[Phase, ...] = (), minimums: tuple[MinimumAsked, ...] = ()
) -> PlanTerms:
    return PlanTerms(
        decision_number=f"{number:02}/KH-HƯ CẤU",
        decision_day=TRAINING_DAY,
        effective_from=TRAINING_DAY,
        phases=phases,
        minimums=minimums,
    )


def _launch_tree(
    plan: Plan, number: int, scheme: str, day: date, agents: Sequence[str], districts: Mapping[str, str]
) -> list[QuotaAsked]:
    """Return office, districts and agents: each the sum of those below, the office with a reserve."""
    indicator = f"{scheme}_enrolled"
    below: dict[str, int] = defaultdict(int)
    leaves = []
    for planned, agent in zip(plan.agents, agents, strict=True):
        amount = plan.quotas[number, scheme, planned.index]
        above = Holder("area", districts[planned.district])
        below[above.key] += amount
        leaves.append(QuotaAsked(indicator, "agent", agent, day, day, amount, parent=above))
    middle = [
        QuotaAsked(indicator, "area", key, day, day, amount, parent=OFFICE_HOLDER)
        for key, amount in sorted(below.items())
    ]
    whole = -(-sum(below.values()) // LAUNCH_PLAN_STEP) * LAUNCH_PLAN_STEP
    return [QuotaAsked(indicator, *OFFICE_HOLDER, day, day, whole), *middle, *leaves]


def _officers_tree(officers: Sequence[str]) -> list[QuotaAsked]:
    """Return three for each officer, over the months by their working days, under the office's sum."""
    calendar = WorkingDays({holiday.day: holiday.is_worked for holiday in HOLIDAYS})
    weights = {phase.code: calendar.count(phase.from_day, phase.to_day) for phase in _MONTHS}

    def asked(holder: Holder, times: int, parent: Holder | None) -> QuotaAsked:
        of_one = split_amount(QUOTA_OF_AN_OFFICER, weights)
        return QuotaAsked(
            "persuaded",
            *holder,
            DRIVE_FROM,
            DRIVE_TO,
            times * QUOTA_OF_AN_OFFICER,
            parent=parent,
            phases=tuple((code, times * amount) for code, amount in of_one.items()),
        )

    single = [asked(Holder("promoter", f"officer:{officer}"), 1, OFFICE_HOLDER) for officer in officers]
    return [asked(OFFICE_HOLDER, len(officers), None), *single]


def _minimum(officers: Sequence[str]) -> MinimumAsked:
    return MinimumAsked(
        MINIMUM_CODE,
        "1 BHXH tự nguyện và 2 BHYT hộ gia đình, như Cần Thơ",
        "1 voluntary and 2 household health, as in Cần Thơ",
        tuple((f"officer_{scheme}", at_least) for scheme, at_least in MINIMUM_PARTS.items()),
        tuple(Holder("promoter", f"officer:{officer}") for officer in officers),
    )


def officers_who_met(plan: Plan) -> int:
    """Return how many officers meet the minimum by what the replay has them persuade."""
    done: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MINIMUM_PARTS, 0))
    for (campaign, _agent), visits in plan.visits.items():
        for visit in visits if campaign == DRIVE else ():
            if visit.officer is not None:
                for enrolment in visit.enrolments:
                    done[visit.officer][enrolment["scheme"]] += 1
    return sum(
        all(of_officer[scheme] >= at_least for scheme, at_least in MINIMUM_PARTS.items())
        for of_officer in done.values()
    )
