"""What the oracle remembers: installations with their journals, entries, and what became of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulation.oracle.clocks import Mark

IN_EFFECT = ("applied", "merged")
SEEN = ("applied", "merged", "voided")
FACT_KINDS = {"visit_recorded": "visit", "vssid_installed": "install", "enrolment_recorded": "enrolment"}
CASH_KIND = "payment_collected"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def genesis(installation: str) -> str:
    """Return d(0) of a journal."""
    return sha256(installation)


def next_digest(previous: str, entry_sha256: str) -> str:
    """Return d(n) from d(n-1) and the entry's hash."""
    return hashlib.sha256(bytes.fromhex(previous) + bytes.fromhex(entry_sha256)).hexdigest()


@dataclass
class Verdict:
    """The one verdict of a position of a journal."""

    seq: int
    entry_id: str
    verdict: str
    code: str | None
    flags: frozenset[str]


@dataclass
class Installation:
    """One enrolled key and the journal that the office has of it; `digests[n]` is d(n)."""

    installation_id: str
    number: int
    worker: str
    certificate: str
    enrolled_ms: int
    predecessor: str | None
    state: str = "active"
    last_valid_seq: int | None = None
    # None inside a hole: there neither digests nor verdicts are known.
    digests: list[str | None] = field(default_factory=list)
    walls: list[int | None] = field(default_factory=list)
    verdicts: list[Verdict | None] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    # (first, last) positions that the office has given up.
    holes: list[tuple[int, int]] = field(default_factory=list)
    # Up to where, and by when, the journal had arrived before a restore.
    first_received: tuple[int, int] | None = None

    @property
    def acked(self) -> int:
        return len(self.verdicts)

    @property
    def head(self) -> str:
        return self.digests[-1] or ""

    def given(self) -> list[Verdict]:
        """Return the verdicts of every position that is in no hole."""
        return [verdict for verdict in self.verdicts if verdict is not None]

    def is_lost(self, seq: int) -> bool:
        """Return whether a position lies in a hole."""
        return any(first <= seq <= last for first, last in self.holes)

    def arrival_of(self, seq: int, now_ms: int) -> int:
        """Return when the entry at `seq` arrived: earlier than now where a restore has forgotten it."""
        if self.first_received is None or seq > self.first_received[0]:
            return now_ms
        return min(now_ms, self.first_received[1])

    def mark_of(self, request: dict[str, Any], now_ms: int) -> Mark:
        """Return the mark that a request leaves."""
        clock = request["clock"]
        return Mark(now_ms, clock["boot"], clock["monotonic_ms"], request["journal_head"]["seq"])

    def marks_for(self, reader: Installation) -> list[Mark]:
        """Return the marks; a predecessor's say nothing of where the reader's journal ended."""
        return self.marks if reader is self else [replace(mark, head_seq=None) for mark in self.marks]


@dataclass
class Entry:
    """An entry id that the office knows: its bytes, times, and what has become of it."""

    entry_id: str
    raw: str
    sha256: str
    kind: str | None
    body: dict[str, Any]
    worker: str
    installation: str
    captured: dict[str, Any] | None
    lower_ms: int
    upper_ms: int
    day: int
    received_ms: int
    state: str = ""
    code: str | None = None
    in_area: bool = True
    posted_vnd: int | None = None
    method: str = "cash"
    waits: set[str] = field(default_factory=set)
    # Since when it waits.
    held_ms: int = 0
    moved: bool = False
    is_readable: bool = True
    area_before: str | None = None
    # Why the office sent it back, and when.
    reason: str | None = None
    returned_ms: int | None = None

    def become(self, state: str, code: str | None = None) -> None:
        """Let the entry be something else by now; what is settled is not sent back any more."""
        self.state, self.code, self.moved = state, code, True
        if state not in {"quarantined", "answered"}:
            self.reason = self.returned_ms = None

    @property
    def capture_ms(self) -> int:
        claimed = self.captured["wall_ms"] if self.captured else self.upper_ms
        return min(max(claimed, self.lower_ms), self.upper_ms)


@dataclass
class Ruling:
    """What judging an entry came to: a state, or a code, or what it has to wait for."""

    state: str
    code: str | None = None
    flags: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)


def refused(code: str) -> Ruling:
    """Return the ruling of what a rule refuses."""
    return Ruling("quarantined", code)


@dataclass
class Reading:
    """An entry's text as the protocol reads it; `code` says what is wrong with it."""

    raw: str
    sha256: str
    entry_id: str | None = None
    kind: str | None = None
    captured: dict[str, Any] | None = None
    body: dict[str, Any] = field(default_factory=dict)
    code: str | None = None


def read_entry(raw: str, known_faults: dict[str, str]) -> Reading:
    """Read an entry. What breaks its kind's contract was meant to: `known_faults` says sha → code."""
    reading = Reading(raw, sha256(raw))
    reading.code = known_faults.get(reading.sha256)
    try:
        content = json.loads(raw)
    except ValueError:
        return reading
    if isinstance(content, dict):
        reading.entry_id, reading.kind = content.get("id"), content.get("kind")
        reading.captured = content.get("captured")
        body = content.get("body")
        reading.body = body if isinstance(body, dict) else {}
    return reading


def _decided_on(kind: str, body: dict[str, Any]) -> list[tuple[str | None, tuple[str, ...], bool]]:
    """Return what a decision, or an answer to one, refers to."""
    if kind in {"entry_corrected", "entry_returned", "return_answered"}:
        return [(body["target"], (), False), (body.get("replacement"), (), False)]
    if kind == "records_merged":
        registered = (f"{body['record_type']}_registered",)
        return [(body["from"], registered, True), (body["into"], registered, True)]
    if kind == "records_unmerged":
        return [(body["merge"], ("records_merged",), True)]
    return []


def references(kind: str, body: dict[str, Any]) -> list[tuple[str, tuple[str, ...], bool]]:
    """Return (id, kinds that may have made it, whether it must be in effect), in no order that matters."""
    household, person = ("household_registered",), ("person_registered",)
    found: list[tuple[str | None, tuple[str, ...], bool]] = []
    if kind in {"household_amended", "person_registered", "visit_recorded"}:
        found.append((body.get("household"), household, True))
    if kind in {"person_amended", "vssid_installed", "enrolment_recorded"}:
        found.append((body.get("person"), person, True))
    if kind == "household_amended":
        found.append((body["base"], ("household_registered", "household_amended"), True))
    if kind == "person_amended":
        found.append((body["base"], ("person_registered", "person_amended"), True))
        found.append((body["set"].get("household"), household, True))
    if kind == "enrolment_recorded":
        found.append((body.get("visit"), ("visit_recorded",), True))
    if kind == CASH_KIND:
        found += [(item["enrolment"], ("enrolment_recorded",), True) for item in body["allocations"]]
    if kind == "receipt_issued":
        found.append((body["payment"], (CASH_KIND,), False))
    if kind == "entry_voided":
        found.append((body["target"], (*FACT_KINDS, CASH_KIND), True))
    found += _decided_on(kind, body)
    promoter = body.get("promoter") or {}
    if promoter.get("kind") == "household":
        found.append((promoter["id"], household, True))
    if promoter.get("kind") == "contest_entrant":
        found.append((promoter["id"], person, True))
    return [(name, kinds, in_effect) for name, kinds, in_effect in found if name is not None]


def amount_claimed(body: dict[str, Any]) -> int | None:
    """Return the money that came with a payment, None where it cannot be told (rule 6)."""
    items = body.get("allocations")
    if not isinstance(items, list) or not items:
        return None
    amounts = [item.get("amount_vnd") if isinstance(item, dict) else None for item in items]
    if all(type(amount) is int and 1 <= amount <= 1_000_000_000 for amount in amounts):
        return sum(amounts)
    return None
