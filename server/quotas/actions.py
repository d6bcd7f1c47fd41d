"""Writes of the quotas: indicators, plans, holidays, and recounts after a change of the office."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from sqlalchemy import func, select

from server.audit.changes import Change
from server.office.queries import areas_by_key, assignments_of, organisations_of_workers, team_memberships_of
from server.office.rules import assignment_standing, team_on
from server.quotas.holidays import HOLIDAYS, Holiday
from server.quotas.models import FactRow, HolidayRow, IndicatorRow, PlanRow, QuotaRow, QuotedRatioRow
from server.quotas.pace import quoted_number
from server.quotas.queries import (
    all_facts,
    facts_of_campaign,
    facts_of_kind,
    facts_of_subjects,
    facts_of_worker,
    indicators,
    quotas_in_force,
)
from server.quotas.rules import CREDITED, FACT_KINDS, Fact, Indicator
from server.quotas.settling import put_figures_of, settle_credits
from sync.ports import IdSource
from sync.scope import OFFICE

PLAN_KINDS = ("initial", "supplementary")
HOLDER_KINDS = ("agent", "promoter", "team", "organisation", "area")


class IndicatorInvalidError(Exception):
    """An indicator that is taken or contradicts itself; the message says how."""


class PlanInvalidError(Exception):
    """A plan that cannot be adopted; the message says why."""


@dataclass(frozen=True, slots=True)
class QuotaAsked:
    """What a plan asks of one holder from a day to a day; `quoted_percent` is a published ratio."""

    indicator: str
    holder_kind: str
    holder: str
    from_day: date
    to_day: date
    amount: int
    quoted_percent: str | None = None


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
) -> str:
    """Adopt a plan as the newest version of its kind and return its id.

    `campaign` 0 is the office's own plan. `quoted_percents` gives, per indicator, the ratio that
    was published for the whole plan. Raises PlanInvalidError.
    """
    change.flush()
    connection, quoted = change.connection, dict(quoted_percents or {})
    codes = {each.indicator.code for each in indicators(connection)}
    fault = _plan_fault(kind, quotas, quoted, codes)
    if fault is not None:
        raise PlanInvalidError(fault)
    former = quotas_in_force(connection, campaign)
    plan = PlanRow.__table__.c
    newest = connection.scalar(
        select(func.max(plan.version)).where(plan.campaign == campaign, plan.kind == kind)
    )
    plan_id, version = ids.new_id(), (newest or 0) + 1
    change.insert(
        PlanRow.__table__,
        id=plan_id,
        campaign=campaign,
        kind=kind,
        version=version,
        created_ms=change.now_ms,
    )
    for asked in quotas:
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
        )
    for indicator, text in sorted(quoted.items()):
        change.insert(QuotedRatioRow.__table__, plan_id=plan_id, indicator=indicator, quoted_percent=text)
    change.audit("plan_adopted", f"plan:{plan_id}", campaign=campaign, kind=kind, version=version)
    change.flush()
    keys = {(campaign, each.indicator, each.holder_kind, each.holder) for each in former}
    keys |= {(campaign, each.indicator, each.holder_kind, each.holder) for each in quotas}
    put_figures_of(change, keys)
    return plan_id


def _plan_fault(
    kind: str, quotas: Sequence[QuotaAsked], quoted: Mapping[str, str], codes: set[str]
) -> str | None:
    """Return why a plan cannot be adopted, or None."""
    if kind not in PLAN_KINDS:
        return f"{kind} is none of {PLAN_KINDS}"
    seen = set()
    for asked in quotas:
        key = (asked.indicator, asked.holder_kind, asked.holder, asked.from_day)
        if asked.indicator not in codes:
            return f"{asked.indicator} is no indicator"
        if asked.holder_kind not in HOLDER_KINDS:
            return f"{asked.holder_kind} is none of {HOLDER_KINDS}"
        if asked.amount < 0 or asked.to_day < asked.from_day:
            return f"{asked.indicator}: an amount or a run of days below zero"
        if key in seen:
            return f"{asked.indicator}: one holder has two quotas from {asked.from_day.isoformat()}"
        seen.add(key)
    texts = [*quoted.values(), *(each.quoted_percent for each in quotas if each.quoted_percent is not None)]
    if any(quoted_number(text) is None for text in texts):
        return "a quoted percentage is no number"
    return f"{sorted(set(quoted) - codes)[0]} is no indicator" if set(quoted) - codes else None


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
    keys = {
        (campaign, each.indicator, each.holder_kind, each.holder)
        for campaign in campaigns
        for each in quotas_in_force(connection, campaign)
    }
    put_figures_of(change, keys)
    change.audit("office_recounted", "office", credits=settled)
    return settled


def _settle_subjects_of(change: Change, zone: ZoneInfo, facts: Iterable[Fact]) -> int:
    subjects = {fact.subject for fact in facts}
    return settle_credits(change, zone, list(facts_of_subjects(change.connection, subjects).values()))
