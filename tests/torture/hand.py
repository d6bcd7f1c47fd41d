"""A tablet in this process: exact control over what is sent, in signed requests, with a witness."""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from field_client.transport import Reply
from schemas.exchange import PROTOCOL
from schemas.signatures import SIGNATURE_HEADER, PrivateKey, request_message, to_base64url
from sync.clock import SystemClock
from sync.identifiers import ClockIds
from sync.journal import chain, entry_sha256, genesis_digest
from tests.torture.agent import AMOUNT_VND, COMMUNES, DRIVE
from tests.torture.stage import Stage

CUT_OFF = 0
_CLOCK = SystemClock()


@dataclass(frozen=True)
class Answer:
    """What came back: status 0 when nothing did."""

    status: int
    content: dict[str, Any]

    @property
    def is_declared(self) -> bool:
        """Return whether the server took it, said that it cannot now, or said nothing."""
        return self.status in {200, 503, 507, CUT_OFF}

    @property
    def is_silence(self) -> bool:
        """Return whether the connection neither died nor said anything."""
        return "silent" in self.content

    def __str__(self) -> str:
        if self.is_silence:
            return "nothing, and the connection lives"
        return f"{self.status} {self.content.get('code', '')}".strip()


class Hand:
    """A key and a journal. A request that got no answer can be sent again, byte for byte."""

    def __init__(self, stage: Stage, name: str, agent: int = 0, quiet_s: float = 20.0) -> None:
        self._stage = stage
        self._witness = stage.witness(name)
        self._http = httpx.Client(base_url=stage.server.url, timeout=quiet_s, trust_env=False)
        self._ids, self._boot = ClockIds(_CLOCK), secrets.token_hex(8)
        self._key, self._installation = PrivateKey.generate(), self._ids.new_id()
        self._seq, self._digest = 0, genesis_digest(self._installation)
        self._enrol(stage.code(agent))

    def _enrol(self, code: str) -> None:
        body = {
            "protocol": PROTOCOL,
            "installation": self._installation,
            "code": code,
            "public_key": to_base64url(self._key.public.spki),
            "predecessor": None,
            "clock": self._shown_clock(),
        }
        response = self._http.send(self._signed("/api/v1/enrolments", body))
        assert response.status_code == 200, response.text

    def _shown_clock(self) -> dict[str, Any]:
        return {"wall_ms": _CLOCK.now_ms(), "boot": self._boot, "monotonic_ms": _CLOCK.monotonic_ms()}

    def _signed(self, path: str, body: dict[str, Any]) -> httpx.Request:
        inflated = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            SIGNATURE_HEADER: to_base64url(self._key.sign(request_message("POST", path, inflated))),
        }
        return self._http.build_request("POST", path, content=gzip.compress(inflated, 1), headers=headers)

    def door(self) -> list[str]:
        """Return the entries of one door: household, person, visit, enrolment, payment."""
        household, first = self.entry(
            "household_registered",
            {"area": COMMUNES[0], "head_name": "Lê Văn Tám", "address": "12 Hùng Vương"},
        )
        person, second = self.entry("person_registered", {"full_name": "Lê Thị Bưởi", "household": household})
        _, third = self.visit(household)
        enrolment, fourth = self.entry("enrolment_recorded", an_enrolment(person))
        payment = self.payment(enrolment)
        return [first, second, third, fourth, payment]

    def visit(self, household: str) -> tuple[str, str]:
        """Return an entry that says somebody knocked there."""
        body = {"area": COMMUNES[0], "household": household, "disposition": "agreed", "campaign": DRIVE}
        return self.entry("visit_recorded", body)

    def payment(self, enrolment: str) -> str:
        """Return an entry about money for an enrolment; its id is in its body, too."""
        allocations = [{"enrolment": enrolment, "amount_vnd": AMOUNT_VND}]
        entry_id, text = self.entry(
            "payment_collected",
            {"payment": "", "scheme": "voluntary", "method": "cash", "allocations": allocations},
        )
        return text.replace('"payment":""', f'"payment":"{entry_id}"')

    def entry(self, kind: str, body: dict[str, Any]) -> tuple[str, str]:
        """Return a captured entry's id and text."""
        entry_id = self._ids.new_id()
        content = {"id": entry_id, "kind": kind, "captured": self._shown_clock(), "body": body}
        return entry_id, json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    def push(self, entries: list[str]) -> httpx.Request:
        """Append entries to the journal and return the request that delivers them."""
        push = {"first_seq": self._seq + 1, "previous_digest": self._digest, "entries": entries}
        self._seq += len(entries)
        self._digest = chain(self._digest, [entry_sha256(text) for text in entries])[-1]
        body = {
            "protocol": PROTOCOL,
            "installation": self._installation,
            "journal_head": {"seq": self._seq, "digest": self._digest},
            "clock": self._shown_clock(),
            "last_ack": None,
            "predecessor": None,
            "certificate": None,
            "hole": None,
            "push": push,
            "pull": {"have": [], "limit": 10, "differing": []},
        }
        return self._signed("/api/v1/sync", body)

    def send(self, request: httpx.Request) -> Answer:
        """Send a request as it is; whatever comes of it is written down."""
        body = request.read()
        self._witness.sent(gzip.decompress(body))
        # A request object cannot be sent twice: what it reads from is used up.
        again = self._http.build_request("POST", request.url, content=body, headers=request.headers)
        try:
            response = self._http.send(again)
        except httpx.HTTPError as error:
            self._witness.cut_off(error)
            return Answer(CUT_OFF, {"silent": True} if isinstance(error, httpx.ReadTimeout) else {})
        headers = {name.lower(): value for name, value in response.headers.items()}
        self._witness.heard(Reply(response.status_code, headers, response.content))
        try:
            content = json.loads(response.content)
        except ValueError:
            content = {}
        return Answer(response.status_code, content)

    def close(self) -> None:
        """Let the line go."""
        self._http.close()
        self._witness.close()


def an_enrolment(person: str) -> dict[str, Any]:
    """Return the body of an enrolment that is paid in one go."""
    return {
        "person": person,
        "area": COMMUNES[0],
        "scheme": "voluntary",
        "status": "new",
        "from_month": "2026-12",
        "months": 3,
        "amount_due_vnd": AMOUNT_VND,
        "campaign": DRIVE,
    }
