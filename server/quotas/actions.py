"""Writes of the quotas: indicators, plans, holidays, and recounts after a change of the office."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from sqlalchemy import func, select

from server.audit.changes import Change
from server.office.queries import areas_by_key, assignments_of, organisations_of_workers, team_memberships_of
from server.office.rules import assignment_standing, team_on
from server.quotas.holidays import HOLIDAYS, Holiday
from server.quotas.models import (
    FactRow,
    HolidayRow,
    IndicatorRow,
    PlanMinimumHolderRow,
    PlanMinimumPartRow,
    PlanMinimumRow,
    PlanPhaseRow,
    PlanRow,
    QuotaRow,
    QuotedRatioRow,
)
from server.quotas.periods import period_end_ms
from server.quotas.plans import figures_asked
from server.quotas.queries import (
    all_facts,
    facts_of_campaign,
    facts_of_kind,
    facts_of_subjects,
    facts_of_worker,
    indicators,
)
from server.quotas.rules import CREDITED, FACT_KINDS, Fact, Indicator
from server.quotas.settling import FigureKey, put_figures_of, settle_credits
from server.quotas.trees import PlanFault, PlanTerms, QuotaAsked, plan_fault
from sync.ports import IdSource
from sync.scope import OFFICE


class IndicatorInvalidError(Exception):
    """An indicator that is taken or contradicts itself; the message says how."""


class PlanInvalidError(Exception):
    """A plan that cannot be adopted; `fault` and the message say why."""

    def __init__(self, fault: PlanFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def define_indicator(
    change: Change, zone: ZoneInfo, indicator: Indicator, name_vi: str, name_en: str
) -> None:
    """Start counting something; facts that are there already count too.

    An indicator never changes: what is counted another way has another code. Raises
    IndicatorInvalidError.
    """
    change.flush()
    taken = {each.indicator.code for each in indicators(change.connection)}
    fault = _indicator_fault(indicator) or ("its code is taken" if indicator.code in taken else None)
    if fault is not None:
        raise IndicatorInvalidError(f"{indicator.code}: {fault}")
    row = {
        "code": indicator.code,
        "name_vi": name_vi,
        "name_en": name_en,
        "fact_kind": indicator.fact_kind,
        "scheme": indicator.scheme,
        "statuses": ",".join(sorted(indicator.statuses)),
        "credits": indicator.credits,
        "credited_when": indicator.credited_when,
        "counts_in": indicator.counts_in,
        "campaign": indicator.campaign,
        "is_unique": indicator.is_unique,
        "unique_within": indicator.unique_within,
        "cap": indicator.cap,
        "cap_per": indicator.cap_per,
    }
    change.insert(IndicatorRow.__table__, **row)
    change.put_record("indicator", indicator.code, row, {OFFICE})
    settled = settle_credits(
        change, zone, facts_of_kind(change.connection, indicator.fact_kind), only=[indicator]
    )
    change.audit("indicator_defined", f"indicator:{indicator.code}", credits=settled)


def _indicator_fault(indicator: Indicator) -> str | None:
    """Return what is wrong with an indicator, or None."""
    choices = (
        (indicator.fact_kind, FACT_KINDS),
        (indicator.credits, CREDITED),
        (indicator.credited_when, ("recorded", "paid")),
        (indicator.counts_in, ("campaign", "office")),
        (indicator.unique_within, ("campaign", "office")),
        (indicator.cap_per, (None, "subject", "holder")),
    )
    for value, allowed in choices:
        if value not in allowed:
            return f"{value} is none of {allowed}"
    if indicator.credited_when == "paid" and indicator.fact_kind != "enrolment":
        return "only enrolments are paid for"
    if indicator.campaign is not None and indicator.counts_in != "campaign":
        return "a figure of the office belongs to no campaign"
    if (indicator.cap is None) != (indicator.cap_per is None) or (
        indicator.cap is not None and indicator.cap < 1
    ):
        return "a cap is a number from 1, per subject or per holder"
    return None


def adopt_plan(
    change: Change,
    ids: IdSource,
    campaign: int,
    kind: str,
    quotas: Sequence[QuotaAsked],
    quoted_percents: Mapping[str, str] | None = None,
    *,
    terms: PlanTerms | None = None,
    zone: ZoneInfo | None = None,
) -> str:
    """Adopt a plan as the newest version of its kind and return its id.

    `campaign` 0 is the office's own plan. `quoted_percents` gives, per indicator, the ratio that
    was published for the whole plan. `zone` is the office's: whose midnight a plan with a first day
    comes into force at; tablets show it from then on. Raises PlanInvalidError.
    """
    change.flush()
    connection, quoted, said = change.connection, dict(quoted_percents or {}), terms or PlanTerms()
    credited = {each.indicator.code: each.indicator.credits for each in indicators(connection)}
    fault = plan_fault(kind, quotas, quoted, said, credited)
    if fault is not None:
        raise PlanInvalidError(fault)
    effective_ms = None
    if said.effective_from is not None:
        if zone is None:
            raise PlanInvalidError(PlanFault("zone_missing", said.effective_from.isoformat()))
        # The day before ends where this one begins.
        effective_ms = period_end_ms(said.effective_from - timedelta(days=1), zone)
    plan = PlanRow.__table__.c
    newest = connection.scalar(
        select(func.max(plan.version)).where(plan.campaign == campaign, plan.kind == kind)
    )
    plan_id, version = ids.new_id(), (newest or 0) + 1
    is_shown = effective_ms is None or effective_ms <= change.now_ms
    change.insert(
        PlanRow.__table__,
        id=plan_id,
        campaign=campaign,
        kind=kind,
        version=version,
        created_ms=change.now_ms,
        decision_number=said.decision_number,
        decision_day=said.decision_day,
        effective_from=said.effective_from,
        effective_ms=effective_ms,
        may_over_assign=said.may_over_assign,
        shown_ms=change.now_ms if is_shown else None,
    )
    for asked in quotas:
        _insert_quota(change, plan_id, asked)
    _insert_terms(change, plan_id, said, quoted)
    change.audit("plan_adopted", f"plan:{plan_id}", campaign=campaign, kind=kind, version=version)
    change.flush()
    put_figures_of(change, figures_asked(connection, campaign))
    return plan_id


def _insert_quota(change: Change, plan_id: str, asked: QuotaAsked) -> None:
    change.insert(
        QuotaRow.__table__,
        plan_id=plan_id,
        indicator=asked.indicator,
        holder_kind=asked.holder_kind,
        holder=asked.holder,
        from_day=asked.from_day,
        to_day=asked.to_day,
        amount=asked.amount,
        quoted_percent=asked.quoted_percent,
        parent_kind=None if asked.parent is None else asked.parent.kind,
        parent=None if asked.parent is None else asked.parent.key,
        phases=json.dumps(dict(asked.phases), ensure_ascii=False) if asked.phases else None,
    )


def _insert_terms(change: Change, plan_id: str, terms: PlanTerms, quoted: Mapping[str, str]) -> None:
    for phase in terms.phases:
        change.insert(PlanPhaseRow.__table__, plan_id=plan_id, **asdict(phase))
    for minimum in terms.minimums:
        key = {"plan_id": plan_id, "code": minimum.code}
        change.insert(PlanMinimumRow.__table__, **key, name_vi=minimum.name_vi, name_en=minimum.name_en)
        for position, (indicator, at_least) in enumerate(minimum.parts):
            part = {"indicator": indicator, "position": position, "at_least": at_least}
            change.insert(PlanMinimumPartRow.__table__, **key, **part)
        for holder in minimum.holders:
            asked_of = {"holder_kind": holder.kind, "holder": holder.key}
            change.insert(PlanMinimumHolderRow.__table__, **key, **asked_of)
    for indicator in sorted(quoted.keys() | terms.denominators.keys()):
        low, high = terms.denominators.get(indicator, (None, None))
        change.insert(
            QuotedRatioRow.__table__,
            plan_id=plan_id,
            indicator=indicator,
            quoted_percent=quoted.get(indicator, ""),
            quota_low=low,
            quota_high=high,
            quoted_done=terms.published_done.get(indicator),
        )


def withdraw_plan(change: Change, plan_id: str) -> None:
    """Take a version back, as if it had never been adopted: the one before it is the newest again."""
    connection = change.connection
    campaign = connection.scalar(
        select(PlanRow.__table__.c.campaign).where(PlanRow.__table__.c.id == plan_id)
    )
    figures = figures_asked(connection, campaign or 0)
    for model in (
        QuotaRow,
        QuotedRatioRow,
        PlanPhaseRow,
        PlanMinimumRow,
        PlanMinimumPartRow,
        PlanMinimumHolderRow,
    ):
        change.delete(model.__table__, {"plan_id": plan_id})
    change.delete(PlanRow.__table__, {"id": plan_id})
    change.audit("plan_withdrawn", f"plan:{plan_id}", campaign=campaign)
    change.flush()
    put_figures_of(change, figures)


def show_figures(change: Change, campaign: int, figures: Sequence[FigureKey]) -> None:
    """Let agents' tablets show these figures as they stand, under the plans in force by now."""
    put_figures_of(change, figures)
    change.audit("figures_shown", f"campaign:{campaign}", figures=len(figures))


def mark_plan_shown(change: Change, plan_id: str) -> None:
    """Say that tablets show what agents are asked for since a plan has come into force."""
    change.update(PlanRow.__table__, {"id": plan_id}, shown_ms=change.now_ms)
    change.audit("plan_shown", f"plan:{plan_id}")


def seed_holidays(change: Change) -> None:
    """Put Vietnam's public holidays into the calendar where the office has not set the day itself."""
    change.flush()
    known = set(change.connection.scalars(select(HolidayRow.__table__.c.day)))
    for holiday in HOLIDAYS:
        if holiday.day not in known:
            change.insert(HolidayRow.__table__, **holiday._asdict())
    change.audit("holidays_seeded", "holidays", days=len(HOLIDAYS))


def set_holiday(change: Change, holiday: Holiday) -> None:
    """Let a day be off, or worked, whatever day of the week it is."""
    change.flush()
    change.delete(HolidayRow.__table__, {"day": holiday.day})
    change.insert(HolidayRow.__table__, **holiday._asdict())
    change.audit("holiday_set", f"holiday:{holiday.day.isoformat()}", is_worked=holiday.is_worked)


def recompute_for_office_change(
    change: Change,
    zone: ZoneInfo,
    worker_id: str,
    campaign: int | None = None,
    captured_ms: Mapping[str, int] | None = None,
) -> int:
    """Derive team, organisation and standing of a worker's facts again; return how many changed.

    `campaign` None: of all facts. `captured_ms` gives the capture times (Unix ms) by which the
    exchange judges standing; a fact that it does not name keeps the standing that it has.
    """
    change.flush()
    connection = change.connection
    facts = facts_of_worker(connection, worker_id, campaign)
    memberships = team_memberships_of(connection, [worker_id]).get(worker_id, [])
    spans = assignments_of(connection, [worker_id]).get(worker_id, [])
    organisation = organisations_of_workers(connection, [worker_id]).get(worker_id)
    areas, times_ms = areas_by_key(connection, {fact.area_key for fact in facts}), captured_ms or {}
    changed = []
    for fact in facts:
        in_area = fact.in_area
        if fact.fact_id in times_ms:
            area = areas.get(fact.area_key)
            path = (fact.area_key,) if area is None else area.path
            in_area = assignment_standing(spans, path, times_ms[fact.fact_id]) in {"assigned", "in_grace"}
        fresh = replace(
            fact,
            team_id=team_on(memberships, fact.campaign, fact.business_day),
            organisation_key=organisation,
            in_area=in_area,
        )
        if fresh != fact:
            changed.append(fresh)
            change.update(
                FactRow.__table__,
                {"fact_id": fact.fact_id},
                team_id=fresh.team_id,
                organisation_key=fresh.organisation_key,
                in_area=fresh.in_area,
            )
    change.flush()
    settled = _settle_subjects_of(change, zone, changed)
    change.audit("worker_recounted", f"worker:{worker_id}", facts=len(changed), credits=settled)
    return len(changed)


def recompute_campaign(change: Change, zone: ZoneInfo, campaign: int) -> int:
    """Settle a campaign's credits after its days changed; return how many credits did."""
    change.flush()
    settled = _settle_subjects_of(change, zone, facts_of_campaign(change.connection, campaign))
    change.audit("campaign_recounted", f"campaign:{campaign}", credits=settled)
    return settled


def recompute_office(change: Change, zone: ZoneInfo) -> int:
    """Settle every credit and show every quota again after a restore; return how many credits changed."""
    change.flush()
    connection = change.connection
    settled = _settle_subjects_of(change, zone, all_facts(connection).values())
    change.flush()
    campaigns = connection.scalars(select(PlanRow.__table__.c.campaign).distinct()).all()
    put_figures_of(change, {key for campaign in campaigns for key in figures_asked(connection, campaign)})
    change.audit("office_recounted", "office", credits=settled)
    return settled


def _settle_subjects_of(change: Change, zone: ZoneInfo, facts: Iterable[Fact]) -> int:
    subjects = {fact.subject for fact in facts}
    return settle_credits(change, zone, list(facts_of_subjects(change.connection, subjects).values()))
