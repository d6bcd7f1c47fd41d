"""A server that keeps the protocol's acknowledging side honestly, in memory and in process.

It places pushes with the production rule (`sync.push.place`), keeps the bytes, signs what it
acknowledges and serves feeds that a test fills. It judges nothing: a test says which kinds are
quarantined. Faults are switches: drop the answer, be a portal, be busy, be an older epoch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from field_client.transport import LineDownError, Reply
from schemas.exchange import EnrolmentRequest, SyncRequest
from schemas.signatures import (
    ACKNOWLEDGEMENT_CONTEXT,
    CERTIFICATE_CONTEXT,
    PrivateKey,
    PublicKey,
    from_base64url,
    request_message,
    sign_statement,
    to_base64url,
)
from sync.feed import EMPTY_SUM, row_hash, sum_changed
from sync.journal import entry_sha256, genesis_digest
from sync.limits import LIMITS
from sync.pull import Cursor, starting_points
from sync.push import Append, Gap, JournalHead, Pushed, place

PROBLEM = {"content-type": "application/problem+json"}


@dataclass
class KnownInstallation:
    id: str
    number: int
    worker: str
    key: PublicKey
    predecessor: str | None
    state: str = "active"
    raws: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Scope:
    epoch: int = 1
    head: int = 0
    # (type, id) -> (seq, version, op, hash, record)
    rows: dict[tuple[str, str], tuple[int, int, str, str, Any]] = field(default_factory=dict)

    def live(self) -> list[str]:
        return [row[3] for row in self.rows.values() if row[2] == "put"]


class FakeServer:
    def __init__(self, now_ms: int = 1_590_000_000_000) -> None:
        self.office = PrivateKey.generate()
        self.installations: dict[str, KnownInstallation] = {}
        self.codes: dict[str, str] = {}
        self.scopes: dict[str, Scope] = {}
        self.granted: set[str] = set()
        self.entries: dict[str, str] = {}
        self.quarantine_kinds: dict[str, str] = {}
        self.now_ms = now_ms
        self.epoch = 1
        self.durable_seq = 0
        self.requests: list[dict[str, Any]] = []
        self.lose_answers = 0
        self.lose_requests = 0
        self.replies_instead: list[Reply] = []
        self.most_entries = LIMITS.batch_entries
        self.page_rows = LIMITS.pull_rows
        self.sum_offset = 0
        self.before_answer: Any = None

    # --- transport ---

    def transport(self, _url: str) -> FakeServer:
        return self

    def close(self) -> None:
        pass

    def post(self, path: str, body: bytes, signature: str) -> Reply:
        if self.lose_requests:
            self.lose_requests -= 1
            raise LineDownError("lost on the way there")
        if self.replies_instead:
            return self.replies_instead.pop(0)
        reply = self._enrol(body, signature) if path == "/api/v1/enrolments" else self._sync(body, signature)
        if self.before_answer is not None:
            self.before_answer()
        if self.lose_answers:
            self.lose_answers -= 1
            raise LineDownError("lost on the way back")
        return reply

    # --- what tests prepare and ask ---

    def new_code(self, worker: str = "w1") -> str:
        code = f"code-{len(self.codes) + 1}"
        self.codes[code] = worker
        return code

    def put(self, scope: str, record_type: str, record_id: str, record: Any) -> None:
        kept = self.scopes.setdefault(scope, Scope())
        old = kept.rows.get((record_type, record_id))
        version = 1 if old is None else old[1] + 1
        text = json.dumps(record, ensure_ascii=False)
        kept.head += 1
        hash_ = row_hash(record_type, record_id, version, text)
        kept.rows[record_type, record_id] = (kept.head, version, "put", hash_, record)

    def remove(self, scope: str, record_type: str, record_id: str) -> None:
        kept = self.scopes[scope]
        version = kept.rows[record_type, record_id][1] + 1
        kept.head += 1
        kept.rows[record_type, record_id] = (kept.head, version, "remove", "", None)

    def journal_of(self, installation: str) -> list[str]:
        return self.installations[installation].raws

    # --- the two endpoints ---

    def _enrol(self, body: bytes, signature: str) -> Reply:
        request = EnrolmentRequest().load(json.loads(body))
        key = PublicKey(from_base64url(request["public_key"]))
        message = request_message("POST", "/api/v1/enrolments", body)
        assert key.verify(message, from_base64url(signature))
        known = self.installations.get(request["installation"])
        if known is None:
            worker = self.codes.pop(request["code"], None)
            if worker is None:
                return problem(400, "enrolment_code_invalid")
            number = len(self.installations) + 4807
            known = KnownInstallation(request["installation"], number, worker, key, request["predecessor"])
            self.installations[known.id] = known
            if known.predecessor:
                self.installations[known.predecessor].state = "superseded"
        assert known.key.spki == key.spki
        content = {
            "installation": known.id,
            "number": known.number,
            "worker": known.worker,
            "kid": key.kid,
            "enrolled_ms": self.now_ms,
            "predecessor": known.predecessor,
        }
        return answer(
            {
                "installation": known.id,
                "number": known.number,
                "worker": {"id": known.worker, "name": "Nguyễn Thị Đại Lý"},
                "certificate": sign_statement(self.office, CERTIFICATE_CONTEXT, content),
                "office_public_key": to_base64url(self.office.public.spki),
                "receipt_url": "https://tn.example/r/",
                "limits": LIMITS.as_wire(),
            }
        )

    def _sync(self, body: bytes, signature: str) -> Reply:
        request = SyncRequest().load(json.loads(body))
        self.requests.append(request)
        known = self.installations[request["installation"]]
        assert known.key.verify(request_message("POST", "/api/v1/sync", body), from_base64url(signature))
        assert json.loads(request["certificate"]["text"])["installation"] == known.id
        assert request["predecessor"] == known.predecessor
        if known.state != "active":
            return problem(403, f"installation_{known.state}")
        verdicts: list[dict[str, Any]] = []
        head = JournalHead(request["journal_head"]["seq"], request["journal_head"]["digest"])
        if request["push"] is not None:
            placed = self._push(known, request["push"], head)
            if isinstance(placed, Reply):
                return placed
            verdicts = placed
        elif head.seq <= len(known.digests) and self._digest(known, head.seq) != head.digest:
            known.state = "fenced"
            return problem(409, "journal_forked")
        grants, rows = self._pull(request["pull"])
        content = {
            "installation": known.id,
            "acked_seq": len(known.raws),
            "head": self._digest(known, len(known.raws)),
            "durable_seq": self.durable_seq,
            "epoch": self.epoch,
            "server_ms": self.now_ms,
        }
        return answer(
            {
                "ack": sign_statement(self.office, ACKNOWLEDGEMENT_CONTEXT, content),
                "verdicts": verdicts,
                "outcomes": [],
                "grants": grants,
                "rows": rows,
                "recovering": False,
                "limits": LIMITS.as_wire(),
            }
        )

    def _digest(self, known: KnownInstallation, seq: int) -> str:
        return known.digests[seq - 1] if seq else genesis_digest(known.id)

    def _push(
        self, known: KnownInstallation, push: dict[str, Any], head: JournalHead
    ) -> Reply | list[dict[str, Any]]:
        raws = push["entries"]
        if len(raws) > self.most_entries:
            return problem(413, "body_too_large", limits=LIMITS.as_wire())
        pushed = Pushed(push["first_seq"], push["previous_digest"], [entry_sha256(raw) for raw in raws])
        stored = {seq: self._digest(known, seq) for seq in range(len(known.raws) + 1)}
        placement = place(pushed, head, len(known.raws), stored)
        if isinstance(placement, Gap):
            return problem(409, "journal_gap", expected_seq=placement.expected_seq)
        if not isinstance(placement, Append):
            known.state = "fenced"
            return problem(409, "journal_forked")
        for offset in range(placement.replayed, len(raws)):
            self._judge(known, pushed.first_seq + offset, raws[offset])
            known.raws.append(raws[offset])
            known.digests.append(placement.digests[offset])
        return known.verdicts[pushed.first_seq - 1 : pushed.last_seq]

    def _judge(self, known: KnownInstallation, seq: int, raw: str) -> None:
        content = json.loads(raw)
        verdict, code = "applied", self.quarantine_kinds.get(content["kind"])
        if content["id"] in self.entries:
            assert self.entries[content["id"]] == raw, "same id, other bytes"
            verdict, code = "duplicate", "entry_already_received"
        elif code is not None:
            verdict = "quarantined"
        self.entries[content["id"]] = raw
        known.verdicts.append(
            {"seq": seq, "id": content["id"], "verdict": verdict, "code": code, "field": None, "flags": []}
        )

    def _pull(self, pull: dict[str, Any] | None) -> tuple[Any, list[Any]]:
        if pull is None:
            return None, []
        granted = {scope: self.scopes.setdefault(scope, Scope()) for scope in sorted(self.granted)}
        have = [Cursor(item["scope"], item["epoch"], item["seq"]) for item in pull["have"]]
        stands = {name: (s.epoch, s.head) for name, s in granted.items()}
        points = starting_points(have, stands, pull["differing"])
        rows = []
        for name, after in points.items():
            for (kind, record_id), (seq, version, op, hash_, record) in granted[name].rows.items():
                if seq > after:
                    row = {"scope": name, "seq": seq, "type": kind, "id": record_id, "version": version}
                    rows.append(row | {"op": op, "row_hash": hash_, "record": record})
        rows.sort(key=lambda row: (row["scope"], row["seq"]))
        grants = [
            {
                "scope": name,
                "epoch": scope.epoch,
                "head": scope.head,
                "count": len(scope.live()) + self.sum_offset,
                "sum": sum_changed(EMPTY_SUM, added=scope.live()),
            }
            for name, scope in granted.items()
        ]
        return grants, rows[: min(self.page_rows, pull["limit"])]


def answer(content: Any) -> Reply:
    return Reply(200, {"content-type": "application/json"}, json.dumps(content).encode())


def problem(status: int, code: str, retry_after: str | None = None, **members: Any) -> Reply:
    headers = PROBLEM | ({"retry-after": retry_after} if retry_after else {})
    content = {"type": "about:blank", "title": code, "status": status, "code": code, **members}
    return Reply(status, headers, json.dumps(content).encode())
