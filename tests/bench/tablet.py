"""A tablet for benchmarks: makes signed requests in advance, so that only the server is timed."""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.exchange import PROTOCOL
from schemas.signatures import SIGNATURE_HEADER, PrivateKey, request_message, to_base64url
from sync.clock import SystemClock
from sync.feed import EMPTY_SUM
from sync.identifiers import ClockIds
from sync.journal import chain, entry_sha256, genesis_digest
from sync.limits import LIMITS
from tests.bench.office import CAMPAIGN, Agent
from tests.bench.wire import Line, RefusedError, Reply, Request

_CLOCK = SystemClock()
_NOTE = "Gia chủ hẹn đến cuối tháng, đang chờ lương hưu"


class _Verdict(msgspec.Struct):
    verdict: str
    code: str | None


class _Grant(msgspec.Struct):
    scope: str
    epoch: int
    head: int


class _Row(msgspec.Struct):
    scope: str
    seq: int


class Answer(msgspec.Struct):
    """What a benchmark reads of an answer; members that it does not name are skipped."""

    verdicts: list[_Verdict]
    grants: list[_Grant] | None
    rows: list[_Row]


def read_answer(reply: Reply) -> Answer:
    """Return the answer that a sync got."""
    is_gzip = reply.headers.get("content-encoding") == "gzip"
    return msgspec.json.decode(gzip.decompress(reply.body) if is_gzip else reply.body, type=Answer)


@dataclass
class BenchTablet:
    """A key, a journal, cursors and a line to the server."""

    line: Line
    agent: Agent
    takes_gzip: bool = False
    installation: str = ""
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    digest: str = ""
    at_heads: bool = False

    def __post_init__(self) -> None:
        self._ids = ClockIds(_CLOCK)
        self.installation = self.installation or self._ids.new_id()
        self.digest = genesis_digest(self.installation)
        self._cursors: dict[str, tuple[int, int]] = {}

    def enrol(self) -> None:
        """Register the key."""
        body = {
            "protocol": PROTOCOL,
            "installation": self.installation,
            "code": self.agent.code,
            "public_key": to_base64url(self.key.public.spki),
            "predecessor": None,
            "clock": self._clock(),
        }
        self.line.send(self._signed("/api/v1/enrolments", body))

    def entry(self, kind: str, body: dict[str, Any]) -> tuple[str, str]:
        """Return a captured entry: its id and its text."""
        entry_id = self._ids.new_id()
        text = json.dumps(
            {"id": entry_id, "kind": kind, "captured": self._clock(), "body": body},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return entry_id, text

    def household(self, number: int) -> tuple[str, str]:
        """Return the registration of a household in the agent's commune: its id and its text."""
        body = {"area": self.agent.area, "head_name": f"Hộ {number}", "address": f"{number} Ấp Bắc"}
        return self.entry("household_registered", body)

    def visit(self, household: str) -> str:
        """Return the text of a visit to a household: about 350 bytes."""
        body = {
            "area": self.agent.area,
            "household": household,
            "disposition": "agreed",
            "note": _NOTE,
            "campaign": CAMPAIGN,
        }
        return self.entry("visit_recorded", body)[1]

    def sync_request(self, entries: list[str], *, pulls: bool = False) -> Request:
        """Return the signed push of the next entries of the journal, a pull with it, or a pull alone."""
        push = None
        if entries:
            first_seq, previous = self.seq + 1, self.digest
            self.seq += len(entries)
            self.digest = chain(previous, [entry_sha256(text) for text in entries])[-1]
            push = {"first_seq": first_seq, "previous_digest": previous, "entries": entries}
        have = [
            {"scope": scope, "epoch": epoch, "seq": seq, "count": 0, "sum": EMPTY_SUM}
            for scope, (epoch, seq) in self._cursors.items()
        ]
        body = {
            "protocol": PROTOCOL,
            "installation": self.installation,
            "journal_head": {"seq": self.seq, "digest": self.digest},
            "clock": self._clock(),
            "last_ack": None,
            "predecessor": None,
            "certificate": None,
            "hole": None,
            "push": push,
            "pull": {"have": have, "limit": LIMITS.pull_rows, "differing": []} if pulls else None,
        }
        return self._signed("/api/v1/sync", body)

    def take_in(self, reply: Reply) -> int:
        """Move the cursors on by an answer; return how many rows it held."""
        answer = read_answer(reply)
        if answer.grants is None:
            return 0
        epochs = {grant.scope: grant.epoch for grant in answer.grants}
        for row in answer.rows:
            self._cursors[row.scope] = (epochs[row.scope], row.seq)
        reached = all(self._cursors.get(grant.scope, (0, 0))[1] == grant.head for grant in answer.grants)
        self.at_heads = reached or not answer.rows
        return len(answer.rows)

    def push(self, entries: list[str], batch: int) -> float:
        """Deliver entries in batches; return the seconds of the exchanges alone."""
        starts = range(0, len(entries), batch)
        requests = [self.sync_request(entries[start : start + batch]) for start in starts]
        seconds = 0.0
        for request in requests:
            reply = self.line.send(request)
            seconds += reply.seconds
            require_applied(reply)
        return seconds

    def pull(self) -> tuple[float, int]:
        """Pull every scope to its head; return the seconds of the exchanges alone, and the rows."""
        seconds, count, self.at_heads = 0.0, 0, False
        while not self.at_heads:
            reply = self.line.send(self.sync_request([], pulls=True))
            seconds += reply.seconds
            count += self.take_in(reply)
        return seconds, count

    def forget_cursors(self) -> None:
        """Stand at the beginning of every scope again."""
        self._cursors.clear()

    def _signed(self, path: str, body: dict[str, Any]) -> Request:
        inflated = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Accept-Encoding": "gzip" if self.takes_gzip else "identity",
            SIGNATURE_HEADER: to_base64url(self.key.sign(request_message("POST", path, inflated))),
        }
        return Request("POST", path, gzip.compress(inflated, 1), headers)

    def _clock(self) -> dict[str, Any]:
        return {"wall_ms": _CLOCK.now_ms(), "boot": self.boot, "monotonic_ms": _CLOCK.monotonic_ms()}


def require_applied(reply: Reply) -> None:
    """Raise RefusedError unless every entry was applied: anything else is not the job."""
    for verdict in read_answer(reply).verdicts:
        if verdict.verdict != "applied":
            raise RefusedError(f"an entry is {verdict.verdict} ({verdict.code})")
