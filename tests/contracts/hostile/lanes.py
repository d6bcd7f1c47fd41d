"""A lane: one enrolled tablet that shoots, and knows where its journal stands."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from schemas.signatures import SIGNATURE_HEADER, PrivateKey, request_message, to_base64url
from sync.journal import chain, entry_sha256, genesis_digest
from tests.support.raw_tablet import ENROLMENTS, SYNC, a_household

JSON = "application/json"
_START_MS = 1_780_000_000_000
ANY = frozenset(range(200, 500))


@dataclass(frozen=True, slots=True)
class Shot:
    """One request; `entries` are those of a push that has to go through, the last of them sound."""

    path: str
    body: bytes
    headers: dict[str, str]
    entries: tuple[str, ...] = ()
    method: str = "POST"
    # Exactly what goes down the line, where no client library would write it.
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """One class of hostility: how often it is shot beside the others, and what may be answered."""

    name: str
    weight: int
    statuses: frozenset[int]
    make: Callable[[Random, Lane], Shot]
    # Below the app: the HTTP server may answer in its own form, or hang up.
    is_below: bool = False


@dataclass
class Lane:
    """The tablet of one thread. What it sends follows from the seed, but for signatures and answers."""

    rng: Random
    new_code: Callable[[], str]
    installation: str = ""
    predecessor: str | None = None
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    number: int = 0
    seq: int = 0
    digest: str = ""
    last_ack: dict[str, str] | None = None
    certificate: dict[str, str] | None = None
    is_lost: bool = True
    ids: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[tuple[str, str]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    captured: int = 0

    def renew(self) -> Shot:
        """Become a new installation, and return the request that enrols it."""
        self.predecessor = self.installation if self.number else None
        self.installation = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self.key = PrivateKey(bytes([1]) + self.rng.randbytes(31))
        self.seq, self.digest = 0, genesis_digest(self.installation)
        self.number, self.last_ack, self.sent = 0, None, []
        return self.signed(ENROLMENTS, written_body(self.enrolment(self.new_code())))

    def enrolment(self, code: str) -> dict[str, Any]:
        """Return the body that enrols this lane."""
        return {
            "protocol": self.rng.choice([1, 2]),
            "installation": self.installation,
            "code": code,
            "public_key": to_base64url(self.key.public.spki),
            "predecessor": self.predecessor,
            "clock": self.clock(),
        }

    def clock(self) -> dict[str, Any]:
        """Return a reading that goes on steadily."""
        self.captured += 1
        return {
            "wall_ms": _START_MS + self.captured * 50,
            "boot": "lane",
            "monotonic_ms": self.captured * 50,
        }

    def new_id(self) -> str:
        """Return a UUIDv7 from the seed."""
        number = ((_START_MS + self.captured * 50) << 80) | (7 << 76) | (self.rng.getrandbits(12) << 64)
        return str(uuid.UUID(int=number | (2 << 62) | self.rng.getrandbits(62)))

    def entry(self, kind: str, body: Any, entry_id: str | None = None) -> str:
        """Return the JSON of an entry, in ASCII."""
        entry_id = entry_id or self.new_id()
        return json.dumps({"id": entry_id, "kind": kind, "captured": self.clock(), "body": body})

    def sound(self) -> str:
        """Return an entry that must be applied, whatever stands before it."""
        return self.sound_entry("household_registered", a_household())

    def sound_entry(self, kind: str, body: Any) -> str:
        """Return an entry whose id others will refer to."""
        entry_id = self.new_id()
        if kind == "payment_collected":
            body["payment"] = entry_id
        self.waiting.append((kind, entry_id))
        return self.entry(kind, body, entry_id)

    def one_of(self, rng: Random, kind: str) -> str:
        """Return the id of a sound entry of a kind that this lane has sent, or of none."""
        return rng.choice(self.ids.get(kind) or [self.new_id()])

    def request(self, entries: Sequence[str] = (), **members: Any) -> dict[str, Any]:
        """Return the body of a sync that is sound but for what a family does to it."""
        version = self.rng.choice([1, 2, 2])
        if version == 2 and isinstance(members.get("pull"), dict):
            members["pull"] = {"differing": []} | members["pull"]
        digests = chain(self.digest, map(entry_sha256, entries))
        head = {"seq": self.seq + len(entries), "digest": digests[-1] if entries else self.digest}
        push = {"first_seq": self.seq + 1, "previous_digest": self.digest, "entries": list(entries)}
        body = {
            "protocol": version,
            "installation": self.installation,
            "journal_head": head,
            "clock": self.clock(),
            "last_ack": self.last_ack,
            "predecessor": self.predecessor,
            "certificate": self.certificate,
            "hole": None,
            "push": push if entries else None,
            "pull": None,
        }
        return body | members

    def sound_body(self, path: str) -> dict[str, Any]:
        """Return a sound request to an address, for spoiling."""
        if path == ENROLMENTS:
            return self.enrolment("A" * 27)
        return self.request([self.sound()], pull={"have": [], "limit": 10})

    def signed(self, path: str, inflated: bytes, *, zipped: bool = False, **headers: str) -> Shot:
        """Return a shot whose signature is true."""
        signature = to_base64url(self.key.sign(request_message("POST", path, inflated)))
        fields = {"Content-Type": JSON, SIGNATURE_HEADER: signature}
        if zipped:
            fields["Content-Encoding"] = "gzip"
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Shot(path, gzip.compress(inflated, 1, mtime=0) if zipped else inflated, fields)

    def push(self, hostile: Sequence[str], *, zipped: bool = False) -> Shot:
        """Return a push of hostile entries and a sound one behind them."""
        entries = (*hostile, self.sound())
        shot = self.signed(SYNC, written_body(self.request(entries)), zipped=zipped)
        return Shot(shot.path, shot.body, shot.headers, entries)

    def take(self, shot: Shot, status: int, content: Any) -> None:
        """Follow what an answer says of this journal; only what arrived can be referred to."""
        if status == 200 and isinstance(content, dict) and "certificate" in content:
            if content["installation"] == self.installation:
                self.number, self.certificate, self.is_lost = content["number"], content["certificate"], False
        elif status == 200 and isinstance(content, dict) and "ack" in content:
            said = json.loads(content["ack"]["text"])
            self.seq, self.digest, self.last_ack = said["acked_seq"], said["head"], content["ack"]
            self.sent = [*self.sent[-20:], *shot.entries[:3]]
            for kind, entry_id in self.waiting if shot.entries else ():
                self.ids[kind] = [*self.ids.get(kind, [])[-20:], entry_id]
        elif isinstance(content, dict) and content.get("code") in (
            *("journal_forked", "installation_fenced", "installation_superseded", "installation_unknown"),
        ):
            self.is_lost = True
        self.waiting = []


def written_body(content: Any) -> bytes:
    """Return the JSON of a request in ASCII."""
    return json.dumps(content).encode("ascii")
