"""Reads of plans: which version is in force on a day, its quotas with their phases, and its history."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from server.quotas.models import (
    PlanMinimumHolderRow,
    PlanMinimumPartRow,
    PlanMinimumRow,
    PlanPhaseRow,
    PlanRow,
    QuotaRow,
    QuotedRatioRow,
    StatementRow,
)
from server.quotas.phases import Phase, PhaseShare
from server.quotas.trees import FLAT_ORDER, OFFICE_HOLDER, Holder, MinimumAsked, PlanTerms, QuotaAsked

_PLAN, _QUOTA = PlanRow.__table__.c, QuotaRow.__table__.c


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One version of a plan; `standing` on the day asked about: in_force, to_come or replaced."""

    id: str
    campaign: int
    kind: str
    version: int
    created_ms: int
    decision_number: str | None
    decision_day: date | None
    effective_from: date | None
    may_over_assign: bool
    standing: str


@dataclass(frozen=True, slots=True)
class Quota:
    """What one holder is asked for from a day to a day; `shares` says how much falls into each phase."""

    plan_id: str
    plan_kind: str
    indicator: str
    holder_kind: str
    holder: str
    from_day: date
    to_day: date
    amount: int
    quoted_percent: str | None
    parent: Holder | None = None
    shares: tuple[PhaseShare, ...] = ()

    @property
    def days(self) -> tuple[date, date]:
        """Return its first and its last day."""
        return (self.from_day, self.to_day)


@dataclass(frozen=True, slots=True)
class Published:
    """What was published for a whole plan: a ratio, or the bounds that follow from one; or both."""

    plan_kind: str
    indicator: str
    quoted_percent: str | None
    low: int | None
    high: int | None
    done: int | None


@dataclass(frozen=True, slots=True)
class PlanContent:
    """All that a version of a plan says, as it could be adopted again."""

    plan_id: str | None
    quotas: tuple[QuotaAsked, ...] = ()
    quoted: Mapping[str, str] = field(default_factory=dict)
    terms: PlanTerms = field(default_factory=PlanTerms)


def newest_plan(connection: Connection, campaign: int, kind: str) -> PlanContent:
    """Return the newest version of a kind of plan, whenever it comes into force; empty before the first."""
    row = connection.execute(
        select(PlanRow.__table__)
        .where(_PLAN.campaign == campaign, _PLAN.kind == kind)
        .order_by(_PLAN.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return PlanContent(None)
    published = published_of(connection, {row.id: kind})
    bounds = {
        each.indicator: (each.low, each.high)
        for each in published
        if each.low is not None and each.high is not None
    }
    return PlanContent(
        plan_id=row.id,
        quotas=tuple(
            QuotaAsked(
                each.indicator,
                each.holder_kind,
                each.holder,
                each.from_day,
                each.to_day,
                each.amount,
                each.quoted_percent,
                each.parent,
                tuple((share.phase.code, share.amount) for share in each.shares),
            )
            for each in quotas_of(connection, {row.id: kind})
        ),
        quoted={each.indicator: each.quoted_percent for each in published if each.quoted_percent is not None},
        terms=PlanTerms(
            decision_number=row.decision_number,
            decision_day=row.decision_day,
            effective_from=row.effective_from,
            phases=tuple(phases_of(connection, [row.id]).values()),
            minimums=tuple(minimums_of(connection, [row.id])),
            denominators=bounds,
            published_done={each.indicator: each.done for each in published if each.done is not None},
            may_over_assign=bool(row.may_over_assign),
        ),
    )


def plan_relied_on(connection: Connection, plan_id: str) -> str | None:
    """Return why a version cannot be taken back: one is "newer", or a period was "accepted" since."""
    row = connection.execute(select(PlanRow.__table__).where(_PLAN.id == plan_id)).one_or_none()
    if row is None:
        return "newer"
    later = select(_PLAN.id).where(
        _PLAN.campaign == row.campaign, _PLAN.kind == row.kind, _PLAN.version > row.version
    )
    if connection.execute(later.limit(1)).first() is not None:
        return "newer"
    statement = StatementRow.__table__.c
    accepted = select(statement.number).where(
        statement.campaign == row.campaign, statement.accepted_ms >= row.created_ms
    )
    return "accepted" if connection.execute(accepted.limit(1)).first() is not None else None


def plan_versions(connection: Connection, campaign: int, on_day: date) -> list[PlanVersion]:
    """Return every version of a campaign's plans, initial before supplementary, the newest first."""
    rows = connection.execute(
        select(PlanRow.__table__).where(_PLAN.campaign == campaign).order_by(_PLAN.kind, _PLAN.version.desc())
    ).all()
    in_force = set(plans_in_force(connection, campaign, on_day).values())
    return [
        PlanVersion(
            id=row.id,
            campaign=row.campaign,
            kind=row.kind,
            version=row.version,
            created_ms=row.created_ms,
            decision_number=row.decision_number,
            decision_day=row.decision_day,
            effective_from=row.effective_from,
            may_over_assign=bool(row.may_over_assign),
            standing=_standing(row, in_force, on_day),
        )
        for row in rows
    ]


def _standing(row: Any, in_force: set[str], on_day: date) -> str:
    if row.id in in_force:
        return "in_force"
    return "to_come" if row.effective_from is not None and row.effective_from > on_day else "replaced"


def plans_in_force(connection: Connection, campaign: int, on_day: date) -> dict[str, str]:
    """Return the plans in force on a day: {"initial": id, "supplementary": id}.

    Of each kind that is the newest version whose first day has come: a later decision replaces an
    earlier one from that day on.
    """
    rows = connection.execute(
        select(_PLAN.kind, _PLAN.id)
        .where(_PLAN.campaign == campaign, _has_begun(on_day))
        .order_by(_PLAN.version)
    )
    return {row.kind: row.id for row in rows}


def _has_begun(on_day: date) -> ColumnElement[bool]:
    return or_(_PLAN.effective_from.is_(None), _PLAN.effective_from <= on_day)


def quotas_in_force(connection: Connection, campaign: int, on_day: date) -> list[Quota]:
    """Return the quotas of the campaign's plans in force on a day."""
    kinds = {plan_id: kind for kind, plan_id in plans_in_force(connection, campaign, on_day).items()}
    return quotas_of(connection, kinds)


def quotas_of(connection: Connection, kinds: dict[str, str]) -> list[Quota]:
    """Return the quotas of these plans, {plan id: its kind}."""
    if not kinds:
        return []
    phases = phases_of(connection, kinds)
    wanted = select(QuotaRow.__table__).where(_QUOTA.plan_id.in_(sorted(kinds)))
    return [
        Quota(
            plan_id=row.plan_id,
            plan_kind=kinds[row.plan_id],
            indicator=row.indicator,
            holder_kind=row.holder_kind,
            holder=row.holder,
            from_day=row.from_day,
            to_day=row.to_day,
            amount=row.amount,
            quoted_percent=row.quoted_percent,
            parent=None if row.parent_kind is None else Holder(row.parent_kind, row.parent),
            shares=_shares(row, phases),
        )
        for row in connection.execute(wanted.order_by(*QuotaRow.__table__.primary_key))
    ]


def _shares(row: Any, phases: Mapping[tuple[str, str], Phase]) -> tuple[PhaseShare, ...]:
    if row.phases is None:
        return ()
    return tuple(
        PhaseShare(phases[row.plan_id, code], amount) for code, amount in json.loads(row.phases).items()
    )


def phases_of(connection: Connection, plan_ids: Iterable[str]) -> dict[tuple[str, str], Phase]:
    """Return the phases of plans by (plan id, code), in the order of their days."""
    phase = PlanPhaseRow.__table__
    rows = connection.execute(
        select(phase)
        .where(phase.c.plan_id.in_(sorted(plan_ids)))
        .order_by(phase.c.from_day, phase.c.to_day.desc(), phase.c.code)
    )
    return {
        (row.plan_id, row.code): Phase(row.code, row.kind, row.name, row.from_day, row.to_day) for row in rows
    }


def wholes_of(connection: Connection, campaign: int, indicator: str, credited: str) -> dict[str, int]:
    """Return what each version of a campaign's plans asks for as a whole: {plan id: amount}.

    Of a tree that is what its topmost holders are asked for; of a plain list, what those are whom
    the indicator credits, or where there are none, of the first kind that has any.
    """
    is_top = _QUOTA.parent_kind.is_(None)
    columns = (_QUOTA.plan_id, _QUOTA.holder_kind, is_top.label("is_top"))
    rows = connection.execute(
        select(*columns, func.sum(_QUOTA.amount).label("sum"))
        .join(PlanRow.__table__, _PLAN.id == _QUOTA.plan_id)
        .where(_PLAN.campaign == campaign, _QUOTA.indicator == indicator)
        .group_by(_QUOTA.plan_id, _QUOTA.holder_kind, is_top)
    ).all()
    by_plan: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_plan[row.plan_id].append(row)
    found = {}
    for plan_id, parts in by_plan.items():
        tops = {part.holder_kind: int(part.sum) for part in parts if part.is_top}
        if OFFICE_HOLDER.kind in tops or not all(part.is_top for part in parts):
            found[plan_id] = sum(tops.values())
        else:
            found[plan_id] = next(tops[kind] for kind in (credited, *FLAT_ORDER) if kind in tops)
    return found


def figures_asked(connection: Connection, campaign: int) -> set[tuple[int, str, str, str]]:
    """Return the figures of agents whom any version of a campaign's plans asks for something.

    As (campaign, indicator, "agent", agent): what tablets may have to show anew under another version.
    """
    rows = connection.execute(
        select(_QUOTA.indicator, _QUOTA.holder)
        .join(PlanRow.__table__, _PLAN.id == _QUOTA.plan_id)
        .where(_PLAN.campaign == campaign, _QUOTA.holder_kind == "agent")
        .distinct()
    )
    return {(campaign, row.indicator, "agent", row.holder) for row in rows}


def plans_not_shown(connection: Connection, now_ms: int) -> dict[str, int]:
    """Return the plans that have come into force and are not on tablets yet: {plan id: campaign}."""
    rows = connection.execute(
        select(_PLAN.id, _PLAN.campaign)
        .where(_PLAN.shown_ms.is_(None), or_(_PLAN.effective_ms.is_(None), _PLAN.effective_ms <= now_ms))
        .order_by(_PLAN.id)
    )
    return {row.id: row.campaign for row in rows}


def published_of(connection: Connection, kinds: dict[str, str]) -> list[Published]:
    """Return what was published for these plans, {plan id: its kind}, as wholes."""
    ratio = QuotedRatioRow.__table__
    rows = connection.execute(select(ratio).where(ratio.c.plan_id.in_(sorted(kinds))))
    return [
        Published(
            kinds[row.plan_id],
            row.indicator,
            row.quoted_percent or None,
            row.quota_low,
            row.quota_high,
            row.quoted_done,
        )
        for row in rows
    ]


def minimums_of(connection: Connection, plan_ids: Sequence[str]) -> list[MinimumAsked]:
    """Return the minimums of plans by code; of two with one code, that of the later plan given."""
    minimum = PlanMinimumRow.__table__
    rows = connection.execute(select(minimum).where(minimum.c.plan_id.in_(plan_ids))).all()
    if not rows:
        return []
    parts, holders = _parts(connection, plan_ids), _holders(connection, plan_ids)
    found: dict[str, MinimumAsked] = {}
    for row in sorted(rows, key=lambda row: plan_ids.index(row.plan_id)):
        key = (row.plan_id, row.code)
        found[row.code] = MinimumAsked(
            row.code, row.name_vi, row.name_en, tuple(parts[key]), tuple(holders[key])
        )
    return [found[code] for code in sorted(found)]


def _parts(connection: Connection, plan_ids: Sequence[str]) -> dict[tuple[str, str], list[tuple[str, int]]]:
    part, found = PlanMinimumPartRow.__table__, defaultdict(list)
    wanted = select(part).where(part.c.plan_id.in_(plan_ids)).order_by(part.c.position)
    for row in connection.execute(wanted):
        found[row.plan_id, row.code].append((row.indicator, row.at_least))
    return found


def _holders(connection: Connection, plan_ids: Sequence[str]) -> dict[tuple[str, str], list[Holder]]:
    holder, found = PlanMinimumHolderRow.__table__, defaultdict(list)
    wanted = select(holder).where(holder.c.plan_id.in_(plan_ids))
    for row in connection.execute(wanted.order_by(holder.c.holder_kind, holder.c.holder)):
        found[row.plan_id, row.code].append(Holder(row.holder_kind, row.holder))
    return found
