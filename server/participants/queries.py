"""What the pages of participants show, within the viewer's sight; the rules are the register's own.

Everything is worked out when the page is looked at, so that nothing here can be out of step with the
facts or the register; see docs/decisions/0022.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.dashboard.queries import Sight, names_of
from server.dashboard.rules import BOARD_LINES, Listing, paged, vietnamese_order
from server.office.queries import areas_by_key
from server.outside.queries import published_figures
from server.outside.rules import REGISTERED, Growth, Published, growths
from server.register.queries import baselines_of, has_register, joinings_of, register_of
from server.register.rules import (
    SCHEMES,
    STANDINGS,
    Baseline,
    Fate,
    Joining,
    NetChange,
    Register,
    Standing,
    Window,
    net_change,
)
from sync.clock import local_day


@dataclass(frozen=True, slots=True)
class Choice:
    """What the viewer asked for; None: the page chooses."""

    scheme: str | None = None
    baseline: str | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class StandingCount:
    """How many enrolments stand for one reason."""

    standing: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class AgentLine:
    """What one agent's enrolments are; `declared_new`: said to be new, and renewals by the register."""

    worker_id: str
    name: str
    counts: Mapping[str, int]
    declared_new: int


@dataclass(frozen=True, slots=True)
class AreaLine:
    """The net change of one area; its name None where the register names no area."""

    name: str | None
    change: NetChange


@dataclass(frozen=True, slots=True)
class ParticipantsPage:
    """A whole page; `change` None where the scheme has no baseline yet."""

    scheme: str
    schemes: Sequence[str]
    baselines: list[Baseline]
    change: NetChange | None
    areas: list[AreaLine]
    window: Window | None
    counts: Mapping[str, int]
    reasons: list[StandingCount]
    agents: list[AgentLine]
    listing: Listing
    since: date | None
    today: date
    is_office_wide: bool


def participants_page(
    connection: Connection, choice: Choice, sight: Sight, now_ms: int, zone: ZoneInfo
) -> ParticipantsPage | None:
    """Return what the register says of a scheme; None while there is no register at all."""
    if not has_register(connection):
        return None
    today = local_day(now_ms, zone)
    scheme = choice.scheme if choice.scheme in SCHEMES else _first_scheme(connection)
    baselines = [each for each in baselines_of(connection, scheme) if each.as_of <= today]
    baseline = next((each for each in baselines if each.code == choice.baseline), next(iter(baselines), None))
    joinings = joinings_of(connection, scheme)
    register = register_of(connection, scheme, joinings)
    standings = register.standings()
    since = None if baseline is None else baseline.as_of
    seen = [each for each in joinings if sight.covers(each.agent_id) and (since is None or each.day > since)]
    fates = [] if baseline is None else _in_sight(connection, register.fates(baseline, today), sight)
    change = None
    if baseline is not None:
        # How whole the register is concerns everybody: an area's figures hang on it as well.
        change = net_change(baseline, today, register.listed_as_of(baseline), fates)
    agents = _agents(connection, seen, standings)
    start = (choice.page - 1) * BOARD_LINES
    shown, listing = paged(agents[start : start + BOARD_LINES + 1], choice.page, BOARD_LINES)
    reasons = Counter((standings[each.fact_id].standing, standings[each.fact_id].reason) for each in seen)
    return ParticipantsPage(
        scheme=scheme,
        schemes=SCHEMES,
        baselines=baselines,
        change=change,
        areas=_areas(connection, change, fates),
        window=register.window_on(today),
        counts=Counter(standings[each.fact_id].standing for each in seen),
        reasons=[
            StandingCount(*key, count)
            for key, count in sorted(
                reasons.items(), key=lambda each: (STANDINGS.index(each[0][0]), -each[1])
            )
        ],
        agents=shown,
        listing=listing,
        since=since,
        today=today,
        is_office_wide=sight.areas.office_wide,
    )


def _first_scheme(connection: Connection) -> str:
    """Return the scheme of the newest baseline, else the first."""
    return next((each.scheme for each in baselines_of(connection)), SCHEMES[0])


def _in_sight(connection: Connection, fates: Sequence[Fate], sight: Sight) -> list[Fate]:
    if sight.areas.office_wide:
        return list(fates)
    nodes = areas_by_key(connection, {each.area_key for each in fates if each.area_key})
    return [
        each for each in fates if each.area_key in nodes and sight.areas.allows(nodes[each.area_key].path)
    ]


def _areas(connection: Connection, change: NetChange | None, fates: Iterable[Fate]) -> list[AreaLine]:
    if change is None:
        return []
    by_area: dict[str | None, list[Fate]] = defaultdict(list)
    for fate in fates:
        by_area[fate.area_key].append(fate)
    nodes = areas_by_key(connection, {key for key in by_area if key is not None})
    lines = [
        AreaLine(
            nodes[key].name if key in nodes else None,
            net_change(change.baseline, change.day, change.listed, of_area),
        )
        for key, of_area in by_area.items()
    ]
    # Whoever lost most comes first.
    return sorted(lines, key=lambda each: (each.change.net, vietnamese_order(each.name or "")))


def _agents(
    connection: Connection, joinings: Sequence[Joining], standings: Mapping[str, Standing]
) -> list[AgentLine]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    declared: Counter[str] = Counter()
    for joining in joinings:
        standing = standings[joining.fact_id].standing
        counts[joining.agent_id][standing] += 1
        declared[joining.agent_id] += joining.declared == "new" and standing == "renewal"
    names = names_of(connection, counts.keys())
    lines = [
        AgentLine(worker_id, names.get(worker_id, "–"), of_agent, declared[worker_id])
        for worker_id, of_agent in counts.items()
    ]
    return sorted(lines, key=lambda each: (vietnamese_order(each.name), each.worker_id))


@dataclass(frozen=True, slots=True)
class OutsideLine:
    """A published figure with the office's own of the same day, None where it has none."""

    published: Published
    area_name: str | None
    ours: int | None


@dataclass(frozen=True, slots=True)
class OutsidePage:
    """Published figures; what was published for areas out of sight is left out."""

    lines: list[OutsideLine]
    growths: list[tuple[Growth, str | None]]


def outside_page(connection: Connection, sight: Sight, now_ms: int, zone: ZoneInfo) -> OutsidePage:
    """Return the figures from outside, each beside ours, where its day has come."""
    figures = published_figures(connection)
    nodes = areas_by_key(connection, {each.area_key for each in figures if each.area_key})
    shown = [
        each for each in figures if each.area_key is None or sight.areas.allows(nodes[each.area_key].path)
    ]
    names = {key: node.name for key, node in nodes.items()}
    ours = _Ours(connection, local_day(now_ms, zone))
    return OutsidePage(
        lines=[
            OutsideLine(
                each,
                names.get(each.area_key or ""),
                ours.of(each) if sight.areas.office_wide else None,
            )
            for each in shown
        ],
        growths=[(each, names.get(each.area_key or "")) for each in growths(shown)],
    )


class _Ours:
    """The office's own stocks, read once a scheme."""

    def __init__(self, connection: Connection, today: date) -> None:
        self._connection, self._today = connection, today
        self._registers: dict[str, Register] = {}

    def of(self, published: Published) -> int | None:
        """Return how many the register and our enrolments know to be insured on the figure's day."""
        scheme = REGISTERED.get(published.figure)
        if scheme is None or published.area_key is not None or published.day > self._today:
            return None
        if scheme not in self._registers:
            self._registers[scheme] = register_of(self._connection, scheme)
        return self._registers[scheme].insured_on(published.day)
