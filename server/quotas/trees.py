"""A plan as it is asked for: trees of quotas, phases, minimums, and what makes a plan impossible. Pure.

In a tree every quota but the topmost names the holder above it. What a holder is asked for is split
over those below; the difference is its reserve, computed here and stored nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from server.quotas.pace import quoted_number
from server.quotas.phases import PHASE_KINDS, Phase, PhaseShare, PhasesOverlapError, overfull
from server.quotas.splitting import split_amount

PLAN_KINDS = ("initial", "supplementary")
# From the top down: what is higher up may hold what stands after it. Areas and organisations hold each other.
_RANKS = {"office": 0, "area": 1, "organisation": 1, "team": 2, "agent": 3, "promoter": 3}
HOLDER_KINDS = tuple(_RANKS)
# In a plain list, whose quotas make up the whole where the indicator's own holders have none.
FLAT_ORDER = ("team", "agent", "promoter", "organisation", "area")
_NODE_RANK = _RANKS["area"]


class Holder(NamedTuple):
    """Who is asked: its kind, and its key or id."""

    kind: str
    key: str


# The office itself, on top of every tree that is a whole office's.
OFFICE_HOLDER = Holder("office", "office")


class Asking(Protocol):
    """What a tree needs of a quota, asked for or stored."""

    @property
    def indicator(self) -> str:
        """Return the indicator's code."""

    @property
    def holder_kind(self) -> str:
        """Return the holder's kind."""

    @property
    def holder(self) -> str:
        """Return the holder's key."""

    @property
    def amount(self) -> int:
        """Return the number asked for."""

    @property
    def parent(self) -> Holder | None:
        """Return whom it is a part of."""


@dataclass(frozen=True, slots=True)
class QuotaAsked:
    """What a plan asks of one holder from a day to a day; `quoted_percent` is a published ratio.

    `parent`: whose quota this one is a part of. `phases` gives (code of a phase, amount).
    """

    indicator: str
    holder_kind: str
    holder: str
    from_day: date
    to_day: date
    amount: int
    quoted_percent: str | None = None
    parent: Holder | None = None
    phases: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class MinimumAsked:
    """A minimum per person over several indicators, met whole or not at all.

    `parts` gives (indicator, at least); `holders` are those that it is asked of, all of one kind.
    """

    code: str
    name_vi: str
    name_en: str
    parts: tuple[tuple[str, int], ...]
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What a plan says of itself, beside its quotas.

    `effective_from`: the first day it is in force, None for ever since. `denominators` gives, per
    indicator, the bounds of a whole plan that is known by a published ratio alone, `published_done`
    what that ratio was published for; without it the ratio is held against what is counted here.
    `may_over_assign`: those below may together be asked for more than the one above.
    """

    decision_number: str | None = None
    decision_day: date | None = None
    effective_from: date | None = None
    phases: tuple[Phase, ...] = ()
    minimums: tuple[MinimumAsked, ...] = ()
    denominators: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    published_done: Mapping[str, int] = field(default_factory=dict)
    may_over_assign: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A holder in the tree of one indicator. `assigned`: what those below it are asked for together."""

    holder: Holder
    parent: Holder | None
    amount: int
    children: tuple[Holder, ...]
    assigned: int

    @property
    def reserve(self) -> int | None:
        """What is left to nobody; below zero when over-assigned, None where nobody stands below."""
        return self.amount - self.assigned if self.children else None


@dataclass(frozen=True, slots=True)
class PlanFault:
    """Why a plan cannot be adopted: a code of `wording.PLAN_FAULT_WORDS`, and what it is about."""

    code: str
    subject: str

    def __str__(self) -> str:
        return f"{self.code}: {self.subject}"


def tree_of(quotas: Iterable[Asking], indicator: str) -> dict[Holder, Node]:
    """Return the nodes of one indicator; a holder with several quotas is asked for their sum."""
    amounts: dict[Holder, int] = defaultdict(int)
    parents: dict[Holder, Holder | None] = {}
    children: dict[Holder, list[Holder]] = defaultdict(list)
    for quota in quotas:
        if quota.indicator != indicator:
            continue
        holder = Holder(quota.holder_kind, quota.holder)
        amounts[holder] += quota.amount
        if holder not in parents and quota.parent is not None:
            children[quota.parent].append(holder)
        parents.setdefault(holder, quota.parent)
    return {
        holder: Node(
            holder=holder,
            parent=parents[holder],
            amount=amount,
            children=tuple(sorted(children[holder])),
            assigned=sum(amounts[child] for child in children[holder]),
        )
        for holder, amount in amounts.items()
    }


def is_tree(nodes: Mapping[Holder, Node]) -> bool:
    """Return whether the quotas stand above each other; else they are a plain list."""
    return OFFICE_HOLDER in nodes or any(node.parent is not None for node in nodes.values())


def is_met(done: Sequence[int], parts: Sequence[tuple[str, int]]) -> bool:
    """Return whether a minimum is met: all of its parts, whatever is done beyond one of them."""
    return all(number >= at_least for number, (_indicator, at_least) in zip(done, parts, strict=True))


def split_below(
    above: QuotaAsked,
    holder_kind: str,
    weights: Mapping[str, int],
    *,
    keep: int = 0,
    phase_weights: Mapping[str, int] | None = None,
) -> list[QuotaAsked]:
    """Return what those below `above` are asked for: its amount but for `keep`, its reserve, by weights.

    With `phase_weights`, each part is split over phases the same way. Raises SplitError.
    """
    parts = split_amount(above.amount - keep, weights)
    return [
        QuotaAsked(
            above.indicator,
            holder_kind,
            holder,
            above.from_day,
            above.to_day,
            amount,
            parent=Holder(above.holder_kind, above.holder),
            phases=tuple(split_amount(amount, phase_weights).items()) if phase_weights else (),
        )
        for holder, amount in parts.items()
    ]


def plan_fault(
    kind: str,
    quotas: Sequence[QuotaAsked],
    quoted: Mapping[str, str],
    terms: PlanTerms,
    credited: Mapping[str, str],
) -> PlanFault | None:
    """Return why a plan cannot be adopted, or None; `credited` says whom each indicator credits."""
    if kind not in PLAN_KINDS:
        return PlanFault("plan_kind_unknown", kind)
    fault = _quotas_fault(quotas, credited) or _terms_fault(quotas, quoted, terms, credited)
    if fault is not None:
        return fault
    for indicator in sorted({asked.indicator for asked in quotas}):
        fault = _tree_fault(quotas, indicator, terms.may_over_assign)
        if fault is not None:
            return fault
    return _phases_fault(quotas, terms) or _minimums_fault(terms, credited)


def _quotas_fault(quotas: Sequence[QuotaAsked], credited: Mapping[str, str]) -> PlanFault | None:
    seen = set()
    for asked in quotas:
        subject = f"{asked.indicator} {asked.holder_kind} {asked.holder}"
        key = (asked.indicator, asked.holder_kind, asked.holder, asked.from_day)
        if asked.indicator not in credited:
            return PlanFault("indicator_unknown", asked.indicator)
        if asked.holder_kind not in HOLDER_KINDS:
            return PlanFault("holder_kind_unknown", asked.holder_kind)
        if asked.holder_kind == OFFICE_HOLDER.kind and asked.holder != OFFICE_HOLDER.key:
            return PlanFault("office_is_one", asked.holder)
        if asked.amount < 0:
            return PlanFault("amount_below_zero", subject)
        if asked.to_day < asked.from_day:
            return PlanFault("days_reversed", subject)
        if key in seen:
            return PlanFault("quota_twice", f"{subject} {asked.from_day.isoformat()}")
        seen.add(key)
    return None


def _terms_fault(
    quotas: Sequence[QuotaAsked], quoted: Mapping[str, str], terms: PlanTerms, credited: Mapping[str, str]
) -> PlanFault | None:
    texts = [*quoted.values(), *(each.quoted_percent for each in quotas if each.quoted_percent is not None)]
    for text in texts:
        if quoted_number(text) is None:
            return PlanFault("quoted_not_a_number", text)
    unknown = sorted((quoted.keys() | terms.denominators.keys()) - credited.keys())
    if unknown:
        return PlanFault("indicator_unknown", unknown[0])
    for indicator, done in sorted(terms.published_done.items()):
        if done <= 0 or indicator not in quoted:
            return PlanFault("published_without_ratio", indicator)
    for indicator, (low, high) in sorted(terms.denominators.items()):
        if not 0 < low <= high or any(asked.indicator == indicator for asked in quotas):
            return PlanFault("denominator_unusable", indicator)
    return None


def _tree_fault(quotas: Sequence[QuotaAsked], indicator: str, may_over_assign: bool) -> PlanFault | None:
    nodes = tree_of(quotas, indicator)
    for asked in quotas:
        holder = Holder(asked.holder_kind, asked.holder)
        if asked.indicator == indicator and asked.parent != nodes[holder].parent:
            return PlanFault("parents_differ", f"{indicator} {holder.kind} {holder.key}")
    for holder, node in sorted(nodes.items()):
        subject = f"{indicator} {holder.kind} {holder.key}"
        if node.parent is not None:
            if node.parent not in nodes:
                return PlanFault("parent_unknown", subject)
            if not _may_hold(node.parent.kind, holder.kind):
                return PlanFault("parent_not_above", subject)
        elif OFFICE_HOLDER in nodes and holder != OFFICE_HOLDER:
            return PlanFault("parent_missing", subject)
        if _is_circle(nodes, holder):
            return PlanFault("parents_in_a_circle", subject)
        if node.reserve is not None and node.reserve < 0 and not may_over_assign:
            return PlanFault("over_assigned", f"{subject} {node.assigned} > {node.amount}")
    return None


def _may_hold(above: str, below: str) -> bool:
    is_node_in_node = _RANKS[above] == _RANKS[below] == _NODE_RANK
    return is_node_in_node or _RANKS[above] < _RANKS[below]


def _is_circle(nodes: Mapping[Holder, Node], start: Holder) -> bool:
    above, seen = nodes[start].parent, {start}
    while above is not None and above in nodes:
        if above in seen:
            return True
        seen.add(above)
        above = nodes[above].parent
    return False


def _phases_fault(quotas: Sequence[QuotaAsked], terms: PlanTerms) -> PlanFault | None:
    phases: dict[str, Phase] = {}
    for phase in terms.phases:
        if phase.kind not in PHASE_KINDS or phase.to_day < phase.from_day or not phase.name.strip():
            return PlanFault("phase_unusable", phase.code)
        if phase.code in phases:
            return PlanFault("phase_twice", phase.code)
        phases[phase.code] = phase
    for asked in quotas:
        subject = f"{asked.indicator} {asked.holder_kind} {asked.holder}"
        codes = [code for code, _amount in asked.phases]
        if len(set(codes)) < len(codes) or not phases.keys() >= set(codes):
            return PlanFault("phase_unknown", subject)
        if any(amount < 0 for _code, amount in asked.phases):
            return PlanFault("amount_below_zero", subject)
        shares = [PhaseShare(phases[code], amount) for code, amount in asked.phases]
        try:
            if overfull(asked.amount, (asked.from_day, asked.to_day), shares):
                return PlanFault("phases_over_quota", subject)
        except PhasesOverlapError as error:
            return PlanFault("phases_overlap", f"{subject} {error}")
    return None


def _minimums_fault(terms: PlanTerms, credited: Mapping[str, str]) -> PlanFault | None:
    codes = [minimum.code for minimum in terms.minimums]
    if len(set(codes)) < len(codes):
        return PlanFault("minimum_twice", ", ".join(sorted(codes)))
    for minimum in terms.minimums:
        kinds = {holder.kind for holder in minimum.holders}
        indicators = [indicator for indicator, _at_least in minimum.parts]
        is_clear = len(set(indicators)) == len(indicators) and all(least > 0 for _, least in minimum.parts)
        if not minimum.parts or not is_clear or len(set(minimum.holders)) < len(minimum.holders):
            return PlanFault("minimum_unusable", minimum.code)
        if not kinds <= {"agent", "promoter"} or len(kinds) != 1:
            return PlanFault("minimum_of_persons", minimum.code)
        if any(credited.get(indicator) not in kinds for indicator in indicators):
            return PlanFault("minimum_not_credited", minimum.code)
    return None
