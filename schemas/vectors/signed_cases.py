"""Vectors of what is signed: requests, statements and receipts.

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
from sync.journal import entry_sha256

_ZONE = timezone(timedelta(hours=7))
WORKER = "01720000-0000-7000-8000-0000000000aa"


class FixedKey(PrivateKey):
    """A key that signs the same message the same way."""

    def sign(self, message: bytes) -> bytes:
        """Return the raw r||s signature of `message`, its nonce derived as in RFC 6979."""
        private = ec.derive_private_key(int.from_bytes(self.scalar, "big"), ec.SECP256R1())
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(private.sign(message, algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


OFFICE, DEVICE, STRANGER = (FixedKey(number.to_bytes(32, "big")) for number in (1, 2, 3))


def spki(key: PrivateKey) -> str:
    """Return a public key as the wire has it."""
    return to_base64url(key.public.spki)


def signed_certificate() -> dict[str, str]:
    """Return the certificate of the device's enrolment."""
    content = {
        "installation": INSTALLATION,
        "number": 4807,
        "worker": WORKER,
        "kid": DEVICE.kid,
        "public_key": spki(DEVICE),
        "enrolled_ms": START_MS,
        "predecessor": None,
    }
    return sign_statement(OFFICE, CERTIFICATE_CONTEXT, content)


def signed_acknowledgement(seq: int, head: str) -> dict[str, str]:
    """Return the office's acknowledgement of everything up to `seq`."""
    content = {
        "installation": INSTALLATION,
        "acked_seq": seq,
        "head": head,
        "durable_seq": 0,
        "epoch": 1,
        "server_ms": START_MS + 60_000,
    }
    return sign_statement(OFFICE, ACKNOWLEDGEMENT_CONTEXT, content)


# --- signatures ---


def signature_vectors() -> dict[str, Any]:
    """Keys, requests and statements, with what a verifier must say of each."""
    keys = {
        name: {"public_key": spki(key), "kid": key.kid}
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
            "public_key": spki(DEVICE),
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
    ack, certificate = signed_acknowledgement(2, entry_sha256("head")), signed_certificate()
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
        {"name": name, "context": context, "public_key": spki(OFFICE), "statement": statement}
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
    ack = signed_acknowledgement(2, entry_sha256("head"))["text"]
    payment = entry_text(
        WHOLE["payment_collected"], id=WHOLE["payment_collected"]["payment"], kind="payment_collected"
    )
    kinds = [(ReceiptKind.VOLUNTARY, None), (ReceiptKind.HEALTH, ack), (ReceiptKind.VOID, ack)]
    shown = _chained(kinds, payment, {"amount_vnd": 300_000, "campaign": 2})
    return {
        "public_key": spki(DEVICE),
        "certificate": signed_certificate()["text"],
        "payment": payment,
        "receipts": shown,
        "others": [
            {"name": name, "token": token, "reads": token_read(token, spki(DEVICE))}
            for name, token in _other_tokens(shown[0]["token"]).items()
        ],
    }


def donation_vectors() -> dict[str, Any]:
    """The receipt of a donation, which names the fund where others name a campaign, and its void."""
    body = WHOLE["donation_received"]
    donation = entry_text(body, id="01720000-0000-7000-8000-000000000008", kind="donation_received")
    ack = signed_acknowledgement(2, entry_sha256("head"))["text"]
    kinds = [(ReceiptKind.DONATION, None), (ReceiptKind.VOID, ack)]
    return {
        "public_key": spki(DEVICE),
        "certificate": signed_certificate()["text"],
        "donation": donation,
        "receipts": _chained(kinds, donation, {"amount_vnd": body["amount_vnd"], "campaign": body["fund"]}),
    }


def _chained(
    kinds: list[tuple[ReceiptKind, str | None]], covered: str, fields: dict[str, int]
) -> list[dict[str, Any]]:
    """Return receipts of these kinds over the same entry, each linked to the one before it."""
    chained: list[dict[str, Any]] = []
    previous: bytes | None = None
    for counter, (kind, linked_ack) in enumerate(kinds, start=1):
        salt = bytes(range(counter, counter + 16))
        content = ReceiptContent(
            installation=4807,
            counter=counter,
            issued_at_s=START_MS // 1000 + counter,
            kind=kind,
            link=receipt_link(previous, linked_ack, signed_certificate()["text"]),
            digest=payment_digest(salt, covered),
            refers=(4807, 1) if kind is ReceiptKind.VOID else None,
            **fields,
        )
        token = sign_receipt(content, DEVICE)
        previous = parse_receipt(token).sig_structure
        chained.append({"token": token, "salt": to_base64url(salt), "linked_ack": linked_ack})
    return [{**receipt, "reads": token_read(receipt["token"], spki(DEVICE))} for receipt in chained]


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
