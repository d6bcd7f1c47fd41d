"""The page of a plan: its versions, the tree of one version with every reserve, its phases and minimums.

Whoever oversees a part of the office sees the areas, and the workers, of that part and what stands
below them; what is left out is told as one sum, so that the numbers shown still add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.campaigns.queries import CampaignView, campaigns_by_number
from server.dashboard.formats import short_id
from server.dashboard.queries import Sight
from server.dashboard.rules import PlanFigure, vietnamese_order
from server.office.queries import areas_by_key
from server.quotas.board import TotalRow, totals
from server.quotas.holders import holder_names, worker_of_holder
from server.quotas.minimums import MinimumBoard, minimum_boards
from server.quotas.phases import Phase, lies_in, unphased
from server.quotas.plan_figures import PhaseFigure, done_of, expected_of, phase_figures
from server.quotas.plans import PlanVersion, Quota, plan_versions, quotas_of, wholes_of
from server.quotas.queries import indicators
from server.quotas.rules import OFFICE_CAMPAIGN
from server.quotas.trees import PLAN_KINDS, Holder, Node, tree_of
from sync.clock import local_day


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """What the viewer asked for; None: the page chooses."""

    plan: str | None = None
    indicator: str | None = None
    holder: Holder | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> PlanChoice:
        """Return what an address asks for."""
        kind, key = arguments.get("kind"), arguments.get("key")
        holder = Holder(kind, key) if kind and key else None
        return cls(arguments.get("plan"), arguments.get("indicator"), holder)


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version with the whole that it asks of the indicator shown; None: nothing, or not in sight."""

    version: PlanVersion
    whole: int | None
    is_shown: bool


@dataclass(frozen=True, slots=True)
class NodeLine:
    """One holder in the tree; `reserve` None where nobody stands below, `below` how many do."""

    holder: Holder
    name: str
    worker_id: str | None
    amount: int
    assigned: int
    reserve: int | None
    below: int
    done: int
    expected: int


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """A phase of the holder looked at; `assigned`: what those below are asked for in the same phase.

    `within`: the name of the phase that it is a part of.
    """

    figure: PhaseFigure
    expected: int
    assigned: int | None
    within: str | None


@dataclass(frozen=True, slots=True)
class Outside:
    """What stands at the same place and is not in the viewer's sight."""

    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A whole page. `node` is the holder looked at, None where the list holds the topmost ones."""

    campaign: CampaignView | None
    versions: list[VersionLine]
    shown: PlanVersion | None
    indicators: list[tuple[str, tuple[str, str], bool]]
    path: list[NodeLine]
    node: NodeLine | None
    plans: tuple[PlanFigure, ...]
    lines: list[NodeLine]
    outside: Outside
    phases: list[PhaseLine]
    unphased: int
    total: TotalRow | None
    minimums: list[MinimumBoard]


def plan_page(
    connection: Connection, number: int, choice: PlanChoice, sight: Sight, now_ms: int, zone: ZoneInfo
) -> PlanPage | None:
    """Return the page of a campaign's plan, 0 the office's own; None without any such campaign."""
    today = local_day(now_ms, zone)
    campaign = campaigns_by_number(connection, [number]).get(number)
    if campaign is None and number != OFFICE_CAMPAIGN:
        return None
    versions = plan_versions(connection, number, today)
    shown = _chosen_version(versions, choice.plan)
    in_force = {version.id for version in versions if version.standing == "in_force"}
    wanted = {version.id: version.kind for version in versions if version.id in in_force or version is shown}
    quotas = quotas_of(connection, wanted)
    mine = [quota for quota in quotas if shown is not None and quota.plan_id == shown.id]
    found = {each.row.indicator: each for each in totals(connection, number, today)}
    # What is merely counted has no place in a plan.
    published = {code for code, total in found.items() if total.quoted}
    codes = sorted({quota.indicator for quota in mine} | published)
    code = choice.indicator if choice.indicator in codes else next(iter(codes), "")
    named = {each.indicator.code: each for each in indicators(connection)}
    wholes = {}
    if sight.areas.office_wide and code:
        wholes = wholes_of(connection, number, code, named[code].indicator.credits)
    tree = _Tree(connection, number, [quota for quota in mine if quota.indicator == code], sight, today)
    node = tree.chosen(choice.holder)
    lines, outside = tree.below(node)
    return PlanPage(
        campaign=campaign,
        versions=[VersionLine(version, wholes.get(version.id), version is shown) for version in versions],
        shown=shown,
        indicators=[(each, (named[each].name_vi, named[each].name_en), each == code) for each in codes],
        path=tree.path(node),
        node=None if node is None else tree.line(node),
        plans=() if node is None else _both_plans(quotas, in_force, code, node),
        lines=lines,
        outside=outside,
        phases=[] if node is None else tree.phases(node),
        unphased=0 if node is None else tree.unphased(node),
        total=found.get(code) if sight.areas.office_wide else None,
        minimums=minimum_boards(connection, number, today, sight.areas),
    )


def _chosen_version(versions: Sequence[PlanVersion], wanted: str | None) -> PlanVersion | None:
    """Return the version asked for, or the initial one in force, or whatever is the newest."""
    for version in versions:
        if version.id == wanted:
            return version
    in_force = [version for version in versions if version.standing == "in_force"]
    return next(iter(in_force or versions), None)


def _both_plans(
    quotas: Iterable[Quota], in_force: set[str], code: str, holder: Holder
) -> tuple[PlanFigure, ...]:
    """Return what the plans in force ask of a holder: initially, and with the supplement."""
    asked = dict.fromkeys(PLAN_KINDS, 0)
    kinds = set()
    for quota in quotas:
        is_theirs = (quota.indicator, quota.holder_kind, quota.holder) == (code, *holder)
        if quota.plan_id in in_force and is_theirs:
            asked[quota.plan_kind] += quota.amount
            kinds.add(quota.plan_kind)
    if "supplementary" not in kinds:
        return (PlanFigure("initial", asked["initial"], None),) if kinds else ()
    return (
        PlanFigure("initial_of_two", asked["initial"] or None, None),
        PlanFigure("supplemented", sum(asked.values()), None),
    )


class _Tree:
    """The tree of one version and indicator, within the viewer's sight."""

    def __init__(
        self, connection: Connection, campaign: int, quotas: list[Quota], sight: Sight, today: date
    ) -> None:
        self._connection, self._campaign, self._today = connection, campaign, today
        self._quotas = quotas
        self._nodes = tree_of(quotas, quotas[0].indicator) if quotas else {}
        self._in_sight = _in_sight(connection, self._nodes, sight)
        self._tops = [
            holder
            for holder, node in self._nodes.items()
            if holder in self._in_sight and node.parent not in self._in_sight
        ]
        shown = sorted(self._in_sight)
        self._names = holder_names(connection, [("", *holder) for holder in shown])
        code = quotas[0].indicator if quotas else ""
        self._done = done_of(connection, campaign, code, shown) if quotas else {}
        self._expected = expected_of(connection, campaign, quotas, today)

    def chosen(self, wanted: Holder | None) -> Holder | None:
        """Return the holder asked for if it is in sight, or the only topmost one."""
        if wanted in self._in_sight:
            return wanted
        return self._tops[0] if len(self._tops) == 1 else None

    def line(self, holder: Holder) -> NodeLine:
        """Return one holder."""
        node = self._nodes[holder]
        return NodeLine(
            holder=holder,
            name=self._names.get(holder) or ("" if holder.kind == "office" else short_id(holder.key)),
            worker_id=worker_of_holder(*holder),
            amount=node.amount,
            assigned=node.assigned,
            reserve=node.reserve,
            below=len(node.children),
            done=self._done[holder],
            expected=ceil(self._expected[holder]),
        )

    def below(self, holder: Holder | None) -> tuple[list[NodeLine], Outside]:
        """Return those below a holder, or the topmost ones, and what of them is out of sight."""
        here: Sequence[Holder] = self._tops if holder is None else self._nodes[holder].children
        lines = [self.line(each) for each in here if each in self._in_sight]
        hidden = [self._nodes[each].amount for each in here if each not in self._in_sight]
        ordered = sorted(lines, key=lambda line: (vietnamese_order(line.name), line.holder))
        return ordered, Outside(len(hidden), sum(hidden))

    def path(self, holder: Holder | None) -> list[NodeLine]:
        """Return those in sight above a holder, the topmost first."""
        found: list[NodeLine] = []
        above = None if holder is None else self._nodes[holder].parent
        while above is not None and above in self._in_sight:
            found.insert(0, self.line(above))
            above = self._nodes[above].parent
        return found

    def phases(self, holder: Holder) -> list[PhaseLine]:
        """Return a holder's phases, with what those below are asked for in each."""
        mine, node = self._of(holder), self._nodes[holder]
        assigned: dict[str, int] = {}
        for quota in self._quotas:
            if Holder(quota.holder_kind, quota.holder) in node.children:
                for share in quota.shares:
                    assigned[share.phase.code] = assigned.get(share.phase.code, 0) + share.amount
        figures = phase_figures(self._connection, self._campaign, mine, self._today)
        return [
            PhaseLine(
                figure,
                ceil(figure.expected),
                assigned.get(figure.share.phase.code, 0) if node.children else None,
                _name_around(figure.share.phase, [each.share.phase for each in figures]),
            )
            for figure in figures
        ]

    def unphased(self, holder: Holder) -> int:
        """Return what of a holder's quotas falls into no phase, where there are any."""
        phased = [quota for quota in self._of(holder) if quota.shares]
        return sum(unphased(quota.amount, quota.days, quota.shares) for quota in phased)

    def _of(self, holder: Holder) -> list[Quota]:
        return [quota for quota in self._quotas if (quota.holder_kind, quota.holder) == holder]


def _name_around(phase: Phase, others: Sequence[Phase]) -> str | None:
    """Return the name of the smallest of the phases that hold this one."""
    around = [other for other in others if lies_in(phase, other)]
    return min(around, key=lambda other: other.to_day - other.from_day).name if around else None


def _in_sight(connection: Connection, nodes: Mapping[Holder, Node], sight: Sight) -> set[Holder]:
    if sight.areas.office_wide:
        return set(nodes)
    areas = areas_by_key(connection, [holder.key for holder in nodes if holder.kind == "area"])
    seen = set()
    for holder in nodes:
        worker_id = worker_of_holder(*holder)
        if worker_id is not None:
            if sight.covers(worker_id):
                seen.add(holder)
        elif _stands_in(nodes, holder, sight, {key: node.path for key, node in areas.items()}):
            seen.add(holder)
    return seen


def _stands_in(
    nodes: Mapping[Holder, Node], holder: Holder, sight: Sight, paths: Mapping[str, tuple[str, ...]]
) -> bool:
    """Return whether a holder is, or stands below, an area that may be looked at."""
    step: Holder | None = holder
    while step is not None:
        if step.kind == "area":
            return sight.areas.allows(paths.get(step.key, ()))
        step = nodes[step].parent
    return False
