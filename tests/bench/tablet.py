"""A tablet for benchmarks: makes signed requests in advance, so that only the server is timed."""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from schemas.exchange import PROTOCOL
from schemas.signatures import SIGNATURE_HEADER, PrivateKey, request_message, to_base64url
from sync.clock import SystemClock
from sync.identifiers import ClockIds
from sync.journal import chain, entry_sha256, genesis_digest

_CLOCK = SystemClock()


@dataclass
class BenchTablet:
    """A key, a journal and a line to the server."""

    http: httpx.Client
    installation: str = ""
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    digest: str = ""

    def __post_init__(self) -> None:
        self._ids = ClockIds(_CLOCK)
        self.installation = self.installation or self._ids.new_id()
        self.digest = genesis_digest(self.installation)

    def enrol(self, code: str) -> None:
        """Register the key."""
        body = {
            "protocol": PROTOCOL,
            "installation": self.installation,
            "code": code,
            "public_key": to_base64url(self.key.public.spki),
            "predecessor": None,
            "clock": self._clock(),
        }
        self.send(self.signed("/api/v1/enrolments", body))

    def entry(self, kind: str, body: dict[str, Any]) -> tuple[str, str]:
        """Return a captured entry: its id and its text."""
        entry_id = self._ids.new_id()
        text = json.dumps(
            {"id": entry_id, "kind": kind, "captured": self._clock(), "body": body},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return entry_id, text

    def push_request(self, entries: list[str]) -> httpx.Request:
        """Return the signed push of the next entries of the journal."""
        first_seq, previous = self.seq + 1, self.digest
        self.seq += len(entries)
        self.digest = chain(previous, [entry_sha256(text) for text in entries])[-1]
        return self._sync({"first_seq": first_seq, "previous_digest": previous, "entries": entries}, None)

    def pull_request(self, have: list[dict[str, Any]], limit: int) -> httpx.Request:
        """Return a signed pull."""
        return self._sync(None, {"have": have, "limit": limit, "differing": []})

    def _sync(self, push: dict[str, Any] | None, pull: dict[str, Any] | None) -> httpx.Request:
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
            "pull": pull,
        }
        return self.signed("/api/v1/sync", body)

    def signed(self, path: str, body: dict[str, Any]) -> httpx.Request:
        """Return a compressed, signed request."""
        inflated = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        signature = self.key.sign(request_message("POST", path, inflated))
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Accept-Encoding": "identity",
            SIGNATURE_HEADER: to_base64url(signature),
        }
        return self.http.build_request("POST", path, content=gzip.compress(inflated, 1), headers=headers)

    def send(self, request: httpx.Request) -> dict[str, Any]:
        """Send and return the answer; anything but 200 ends the run."""
        response = self.http.send(request)
        if response.status_code != 200:
            raise SystemExit(f"the server answered {response.status_code}: {response.text[:300]}")
        answer: dict[str, Any] = response.json()
        return answer

    def _clock(self) -> dict[str, Any]:
        return {"wall_ms": _CLOCK.now_ms(), "boot": self.boot, "monotonic_ms": _CLOCK.monotonic_ms()}
