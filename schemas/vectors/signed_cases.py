"""Vectors of what is signed: requests, statements, receipts, and the exchanges that carry them.

Keys are the numbers 1, 2 and 3. Signatures here are deterministic (RFC 6979), so that the files are
the same whenever they are written; a verifier cannot tell.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta, timezone
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from marshmallow import ValidationError

from schemas.base import load_fault
from schemas.exchange import PROTOCOL
from schemas.fingerprint import EXCHANGES
from schemas.receipt_token import (
    ReceiptContent,
    ReceiptKind,
    ReceiptMalformedError,
    content_digest,
    is_signed_by,
    parse_receipt,
    payment_digest,
    receipt_link,
    receipt_number,
    sign_receipt,
)
from schemas.signatures import (
    ACKNOWLEDGEMENT_CONTEXT,
    CERTIFICATE_CONTEXT,
    PrivateKey,
    PublicKey,
    from_base64url,
    request_message,
    sign_statement,
    statement_content,
    to_base64url,
)
from schemas.vectors.bodies import WHOLE
from schemas.vectors.core_cases import INSTALLATION, START_MS, entry_text
from sync.journal import chain, entry_sha256, genesis_digest
from sync.limits import LIMITS

_ZONE = timezone(timedelta(hours=7))
_WORKER = "01720000-0000-7000-8000-0000000000aa"


class FixedKey(PrivateKey):
    """A key that signs the same message the same way."""

    def sign(self, message: bytes) -> bytes:
        """Return the raw r||s signature of `message`, its nonce derived as in RFC 6979."""
        private = ec.derive_private_key(int.from_bytes(self.scalar, "big"), ec.SECP256R1())
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(private.sign(message, algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


OFFICE, DEVICE, STRANGER = (FixedKey(number.to_bytes(32, "big")) for number in (1, 2, 3))


def _spki(key: PrivateKey) -> str:
    return to_base64url(key.public.spki)


def _certificate() -> dict[str, str]:
    content = {
        "installation": INSTALLATION,
        "number": 4807,
        "worker": _WORKER,
        "kid": DEVICE.kid,
        "public_key": _spki(DEVICE),
        "enrolled_ms": START_MS,
        "predecessor": None,
    }
    return sign_statement(OFFICE, CERTIFICATE_CONTEXT, content)


def _acknowledgement(seq: int, head: str) -> dict[str, str]:
    content = {
        "installation": INSTALLATION,
        "acked_seq": seq,
        "head": head,
        "durable_seq": 0,
        "epoch": 1,
        "server_ms": START_MS + 60_000,
    }
    return sign_statement(OFFICE, ACKNOWLEDGEMENT_CONTEXT, content)


def _entries() -> list[str]:
    household = "01720000-0000-7000-8000-000000000001"
    return [
        entry_text(WHOLE["household_registered"], id=household, kind="household_registered"),
        entry_text(WHOLE["visit_recorded"], id=household[:-1] + "3", kind="visit_recorded"),
    ]


# --- signatures ---


def signature_vectors() -> dict[str, Any]:
    """Keys, requests and statements, with what a verifier must say of each."""
    keys = {
        name: {"public_key": _spki(key), "kid": key.kid}
        for name, key in (("office", OFFICE), ("device", DEVICE), ("stranger", STRANGER))
    }
    return {"keys": keys, "requests": _request_cases(), "statements": _statement_cases()}


def _request_cases() -> list[dict[str, Any]]:
    path, body = "/api/v1/sync", '{"ghi":"chú"}'
    message = request_message("POST", path, body.encode("utf-8"))
    signature = to_base64url(DEVICE.sign(message))
    spoilt = to_base64url(bytes([from_base64url(signature)[0] ^ 1]) + from_base64url(signature)[1:])
    cases = [
        ("sound", "POST", path, body, signature),
        ("another method", "PUT", path, body, signature),
        ("another path", "POST", "/api/v1/enrolments", body, signature),
        ("another body", "POST", path, body + " ", signature),
        ("one bit turned", "POST", path, body, spoilt),
        ("the key of another", "POST", path, body, to_base64url(STRANGER.sign(message))),
        ("too short", "POST", path, body, signature[:-2]),
        ("zeros", "POST", path, body, to_base64url(bytes(64))),
    ]
    shown = [
        {
            "name": name,
            "method": method,
            "path": path_,
            "body": body_,
            "message": request_message(method, path_, body_.encode("utf-8")).decode("ascii"),
            "public_key": _spki(DEVICE),
            "signature": given,
        }
        for name, method, path_, body_, given in cases
    ]
    return [{**case, "is_valid": is_request_valid(case)} for case in shown]


def is_request_valid(case: dict[str, Any]) -> bool:
    """Return whether a case's signature is true."""
    key = PublicKey(from_base64url(case["public_key"]))
    message = request_message(case["method"], case["path"], case["body"].encode("utf-8"))
    return key.verify(message, from_base64url(case["signature"]))


def _statement_cases() -> list[dict[str, Any]]:
    ack, certificate = _acknowledgement(2, entry_sha256("head")), _certificate()
    ack_context, certificate_context = (
        context.decode("ascii") for context in (ACKNOWLEDGEMENT_CONTEXT, CERTIFICATE_CONTEXT)
    )
    forged = sign_statement(STRANGER, ACKNOWLEDGEMENT_CONTEXT, json.loads(ack["text"]))
    cases = [
        ("an acknowledgement", ack_context, ack),
        ("a certificate", certificate_context, certificate),
        ("a certificate as an acknowledgement", ack_context, certificate),
        ("written anew", ack_context, ack | {"text": json.dumps(json.loads(ack["text"]))}),
        ("signed by a stranger", ack_context, forged),
        ("signed by a stranger in the office's name", ack_context, forged | {"kid": OFFICE.kid}),
        ("padded", ack_context, ack | {"signature": ack["signature"] + "=="}),
    ]
    shown = [
        {"name": name, "context": context, "public_key": _spki(OFFICE), "statement": statement}
        for name, context, statement in cases
    ]
    return [{**case, "content": statement_read(case)} for case in shown]


def statement_read(case: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a case's statement says; None where the key did not sign it."""
    key = PublicKey(from_base64url(case["public_key"]))
    return statement_content(key, case["context"].encode("ascii"), case["statement"])


# --- receipts ---


def receipt_vectors() -> dict[str, Any]:
    """Three receipts that are linked, and digits that are none."""
    certificate, ack = _certificate()["text"], _acknowledgement(2, entry_sha256("head"))["text"]
    payment = entry_text(
        WHOLE["payment_collected"], id=WHOLE["payment_collected"]["payment"], kind="payment_collected"
    )
    chained: list[dict[str, Any]] = []
    previous: bytes | None = None
    kinds = [(ReceiptKind.VOLUNTARY, None), (ReceiptKind.HEALTH, ack), (ReceiptKind.VOID, ack)]
    for counter, (kind, linked_ack) in enumerate(kinds, start=1):
        salt = bytes(range(counter, counter + 16))
        content = ReceiptContent(
            installation=4807,
            counter=counter,
            issued_at_s=START_MS // 1000 + counter,
            kind=kind,
            amount_vnd=300_000,
            campaign=2,
            link=receipt_link(previous, linked_ack, certificate),
            digest=payment_digest(salt, payment),
            refers=(4807, 1) if kind is ReceiptKind.VOID else None,
        )
        token = sign_receipt(content, DEVICE)
        previous = parse_receipt(token).sig_structure
        chained.append({"token": token, "salt": to_base64url(salt), "linked_ack": linked_ack})
    shown = [{**receipt, "reads": token_read(receipt["token"], _spki(DEVICE))} for receipt in chained]
    return {
        "public_key": _spki(DEVICE),
        "certificate": certificate,
        "payment": payment,
        "receipts": shown,
        "others": [
            {"name": name, "token": token, "reads": token_read(token, _spki(DEVICE))}
            for name, token in _other_tokens(chained[0]["token"]).items()
        ],
    }


def token_read(token: str, public_key: str) -> dict[str, Any]:
    """Return what a token says as JSON values, or the reason why it is none."""
    try:
        parsed = parse_receipt(token)
    except ReceiptMalformedError as error:
        return {"reason": str(error.reason)}
    content = asdict(parsed.content)
    return {
        "reason": None,
        "content": {
            **content,
            "link": parsed.content.link.hex(),
            "digest": parsed.content.digest.hex(),
            "refers": None if parsed.content.refers is None else list(parsed.content.refers),
        },
        "kid": parsed.kid,
        "content_digest": content_digest(parsed),
        "number": receipt_number(parsed.content, _ZONE),
        "is_signed": is_signed_by(parsed, PublicKey(from_base64url(public_key))),
    }


def _other_tokens(token: str) -> dict[str, str]:
    number = int(token)
    packed = number.to_bytes((number.bit_length() + 7) // 8, "big")
    protected, unprotected, payload, signature = cbor2.loads(packed[1:]).value
    header, values = cbor2.loads(protected), cbor2.loads(payload)

    def digits(*parts: Any, tag: int = 18, first: int = 1) -> str:
        encoded = cbor2.dumps(cbor2.CBORTag(tag, list(parts)), canonical=True)
        return str(int.from_bytes(bytes([first]) + encoded, "big"))

    def with_values(changes: dict[int, Any]) -> str:
        changed = [changes.get(index, value) for index, value in enumerate(values)]
        return digits(protected, unprotected, cbor2.dumps(changed, canonical=True), signature)

    other_header = cbor2.dumps(header | {1: -35}, canonical=True)
    more_header = cbor2.dumps(header | {3: "x"}, canonical=True)
    stranger = cbor2.dumps(header | {4: bytes.fromhex(STRANGER.kid)}, canonical=True)
    # A one-byte length where none is needed: the same array, written longer.
    longer = b"\x98" + bytes([len(values)]) + payload[1:]
    return {
        "another amount": with_values({5: 3_000_000}),
        "another key's id": digits(stranger, unprotected, payload, signature),
        "letters": "12a",
        "empty": "",
        "a zero before it": "0" + token,
        "a space": token + " ",
        "digits of another script": "١٢٣",
        "too long": "1" * 401,
        "another format": digits(protected, unprotected, payload, signature, first=2),
        "one digit changed at the end": token[:-1] + str((int(token[-1]) + 1) % 10),
        "one digit missing": token[:-1],
        "another tag": digits(protected, unprotected, payload, signature, tag=17),
        "something unprotected": digits(protected, {1: 2}, payload, signature),
        "another algorithm": digits(other_header, unprotected, payload, signature),
        "more in the header": digits(more_header, unprotected, payload, signature),
        "a short signature": digits(protected, unprotected, payload, signature[:-1]),
        "another schema version": with_values({0: 2}),
        "an unknown kind": with_values({4: 7}),
        "a void that refers to nothing": with_values({4: 9}),
        "counter 0": with_values({2: 0}),
        "a negative amount": with_values({5: -1}),
        "a fraction": with_values({5: 1.5}),
        "true as a number": with_values({2: True}),
        "a short link": with_values({7: b"1234567"}),
        "written longer": digits(protected, unprotected, longer, signature),
    }


# --- exchanges ---


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
            enrolment | {"predecessor": INSTALLATION, "predecessor_certificate": _certificate()},
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
        "last_ack": _acknowledgement(0, first),
        "predecessor": None,
        "certificate": _certificate(),
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
        "ack": _acknowledgement(2, request["journal_head"]["digest"]),
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
        "public_key": _spki(DEVICE),
        "predecessor": None,
        "clock": _clock(),
    }


def _enrolment_response() -> dict[str, Any]:
    return {
        "installation": INSTALLATION,
        "number": 4807,
        "worker": {"id": _WORKER, "name": "Nguyễn Văn Thử"},
        "certificate": _certificate(),
        "office_public_key": _spki(OFFICE),
        "receipt_url": "https://example.org/r/",
        "limits": LIMITS.as_wire(),
    }
