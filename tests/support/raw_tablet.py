"""A tablet without a client: it sends whatever a test tells it to, signed by a real key.

For what an honest client can never send, and for exact control over journals, clocks and copies.
"""

from __future__ import annotations

import copy
import gzip
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.exchange import PROTOCOL
from schemas.signatures import SIGNATURE_HEADER, PrivateKey, request_message, to_base64url
from sync.identifiers import ClockIds
from sync.journal import chain, entry_sha256, genesis_digest
from tests.support.small_office import COMMUNES, DRIVE, SmallOffice

SYNC, ENROLMENTS = "/api/v1/sync", "/api/v1/enrolments"
_SAME = object()


@dataclass(frozen=True)
class Answer:
    """An answer of the server; `json` is its content."""

    status: int
    json: Any
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """Return the problem's code."""
        return self.json.get("code") if isinstance(self.json, dict) else None

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """Return the verdicts of a push that went through."""
        assert self.status == 200, self.json
        return self.json["verdicts"]

    @property
    def decisions(self) -> list[str]:
        """Return what was decided, entry by entry."""
        return [verdict["verdict"] for verdict in self.verdicts]

    @property
    def acked_seq(self) -> int:
        """Return up to where the journal is acknowledged."""
        return json.loads(self.json["ack"]["text"])["acked_seq"]


@dataclass
class Clocks:
    """A tablet's clocks: how far its wall clock is off, and its run of the monotonic clock."""

    wall_off_ms: int = 0
    boot: str = "boot-1"
    boot_at_ms: int = 0


@dataclass
class RawTablet:
    """An enrolled tablet; `journal` is what it has captured, `acked` how much of it arrived."""

    office: SmallOffice
    agent: str = "an"
    predecessor: str | None = None
    installation: str = field(default_factory=lambda: str(uuid.uuid4()))
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    journal: list[str] = field(default_factory=list)
    acked: int = 0
    clocks: Clocks = field(default_factory=Clocks)
    last_ack: dict[str, str] | None = None
    number: int = 0
    protocol: int = PROTOCOL

    def __post_init__(self) -> None:
        self.ids = ClockIds(self.office.clock)
        self.clocks.boot_at_ms = self.office.clock.now_ms() - 60_000

    # --- capturing ---

    def clock_shown(self) -> dict[str, Any]:
        """Return what the tablet's clocks say now."""
        now_ms = self.office.clock.now_ms()
        return {
            "wall_ms": now_ms + self.clocks.wall_off_ms,
            "boot": self.clocks.boot,
            "monotonic_ms": now_ms - self.clocks.boot_at_ms,
        }

    def reboot(self, boot: str = "boot-2") -> None:
        """Start another run of the monotonic clock."""
        self.clocks.boot, self.clocks.boot_at_ms = boot, self.office.clock.now_ms()

    def entry(self, kind: str, body: Any, entry_id: str | None = None, /, **members: Any) -> tuple[str, str]:
        """Return a new entry's id and text, without appending it. `members` replace the envelope's."""
        entry_id = entry_id or self.ids.new_id()
        content = {"id": entry_id, "kind": kind, "captured": self.clock_shown(), "body": body}
        return entry_id, json.dumps(content | members, ensure_ascii=False)

    def append(self, kind: str, body: Any, entry_id: str | None = None, /, **members: Any) -> str:
        """Append an entry to the journal and return its id."""
        entry_id, text = self.entry(kind, body, entry_id, **members)
        self.journal.append(text)
        return entry_id

    def household(self, area: str = COMMUNES[1], **more: Any) -> str:
        """Register a household."""
        return self.append("household_registered", a_household(area, **more))

    def person(self, household: str | None = None, **more: Any) -> str:
        """Register a person; without a household in an area."""
        place = {"household": household} if household else {"area": COMMUNES[1]}
        return self.append("person_registered", {"full_name": "Lê Thị Bưởi"} | place | more)

    def visit(self, household: str, **more: Any) -> str:
        """Record a visit."""
        body = {"household": household, "area": COMMUNES[1], "disposition": "agreed", "campaign": DRIVE}
        return self.append("visit_recorded", body | more)

    def enrolment(self, person: str, **more: Any) -> str:
        """Record an enrolment of 300,000 đồng."""
        return self.append("enrolment_recorded", an_enrolment(person, **more))

    def payment(self, *enrolments: str, amount_vnd: Any = 300_000, **more: Any) -> str:
        """Collect the same amount for each enrolment."""
        entry_id = more.pop("entry_id", None) or self.ids.new_id()
        return self.append("payment_collected", a_payment(entry_id, enrolments, amount_vnd) | more, entry_id)

    # --- sending ---

    @property
    def head(self) -> dict[str, Any]:
        """Return the journal's head as the tablet states it."""
        return self.head_at(len(self.journal))

    def head_at(self, seq: int) -> dict[str, Any]:
        """Return the journal's position and digest at `seq`."""
        digests = chain(genesis_digest(self.installation), map(entry_sha256, self.journal[:seq]))
        return {"seq": seq, "digest": digests[-1] if digests else genesis_digest(self.installation)}

    def request(self, *, first_seq: int | None = None, most: int = 500, **members: Any) -> dict[str, Any]:
        """Return the body of a sync that pushes from `first_seq` (else from what is acknowledged)."""
        first = first_seq or self.acked + 1
        entries = self.journal[first - 1 : first - 1 + most]
        previous = self.head_at(first - 1)["digest"]
        push = {"first_seq": first, "previous_digest": previous, "entries": entries} if entries else None
        body = {
            "protocol": self.protocol,
            "installation": self.installation,
            "journal_head": self.head,
            "clock": self.clock_shown(),
            "last_ack": self.last_ack,
            "predecessor": self.predecessor,
            "certificate": None,
            "hole": None,
            "push": push,
            "pull": None,
        }
        body |= members
        if body["protocol"] > 1 and isinstance(body["pull"], dict):
            body["pull"] = {"differing": [], **body["pull"]}
        return body

    def post(
        self,
        content: Any,
        *,
        path: str = SYNC,
        body: bytes | None = None,
        signature: Any = _SAME,
        key: PrivateKey | None = None,
        is_zipped: bool = False,
        **headers: str,
    ) -> Answer:
        """Send `content` (or the bytes of `body`), signed unless told otherwise."""
        inflated = json.dumps(content, ensure_ascii=False).encode() if body is None else body
        if signature is _SAME:
            signature = to_base64url((key or self.key).sign(request_message("POST", path, inflated)))
        sent = gzip.compress(inflated) if is_zipped else inflated
        fields = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if is_zipped else {})
        if signature is not None:
            fields[SIGNATURE_HEADER] = signature
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        return send(self.office, path, sent, fields)

    def sync(self, *, pull: bool = False, **members: Any) -> Answer:
        """Push what is not acknowledged; takes in the acknowledgement."""
        if pull:
            members["pull"] = {"have": members.pop("have", []), "limit": members.pop("limit", 1000)}
        answer = self.post(self.request(**members))
        if answer.status == 200:
            self.acked, self.last_ack = answer.acked_seq, answer.json["ack"]
        return answer

    def enrol(self, code: str | None = None) -> Answer:
        """Register the key with a one-time code."""
        content = {
            "protocol": self.protocol,
            "installation": self.installation,
            "code": code or self.office.enrolment_code(self.agent),
            "public_key": to_base64url(self.key.public.spki),
            "predecessor": self.predecessor,
            "clock": self.clock_shown(),
        }
        answer = self.post(content, path=ENROLMENTS)
        if answer.status == 200:
            self.number = answer.json["number"]
        return answer

    def copied(self) -> RawTablet:
        """Return a copy of this tablet as a restored backup makes it: same key, same journal."""
        twin = copy.copy(self)
        twin.journal, twin.clocks = list(self.journal), copy.copy(self.clocks)
        twin.ids = ClockIds(self.office.clock)
        return twin

    def enrolled_again(self, durable_seq: int = 0) -> RawTablet:
        """Return the tablet after it enrolled again: a new journal that carries its entries over."""
        fresh = RawTablet(self.office, self.agent, self.installation, clocks=copy.copy(self.clocks))
        fresh.clocks = copy.copy(self.clocks)
        fresh.journal = self.journal[durable_seq:]
        answer = fresh.enrol()
        assert answer.status == 200, answer.json
        return fresh


def a_tablet(office: SmallOffice, agent: str = "an") -> RawTablet:
    """Return an enrolled tablet of `agent`."""
    tablet = RawTablet(office, agent)
    answer = tablet.enrol()
    assert answer.status == 200, answer.json
    return tablet


def send(office: SmallOffice, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post raw bytes to the app."""
    with office.app.test_client() as client:
        response = client.post(path, data=body, headers=dict(headers))
    received = response.get_data()
    if response.headers.get("Content-Encoding") == "gzip":
        received = gzip.decompress(received)
    try:
        content = json.loads(received)
    except ValueError:
        content = None
    return Answer(response.status_code, content, dict(response.headers), received)


def a_household(area: str = COMMUNES[1], **more: Any) -> dict[str, Any]:
    """Return the body of a household's registration."""
    return {"area": area, "head_name": "Lê Văn Tám", "address": "12 Hùng Vương"} | more


def an_enrolment(person: str, **more: Any) -> dict[str, Any]:
    """Return the body of an enrolment of 300,000 đồng."""
    body = {
        "person": person,
        "area": COMMUNES[1],
        "scheme": "voluntary",
        "status": "new",
        "from_month": "2020-06",
        "months": 3,
        "amount_due_vnd": 300_000,
        "campaign": DRIVE,
    }
    return body | more


def a_payment(entry_id: str, enrolments: Sequence[str], amount_vnd: Any = 300_000) -> dict[str, Any]:
    """Return the body of a payment of the same amount for each enrolment."""
    allocations = [{"enrolment": each, "amount_vnd": amount_vnd} for each in enrolments]
    return {"payment": entry_id, "scheme": "voluntary", "method": "cash", "allocations": allocations}
