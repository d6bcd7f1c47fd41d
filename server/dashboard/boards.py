"""The quota board: which campaign, which figure, whose lines, their sum, and how complete it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.campaigns.queries import CampaignView, all_campaigns
from server.dashboard.formats import installation_number, short_id
from server.dashboard.queries import Sight, names_of, syncs_of
from server.dashboard.rules import (
    BOARD_LINES,
    HOLDER_KINDS,
    BoardLine,
    Listing,
    PlanFigure,
    paged,
    sorted_lines,
    totals_of,
    vietnamese_order,
)
from server.devices.queries import installation_numbers
from server.office.queries import organisations_by_key, team_memberships_of, teams_by_id, workers_by_id
from server.office.rules import team_on
from server.quotas.board import BoardRow, QuotedRatio, TotalRow, board_and_totals, board_rows
from server.quotas.completeness import completeness_at
from server.quotas.minimums import MinimumBoard, minimum_boards
from server.quotas.periods import Completeness, figure_standing, within
from server.quotas.queries import indicators
from sync.clock import local_day

# An agent's page looks back over a year's drives, not over all there ever were.
_CAMPAIGNS_SHOWN = 6
# Promoters who are workers; the others are households and entrants, whose names are personal.
_WORKER_PROMOTERS = ("officer:", "hamlet_head:")


@dataclass(frozen=True, slots=True)
class BoardChoice:
    """What the viewer asked for; None: the board chooses."""

    campaign: int | None = None
    indicator: str | None = None
    holder_kind: str | None = None
    minimum: str | None = None
    order: str = "behind"
    page: int = 1


@dataclass(frozen=True, slots=True)
class BoardTab:
    """One indicator and kind of holder; `name` in Vietnamese and English."""

    indicator: str
    holder_kind: str
    name: tuple[str, str]
    is_current: bool
    names_holder: bool


@dataclass(frozen=True, slots=True)
class TabletLine:
    """A tablet that may still hold something of a period; `reason` says why."""

    installation: str
    number: str
    worker_id: str
    worker_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PeriodStanding:
    """How complete a period is. The counts are of the whole office, `tablets` are those in sight.

    What is missing elsewhere moves a figure as well, so nobody is told "final" for an area alone.
    """

    installations: int
    outstanding: int
    unsettled: int
    written_off: int
    is_over: bool
    is_recovering: bool
    is_final: bool
    tablets: list[TabletLine]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """A whole board. `lines` are one page of it, the totals are of all lines.

    `minimum`: the one looked at, which takes the lines' place. `plan_whole`: what a plan that is a
    tree asks for, reserves included; it and the published bounds are for those over the whole office.
    """

    campaign: CampaignView
    campaigns: list[CampaignView]
    tabs: list[BoardTab]
    indicator: str
    holder_kind: str
    order: str
    done: int
    totals: tuple[PlanFigure, ...]
    lines: list[BoardLine]
    lines_total: int
    silent: int
    unsent: int
    completeness: PeriodStanding
    listing: Listing
    minimums: list[MinimumBoard]
    minimum: MinimumBoard | None
    plan_whole: int | None
    bounded: list[QuotedRatio]


def board_page(
    connection: Connection, choice: BoardChoice, sight: Sight, now_ms: int, zone: ZoneInfo
) -> BoardPage | None:
    """Return the board that `choice` asks for, within `sight`; None without any such campaign."""
    today = local_day(now_ms, zone)
    campaigns = all_campaigns(connection)
    campaign = _chosen_campaign(campaigns, choice.campaign, today)
    if campaign is None:
        return None
    rows, wholes = board_and_totals(connection, campaign.number, today, sight.areas)
    minimums = minimum_boards(connection, campaign.number, today, sight.areas)
    minimum = next((_by_name(each) for each in minimums if each.code == choice.minimum), None)
    tabs = _tabs(rows, choice)
    tab = next((each for each in tabs if each.is_current), None)
    mine = [row for row in rows if tab and _is_of(row, tab)]
    known = completeness_at(connection, campaign.to_day, now_ms, zone)
    lines = _lines(connection, mine, campaign, known, today, now_ms, _met_by(minimums))
    whole = None
    if tab is not None and sight.areas.office_wide:
        # Only those over the whole office may compare with it.
        whole = next((each for each in wholes if each.row.indicator == tab.indicator), None)
    ordered = sorted_lines(lines, choice.order)
    start = (choice.page - 1) * BOARD_LINES
    shown, listing = paged(ordered[start : start + BOARD_LINES + 1], choice.page, BOARD_LINES)
    syncs = [line.sync for line in lines if line.sync is not None]
    return BoardPage(
        campaign=campaign,
        campaigns=campaigns,
        tabs=tabs,
        indicator=tab.indicator if tab else "",
        holder_kind=tab.holder_kind if tab else "agent",
        order=choice.order,
        done=sum(line.done for line in lines),
        totals=_quoted(totals_of(lines), whole),
        lines=shown,
        lines_total=len(lines),
        silent=sum(sync.freshness != "fresh" for sync in syncs),
        unsent=sum(sync.unsent or 0 for sync in syncs),
        completeness=period_standing(connection, sight, known),
        listing=listing,
        minimums=minimums,
        minimum=minimum,
        plan_whole=whole.row.quota if whole is not None and whole.reserve is not None else None,
        bounded=[] if whole is None else [each for each in whole.quoted if each.bounds is not None],
    )


def _by_name(minimum: MinimumBoard) -> MinimumBoard:
    """Return a minimum with those first who have not met it, by name."""
    lines = sorted(
        minimum.lines, key=lambda line: (line.is_met, vietnamese_order(line.name or ""), line.holder)
    )
    return replace(minimum, lines=tuple(lines))


def _met_by(minimums: Sequence[MinimumBoard]) -> dict[tuple[str, str], bool]:
    """Return of everybody of whom a minimum is asked whether all of them are met."""
    found: dict[tuple[str, str], bool] = {}
    for minimum in minimums:
        for line in minimum.lines:
            found[line.holder] = found.get(line.holder, True) and line.is_met
    return found


def _is_of(row: BoardRow, tab: BoardTab) -> bool:
    return (row.indicator, row.holder_kind) == (tab.indicator, tab.holder_kind)


def _chosen_campaign(
    campaigns: Sequence[CampaignView], number: int | None, today: date
) -> CampaignView | None:
    """Return the campaign asked for, or the latest that has begun, or the next one."""
    if number is not None:
        return next((each for each in campaigns if each.number == number), None)
    begun = [each for each in campaigns if each.from_day <= today]
    return begun[0] if begun else (campaigns[-1] if campaigns else None)


def _tabs(rows: Sequence[BoardRow], choice: BoardChoice) -> list[BoardTab]:
    names = {row.indicator: (row.indicator_vi, row.indicator_en) for row in rows}
    known = {(row.indicator, row.holder_kind) for row in rows if row.holder_kind in HOLDER_KINDS}
    asked = {(row.indicator, row.holder_kind) for row in rows if row.quota is not None}
    # What has a quota comes before what is only counted.
    kinds = sorted(known, key=lambda each: (each not in asked, HOLDER_KINDS.index(each[1]), each[0]))
    wanted = [
        (indicator, kind)
        for indicator, kind in kinds
        if choice.indicator in {None, indicator} and choice.holder_kind in {None, kind}
    ]
    current = next(iter(wanted or kinds), None)
    return [
        BoardTab(
            indicator=indicator,
            holder_kind=kind,
            name=names[indicator],
            is_current=(indicator, kind) == current,
            names_holder=sum(code == indicator for code, _kind in kinds) > 1,
        )
        for indicator, kind in kinds
    ]


def _lines(
    connection: Connection,
    rows: Sequence[BoardRow],
    campaign: CampaignView,
    known: Completeness,
    today: date,
    now_ms: int,
    met: Mapping[tuple[str, str], bool],
) -> list[BoardLine]:
    defined = {named.indicator.code: named.indicator for named in indicators(connection)}
    worker_of = {row.holder: _worker_of(row) for row in rows}
    ids = {worker_id for worker_id in worker_of.values() if worker_id is not None}
    agents = {row.holder for row in rows if row.holder_kind == "agent"}
    organisations = _organisations(connection, ids)
    teams = _teams(connection, agents, campaign, today)
    syncs = syncs_of(connection, agents, now_ms)
    two_plans = any(row.quota_supplementary is not None for row in rows)
    return [
        BoardLine(
            holder=row.holder,
            name=row.name or short_id(row.holder),
            organisation=organisations.get(worker_of[row.holder] or ""),
            team=teams.get(row.holder),
            done=row.sums.done,
            plans=_plans(row, two_plans),
            worker_id=worker_of[row.holder],
            sync=syncs.get(row.holder),
            standing=figure_standing(defined[row.indicator], worker_of[row.holder], known),
            is_minimum_met=met.get((row.holder_kind, row.holder)),
        )
        for row in rows
    ]


def _worker_of(row: BoardRow) -> str | None:
    if row.holder_kind == "agent":
        return row.holder
    if row.holder_kind == "promoter" and row.holder.startswith(_WORKER_PROMOTERS):
        return row.holder.partition(":")[2]
    return None


def _plans(row: BoardRow, two_plans: bool) -> tuple[PlanFigure, ...]:
    # People come whole: whoever has reached the next whole number is not behind.
    expected = None if row.expected is None else ceil(row.expected)
    if not two_plans:
        return (PlanFigure("initial", row.quota, expected),)
    initial = PlanFigure("initial_of_two", row.quota_initial, None)
    return (initial, PlanFigure("supplemented", row.quota, expected))


def _quoted(sums: tuple[PlanFigure, ...], whole: TotalRow | None) -> tuple[PlanFigure, ...]:
    """Return the sums with the ratios that were published for the whole plan, where it is the same."""
    if whole is None:
        return sums
    quoted = {each.plan_kind: each for each in whole.quoted}
    marked = []
    for figure in sums:
        ratio = quoted.get("supplementary" if figure.kind == "supplemented" else "initial")
        asked = whole.row.quota_initial if figure.kind == "initial_of_two" else whole.row.quota
        if ratio is not None and asked == figure.quota:
            marked.append(
                replace(figure, quoted_percent=ratio.quoted_percent, is_mismatched=ratio.is_misquoted)
            )
        else:
            marked.append(figure)
    return tuple(marked)


def _organisations(connection: Connection, worker_ids: set[str]) -> dict[str, str]:
    workers = workers_by_id(connection, worker_ids)
    keys = {worker.organisation_key for worker in workers.values() if worker.organisation_key}
    nodes = organisations_by_key(connection, keys)
    return {
        worker.id: nodes[worker.organisation_key].name
        for worker in workers.values()
        if worker.organisation_key in nodes
    }


def _teams(
    connection: Connection, agents: set[str], campaign: CampaignView, today: date
) -> Mapping[str, str]:
    on_day = min(max(today, campaign.from_day), campaign.to_day)
    memberships = team_memberships_of(connection, agents)
    team_of = {agent: team_on(spans, campaign.number, on_day) for agent, spans in memberships.items()}
    names = teams_by_id(connection, {team for team in team_of.values() if team is not None})
    return {agent: names[team].name for agent, team in team_of.items() if team in names}


def period_standing(connection: Connection, sight: Sight, known: Completeness) -> PeriodStanding:
    """Return a period's completeness with the outstanding tablets in sight, by number."""
    tablets = within(known, sight.worker_ids)
    names = names_of(connection, {tablet.worker_id for tablet in tablets})
    numbers = installation_numbers(connection, {tablet.installation_id for tablet in tablets})
    tablets.sort(key=lambda tablet: numbers[tablet.installation_id])
    return PeriodStanding(
        installations=known.installations,
        outstanding=len(known.outstanding),
        unsettled=known.unsettled_count,
        written_off=known.written_off,
        is_over=known.is_over,
        is_recovering=known.is_recovering,
        is_final=known.is_final,
        tablets=[
            TabletLine(
                installation=tablet.installation_id,
                number=installation_number(numbers[tablet.installation_id]),
                worker_id=tablet.worker_id,
                worker_name=names.get(tablet.worker_id, "–"),
                reason=tablet.reason,
            )
            for tablet in tablets
        ],
    )


@dataclass(frozen=True, slots=True)
class AgentQuota:
    """One indicator of one campaign, as it stands for one worker; names in Vietnamese and English."""

    campaign: CampaignView
    code: str
    indicator: tuple[str, str]
    holder_kind: str
    holder: str
    done: int
    pending: int
    not_counted: int
    plan: PlanFigure
    standing: str


def agent_quotas(connection: Connection, worker_id: str, now_ms: int, zone: ZoneInfo) -> list[AgentQuota]:
    """Return what a worker is asked for, and has done, as agent or as promoter; latest campaign first."""
    defined = {named.indicator.code: named.indicator for named in indicators(connection)}
    today, found = local_day(now_ms, zone), []
    for campaign in all_campaigns(connection)[:_CAMPAIGNS_SHOWN]:
        rows = board_rows(connection, campaign.number, today)
        mine = [row for row in rows if _worker_of(row) == worker_id]
        if mine:
            known = completeness_at(connection, campaign.to_day, now_ms, zone)
            found += [
                _agent_quota(campaign, row, figure_standing(defined[row.indicator], worker_id, known))
                for row in mine
            ]
    return found


def promoted_figures(quotas: Sequence[AgentQuota]) -> list[tuple[int, str, str]]:
    """Return the figures (campaign, indicator, holder) that a worker has as a promoter."""
    return [
        (each.campaign.number, each.code, each.holder) for each in quotas if each.holder_kind == "promoter"
    ]


def _agent_quota(campaign: CampaignView, row: BoardRow, standing: str) -> AgentQuota:
    return AgentQuota(
        campaign=campaign,
        code=row.indicator,
        indicator=(row.indicator_vi, row.indicator_en),
        holder_kind=row.holder_kind,
        holder=row.holder,
        done=row.sums.done,
        pending=row.sums.pending,
        not_counted=row.sums.not_counted,
        plan=_plans(row, two_plans=False)[0],
        standing=standing,
    )
