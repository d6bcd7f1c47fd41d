"""What the quota board shows: done, asked, percentage and pace, for each holder and in total.

Figures come from the folds, so the board's time does not grow with the facts; only quotas of
holders that their indicator does not credit (an area, an organisation) add up credits on read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, func, select

from server.campaigns.queries import campaigns_by_number
from server.office.queries import (
    area_keys_under,
    areas_by_key,
    organisations_by_key,
    teams_by_id,
    visible_worker_ids,
    workers_by_id,
)
from server.office.rules import AreaFilter
from server.quotas.models import CreditRow, FigureRow, HolidayRow, QuotedRatioRow
from server.quotas.pace import WorkingDays, is_misquoted, percent_of, rounded
from server.quotas.queries import NamedIndicator, Quota, indicators, plans_in_force, quotas_in_force
from server.quotas.rules import STATES

_WORKER_PROMOTERS = ("officer", "hamlet_head")
_NOON = time(12)


@dataclass(frozen=True, slots=True)
class Asked:
    """Quotas added up. `expected`: by today, exactly; `quoted_percent`: published, None if none."""

    initial: int | None = None
    supplementary: int | None = None
    expected: Fraction = Fraction(0)
    quoted_percent: str | None = None

    @property
    def total(self) -> int | None:
        """The initial and the supplementary quota together; None when there is neither."""
        if self.initial is None and self.supplementary is None:
            return None
        return (self.initial or 0) + (self.supplementary or 0)


@dataclass(frozen=True, slots=True)
class Sums:
    """Credits of one figure by state. `done` is what counts."""

    counted: int = 0
    pending: int = 0
    duplicate: int = 0
    over_limit: int = 0
    out_of_area: int = 0
    voided: int = 0
    late: int = 0

    @property
    def done(self) -> int:
        """What counts towards the quota."""
        return self.counted

    @property
    def not_counted(self) -> int:
        """What was recorded, will not count as it stands, and has a reason in the drill-down."""
        return self.duplicate + self.over_limit + self.out_of_area + self.voided + self.late


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One holder and indicator. Percentages have two decimals, half up; `expected` too.

    `percent` is of both plans together, `percent_of_initial` of the initial one alone;
    `quoted_percent` is what was published, `is_misquoted` whether it is not the computed ratio.
    """

    holder_kind: str
    holder: str
    name: str | None
    indicator: str
    indicator_vi: str
    indicator_en: str
    sums: Sums
    quota: int | None
    quota_initial: int | None
    quota_supplementary: int | None
    percent: Decimal | None
    percent_of_initial: Decimal | None
    quoted_percent: str | None
    is_misquoted: bool
    expected: Decimal | None
    is_behind: bool


@dataclass(frozen=True, slots=True)
class QuotedRatio:
    """A published ratio of a whole plan: to the initial plan, or with the supplementary one added."""

    plan_kind: str
    quoted_percent: str
    percent: Decimal | None
    is_misquoted: bool


@dataclass(frozen=True, slots=True)
class TotalRow:
    """The whole campaign for one indicator; holder and name are empty in `row`."""

    row: BoardRow
    quoted: tuple[QuotedRatio, ...]


# indicator, holder kind, holder
_Key = tuple[str, str, str]


def board_rows(
    connection: Connection, campaign: int, on_day: date, area_filter: AreaFilter | None = None
) -> list[BoardRow]:
    """Return every holder's row that has a figure or a quota; campaign 0 is the office's own.

    With an `area_filter` that is not office-wide: only workers who hold an assignment in those
    areas on `on_day`, and promoters who are such workers.
    """
    board = _Board(connection, campaign, on_day)
    keys = sorted(board.sums.keys() | board.asked.keys())
    visible = None
    if area_filter is not None:
        noon_ms = int(datetime.combine(on_day, _NOON, UTC).timestamp() * 1000)
        visible = visible_worker_ids(connection, area_filter, noon_ms)
    if visible is not None:
        keys = [key for key in keys if _worker_of(key[1], key[2]) in visible]
    names = _names(connection, keys)
    return [board.row(key, names.get(key[1:])) for key in keys]


def totals(connection: Connection, campaign: int, on_day: date) -> list[TotalRow]:
    """Return the campaign's total for each indicator that has a figure or a quota.

    Quotas are those of the holders whom the indicator credits, or where these have none, of the
    first of team, agent, promoter, organisation and area that has: children and parents are never
    added to each other.
    """
    board = _Board(connection, campaign, on_day)
    codes = {key[0] for key in board.sums.keys() | board.asked.keys()} | {key[1] for key in board.quoted}
    return [board.total(code) for code in sorted(codes)]


def working_days(connection: Connection) -> WorkingDays:
    """Return the office's calendar."""
    holiday = HolidayRow.__table__.c
    return WorkingDays(
        {row.day: row.is_worked for row in connection.execute(select(holiday.day, holiday.is_worked))}
    )


class _Board:
    """Everything that the rows of one campaign are made of, read in a few queries."""

    def __init__(self, connection: Connection, campaign: int, on_day: date) -> None:
        view = campaigns_by_number(connection, [campaign] if campaign else []).get(campaign)
        self._is_launch_day = view is not None and view.kind == "launch_day"
        self._on_day = on_day
        self._calendar = working_days(connection)
        self._indicators = {each.indicator.code: each for each in indicators(connection)}
        quotas = quotas_in_force(connection, campaign)
        self.asked = self._asked_by(quotas, lambda quota: (quota.indicator, quota.holder_kind, quota.holder))
        self.sums = _figures(connection, campaign)
        self._of_indicator = _added_up(self.sums)
        self.sums |= _parents(connection, campaign, self.asked, self._indicators)
        self._quotas = quotas
        kinds = {plan_id: kind for kind, plan_id in plans_in_force(connection, campaign).items()}
        ratio = QuotedRatioRow.__table__
        rows = connection.execute(ratio.select().where(ratio.c.plan_id.in_(sorted(kinds))))
        self.quoted = {(kinds[row.plan_id], row.indicator): row.quoted_percent for row in rows}

    def row(self, key: _Key, name: str | None) -> BoardRow:
        """Return the row of one holder and indicator."""
        return self._row(key, name, self.sums.get(key, Sums()), self.asked.get(key, Asked()))

    def total(self, code: str) -> TotalRow:
        """Return the total of one indicator."""
        mine = [quota for quota in self._quotas if quota.indicator == code]
        credited = self._indicators[code].indicator.credits
        for kind in (credited, "team", "agent", "promoter", "organisation", "area"):
            leaves = [quota for quota in mine if quota.holder_kind == kind]
            if leaves:
                mine = leaves
                break
        asked = self._asked_by(mine, lambda quota: (quota.indicator, "", "")).get((code, "", ""), Asked())
        asked = Asked(asked.initial, asked.supplementary, asked.expected)
        row = self._row((code, "", ""), None, self._of_indicator.get(code, Sums()), asked)
        quoted = []
        for kind, denominator in (("initial", asked.initial), ("supplementary", asked.total)):
            text = self.quoted.get((kind, code))
            if text is not None:
                percent = percent_of(row.sums.done, denominator)
                wrong = is_misquoted(text, row.sums.done, denominator)
                quoted.append(QuotedRatio(kind, text, percent, wrong))
        return TotalRow(row, tuple(quoted))

    def _row(self, key: _Key, name: str | None, sums: Sums, asked: Asked) -> BoardRow:
        code, holder_kind, holder = key
        named, total = self._indicators[code], asked.total
        return BoardRow(
            holder_kind=holder_kind,
            holder=holder,
            name=name,
            indicator=code,
            indicator_vi=named.name_vi,
            indicator_en=named.name_en,
            sums=sums,
            quota=total,
            quota_initial=asked.initial,
            quota_supplementary=asked.supplementary,
            percent=percent_of(sums.done, total),
            percent_of_initial=percent_of(sums.done, asked.initial),
            quoted_percent=asked.quoted_percent,
            is_misquoted=is_misquoted(asked.quoted_percent, sums.done, total),
            expected=None if total is None else rounded(asked.expected),
            is_behind=sums.done < asked.expected,
        )

    def _asked_by(self, quotas: Iterable[Quota], key_of: Any) -> dict[_Key, Asked]:
        found: dict[_Key, Asked] = {}
        for quota in quotas:
            so_far = found.get(key_of(quota), Asked())
            amounts = {"initial": so_far.initial, "supplementary": so_far.supplementary}
            amounts[quota.plan_kind] = (amounts[quota.plan_kind] or 0) + quota.amount
            found[key_of(quota)] = Asked(
                **amounts,
                expected=so_far.expected + self._expected(quota),
                quoted_percent=quota.quoted_percent or so_far.quoted_percent,
            )
        return found

    def _expected(self, quota: Quota) -> Fraction:
        """What a quota expects by today: on a launch day, from its first day on, the whole."""
        if self._is_launch_day:
            return Fraction(quota.amount if self._on_day >= quota.from_day else 0)
        return self._calendar.expected(quota.amount, quota.from_day, quota.to_day, self._on_day)


def _figures(connection: Connection, campaign: int) -> dict[_Key, Sums]:
    figure = FigureRow.__table__
    rows = connection.execute(figure.select().where(figure.c.campaign == campaign))
    sums = {
        (row.indicator, row.holder_kind, row.holder): Sums(*(getattr(row, state) for state in STATES))
        for row in rows
    }
    return {key: each for key, each in sums.items() if each != Sums()}


def _added_up(sums: Mapping[_Key, Sums]) -> dict[str, Sums]:
    added: dict[str, list[int]] = defaultdict(lambda: [0] * len(STATES))
    for (code, _kind, _holder), each in sums.items():
        for place, state in enumerate(STATES):
            added[code][place] += getattr(each, state)
    return {code: Sums(*values) for code, values in added.items()}


def _parents(
    connection: Connection,
    campaign: int,
    asked: Mapping[_Key, Asked],
    named: Mapping[str, NamedIndicator],
) -> dict[_Key, Sums]:
    """Add up credits for the holders with a quota whom the indicator itself does not credit."""
    credit = CreditRow.__table__.c
    columns = {
        "agent": credit.agent_id,
        "promoter": credit.promoter,
        "team": credit.team_id,
        "organisation": credit.organisation_key,
        "area": credit.area_key,
    }
    holders_of: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code, kind, holder in asked:
        if kind != named[code].indicator.credits:
            holders_of[code, kind].append(holder)
    found: dict[_Key, Sums] = {}
    for (code, kind), holders in holders_of.items():
        column = columns[kind]
        rows = connection.execute(
            select(column, credit.state, func.sum(credit.value))
            .where(credit.campaign == campaign, credit.indicator == code, column.is_not(None))
            .group_by(column, credit.state)
        ).all()
        for holder in holders:
            inside = area_keys_under(connection, [holder]) | {holder} if kind == "area" else {holder}
            by_state = dict.fromkeys(STATES, 0)
            for value, state, number in rows:
                by_state[state] += int(number) if value in inside else 0
            found[code, kind, holder] = Sums(**by_state)
    return found


def _worker_of(holder_kind: str, holder: str) -> str | None:
    """Return the worker that a holder is, or None for teams, areas, households and the like."""
    if holder_kind == "agent":
        return holder
    kind, separator, worker_id = holder.partition(":")
    is_worker = holder_kind == "promoter" and separator and kind in _WORKER_PROMOTERS
    return worker_id if is_worker else None


def _names(connection: Connection, keys: Sequence[_Key]) -> dict[tuple[str, str], str]:
    """Return the names of holders that have one; a household's or an entrant's is personal."""
    holders = {key[1:] for key in keys}
    workers = {_worker_of(*holder) for holder in holders} - {None}
    by_worker = workers_by_id(connection, [worker for worker in workers if worker is not None])
    ids = {
        kind: [holder for each, holder in holders if each == kind]
        for kind in ("team", "organisation", "area")
    }
    others: dict[str, Mapping[str, Any]] = {
        "team": teams_by_id(connection, ids["team"]),
        "organisation": organisations_by_key(connection, ids["organisation"]),
        "area": areas_by_key(connection, ids["area"]),
    }
    found = {}
    for kind, holder in holders:
        worker = _worker_of(kind, holder)
        view = by_worker.get(worker) if worker is not None else others.get(kind, {}).get(holder)
        if view is not None:
            found[kind, holder] = view.name
    return found
