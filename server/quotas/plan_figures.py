"""What has been done of a plan's quotas, whoever holds them, in all and within days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy import ColumnElement, Connection, func, select

from server.office.queries import area_keys_under, organisations_by_key
from server.quotas.board import Sums, expected_by, figures_of, is_launch_day, sums_of_parents, working_days
from server.quotas.models import CreditRow
from server.quotas.phases import Expectations, PhaseShare, lies_in
from server.quotas.plans import Quota
from server.quotas.queries import indicators
from server.quotas.trees import OFFICE_HOLDER, Holder

_CREDIT = CreditRow.__table__.c
_COLUMNS: dict[str, ColumnElement[str | None]] = {
    "agent": _CREDIT.agent_id,
    "promoter": _CREDIT.promoter,
    "team": _CREDIT.team_id,
    "organisation": _CREDIT.organisation_key,
    "area": _CREDIT.area_key,
}


@dataclass(frozen=True, slots=True)
class PhaseFigure:
    """One phase of one holder: what falls into it, what was done in its days, what it asks for by today."""

    share: PhaseShare
    done: int
    expected: Fraction


def done_of(
    connection: Connection, campaign: int, indicator: str, holders: Iterable[Holder]
) -> dict[Holder, int]:
    """Return what counts for each of these holders, those who hold others included."""
    figures = figures_of(connection, campaign)
    named = {each.indicator.code: each for each in indicators(connection)}
    keys = [(indicator, *holder) for holder in holders]
    sums = figures | sums_of_parents(connection, campaign, keys, named, figures)
    return {Holder(kind, key): sums.get((code, kind, key), Sums()).done for code, kind, key in keys}


def expected_of(
    connection: Connection, campaign: int, quotas: Iterable[Quota], on_day: date
) -> dict[Holder, Fraction]:
    """Return what these quotas ask each holder for by a day, as the board does."""
    is_launch = is_launch_day(connection, campaign)
    expectations = Expectations(working_days(connection), on_day)
    found: dict[Holder, Fraction] = {}
    for quota in quotas:
        holder = Holder(quota.holder_kind, quota.holder)
        expected = expected_by(expectations, quota, on_day, is_launch_day=is_launch)
        found[holder] = found.get(holder, Fraction(0)) + expected
    return found


def phase_figures(
    connection: Connection, campaign: int, quotas: Iterable[Quota], on_day: date
) -> list[PhaseFigure]:
    """Return the phases of one holder's quotas for one indicator, in the order of their days."""
    expectations, found, by_day = Expectations(working_days(connection), on_day), [], None
    for quota in quotas:
        for share in quota.shares:
            if by_day is None:
                holder = Holder(quota.holder_kind, quota.holder)
                by_day = counted_by_day(connection, campaign, quota.indicator, holder)
            phase = share.phase
            days = (phase.from_day, phase.to_day)
            inside = [each for each in quota.shares if lies_in(each.phase, phase)]
            found.append(
                PhaseFigure(
                    share,
                    done=sum(number for day, number in by_day.items() if days[0] <= day <= days[1]),
                    expected=expectations.of(share.amount, days, [share, *inside]),
                )
            )
    return sorted(found, key=lambda each: (each.share.phase.from_day, -each.share.phase.to_day.toordinal()))


def counted_by_day(connection: Connection, campaign: int, indicator: str, holder: Holder) -> dict[date, int]:
    """Return what counts for a holder on each business day that has anything."""
    statement = select(_CREDIT.business_day, func.sum(_CREDIT.value)).where(
        _CREDIT.campaign == campaign, _CREDIT.indicator == indicator, _CREDIT.state == "counted"
    )
    if holder.kind != OFFICE_HOLDER.kind:
        column = _COLUMNS[holder.kind]
        statement = statement.where(column.in_(_keys_below(connection, campaign, indicator, holder)))
    rows = connection.execute(statement.group_by(_CREDIT.business_day))
    return {day: int(number) for day, number in rows}


def _keys_below(connection: Connection, campaign: int, indicator: str, holder: Holder) -> list[str]:
    """Return whose credits make up a holder's: its own, and for what holds others, theirs."""
    below: set[str] = set()
    if holder.kind == "area":
        below = area_keys_under(connection, [holder.key])
    elif holder.kind == "organisation":
        there = connection.scalars(
            select(_CREDIT.organisation_key)
            .where(_CREDIT.campaign == campaign, _CREDIT.indicator == indicator)
            .distinct()
        )
        nodes = organisations_by_key(connection, {key for key in there if key is not None})
        below = {key for key, node in nodes.items() if holder.key in node.path}
    return sorted(below | {holder.key})
