"""What the second client computes: chain, signatures, statements, tokens. From docs/protocol.md alone."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

Json = dict[str, Any]
_ES256 = ec.ECDSA(hashes.SHA256())


class LineDownError(Exception):
    """No answer, or one of somebody else's: nothing is known of what became of the request."""


class RefusedError(Exception):
    """The office refused the request; `code` says why."""

    def __init__(self, code: str, problem: Json) -> None:
        super().__init__(code)
        self.code = code
        self.problem = problem


class NotCapturableError(Exception):
    """It could not be sent, or the offline cap is reached: nothing was written."""


def opened(statement: Json, context: str, office_key: str) -> Json:
    """Return what a statement says, once its signature is the office's; its text is kept elsewhere [G1]."""
    public = base64.urlsafe_b64decode(office_key + "==")
    raw = base64.urlsafe_b64decode(statement["signature"] + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    message = f"tungnha {context} v1\n{statement['text']}".encode()
    key = serialization.load_der_public_key(public)
    if statement["kid"] != kid_of(public) or len(raw) != 64 or not isinstance(key, ec.EllipticCurvePublicKey):
        raise LineDownError("a statement of another key")
    try:
        key.verify(der, message, _ES256)
    except InvalidSignature as error:
        raise LineDownError("a statement with a false signature") from error
    said: Json = json.loads(statement["text"])
    return said


def check_sendable(entry: Json, text: str, limits: Json) -> None:
    """[R9.3] Limits bind at capture."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise NotCapturableError("a lone surrogate") from error
    if size > limits["entry_bytes"] or _depth(entry) > limits["json_depth"]:
        raise NotCapturableError("too large or too deep")
    for value in _values(entry["body"]):
        if isinstance(value, list) and len(value) > limits["list_items"]:
            raise NotCapturableError("a list is too long")
        most = 1000 if value == entry["body"].get("token") else limits["text_characters"]
        if isinstance(value, str) and (len(value) > most or "\0" in value):
            raise NotCapturableError("a text is too long or has a NUL")


def _values(value: Any) -> Iterator[Any]:
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _values(each)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((_depth(each) for each in inner), default=0)


def normal(value: Any) -> Any:
    """[W2] Texts in NFC."""
    if isinstance(value, dict):
        return {name: normal(each) for name, each in value.items()}
    if isinstance(value, list):
        return [normal(each) for each in value]
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def id_of(entry: str) -> str:
    return str(json.loads(entry)["id"])


def chained(digest: bytes, entry: str) -> bytes:
    return hashlib.sha256(digest + hashlib.sha256(entry.encode()).digest()).digest()


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def private_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not a key of this client")
    return key


def public_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def kid_of(public_der: bytes) -> str:
    return hashlib.sha256(public_der).hexdigest()[:8]


def new_key() -> str:
    """Return a new P-256 key; PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def new_id(wall_ms: int) -> str:
    """Return a UUIDv7 [E2]: 48 bits of time, then random bits."""
    number = (wall_ms << 80) | (7 << 76) | (secrets.randbits(12) << 64)
    return str(uuid.UUID(int=number | (2 << 62) | secrets.randbits(62)))


def token_of(key: ec.EllipticCurvePrivateKey, payload: list[Any]) -> tuple[bytes, str]:
    """Return the `Sig_structure` of a receipt and the decimal digits of its token."""
    protected = cbor2.dumps({1: -7, 4: bytes.fromhex(kid_of(public_der(key)))}, canonical=True)
    content = cbor2.dumps(payload, canonical=True)
    signed = cbor2.dumps(["Signature1", protected, b"", content], canonical=True)
    message = cbor2.CBORTag(18, [protected, {}, content, sign(key, signed)])
    return signed, str(int.from_bytes(b"\x01" + cbor2.dumps(message, canonical=True), "big"))


def sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, _ES256))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
