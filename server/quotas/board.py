"""What the quota board shows: done, asked, percentage and pace, for each holder and in total.

Figures come from the folds, so the board's time does not grow with the facts; only quotas of
holders that their indicator does not credit (an area, an organisation) add up credits on read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, func, select

from server.campaigns.queries import campaigns_by_number
from server.office.queries import (
    areas_by_key,
    organisations_by_key,
    visible_worker_ids,
)
from server.office.rules import AreaFilter
from server.quotas.holders import HolderKey, holder_names, worker_of_holder
from server.quotas.models import CreditRow, FigureRow, HolidayRow
from server.quotas.pace import WorkingDays, is_misquoted, percent_of, percent_range, rounded
from server.quotas.phases import Expectations
from server.quotas.plans import Published, Quota, plans_in_force, published_of, quotas_of
from server.quotas.queries import NamedIndicator, indicators
from server.quotas.rules import STATES
from server.quotas.trees import FLAT_ORDER, OFFICE_HOLDER, PLAN_KINDS, is_tree, tree_of

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
    """A published ratio of a whole plan: to the initial plan, or with the supplementary one added.

    `done`: what the ratio was published for, else what is counted. `bounds`: of a plan that is known
    by that ratio alone, with the percentages that they give.
    """

    plan_kind: str
    quoted_percent: str | None
    done: int
    percent: Decimal | None
    is_misquoted: bool
    bounds: tuple[int, int] | None = None
    percent_bounds: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class TotalRow:
    """The whole campaign for one indicator; holder and name are empty in `row`.

    `reserve`: what the topmost holders of a tree have left to nobody, None where there is no tree.
    """

    row: BoardRow
    quoted: tuple[QuotedRatio, ...]
    reserve: int | None = None


def board_rows(
    connection: Connection, campaign: int, on_day: date, area_filter: AreaFilter | None = None
) -> list[BoardRow]:
    """Return every holder's row that has a figure or a quota; campaign 0 is the office's own.

    With an `area_filter` that is not office-wide: only workers who hold an assignment in those
    areas on `on_day`, and promoters who are such workers.
    """
    return _rows(connection, _Board(connection, campaign, on_day), on_day, area_filter)


def board_and_totals(
    connection: Connection, campaign: int, on_day: date, area_filter: AreaFilter
) -> tuple[list[BoardRow], list[TotalRow]]:
    """Return `board_rows` and `totals` of one reading; totals are the whole campaign's all the same."""
    board = _Board(connection, campaign, on_day)
    return _rows(connection, board, on_day, area_filter), _totals(board)


def _rows(
    connection: Connection, board: _Board, on_day: date, area_filter: AreaFilter | None
) -> list[BoardRow]:
    keys = sorted(board.sums.keys() | board.asked.keys())
    visible = workers_seen(connection, on_day, area_filter)
    if visible is not None:
        keys = [key for key in keys if worker_of_holder(key[1], key[2]) in visible]
    names = holder_names(connection, keys)
    return [board.row(key, names.get(key[1:])) for key in keys]


def workers_seen(connection: Connection, on_day: date, area_filter: AreaFilter | None) -> set[str] | None:
    """Return the workers who hold an assignment in the filter's areas on a day; None: everybody."""
    if area_filter is None:
        return None
    noon_ms = int(datetime.combine(on_day, _NOON, UTC).timestamp() * 1000)
    return visible_worker_ids(connection, area_filter, noon_ms)


def totals(connection: Connection, campaign: int, on_day: date) -> list[TotalRow]:
    """Return the campaign's total for each indicator that has a figure or a quota.

    Where a plan is a tree, its quota is that of the topmost holders, reserves and all. In a plain
    list quotas are those of the holders whom the indicator credits, or where these have none, of
    the first of team, agent, promoter, organisation and area that has: children and parents are
    never added to each other.
    """
    return _totals(_Board(connection, campaign, on_day))


def _totals(board: _Board) -> list[TotalRow]:
    codes = {key[0] for key in board.sums.keys() | board.asked.keys()}
    codes |= {published.indicator for published in board.published}
    return [board.total(code) for code in sorted(codes)]


def working_days(connection: Connection) -> WorkingDays:
    """Return the office's calendar."""
    holiday = HolidayRow.__table__.c
    return WorkingDays(
        {row.day: row.is_worked for row in connection.execute(select(holiday.day, holiday.is_worked))}
    )


def is_launch_day(connection: Connection, campaign: int) -> bool:
    """Return whether a campaign is a launch day; 0, the office's own plan, is none."""
    view = campaigns_by_number(connection, [campaign] if campaign else []).get(campaign)
    return view is not None and view.kind == "launch_day"


class _Board:
    """Everything that the rows of one campaign are made of, read in a few queries."""

    def __init__(self, connection: Connection, campaign: int, on_day: date) -> None:
        self._is_launch_day = is_launch_day(connection, campaign)
        self._on_day = on_day
        self._expectations = Expectations(working_days(connection), on_day)
        self._indicators = {each.indicator.code: each for each in indicators(connection)}
        kinds = {plan_id: kind for kind, plan_id in plans_in_force(connection, campaign, on_day).items()}
        quotas = quotas_of(connection, kinds)
        self.asked = self._asked_by(quotas, lambda quota: (quota.indicator, quota.holder_kind, quota.holder))
        self.sums = figures_of(connection, campaign)
        self._of_indicator = added_up(self.sums)
        self.sums |= sums_of_parents(connection, campaign, self.asked, self._indicators, self.sums)
        self._quotas = quotas
        self.published = published_of(connection, kinds)

    def row(self, key: HolderKey, name: str | None) -> BoardRow:
        """Return the row of one holder and indicator."""
        return self._row(key, name, self.sums.get(key, Sums()), self.asked.get(key, Asked()))

    def total(self, code: str) -> TotalRow:
        """Return the total of one indicator."""
        topmost, reserve = self._topmost(code)
        asked = self._asked_by(topmost, lambda quota: (quota.indicator, "", "")).get((code, "", ""), Asked())
        asked = Asked(asked.initial, asked.supplementary, asked.expected)
        row = self._row((code, "", ""), None, self._of_indicator.get(code, Sums()), asked)
        denominators = {"initial": asked.initial, "supplementary": asked.total}
        quoted = [
            _quoted(published, row.sums.done, denominators[published.plan_kind])
            for published in sorted(self.published, key=lambda each: PLAN_KINDS.index(each.plan_kind))
            if published.indicator == code
        ]
        return TotalRow(row, tuple(quoted), reserve)

    def _topmost(self, code: str) -> tuple[list[Quota], int | None]:
        """Return the quotas that make up the whole, of trees the roots', and the roots' reserve."""
        found: list[Quota] = []
        flat: list[Quota] = []
        reserve = None
        for kind in PLAN_KINDS:
            mine = [quota for quota in self._quotas if (quota.plan_kind, quota.indicator) == (kind, code)]
            nodes = tree_of(mine, code)
            if is_tree(nodes):
                found += [quota for quota in mine if quota.parent is None]
                kept = [node.reserve for node in nodes.values() if node.parent is None]
                reserve = (reserve or 0) + sum(each for each in kept if each is not None)
            else:
                flat += mine
        credited = self._indicators[code].indicator.credits
        for holder_kind in (credited, *FLAT_ORDER):
            leaves = [quota for quota in flat if quota.holder_kind == holder_kind]
            if leaves:
                return found + leaves, reserve
        return found, reserve

    def _row(self, key: HolderKey, name: str | None, sums: Sums, asked: Asked) -> BoardRow:
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

    def _asked_by(self, quotas: Iterable[Quota], key_of: Any) -> dict[HolderKey, Asked]:
        found: dict[HolderKey, Asked] = {}
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
        return expected_by(self._expectations, quota, self._on_day, is_launch_day=self._is_launch_day)


def expected_by(expectations: Expectations, quota: Quota, on_day: date, *, is_launch_day: bool) -> Fraction:
    """Return what a quota asks for by a day: on a launch day, from its first day on, the whole."""
    if is_launch_day:
        return Fraction(quota.amount if on_day >= quota.from_day else 0)
    return expectations.of(quota.amount, quota.days, quota.shares)


def _quoted(published: Published, counted: int, denominator: int | None) -> QuotedRatio:
    text, bounds, percent_bounds = published.quoted_percent, None, None
    done = counted if published.done is None else published.done
    is_wrong = is_misquoted(text, done, denominator)
    if published.low is not None and published.high is not None:
        bounds = (published.low, published.high)
        percent_bounds = percent_range(done, *bounds)
        # It is right where both ends give the printed number; only then do the bounds follow from it.
        is_wrong = any(is_misquoted(text, done, end) for end in bounds)
    return QuotedRatio(
        published.plan_kind, text, done, percent_of(done, denominator), is_wrong, bounds, percent_bounds
    )


def figures_of(connection: Connection, campaign: int) -> dict[HolderKey, Sums]:
    """Return what is counted for every holder whom an indicator credits, without empty figures."""
    figure = FigureRow.__table__
    rows = connection.execute(figure.select().where(figure.c.campaign == campaign))
    sums = {
        (row.indicator, row.holder_kind, row.holder): Sums(*(getattr(row, state) for state in STATES))
        for row in rows
    }
    return {key: each for key, each in sums.items() if each != Sums()}


def added_up(sums: Mapping[HolderKey, Sums]) -> dict[str, Sums]:
    """Return the sums of each indicator over all whom it credits."""
    added: dict[str, list[int]] = defaultdict(lambda: [0] * len(STATES))
    for (code, _kind, _holder), each in sums.items():
        for place, state in enumerate(STATES):
            added[code][place] += getattr(each, state)
    return {code: Sums(*values) for code, values in added.items()}


def sums_of_parents(
    connection: Connection,
    campaign: int,
    asked: Iterable[HolderKey],
    named: Mapping[str, NamedIndicator],
    figures: Mapping[HolderKey, Sums],
) -> dict[HolderKey, Sums]:
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
    found: dict[HolderKey, Sums] = {}
    for code, kind, holder in asked:
        if kind == OFFICE_HOLDER.kind:
            whole = added_up({key: sums for key, sums in figures.items() if key[0] == code})
            found[code, kind, holder] = whole.get(code, Sums())
        elif kind != named[code].indicator.credits:
            holders_of[code, kind].append(holder)
    for (code, kind), holders in holders_of.items():
        column = columns[kind]
        rows = connection.execute(
            select(column, credit.state, func.sum(credit.value))
            .where(credit.campaign == campaign, credit.indicator == code, column.is_not(None))
            .group_by(column, credit.state)
        ).all()
        above = _holders_above(connection, kind, {row[0] for row in rows})
        by_state = {holder: dict.fromkeys(STATES, 0) for holder in holders}
        for value, state, number in rows:
            for holder in above[value] & by_state.keys():
                by_state[holder][state] += int(number)
        found |= {(code, kind, holder): Sums(**sums) for holder, sums in by_state.items()}
    return found


def _holders_above(connection: Connection, kind: str, keys: set[str]) -> dict[str, set[str]]:
    """Return whose sums each of these holders is a part of: its own, and those of whatever holds it."""
    nodes: Mapping[str, Any] = {}
    if kind == "area":
        nodes = areas_by_key(connection, keys)
    elif kind == "organisation":
        nodes = organisations_by_key(connection, keys)
    return {key: {key, *(nodes[key].path if key in nodes else ())} for key in keys}
