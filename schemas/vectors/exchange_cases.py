"""Vectors of the exchanges: requests and responses that the schemas accept, and some that they refuse."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import ValidationError

from schemas.base import load_fault
from schemas.exchange import PROTOCOL
from schemas.fingerprint import EXCHANGES
from schemas.signatures import to_base64url
from schemas.vectors.bodies import WHOLE
from schemas.vectors.core_cases import INSTALLATION, START_MS, entry_text
from schemas.vectors.signed_cases import (
    DEVICE,
    OFFICE,
    WORKER,
    signed_acknowledgement,
    signed_certificate,
    spki,
)
from sync.journal import chain, entry_sha256, genesis_digest
from sync.limits import LIMITS


def _entries() -> list[str]:
    household = "01720000-0000-7000-8000-000000000001"
    return [
        entry_text(WHOLE["household_registered"], id=household, kind="household_registered"),
        entry_text(WHOLE["visit_recorded"], id=household[:-1] + "3", kind="visit_recorded"),
    ]


def exchange_cases() -> list[dict[str, Any]]:
    """Requests and responses that the schemas accept, and some that they refuse."""
    sync, enrolment = _sync_request(), _enrolment_request()
    response, enrolled = _sync_response(), _enrolment_response()
    problem = {"type": "urn:tungnha:problem:journal_gap", "title": "Conflict", "status": 409}
    problem |= {"code": "journal_gap", "expected_seq": 81}
    older = {name: sync["pull"][name] for name in ("have", "limit")}
    bare = {name: sync[name] for name in ("protocol", "installation", "journal_head", "clock")}
    cases: list[tuple[str, str, dict[str, Any]]] = [
        ("push and pull", "sync_request", sync),
        ("neither", "sync_request", bare),
        ("an unknown member", "sync_request", bare | {"token": "x"}),
        ("no clock", "sync_request", {k: v for k, v in bare.items() if k != "clock"}),
        ("a head without digest", "sync_request", bare | {"journal_head": {"seq": 0}}),
        ("an installation in capitals", "sync_request", bare | {"installation": INSTALLATION.upper()}),
        ("a protocol as text", "sync_request", bare | {"protocol": "1"}),
        (
            "a hole",
            "sync_request",
            bare | {"hole": {"from_seq": 1, "floor_seq": 2, "floor_digest": "0" * 64}},
        ),
        ("an entry as an object", "sync_request", bare | {"push": sync["push"] | {"entries": [{}]}}),
        (
            "too many rows wanted",
            "sync_request",
            bare | {"pull": {"have": [], "limit": LIMITS.pull_rows + 1, "differing": []}},
        ),
        ("version 1 says nothing of differences", "sync_request", sync | {"pull": older}),
        ("version 1, push and pull", "sync_request_v1", sync | {"protocol": 1, "pull": older}),
        ("version 1 with members of version 2", "sync_request_v1", sync | {"protocol": 1}),
        ("whole", "sync_response", response),
        ("members of tomorrow", "sync_response", response | {"colour": "red"}),
        ("no acknowledgement", "sync_response", {k: v for k, v in response.items() if k != "ack"}),
        ("whole", "enrolment_request", enrolment),
        (
            "in place of another",
            "enrolment_request",
            enrolment | {"predecessor": INSTALLATION, "predecessor_certificate": signed_certificate()},
        ),
        (
            "a key with padding",
            "enrolment_request",
            enrolment | {"public_key": enrolment["public_key"] + "="},
        ),
        ("whole", "enrolment_response", enrolled),
        (
            "too long an address",
            "enrolment_response",
            enrolled | {"receipt_url": "https://example.org/r/12345/"},
        ),
        ("a gap", "problem", problem),
        ("not a receipt", "receipt", {"standing": "not_a_receipt", "reason": "not_digits"}),
        ("another standing", "receipt", {"standing": "lost"}),
    ]
    shown = [{"name": name, "exchange": exchange, "content": content} for name, exchange, content in cases]
    return [{**case, **exchange_fault(case)} for case in shown]


def exchange_fault(case: dict[str, Any]) -> dict[str, Any]:
    """Return the first fault that an exchange's schema finds in a case; nulls where it is sound."""
    try:
        EXCHANGES[case["exchange"]]().load(case["content"])
    except ValidationError as error:
        fault = load_fault(error)
        return {"code": str(fault.code), "field": fault.field}
    return {"code": None, "field": None}


def _clock() -> dict[str, Any]:
    return {"wall_ms": START_MS, "boot": "k3", "monotonic_ms": 9000}


def _sync_request() -> dict[str, Any]:
    entries = _entries()
    first = genesis_digest(INSTALLATION)
    digests = chain(first, [entry_sha256(text) for text in entries])
    return {
        "protocol": PROTOCOL,
        "installation": INSTALLATION,
        "journal_head": {"seq": len(entries), "digest": digests[-1]},
        "clock": _clock(),
        "last_ack": signed_acknowledgement(0, first),
        "predecessor": None,
        "certificate": signed_certificate(),
        "hole": None,
        "push": {"first_seq": 1, "previous_digest": first, "entries": entries},
        "pull": {
            "have": [{"scope": "office", "epoch": 1, "seq": 7, "count": 3, "sum": "00000000000000ff"}],
            "limit": 1000,
            "differing": ["office"],
        },
    }


def _sync_response() -> dict[str, Any]:
    request = _sync_request()
    ids = [json.loads(text)["id"] for text in request["push"]["entries"]]
    verdict: dict[str, Any] = {"verdict": "applied", "code": None, "field": None, "flags": []}
    held = {"verdict": "held", "code": "reference_not_seen", "field": "household", "flags": ["clock_ahead"]}
    row = {"scope": "office", "seq": 8, "id": "2", "version": 1, "row_hash": "00000000000000ff"}
    return {
        "ack": signed_acknowledgement(2, request["journal_head"]["digest"]),
        "verdicts": [{"seq": 1, "id": ids[0], **verdict}, {"seq": 2, "id": ids[1], **held}],
        "outcomes": [{"id": ids[1], "state": "applied", "code": None, "field": None}],
        "grants": [{"scope": "office", "epoch": 1, "head": 9, "count": 4, "sum": "00000000000001fe"}],
        "rows": [
            {**row, "type": "campaign", "op": "put", "record": {"number": 2}},
            {**row, "seq": 9, "type": "worker", "op": "remove", "row_hash": "", "record": None},
        ],
        "recovering": False,
        "limits": LIMITS.as_wire(),
    }


def _enrolment_request() -> dict[str, Any]:
    return {
        "protocol": PROTOCOL,
        "installation": INSTALLATION,
        "code": to_base64url(bytes(20)),
        "public_key": spki(DEVICE),
        "predecessor": None,
        "clock": _clock(),
    }


def _enrolment_response() -> dict[str, Any]:
    return {
        "installation": INSTALLATION,
        "number": 4807,
        "worker": {"id": WORKER, "name": "Nguyễn Văn Thử"},
        "certificate": signed_certificate(),
        "office_public_key": spki(OFFICE),
        "receipt_url": "https://example.org/r/",
        "limits": LIMITS.as_wire(),
    }
