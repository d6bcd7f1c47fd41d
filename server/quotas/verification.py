"""Verification: what is stored must equal what the facts, derived anew, say.

The caller derives the facts from the stored entry bytes; here nothing is read of the stored
credits and progress but to compare them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import asdict
from sqlalchemy import Connection

from server.campaigns.queries import campaigns_by_number
from server.quotas.models import FigureRow, ProgressRow
from server.quotas.queries import all_credits, all_facts, indicators
from server.quotas.rules import STATES, Credit, Fact, credits_of

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is stored with another value than the facts give; None: no such row."""

    table: str
    key: str
    field: str
    stored: Any
    derived: Any

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.field} is {self.stored}, should be {self.derived}"


def differences(connection: Connection, derived_facts: Iterable[Fact], zone: ZoneInfo) -> list[Difference]:
    """Compare stored facts, credits, progress and figures with those that `derived_facts` give.

    Indicators and campaigns are read from the same database; `zone` is the office's.
    """
    facts = {fact.fact_id: fact for fact in derived_facts}
    numbers = sorted({fact.campaign for fact in facts.values() if fact.campaign is not None})
    derived = credits_of(
        facts.values(),
        [each.indicator for each in indicators(connection)],
        campaigns_by_number(connection, numbers),
        zone,
    )
    found = _compared("fact", _rows(all_facts(connection)), _rows(facts))
    by_key = {(credit.fact_id, credit.indicator): credit for credit in derived}
    found += _compared("credit", _rows(all_credits(connection)), _rows(by_key))
    found += _compared("progress", _stored_sums(connection, ProgressRow), _sums(derived, with_day=True))
    found += _compared("figure", _stored_sums(connection, FigureRow), _sums(derived, with_day=False))
    return found


def _rows(items: Mapping[Any, Fact] | Mapping[Any, Credit]) -> dict[_Key, dict[str, Any]]:
    return {key if isinstance(key, tuple) else (key,): asdict(item) for key, item in items.items()}


def _sums(derived: Iterable[Credit], *, with_day: bool) -> dict[_Key, dict[str, Any]]:
    sums: dict[_Key, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(STATES, 0))
    for credit in derived:
        key = (str(credit.campaign), credit.indicator, credit.holder_kind, credit.holder)
        sums[(*key, credit.business_day.isoformat()) if with_day else key][credit.state] += credit.value
    return sums


def _stored_sums(connection: Connection, model: type[ProgressRow | FigureRow]) -> dict[_Key, dict[str, Any]]:
    """Return the stored sums that are not all zero: a zero row is what a moved credit leaves behind."""
    names = [column.name for column in model.__table__.primary_key]
    found = {}
    for row in connection.execute(model.__table__.select()).mappings():
        sums = {state: row[state] for state in STATES}
        if any(sums.values()):
            found[tuple(str(row[name]) for name in names)] = sums
    return found


def _compared(
    table: str, stored: Mapping[_Key, Mapping[str, Any]], derived: Mapping[_Key, Mapping[str, Any]]
) -> list[Difference]:
    found = []
    for key in sorted(stored.keys() | derived.keys()):
        old, new, label = stored.get(key), derived.get(key), ":".join(key)
        if old is None or new is None:
            found.append(Difference(table, label, "row", old, new))
            continue
        changed = [name for name in old if old[name] != new[name]]
        found += [Difference(table, label, name, old[name], new[name]) for name in changed]
    return found
