"""Settling: the stored credits, progress and figures of some facts become what the rules say.

Only differences are written. Locks: whoever settles holds the keys of the subjects already
(docs/protocol.md, "Locks"); here the figures of the holders concerned are locked in sorted order,
which guards the holders' progress rows and their caps too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import asdict
from sqlalchemy import Connection, FromClause, Table, Update, and_, bindparam, or_, select, update

from server.audit.changes import Change
from server.bulk_rows import among, insert_missing, rows_among
from server.campaigns.queries import campaigns_by_number
from server.prepared import write_rows
from server.quotas.models import CreditRow, FigureRow, PlanRow, ProgressRow, QuotaRow
from server.quotas.queries import capped_credits, credits_of_facts, indicators
from server.quotas.rules import STATES, Credit, Fact, Indicator, capped_by_holder, contests
from sync.scope import agent_scope

# campaign, indicator, holder kind, holder
FigureKey = tuple[int, str, str, str]
_CreditKey = tuple[str, str]
_FIGURE_KEY = ("campaign", "indicator", "holder_kind", "holder")
_PROGRESS_KEY = (*_FIGURE_KEY, "business_day")
_FIGURE, _PLAN, _QUOTA = FigureRow.__table__.c, PlanRow.__table__.c, QuotaRow.__table__.c


def _added(table: FromClause, key_names: Sequence[str]) -> Update:
    """Return the statement that adds to the sums of one row."""
    assert isinstance(table, Table)
    values: dict[str, Any] = {state: table.c[state] + bindparam(f"more_{state}") for state in STATES}
    condition = and_(*(table.c[name] == bindparam(f"key_{name}") for name in key_names))
    return update(table).where(condition).values(values)


# Statements of every push are built once: to build one costs more than to run it.
_ADDED: dict[FromClause, Update] = {
    FigureRow.__table__: _added(FigureRow.__table__, _FIGURE_KEY),
    ProgressRow.__table__: _added(ProgressRow.__table__, _PROGRESS_KEY),
}
_LOCKED_FIGURES = (
    select(FigureRow.__table__)
    .where(*(_FIGURE[name] == bindparam(name) for name in _FIGURE_KEY[:3]), among(_FIGURE.holder))
    .order_by(_FIGURE.holder)
    .with_for_update()
)
# The newest version in force comes last; one that is dated ahead does not reach a tablet before its day.
_PLANS = (
    select(_PLAN.campaign, _PLAN.kind, _PLAN.id)
    .where(
        among(_PLAN.campaign), or_(_PLAN.effective_ms.is_(None), _PLAN.effective_ms <= bindparam("now_ms"))
    )
    .order_by(_PLAN.version)
)
_ASKED = select(_QUOTA.plan_id, _QUOTA.indicator, _QUOTA.holder, _QUOTA.amount).where(
    among(_QUOTA.plan_id, "plans"), _QUOTA.holder_kind == "agent", among(_QUOTA.holder)
)


# The key of the figure that a credit is a part of, and a credit's own key.
figure_key: Callable[[Credit], FigureKey] = attrgetter(*_FIGURE_KEY)
_credit_key: Callable[[Credit], _CreditKey] = attrgetter("fact_id", "indicator")


def settle_credits(
    change: Change,
    zone: ZoneInfo,
    facts: Sequence[Fact],
    *,
    only: Collection[Indicator] | None = None,
    fresh_ids: Collection[str] = (),
) -> int:
    """Bring the credits of `facts` up to date and return how many changed.

    `facts` are all facts of each subject among them; `only` limits the indicators; `fresh_ids` are
    facts that have no credits yet. Credits stored before must have been flushed.
    """
    connection = change.connection
    in_use = [each.indicator for each in indicators(connection)] if only is None else list(only)
    campaigns = campaigns_by_number(connection, sorted({fact.campaign for fact in facts if fact.campaign}))
    judged = contests(facts, in_use, campaigns, zone)
    codes = {indicator.code for indicator in in_use}
    known = {fact.fact_id for fact in facts} - set(fresh_ids)
    stored = _stored_credits(connection, known, codes)
    figures = _locked_figures(connection, _concerned(judged, stored))
    if any(indicator.cap_per == "holder" for indicator in in_use):
        # Until the figures were locked, another subject's settling could move these under the cap.
        stored = _stored_credits(connection, known, codes)
    wanted: dict[_CreditKey, Credit] = {}
    for indicator, contested in judged:
        final = contested
        if indicator.cap_per == "holder":
            others = _rivals(connection, indicator, contested, stored)
            stored |= {(credit.fact_id, credit.indicator): credit for credit in others}
            in_order = sorted([*contested, *others], key=lambda credit: (credit.upper_ms, credit.fact_id))
            final = capped_by_holder(indicator, in_order)
        wanted.update(zip(map(_credit_key, final), final, strict=True))
    differing = [key for key, credit in wanted.items() if stored.get(key) != credit]
    differing += [key for key in stored if key not in wanted]
    deltas = _write_credits(change, stored, wanted, sorted(differing))
    changed = _add_progress(connection, deltas)
    for key, delta in changed.items():
        for state, difference in delta.items():
            figures[key][state] += difference
    put_figures(change, {key: figures[key] for key in changed})
    return len(differing)


def _stored_credits(
    connection: Connection, fact_ids: Collection[str], codes: Collection[str]
) -> dict[_CreditKey, Credit]:
    found = credits_of_facts(connection, fact_ids)
    return {key: credit for key, credit in found.items() if key[1] in codes}


def _concerned(
    judged: Iterable[tuple[Indicator, list[Credit]]], stored: Mapping[_CreditKey, Credit]
) -> set[FigureKey]:
    """The figures that may change: of credits that differ, and of all holders under a cap."""
    left = dict(stored)
    keys: set[FigureKey] = set()
    for indicator, contested in judged:
        if not left:
            keys.update(map(figure_key, contested))
            continue
        for credit in contested:
            old = left.pop((credit.fact_id, credit.indicator), None)
            if old is None:
                keys.add(figure_key(credit))
            elif old != credit or indicator.cap_per == "holder":
                keys |= {figure_key(old), figure_key(credit)}
    return keys | {figure_key(credit) for credit in left.values()}


def _rivals(
    connection: Connection,
    indicator: Indicator,
    contested: Sequence[Credit],
    stored: Mapping[_CreditKey, Credit],
) -> list[Credit]:
    """The stored credits that share a cap on holders with `contested` and are of other subjects."""
    former = [credit for credit in stored.values() if credit.indicator == indicator.code]
    holders_of: dict[int, set[str]] = defaultdict(set)
    for credit in (*contested, *former):
        holders_of[credit.campaign].add(credit.holder)
    own = {credit.fact_id for credit in (*contested, *former)}
    found: list[Credit] = []
    for campaign, holders in sorted(holders_of.items()):
        found += capped_credits(connection, campaign, indicator.code, holders)
    return [credit for credit in found if credit.fact_id not in own]


_Deltas = dict[tuple[FigureKey, date], dict[str, int]]


def _write_credits(
    change: Change,
    stored: Mapping[_CreditKey, Credit],
    wanted: Mapping[_CreditKey, Credit],
    differing: Sequence[_CreditKey],
) -> _Deltas:
    """Write the differences and return what they add to each holder's day and state."""
    table, fresh = CreditRow.__table__, []
    deltas: _Deltas = defaultdict(lambda: defaultdict(int))
    for key in differing:
        old, new = stored.get(key), wanted.get(key)
        if old is not None:
            deltas[figure_key(old), old.business_day][old.state] -= old.value
        if new is None:
            change.delete(table, {"fact_id": key[0], "indicator": key[1]})
            continue
        deltas[figure_key(new), new.business_day][new.state] += new.value
        row = asdict(new)
        if old is None:
            fresh.append(row)
        else:
            change.update(table, {"fact_id": row.pop("fact_id"), "indicator": row.pop("indicator")}, **row)
    change.insert_all(table, fresh)
    return deltas


def _add_progress(connection: Connection, deltas: _Deltas) -> dict[FigureKey, dict[str, int]]:
    """Add to the rows of days and to the figures; return what was added to each figure."""
    by_figure: dict[FigureKey, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STATES, 0))
    days = []
    for (key, day), delta in sorted(deltas.items()):
        if any(delta.values()):
            days.append(((*key, day), {state: delta.get(state, 0) for state in STATES}))
            for state, difference in delta.items():
                by_figure[key][state] += difference
    blank = dict.fromkeys(STATES, 0)
    rows = [dict(zip(_PROGRESS_KEY, key, strict=True)) | blank for key, _delta in days]
    insert_missing(connection, ProgressRow.__table__, rows, _PROGRESS_KEY)
    _add(connection, ProgressRow.__table__, _PROGRESS_KEY, days)
    _add(connection, FigureRow.__table__, _FIGURE_KEY, sorted(by_figure.items()))
    return by_figure


def _add(
    connection: Connection,
    table: FromClause,
    key_names: Sequence[str],
    additions: Sequence[tuple[tuple[Any, ...], Mapping[str, int]]],
) -> None:
    if not additions:
        return
    rows = [
        {f"key_{name}": part for name, part in zip(key_names, key, strict=True)}
        | {f"more_{state}": delta[state] for state in STATES}
        for key, delta in additions
    ]
    write_rows(connection, _ADDED[table], rows)


def _locked_figures(connection: Connection, keys: Iterable[FigureKey]) -> dict[FigureKey, dict[str, int]]:
    """Lock the figures in sorted order, made where they are missing, and return their sums."""
    ordered = sorted(keys)
    rows = [dict(zip(_FIGURE_KEY, key, strict=True)) | dict.fromkeys(STATES, 0) for key in ordered]
    insert_missing(connection, FigureRow.__table__, rows, _FIGURE_KEY)
    holders_of: dict[tuple[int, str, str], list[str]] = defaultdict(list)
    for campaign, indicator, kind, holder in ordered:
        holders_of[campaign, indicator, kind].append(holder)
    found: dict[FigureKey, dict[str, int]] = {key: dict.fromkeys(STATES, 0) for key in ordered}
    for group, holders in holders_of.items():
        same = dict(zip(_FIGURE_KEY, group, strict=False))
        for row in rows_among(connection, _LOCKED_FIGURES, holders, **same):
            found[(*group, row.holder)] = {state: getattr(row, state) for state in STATES}
    return found


def put_figures(change: Change, figures: Mapping[FigureKey, Mapping[str, int]]) -> None:
    """Replicate agents' figures, with their quotas, to the agents themselves."""
    of_agents = {key: sums for key, sums in figures.items() if key[2] == "agent"}
    quotas = _agent_quotas(change.connection, of_agents, change.now_ms)
    for key in sorted(of_agents):
        campaign, indicator, _kind, agent = key
        wire = {"campaign": campaign, "indicator": indicator, "holder": agent}
        asked = quotas.get(key, {})
        change.put_record(
            "quota_figure",
            f"{campaign}:{indicator}:{agent}",
            wire
            | {state: of_agents[key][state] for state in STATES}
            | {"quota_initial": asked.get("initial"), "quota_supplementary": asked.get("supplementary")},
            {agent_scope(agent)},
        )


def put_figures_of(change: Change, keys: Iterable[FigureKey]) -> None:
    """Replicate these figures as they stand, for example under a new plan."""
    put_figures(change, _locked_figures(change.connection, {key for key in keys if key[2] == "agent"}))


def _agent_quotas(
    connection: Connection, keys: Iterable[FigureKey], now_ms: int
) -> dict[FigureKey, dict[str, int]]:
    """Return what agents are asked for by now, {figure key: {"initial": n, "supplementary": m}}."""
    wanted = set(keys)
    newest: dict[tuple[int, str], str] = {}
    campaigns = (key[0] for key in wanted)
    for campaign, kind, plan_id in rows_among(connection, _PLANS, campaigns, now_ms=now_ms):
        newest[campaign, kind] = plan_id
    plan_of = {plan_id: campaign_kind for campaign_kind, plan_id in newest.items()}
    asked: dict[FigureKey, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    if not plan_of:
        return {}
    rows = rows_among(connection, _ASKED, (key[3] for key in wanted), plans=sorted(plan_of))
    for plan_id, indicator, holder, amount in rows:
        campaign, kind = plan_of[plan_id]
        asked[campaign, indicator, "agent", holder][kind] += amount
    return asked
