"""ES256 keys and what they sign: requests, acknowledgements, enrolment certificates.

Every signature is over a context string of its own, so that none can be passed off as another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

SIGNATURE_HEADER = "Tungnha-Signature"
REQUEST_CONTEXT = b"tungnha request v1"
ACKNOWLEDGEMENT_CONTEXT = b"tungnha acknowledgement v1"
CERTIFICATE_CONTEXT = b"tungnha certificate v1"
AUDIT_HEADS_CONTEXT = b"tungnha audit heads v1"
LEDGER_ROOT_CONTEXT = b"tungnha ledger root v1"
_ES256 = ec.ECDSA(hashes.SHA256())
_COORDINATE_BYTES = 32


class KeyMalformedError(ValueError):
    """Bytes that should hold a P-256 key do not."""


def to_base64url(value: bytes) -> str:
    """Return base64url text without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def from_base64url(value: str) -> bytes:
    """Return the bytes of canonical base64url text without padding; ValueError otherwise."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64url") from error
    if to_base64url(decoded) != value:
        raise ValueError("not canonical base64url")
    return decoded


def _kid(spki: bytes) -> str:
    return hashlib.sha256(spki).hexdigest()[:8]


class PublicKey:
    """A P-256 public key. `spki` is its DER SubjectPublicKeyInfo, `kid` 8 hex digits."""

    def __init__(self, spki: bytes) -> None:
        try:
            key = load_der_public_key(spki)
        except Exception as error:  # cryptography raises several unrelated classes here
            raise KeyMalformedError("not a public key") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise KeyMalformedError("not a P-256 key")
        self._key = key
        self.spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.kid = _kid(self.spki)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Return whether `signature` (raw r||s, 64 bytes) is this key's over `message`."""
        if len(signature) != 2 * _COORDINATE_BYTES:
            return False
        r = int.from_bytes(signature[:_COORDINATE_BYTES], "big")
        s = int.from_bytes(signature[_COORDINATE_BYTES:], "big")
        try:
            self._key.verify(encode_dss_signature(r, s), message, _ES256)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """A P-256 private key, kept as its 32-byte scalar."""

    def __init__(self, scalar: bytes) -> None:
        if len(scalar) != _COORDINATE_BYTES:
            raise KeyMalformedError("a private key has 32 bytes")
        try:
            self._key = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
        except ValueError as error:
            raise KeyMalformedError("not a P-256 scalar") from error
        self.scalar = scalar
        self.public = PublicKey(
            self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    @classmethod
    def generate(cls) -> PrivateKey:
        """Return a new random key."""
        number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        return cls(number.to_bytes(_COORDINATE_BYTES, "big"))

    @property
    def kid(self) -> str:
        """Return the key's id."""
        return self.public.kid

    def sign(self, message: bytes) -> bytes:
        """Return the raw r||s signature of `message`."""
        r, s = decode_dss_signature(self._key.sign(message, _ES256))
        return r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")


def request_message(method: str, path: str, inflated_body: bytes) -> bytes:
    """Return what a request's signature covers; the body as it is before compression."""
    digest = hashlib.sha256(inflated_body).hexdigest()
    return b"\n".join([REQUEST_CONTEXT, method.encode("ascii"), path.encode("ascii"), digest.encode("ascii")])


def sign_statement(key: PrivateKey, context: bytes, content: dict[str, Any]) -> dict[str, str]:
    """Return `{text, kid, signature}`: a signed JSON string, to be kept and shown verbatim."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    signature = key.sign(context + b"\n" + text.encode("utf-8"))
    return {"text": text, "kid": key.kid, "signature": to_base64url(signature)}


def statement_content(key: PublicKey, context: bytes, statement: dict[str, str]) -> dict[str, Any] | None:
    """Return the content of a signed JSON string, or None when `key` did not sign it."""
    try:
        signature = from_base64url(statement["signature"])
        message = context + b"\n" + statement["text"].encode("utf-8")
        if statement["kid"] != key.kid or not key.verify(message, signature):
            return None
        content = json.loads(statement["text"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return content if isinstance(content, dict) else None


def new_secret(bytes_count: int = 20) -> str:
    """Return a random secret as base64url text, 160 bits unless told."""
    return to_base64url(secrets.token_bytes(bytes_count))
