"""What the pages of acceptance show, within the viewer's sight; the figures are the quotas' own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.access.queries import logins_by_account
from server.campaigns.queries import CampaignView, all_campaigns, campaigns_by_number
from server.dashboard.boards import PeriodStanding, period_standing
from server.dashboard.formats import installation_number
from server.dashboard.queries import Sight, names_of
from server.devices.queries import all_installations, open_write_offs
from server.office.queries import teams_by_id
from server.quotas.completeness import completeness_at
from server.quotas.queries import indicators
from server.quotas.statements import (
    Adjustment,
    LineKey,
    Statement,
    StatementLine,
    adjustments_of,
    first_open_day,
    lines_of,
    statement_by_number,
    statements_of,
    unposted,
)
from sync.clock import local_day

_ACCOUNT = "account:"
# Promoters who are workers; a household's or an entrant's name is personal.
_WORKER_PROMOTERS = ("officer", "hamlet_head")


@dataclass(frozen=True, slots=True)
class StatementItem:
    """One statement of the list; `moved` counts the lines that differ and are not posted."""

    statement: Statement
    accepted_by: str
    moved: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A tablet that is outstanding, and the proposal to give it up, if there is one."""

    installation: str
    number: str
    worker_name: str
    reason: str | None
    proposed_by: str | None
    is_own_proposal: bool


@dataclass(frozen=True, slots=True)
class AcceptancePage:
    """A campaign's open period, its completeness, and its statements. None: nothing is open or over."""

    campaign: CampaignView
    campaigns: list[CampaignView]
    from_day: date | None
    to_day: date
    known: PeriodStanding
    statements: list[StatementItem]
    moved: int
    tablets: list[GivenUp]


@dataclass(frozen=True, slots=True)
class LineShown:
    """One line with its adjustments. `recounted` is what counts today; `difference` must be 0 once posted."""

    line: StatementLine
    name: str
    indicator: tuple[str, str]
    adjusted: int
    recounted: int
    difference: int


@dataclass(frozen=True, slots=True)
class StatementPage:
    """A statement as accepted, with what was posted since."""

    statement: Statement
    campaign: CampaignView | None
    accepted_by: str
    lines: list[LineShown]
    adjustments: list[tuple[Adjustment, str, tuple[str, str]]]
    difference: int
    is_whole: bool


def acceptance_page(
    connection: Connection, sight: Sight, account_id: str, number: int | None, now_ms: int, zone: ZoneInfo
) -> AcceptancePage | None:
    """Return the acceptance of a campaign: of the one asked for, else the latest that has begun."""
    campaigns, today = all_campaigns(connection), local_day(now_ms, zone)
    begun = [each for each in campaigns if each.from_day <= today]
    wanted = [each for each in campaigns if each.number == number] if number is not None else begun
    campaign = next(iter(wanted), None)
    if campaign is None:
        return None
    from_day = first_open_day(connection, campaign.number, campaign.from_day)
    to_day = min(campaign.to_day, today - timedelta(days=1))
    known = completeness_at(connection, to_day, now_ms, zone)
    moved: dict[int, int] = defaultdict(int)
    for statement, _key in unposted(connection, campaign.number):
        moved[statement] += 1
    statements = statements_of(connection, campaign.number)
    people = _people(connection, {each.accepted_by for each in statements})
    standing = period_standing(connection, sight, known)
    return AcceptancePage(
        campaign=campaign,
        campaigns=campaigns,
        from_day=from_day if from_day is not None and from_day <= to_day else None,
        to_day=to_day,
        known=standing,
        statements=[
            StatementItem(each, people[each.accepted_by], moved.get(each.number, 0))
            for each in reversed(statements)
        ],
        moved=sum(moved.values()),
        tablets=_tablets(connection, sight, standing, account_id),
    )


def _tablets(
    connection: Connection, sight: Sight, standing: PeriodStanding, account_id: str
) -> list[GivenUp]:
    """Return the outstanding tablets in sight, and those with an open proposal."""
    views = {view.id: view for view in all_installations(connection) if sight.covers(view.worker_id)}
    proposals = open_write_offs(connection, views)
    wanted = {tablet.installation for tablet in standing.tablets} | proposals.keys()
    names = names_of(connection, {views[each].worker_id for each in wanted if each in views})
    people = _people(connection, {proposal.proposed_by for proposal in proposals.values()})
    found = []
    for installation in sorted(wanted & views.keys(), key=lambda each: views[each].number):
        view, proposal = views[installation], proposals.get(installation)
        found.append(
            GivenUp(
                installation=installation,
                number=installation_number(view.number),
                worker_name=names.get(view.worker_id, "–"),
                reason=None if proposal is None else proposal.reason,
                proposed_by=None if proposal is None else people[proposal.proposed_by],
                is_own_proposal=proposal is not None and proposal.proposed_by == f"{_ACCOUNT}{account_id}",
            )
        )
    return found


def statement_page(connection: Connection, sight: Sight, number: int) -> StatementPage | None:
    """Return a statement; its lines are those of workers in sight, or all for who sees everybody."""
    statement = statement_by_number(connection, number)
    if statement is None:
        return None
    lines, adjustments = lines_of(connection, number), adjustments_of(connection, number)
    moved = {
        key: amount
        for (each, key), amount in unposted(connection, statement.campaign).items()
        if each == number
    }
    keys = {line.key for line in lines} | {each.key for each in adjustments} | moved.keys()
    seen = {key for key in keys if _is_in_sight(sight, key)}
    names, titles = _names(connection, seen), _titles(connection)
    adjusted: dict[LineKey, int] = defaultdict(int)
    for each in adjustments:
        adjusted[each.key] += each.amount
    by_key = {line.key: line for line in lines}
    shown = [
        _line_shown(by_key.get(key), key, names[key], titles, adjusted[key], moved.get(key, 0))
        for key in sorted(seen)
    ]
    return StatementPage(
        statement=statement,
        campaign=campaigns_by_number(connection, [statement.campaign]).get(statement.campaign),
        accepted_by=_people(connection, {statement.accepted_by})[statement.accepted_by],
        lines=shown,
        adjustments=[
            (each, names[each.key], titles.get(each.indicator, (each.indicator,) * 2))
            for each in adjustments
            if each.key in seen
        ],
        difference=sum(abs(each.difference) for each in shown),
        is_whole=sight.worker_ids is None,
    )


def _line_shown(
    line: StatementLine | None,
    key: LineKey,
    name: str,
    titles: dict[str, tuple[str, str]],
    adjusted: int,
    moved: int,
) -> LineShown:
    # Whoever had nothing when the period was accepted has no line in it.
    known = line or StatementLine(*key, 0, 0, None, None, "")
    return LineShown(
        line=known,
        name=name,
        indicator=titles.get(key[0], (key[0], key[0])),
        adjusted=adjusted,
        recounted=known.counted + adjusted + moved,
        difference=moved,
    )


def _worker_of(key: LineKey) -> str | None:
    _indicator, kind, holder = key
    if kind == "agent":
        return holder
    promoter, _, worker_id = holder.partition(":")
    return worker_id if kind == "promoter" and promoter in _WORKER_PROMOTERS else None


def _is_in_sight(sight: Sight, key: LineKey) -> bool:
    worker_id = _worker_of(key)
    return sight.worker_ids is None or (worker_id is not None and sight.covers(worker_id))


def _names(connection: Connection, keys: set[LineKey]) -> dict[LineKey, str]:
    workers = {worker_id for key in keys if (worker_id := _worker_of(key)) is not None}
    of_worker = names_of(connection, workers)
    teams = teams_by_id(connection, {key[2] for key in keys if key[1] == "team"})
    found = {}
    for key in keys:
        worker_id = _worker_of(key)
        name = of_worker.get(worker_id) if worker_id is not None else None
        if key[1] == "team" and key[2] in teams:
            name = teams[key[2]].name
        found[key] = name or key[2]
    return found


def _titles(connection: Connection) -> dict[str, tuple[str, str]]:
    return {named.indicator.code: (named.name_vi, named.name_en) for named in indicators(connection)}


def _people(connection: Connection, chains: Sequence[str] | set[str]) -> dict[str, str]:
    """Return the log-in names behind audit chains; a job stands for itself."""
    accounts = {chain.removeprefix(_ACCOUNT) for chain in chains if chain.startswith(_ACCOUNT)}
    logins = logins_by_account(connection, accounts)
    return {chain: logins.get(chain.removeprefix(_ACCOUNT), chain) for chain in chains}
