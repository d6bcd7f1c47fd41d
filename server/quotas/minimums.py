"""Who has met a plan's minimum: all of its parts, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from server.office.rules import AreaFilter
from server.quotas.board import Sums, figures_of, workers_seen
from server.quotas.holders import holder_names, worker_of_holder
from server.quotas.plans import minimums_of, plans_in_force
from server.quotas.queries import indicators
from server.quotas.trees import PLAN_KINDS, Holder, MinimumAsked, is_met


@dataclass(frozen=True, slots=True)
class MinimumPart:
    """What a minimum asks of one indicator."""

    indicator: str
    name_vi: str
    name_en: str
    at_least: int


@dataclass(frozen=True, slots=True)
class MinimumLine:
    """One person: what is done of each part, in the parts' order, and whether all of it is enough."""

    holder: Holder
    name: str | None
    worker_id: str | None
    done: tuple[int, ...]
    is_met: bool


@dataclass(frozen=True, slots=True)
class MinimumBoard:
    """One minimum with those of whom it is asked. Persons count as met or not, never in part."""

    code: str
    name_vi: str
    name_en: str
    parts: tuple[MinimumPart, ...]
    lines: tuple[MinimumLine, ...]

    @property
    def met(self) -> int:
        """Return how many have met it."""
        return sum(line.is_met for line in self.lines)

    @property
    def asked(self) -> int:
        """Return of how many it is asked."""
        return len(self.lines)


def minimum_boards(
    connection: Connection, campaign: int, on_day: date, area_filter: AreaFilter | None = None
) -> list[MinimumBoard]:
    """Return the minimums of the plans in force on a day, by code; within `area_filter` as the board."""
    in_force = plans_in_force(connection, campaign, on_day)
    asked = minimums_of(connection, [in_force[kind] for kind in PLAN_KINDS if kind in in_force])
    if not asked:
        return []
    figures = figures_of(connection, campaign)
    named = {each.indicator.code: (each.name_vi, each.name_en) for each in indicators(connection)}
    visible = workers_seen(connection, on_day, area_filter)
    holders = {holder for minimum in asked for holder in minimum.holders}
    if visible is not None:
        holders = {holder for holder in holders if worker_of_holder(*holder) in visible}
    names = holder_names(connection, [("", *holder) for holder in holders])

    def line(minimum: MinimumAsked, holder: Holder) -> MinimumLine:
        keys = [(indicator, *holder) for indicator, _at_least in minimum.parts]
        done = tuple(figures.get(key, Sums()).done for key in keys)
        return MinimumLine(
            holder, names.get(holder), worker_of_holder(*holder), done, is_met(done, minimum.parts)
        )

    return [
        MinimumBoard(
            code=minimum.code,
            name_vi=minimum.name_vi,
            name_en=minimum.name_en,
            parts=tuple(MinimumPart(code, *named[code], at_least) for code, at_least in minimum.parts),
            lines=tuple(line(minimum, holder) for holder in minimum.holders if holder in holders),
        )
        for minimum in asked
    ]
