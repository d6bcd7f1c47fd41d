"""The sheet of quotas. Its rows are laid over the newest version of a plan, and make the next one.

A version of a plan never changes, so a sheet adopts another one for each campaign and kind in which it
says anything new: what is not in the sheet is carried over, phases, minimums and published ratios too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from server.audit.changes import Change
from server.imports.codes import ImportCode
from server.imports.office_book import OfficeBook
from server.imports.sheet import Decided, Row
from server.quotas.actions import adopt_plan
from server.quotas.plans import PlanContent, newest_plan
from server.quotas.queries import indicators
from server.quotas.rules import OFFICE_CAMPAIGN
from server.quotas.trees import OFFICE_HOLDER, Holder, QuotaAsked, plan_fault
from server.runtime import Runtime

# How a sheet calls holders; a promoter is a worker here, as an officer or as head of a hamlet.
HOLDER_KINDS = ("office", "area", "organisation", "team", "agent", "officer", "hamlet_head")
_TERMS = ("decision_number", "decision_day", "effective_from")
_QuotaKey = tuple[str, str, str, date]


@dataclass(slots=True)
class _Plan:
    """A plan of the sheet: the newest version, what the sheet lays over it, and by which rows."""

    content: PlanContent
    asked: dict[_QuotaKey, QuotaAsked]
    numbers: dict[_QuotaKey, int] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    is_changed: bool = False


class QuotaRules:
    """Quotas, by campaign, kind of plan, indicator, holder and first day."""

    def __init__(self, connection: Connection, runtime: Runtime, now_ms: int) -> None:
        self._connection = connection
        self._book = OfficeBook(connection, runtime, now_ms)
        self._credited = {each.indicator.code: each.indicator.credits for each in indicators(connection)}
        self._plans: dict[tuple[int, str], _Plan] = {}

    def prepare(self, rows: Sequence[Row]) -> None:
        """Look up the codes of workers and teams."""
        for kinds, codes in (("holder_kind", "holder_code"), ("parent_kind", "parent_code")):
            named = [(row.get(kinds), row.get(codes)) for row in rows if row.get(codes) is not None]
            self._book.teams.load(code for kind, code in named if kind == "team")
            self._book.workers.load(code for kind, code in named if kind in _OF_WORKERS)

    def decide(self, row: Row) -> Decided:
        """Lay a quota over the plan."""
        decided = Decided()
        campaign, first, last = row.get("campaign"), row.get("from_day"), row.get("to_day")
        if campaign != OFFICE_CAMPAIGN and not self._book.has_campaign(campaign):
            decided.fault("campaign", ImportCode.NO_SUCH_CAMPAIGN)
        if row.get("indicator") not in self._credited:
            decided.fault("indicator", ImportCode.NO_SUCH_INDICATOR)
        if last < first:
            decided.fault("to_day", ImportCode.ENDS_BEFORE_IT_BEGINS)
        holder = self._holder(decided, row, "holder")
        parent = self._holder(decided, row, "parent") if row.get("parent_kind") is not None else None
        if decided.faults or holder is None:
            return decided
        plan = self._plan(campaign, row.get("kind"))
        terms = {name: row.get(name) for name in _TERMS if name in row}
        for name, value in terms.items():
            if plan.numbers and plan.terms.get(name) != value:
                decided.fault(name, ImportCode.PLAN_TERMS_DIFFER)
        if decided.faults:
            return decided
        plan.terms = terms
        key = (str(row.get("indicator")), *holder, first)
        known = plan.asked.get(key)
        fresh = QuotaAsked(key[0], *holder, first, last, row.get("amount"), row.get("quoted_percent"), parent)
        if known is not None:
            fresh = replace(
                fresh,
                phases=known.phases,
                parent=parent if "parent_kind" in row else known.parent,
                quoted_percent=fresh.quoted_percent if "quoted_percent" in row else known.quoted_percent,
            )
        plan.asked[key], plan.numbers[key] = fresh, row.number
        decided.is_new = known is None
        decided.is_changed = fresh != known or self._are_other_terms(plan)
        plan.is_changed |= decided.is_changed
        return decided

    def finish(self) -> list[tuple[int, str, ImportCode]]:
        """Return what is wrong with the plans as wholes: the row that it is seen at, column and code."""
        found = []
        for (_campaign, kind), plan in self._plans.items():
            for indicator in sorted({key[0] for key in plan.numbers}):
                asked = [each for each in plan.asked.values() if each.indicator == indicator]
                terms = replace(plan.content.terms, minimums=())
                if plan.is_changed:
                    fault = plan_fault(kind, asked, plan.content.quoted, terms, self._credited)
                    if fault is not None:
                        found.append((_row_at(plan, indicator, fault.subject), *_place(fault.code)))
        return found

    def adopt(self, change: Change, runtime: Runtime) -> Iterator[tuple[int, str]]:
        """Adopt the next version of every plan that the sheet changes: its first row, and its id.

        Raises PlanInvalidError.
        """
        for (campaign, kind), plan in sorted(self._plans.items()):
            if plan.is_changed:
                plan_id = adopt_plan(
                    change,
                    runtime.ids,
                    campaign,
                    kind,
                    list(plan.asked.values()),
                    plan.content.quoted,
                    terms=replace(
                        plan.content.terms,
                        decision_number=plan.terms.get("decision_number"),
                        decision_day=plan.terms.get("decision_day"),
                        effective_from=plan.terms.get("effective_from"),
                    ),
                    zone=runtime.config.time_zone,
                )
                yield min(plan.numbers.values()), plan_id

    def _plan(self, campaign: int, kind: str) -> _Plan:
        if (campaign, kind) not in self._plans:
            content = newest_plan(self._connection, campaign, kind)
            asked = {
                (each.indicator, each.holder_kind, each.holder, each.from_day): each
                for each in content.quotas
            }
            self._plans[campaign, kind] = _Plan(content, asked)
        return self._plans[campaign, kind]

    def _are_other_terms(self, plan: _Plan) -> bool:
        """Return whether the sheet names another decision than the newest version."""
        return any(getattr(plan.content.terms, name) != value for name, value in plan.terms.items())

    def _holder(self, decided: Decided, row: Row, what: str) -> Holder | None:
        kind, column = row.get(f"{what}_kind"), f"{what}_code"
        code = row.get(column)
        if kind == OFFICE_HOLDER.kind:
            return OFFICE_HOLDER
        if code is None:
            decided.fault(column, ImportCode.CELL_REQUIRED)
            return None
        if kind in {"area", "organisation"}:
            node = self._book.find_node(decided, row, column, kind, row.get("from_day"))
            return None if node is None else Holder(kind, node["key"])
        if kind == "team":
            team_id = self._book.teams.target(code)
            if team_id is None:
                decided.fault(column, ImportCode.NO_SUCH_TEAM)
            return None if team_id is None else Holder(kind, team_id)
        worker_id = self._book.find_worker(decided, row, column)
        return None if worker_id is None else _OF_WORKERS[kind](worker_id)


_OF_WORKERS: dict[str, Callable[[str], Holder]] = {
    "agent": lambda worker_id: Holder("agent", worker_id),
    "officer": lambda worker_id: Holder("promoter", f"officer:{worker_id}"),
    "hamlet_head": lambda worker_id: Holder("promoter", f"hamlet_head:{worker_id}"),
}


def _key_of(asked: QuotaAsked) -> _QuotaKey:
    return (asked.indicator, asked.holder_kind, asked.holder, asked.from_day)


def _row_at(plan: _Plan, indicator: str, subject: str) -> int:
    """Return the row of the holder that a fault is about, or the first of its indicator."""
    rows = [(key, number) for key, number in plan.numbers.items() if key[0] == indicator]
    named = [number for key, number in rows if subject.startswith(" ".join(key[:3]))]
    return min(named or [number for _key, number in rows])


def _place(code: str) -> tuple[str, ImportCode]:
    """Return the column under which a plan's fault is shown, and its code here."""
    column = "parent_code" if code.startswith("parent") else "amount"
    return column, ImportCode(code)
