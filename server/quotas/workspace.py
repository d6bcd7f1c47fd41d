"""The quotas' part in judging a push: facts come and change, `finish` settles their credits.

Everything a batch touches is read in a few queries; the state in memory gives its entries their
own writes to read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from msgspec.structs import asdict, replace

from server.audit.changes import Change
from server.quotas.models import FactRow
from server.quotas.queries import FACT_FIELDS, facts_by_id, facts_of_subjects, indicators
from server.quotas.rules import Fact, contested_kinds
from server.quotas.settling import settle_credits


class FactUnknownError(Exception):
    """A payment or a void names an entry that never became a fact."""


class QuotaWorkspace:
    """Facts of one batch; see the module."""

    def __init__(self, change: Change, zone: ZoneInfo) -> None:
        self._change = change
        self._zone = zone
        self._wanted_ids: set[str] = set()
        self._wanted_subjects: set[str] = set()
        self._facts: dict[str, Fact] = {}
        self._stored: dict[str, Fact] = {}
        self._ids_of: dict[str, set[str]] = defaultdict(set)
        self._contested: frozenset[str] | None = None
        self._loaded: set[str] = set()
        self._touched: set[str] = set()
        self._changed: dict[str, None] = {}

    def want_facts(self, fact_ids: Iterable[str]) -> None:
        """Ask for facts that the batch may pay for, void or move, and all of their subjects."""
        self._wanted_ids.update(fact_ids)

    def want_subjects(self, subjects: Iterable[str]) -> None:
        """Ask for every fact of subjects that the batch adds facts to."""
        self._wanted_subjects.update(subjects)

    def load(self) -> None:
        """Read what was asked for."""
        connection = self._change.connection
        by_id = facts_by_id(connection, self._wanted_ids - self._facts.keys())
        self._remember(by_id)
        self._wanted_ids.clear()
        missing = self._wanted_subjects | {fact.subject for fact in by_id.values()}
        self._load_subjects(missing)
        self._wanted_subjects.clear()

    def add_fact(self, fact: Fact) -> None:
        """Let an entry count as `fact`."""
        self._put(fact)

    def mark_paid(self, fact_id: str) -> None:
        """The fact is paid for. Raises FactUnknownError."""
        self._put(replace(self._fact(fact_id), paid=True))

    def mark_unpaid(self, fact_id: str) -> None:
        """The fact is no longer paid for. Raises FactUnknownError."""
        self._put(replace(self._fact(fact_id), paid=False))

    def void_fact(self, fact_id: str) -> None:
        """The fact's entry was voided. Raises FactUnknownError."""
        self._put(replace(self._fact(fact_id), voided=True))

    def move_subject(self, old: str, new: str, fact_ids: Iterable[str]) -> None:
        """Let those of `fact_ids` that are about `old` be about `new`: identities were merged.

        Ids that are no facts are passed over, since a person has other entries as well.
        """
        fact_ids = list(fact_ids)
        self.want_facts(fact_ids)
        self.want_subjects([old, new])
        self.load()
        for fact_id in fact_ids:
            fact = self._facts.get(fact_id)
            if fact is not None and fact.subject == old:
                self._put(replace(fact, subject=new))

    def finish(self) -> None:
        """Write the facts that changed and settle the credits of every subject they are about."""
        fresh_ids = self._write_facts()
        if not self._touched:
            return
        in_use = [each.indicator for each in indicators(self._change.connection)]
        if not contested_kinds(in_use) <= self._contested_kinds():
            # An indicator was defined since the batch was loaded, and lets facts contest that did not.
            self._contested = frozenset(contested_kinds(in_use))
            self._loaded.clear()
        self._load_subjects(self._touched)
        ids = [fact_id for subject in sorted(self._touched) for fact_id in self._ids_of[subject]]
        facts = [self._facts[fact_id] for fact_id in ids]
        settle_credits(self._change, self._zone, facts, only=in_use, fresh_ids=fresh_ids)

    def _fact(self, fact_id: str) -> Fact:
        if fact_id not in self._facts:
            self.want_facts([fact_id])
            self.load()
        if fact_id not in self._facts:
            raise FactUnknownError(fact_id)
        return self._facts[fact_id]

    def _contested_kinds(self) -> frozenset[str]:
        if self._contested is None:
            in_use = indicators(self._change.connection)
            self._contested = frozenset(contested_kinds(each.indicator for each in in_use))
        return self._contested

    def _load_subjects(self, subjects: Iterable[str]) -> None:
        """Read the facts that may contest for the same credits; no others can change by this batch."""
        missing = set(subjects) - self._loaded
        if missing:
            self._remember(facts_of_subjects(self._change.connection, missing, self._contested_kinds()))
            self._loaded |= missing

    def _remember(self, found: dict[str, Fact]) -> None:
        """Keep what was read, unless this batch has changed it already."""
        for fact_id, fact in found.items():
            if fact_id not in self._stored:
                self._stored[fact_id] = fact
            if fact_id not in self._facts:
                self._facts[fact_id] = fact
                self._ids_of[fact.subject].add(fact_id)

    def _put(self, fact: Fact) -> None:
        old = self._facts.get(fact.fact_id)
        if old == fact:
            return
        if old is not None:
            self._ids_of[old.subject].discard(fact.fact_id)
            self._touched.add(old.subject)
        self._facts[fact.fact_id] = fact
        self._ids_of[fact.subject].add(fact.fact_id)
        self._touched.add(fact.subject)
        self._changed[fact.fact_id] = None

    def _write_facts(self) -> set[str]:
        table, fresh_ids = FactRow.__table__, self._changed.keys() - self._stored.keys()
        self._change.insert_all(table, [asdict(self._facts[fact_id]) for fact_id in sorted(fresh_ids)])
        for fact_id in sorted(self._changed.keys() & self._stored.keys()):
            fact, old = self._facts[fact_id], self._stored[fact_id]
            if old != fact:
                changed = [name for name in FACT_FIELDS if getattr(old, name) != getattr(fact, name)]
                values = {name: getattr(fact, name) for name in changed}
                self._change.update(table, {"fact_id": fact_id}, **values)
        return fresh_ids
