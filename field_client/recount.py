"""An audit of its own: what the tablets' files say, added up without a line of the server's code.

`python -m field_client.recount HOME…` opens each home with its key, takes every entry once and
prints one JSON object. Knows the rules in plain words: an enrolment counts once it is paid in full
by payments that can be read; of several for one person, scheme and campaign the earliest captured
one counts; a VssID install or a door counts once; cash counts whatever became of its entry.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from field_client.identity import Identities
from field_client.store import Store

_READABLE_PAYMENT = {"payment", "scheme", "method", "allocations", "note"}
_ENROLMENT_INDICATORS = {"voluntary": "voluntary_enrolled", "health": "health_enrolled"}


class Recount:
    """Everything that the homes hold, each entry once."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.verdicts: dict[str, dict[str, Any]] = {}
        self.unsent = 0
        self._clashing: list[str] = []
        self._receipts: dict[tuple[int, int], set[str]] = defaultdict(set)

    def take_home(self, home: Path) -> None:
        """Add what one home directory holds."""
        store = Store(home)
        try:
            identities = Identities(store)
            identity = identities.current()
            self._take_entries(store, identity.worker_id)
            head = store.connection.execute(
                "SELECT coalesce(max(seq), 0) FROM journal WHERE installation_id = ?",
                (identity.installation,),
            ).fetchone()[0]
            self.unsent += head - identities.standing(identity.installation).acked_seq
            self._take_verdicts(store)
            receipts = store.connection.execute(
                "SELECT installation_number, counter, entry_id FROM receipt JOIN entry USING (local_id)"
            )
            for installation_number, counter, entry_id in receipts:
                self._receipts[installation_number, counter].add(entry_id)
        finally:
            store.close()

    def _take_entries(self, store: Store, worker_id: str) -> None:
        rows = store.connection.execute(
            "SELECT entry_id, kind, sha256, sealed, state, code, flags FROM entry ORDER BY local_id"
        )
        for entry_id, kind, sha256, sealed, state, code, flags in rows.fetchall():
            raw = store.sealer.open(sealed, "entry.sealed", sha256)
            known = self.entries.get(entry_id)
            if known is not None:
                self._clashing += [entry_id] if known["raw"] != raw else []
                continue
            content = json.loads(raw)
            self.entries[entry_id] = {
                "raw": raw,
                "kind": kind,
                "agent": worker_id,
                "body": content["body"],
                "order": (content["captured"]["wall_ms"], entry_id),
                "state": state,
                "code": code,
                "flags": json.loads(flags) if flags else [],
            }

    def _take_verdicts(self, store: Store) -> None:
        rows = store.connection.execute(
            "SELECT installation_id, seq, verdict FROM journal WHERE verdict IS NOT NULL "
            "ORDER BY installation_id, seq"
        )
        heard: dict[str, list[str]] = defaultdict(list)
        for installation, seq, verdict in rows:
            heard[installation].append(f"{seq}:{verdict}")
        for installation, lines in heard.items():
            known = self.verdicts.get(installation)
            # A copy of a home knows less of its common past; whoever heard more speaks for both.
            if known is None or known["count"] < len(lines):
                digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
                last_seq = int(lines[-1].partition(":")[0])
                self.verdicts[installation] = {"count": len(lines), "last_seq": last_seq, "sha256": digest}

    def of_kind(self, kind: str) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return the entries of a kind in the order of capture."""
        found = [(entry_id, entry) for entry_id, entry in self.entries.items() if entry["kind"] == kind]
        return sorted(found, key=lambda item: item[1]["order"])

    def figures(self) -> dict[str, dict[str, int]]:
        """Return "campaign|indicator|holder kind|holder" → state → number."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        paid_vnd = self._paid()
        taken: set[tuple[Any, ...]] = set()
        for entry_id, entry in self.of_kind("enrolment_recorded"):
            body = entry["body"]
            is_paid = paid_vnd[entry_id] >= body["amount_due_vnd"]
            who = self._who(body["person"])
            holders = [(_ENROLMENT_INDICATORS[body["scheme"]], "agent", entry["agent"])]
            if body.get("promoter"):
                promoter = f"{body['promoter']['kind']}:{body['promoter']['id']}"
                holders.append(("persuaded", "promoter", promoter))
                holders.append((f"officer_{body['scheme']}", "promoter", promoter))
            for indicator, kind, holder in holders:
                place = (body["campaign"], indicator, who)
                state = "pending" if not is_paid else "duplicate" if place in taken else "counted"
                if is_paid:
                    taken.add(place)
                found[f"{body['campaign']}|{indicator}|{kind}|{holder}"][state] += 1
        for kind, indicator, about in (
            ("vssid_installed", "vssid_activated", lambda body: self._who(body["person"])),
            ("visit_recorded", "doors_knocked", lambda body: body["household"]),
        ):
            for _, entry in self.of_kind(kind):
                place = (entry["body"]["campaign"], indicator, about(entry["body"]))
                state = "duplicate" if place in taken else "counted"
                taken.add(place)
                found[f"{place[0]}|{indicator}|agent|{entry['agent']}"][state] += 1
        return {key: dict(states) for key, states in sorted(found.items())}

    def _paid(self) -> Counter[str]:
        paid_vnd: Counter[str] = Counter()
        for _, entry in self.of_kind("payment_collected"):
            if set(entry["body"]) <= _READABLE_PAYMENT:
                for item in entry["body"]["allocations"]:
                    paid_vnd[item["enrolment"]] += item["amount_vnd"]
        return paid_vnd

    def _who(self, person: str) -> str:
        body = self.entries[person]["body"]
        return str(body.get("national_id") or body.get("insurance_number") or person)

    def money(self) -> dict[str, dict[str, int]]:
        """Return agent → cash, transfers and what is unsettled, in đồng."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for _, entry in self.of_kind("payment_collected"):
            body, sums = entry["body"], found[entry["agent"]]
            amount_vnd = sum(item["amount_vnd"] for item in body["allocations"])
            sums["cash_vnd" if body["method"] == "cash" else "transfers_vnd"] += amount_vnd
            if not set(body) <= _READABLE_PAYMENT:
                sums["unsettled_vnd"] += amount_vnd
        return {agent: dict(sums) for agent, sums in sorted(found.items())}

    def declared(self) -> dict[str, dict[str, int]]:
        """Return scheme → what a list for the insurer comes to: lines, and đồng due and paid.

        `unpaid` lines lack money; `without_receipt` ones were paid on a receipt that the office disputes.
        """
        paid_vnd, disputed = self._paid(), self._on_disputed_receipts()
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for entry_id, entry in self.of_kind("enrolment_recorded"):
            body, sums = entry["body"], found[entry["body"]["scheme"]]
            sums["lines"] += 1
            sums["due_vnd"] += body["amount_due_vnd"]
            sums["paid_vnd"] += paid_vnd[entry_id]
            if paid_vnd[entry_id] < body["amount_due_vnd"]:
                sums["unpaid"] += 1
            elif entry_id in disputed:
                sums["without_receipt"] += 1
        return {scheme: dict(sums) for scheme, sums in found.items()}

    def _on_disputed_receipts(self) -> set[str]:
        """Return the enrolments whose payment has a receipt that is quarantined."""
        payments = {
            entry["body"]["payment"]
            for _, entry in self.of_kind("receipt_issued")
            if entry["state"] == "quarantined"
        }
        return {
            item["enrolment"]
            for each in payments
            for item in self.entries[each]["body"].get("allocations", ())
        }

    def planted(self) -> dict[str, int]:
        """Return how many of the planted troubles the tablets themselves show."""
        enrolments = [entry for _, entry in self.of_kind("enrolment_recorded")]
        payments = [entry for _, entry in self.of_kind("payment_collected")]
        agents: dict[tuple[Any, ...], set[str]] = defaultdict(set)
        for entry in enrolments:
            body = entry["body"]
            agents[body["campaign"], body["scheme"], self._who(body["person"])].add(entry["agent"])
        return {
            "enrolled_twice": sum(len(holders) > 1 for holders in agents.values()),
            "late": sum("late_arrival" in entry["flags"] for entry in enrolments),
            "quarantined_cash": sum(entry["state"] == "quarantined" for entry in payments),
            "quarantined_receipts": sum(
                entry["state"] == "quarantined" and entry["code"] == "receipt_number_reused"
                for _, entry in self.of_kind("receipt_issued")
            ),
            "quarantined": sum(entry["state"] == "quarantined" for entry in self.entries.values()),
            "shared_numbers": sum(len(entry_ids) > 1 for entry_ids in self._receipts.values()),
            "unjudged": sum(entry["state"] is None for entry in self.entries.values()),
            "held": sum(entry["state"] == "held" for entry in self.entries.values()),
        }

    def as_wire(self) -> dict[str, Any]:
        """Return the whole recount."""
        return {
            "entries": len(self.entries),
            "clashing": len(self._clashing),
            "unsent": self.unsent,
            "figures": self.figures(),
            "money": self.money(),
            "declared": self.declared(),
            "planted": self.planted(),
            "verdicts": self.verdicts,
        }


def main(homes: Iterable[str]) -> None:
    """Print the recount of `homes`."""
    recount = Recount()
    for home in homes:
        recount.take_home(Path(home))
    sys.stdout.write(json.dumps(recount.as_wire()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
