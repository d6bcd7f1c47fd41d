"""What must hold after every step, read from the server's file and from the tablets' own.

Numbers are those of the list of invariants in docs/decisions on the simulation.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from typing import Any

from tests.simulation.answers import require_figure
from tests.simulation.oracle.auditor import Oracle
from tests.simulation.oracle.facts import balances, credits_of
from tests.simulation.tablets import Tablet
from tests.simulation.violation import require, require_equal
from tests.simulation.world import World

_STATES = ("counted", "pending", "duplicate", "over_limit", "out_of_area", "voided", "late")


_INCIDENTS = (
    "journal_forked",
    "entry_id_reused",
    "journal_hole",
    "acknowledgement_forgotten",
    "installation_readmitted",
)


class OfficeAudit:
    """Looks at the server's file after every change of it, and remembers what must only grow."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._oracle = world.oracle
        self.checked = 0
        self._begin()

    def _begin(self) -> None:
        """Look at the file as if for the first time: nothing of it is known yet."""
        self._stored: sqlite3.Connection = self._world.stored()
        self._placed = self._world.placed
        self._version = -1
        self._audited: dict[str, tuple[int, str]] = {}
        self._heads: dict[str, int] = {}
        self._synced: Counter[str] = Counter()

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self._stored.execute(statement).fetchall()

    def check(self) -> None:
        """Check everything, unless the file is as it was."""
        if self._placed != self._world.placed:
            self._begin()
        version = self._rows("PRAGMA data_version")[0][0]
        if version == self._version:
            return
        self._version = version
        self.checked += 1
        self._stored.execute("BEGIN")
        try:
            self._journals()
            self._outcomes()
            self._money()
            self._receipts()
            self._figures()
            self._conflicts()
            self._audit_chains()
            self._feeds()
        finally:
            self._stored.execute("ROLLBACK")

    def _journals(self) -> None:
        known = self._oracle.installations
        found = {
            name: (state, acked, head, number, last_valid)
            for name, state, acked, head, number, last_valid in self._rows(
                "SELECT id, state, acked_seq, head_digest, number, last_valid_seq FROM installation"
            )
        }
        wanted = {
            name: (one.state, one.acked, one.head, one.number, one.last_valid_seq)
            for name, one in known.items()
        }
        require_equal(found, wanted, "1/4 the journals received")
        verdicts = Counter(verdict for (verdict,) in self._rows("SELECT verdict FROM entry"))
        meant = Counter(verdict.verdict for one in known.values() for verdict in one.given())
        meant.update(self._oracle.judgement.desk_verdicts)
        require_equal(
            dict(verdicts), dict(meant), "16 received = applied + merged + duplicate + held + quarantined"
        )
        incidents = Counter(kind for (kind,) in self._rows("SELECT kind FROM incident"))
        for kind in _INCIDENTS:
            told = self._oracle.incidents.count(kind) + self._oracle.judgement.incidents.count(kind)
            require_equal(incidents[kind], told, "R3 incidents", kind)

    def _outcomes(self) -> None:
        found = {
            name: (state, code, sha256)
            for name, state, code, sha256 in self._rows("SELECT entry_id, state, code, sha256 FROM outcome")
        }
        entries = self._oracle.judgement.entries
        wanted = {name: (entry.state, entry.code, entry.sha256) for name, entry in entries.items()}
        require_equal(found, wanted, "2 what has become of each entry")
        waits: dict[str, set[str]] = {}
        for name, waited in self._rows("SELECT entry_id, waits_for FROM held_wait"):
            waits.setdefault(name, set()).add(waited)
        wanted_waits = {name: entry.waits for name, entry in entries.items() if entry.waits}
        require_equal(waits, wanted_waits, "R7 what waits for what")

    def _money(self) -> None:
        lines = self._rows(
            "SELECT entry_id, step, sum(debit_vnd), sum(credit_vnd), count(*) FROM ledger_line GROUP BY 1, 2"
        )
        for entry_id, step, debit, credit, count in lines:
            require_equal(debit, credit, "5 debits = credits", entry_id, step)
            require(count <= 2 or step == "void", "5 posted once", entry_id, step, count)
        found = {
            account: amount
            for account, amount in self._rows(
                "SELECT account, sum(debit_vnd) - sum(credit_vnd) FROM ledger_line GROUP BY 1"
            )
            if amount
        }
        require_equal(found, dict(balances(self._oracle.judgement.payments())), "5 money")

    def _receipts(self) -> None:
        found = {
            (installation, counter, digest): (payment, state, code)
            for installation, counter, digest, payment, state, code in self._rows(
                "SELECT installation, counter, content_digest, payment_id, state, code FROM receipt"
            )
        }
        wanted = {
            (*one.token.number, one.token.digest): (one.payment, one.state, one.code)
            for one in self._oracle.judgement.receipts
        }
        require_equal(found, wanted, "6 receipts")

    def _figures(self) -> None:
        states, figures = credits_of(self._oracle.judgement.facts(), self._oracle.office)
        found = {
            (fact, indicator): state
            for fact, indicator, state in self._rows("SELECT fact_id, indicator, state FROM credit")
        }
        require_equal(found, states, "7 credits")
        sums = {
            tuple(row[:4]): dict(zip(_STATES, row[4:], strict=True))
            for row in self._rows(
                f"SELECT campaign, indicator, holder_kind, holder, {', '.join(_STATES)} FROM figure"
            )
        }
        for key in sums.keys() | figures.keys():
            shown = sums.get(key, dict.fromkeys(_STATES, 0))
            require_figure({"": {state: figures[key][state] for state in _STATES}}, "", shown)

    def _conflicts(self) -> None:
        found = {
            (record, name, frozenset({winner, loser})): state == "resolved"
            for record, name, winner, loser, state in self._rows(
                "SELECT record_id, field, winner_entry_id, loser_entry_id, state FROM edit_conflict"
            )
        }
        require_equal(found, self._oracle.judgement.people.conflicts, "10 no silent overwrite")

    def _audit_chains(self) -> None:
        heads = {
            chain: (seq, digest)
            for chain, seq, digest in self._rows("SELECT chain, seq, digest FROM audit_head")
        }
        for chain, (seq, digest) in heads.items():
            known_seq, last = self._audited.get(
                chain, (0, hashlib.sha256(f"tungnha audit {chain}".encode()).hexdigest())
            )
            require(seq >= known_seq, "12 an audit chain only grows", chain)
            if (known_seq, last) == (seq, digest):
                continue
            rows = self._stored.execute(
                "SELECT seq, at_ms, action, subject, detail, digest FROM audit_row "
                "WHERE chain = ? AND seq > ? ORDER BY seq",
                (chain, known_seq),
            ).fetchall()
            for number, at_ms, action, subject, detail, shown in rows:
                known_seq += 1
                text = json.dumps([last, number, at_ms, action, subject, detail], ensure_ascii=False)
                last = hashlib.sha256(text.encode()).hexdigest()
                require_equal((number, shown), (known_seq, last), "12 the audit chain verifies", chain)
                self._synced[chain] += action == "sync"
            require_equal((known_seq, last), (seq, digest), "12 the audit's head", chain)
            self._audited[chain] = (known_seq, last)
        for name, installation in self._oracle.installations.items():
            count = self._synced[f"installation:{name}"]
            require_equal(count, len(installation.marks), "12 one audit row for each sync", name)

    def _feeds(self) -> None:
        for scope, seq, newest in self._rows(
            "SELECT scope_head.scope, scope_head.seq, max(feed.seq) FROM scope_head "
            "JOIN feed USING (scope) GROUP BY 1, 2"
        ):
            require(seq >= self._heads.get(scope, 0), "13 a feed only grows", scope)
            require_equal(newest, seq, "F1 the head is the last row", scope)
            self._heads[scope] = seq


def require_sound_tablet(tablet: Tablet, oracle: Oracle) -> None:
    """What must hold of a tablet at any moment."""
    entries = list(tablet.entries())
    held = {sha256 for sha256, _, _ in entries}
    missing = [sha256 for sha256 in tablet.saved if sha256 not in held]
    require(not missing, "1 what was said to be saved is there", tablet.name, missing)
    installation = tablet.installation
    if installation is None:
        return
    standing = tablet.client.identities.standing(installation)
    is_up_to_date = tablet.heard.era == oracle.era
    known = oracle.installations.get(installation)
    require(known is not None or not is_up_to_date, "N6 an installation that the office knows", tablet.name)
    if standing.acked_seq:
        shown = tablet.client.outbox.digest_at(installation, standing.acked_seq)
        head = (installation, standing.acked_seq, shown)
        require(
            head in oracle.ever_acked or (known is not None and known.is_lost(standing.acked_seq)),
            "A1 counted as delivered what was not",
            tablet.name,
            head,
        )
    if known is not None and is_up_to_date:
        require(standing.acked_seq <= known.acked, "A1 counted as delivered before it was", tablet.name)
    purged = tablet.connection.execute(
        "SELECT max(seq) FROM journal JOIN entry USING (local_id) "
        "WHERE installation_id = ? AND purged_ms IS NOT NULL",
        (installation,),
    ).fetchone()[0]
    durable = oracle.ever_durable.get(installation, 0)
    require((purged or 0) <= durable, "15 purged above the durable mark", tablet.name, purged, durable)
    delivered = oracle.delivered() | oracle.may_be_lost if is_up_to_date else oracle.ever_delivered
    delivered = delivered | oracle.contested
    lost = [sha256 for sha256, _, acked in entries if acked and sha256 not in delivered]
    require(not lost, "1 no acknowledged entry is lost", tablet.name, lost)
    receipts = sum(kind == "receipt_issued" for _, kind, _ in entries)
    numbered = tablet.connection.execute("SELECT count(*) FROM receipt").fetchone()[0]
    require_equal(receipts, numbered, "T4 a receipt and its number", tablet.name)


def require_same_view(tablet: Tablet, oracle: Oracle, scopes: list[str]) -> None:
    """At rest the tablet holds what the server's projection of its scopes holds."""
    contents, figures = oracle.contents()
    wanted: dict[tuple[str, str], dict[str, Any]] = {}
    for scope in scopes:
        wanted |= contents.get(scope, {})
    for record_type in ("household", "person", "visit", "enrolment", "receipt", "outcome"):
        found = tablet.client.replica.records(record_type)
        meant = {key[1]: members for key, members in wanted.items() if key[0] == record_type}
        if oracle.is_recovering:
            # Nothing leaves a device meanwhile: the office may only have forgotten it.
            found = {record_id: record for record_id, record in found.items() if record_id in meant}
        require_equal(sorted(found), sorted(meant), "9 the records of a view", tablet.name, record_type)
        for record_id, members in meant.items():
            shown = {name: found[record_id].get(name) for name in members}
            require_equal(shown, members, "8/9 a record of a view", tablet.name, record_type, record_id)
    for record_id, record in tablet.client.replica.records("quota_figure").items():
        is_known = record_id in figures[f"agent:{tablet.worker}"] and scopes
        if oracle.is_recovering and not is_known:
            continue
        require_figure(figures[f"agent:{tablet.worker}"], record_id, record)


def require_all_there(tablet: Tablet, oracle: Oracle) -> None:
    """Once a tablet has synced, the office has all that was saved on it, whatever was restored.

    But for what was purged because two newer backups held it, where an older one was restored all the
    same: what the tablet had of it in its journal is a hole that somebody has been told of.
    """
    missing = set(tablet.saved) - oracle.delivered() - oracle.contested
    require(missing <= oracle.may_be_lost, "1 what was saved is there after a sync", tablet.name, missing)
    if not missing:
        return
    installation = oracle.installations[tablet.installation or ""]
    rows = tablet.connection.execute(
        "SELECT seq, sha256 FROM journal JOIN entry USING (local_id) WHERE installation_id = ?",
        (tablet.installation,),
    ).fetchall()
    for seq, sha256 in rows:
        require(
            sha256 not in missing or installation.is_lost(seq), "R4.3 a loss is declared", tablet.name, seq
        )


def require_told(tablet: Tablet, oracle: Oracle) -> None:
    """The agent is shown what has become of every entry by now, not what it was once."""
    rows = tablet.connection.execute("SELECT entry_id, sha256, state, code FROM entry").fetchall()
    for entry_id, sha256, state, code in rows:
        known = oracle.judgement.entries.get(entry_id)
        if known is not None and known.sha256 == sha256:
            require_equal(
                (state, code), (known.state, known.code), "R2.2 what the agent is told", tablet.name, entry_id
            )


def require_unbroken_receipts(oracle: Oracle) -> None:
    """Where no tablet was copied or set back, receipts are gapless and linked."""
    broken = {"receipt_gap", "receipt_link_broken"}
    for installation in oracle.installations.values():
        for verdict in installation.given():
            require(not verdict.flags & broken, "6/T9 receipts in one chain", verdict.entry_id, verdict.flags)
