"""Receipt tokens read again from docs/protocol.md («Receipts»), and what becomes of a receipt."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import cbor2

MONEY_KINDS = {"voluntary": 1, "health": 2}
VOID = 9


@dataclass(frozen=True)
class Token:
    """What a token says, and the bytes that were signed."""

    number: tuple[int, int]
    issued_at_s: int
    kind: int
    amount_vnd: int
    link: bytes
    covers: bytes
    refers: tuple[int, int] | None
    signed: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.signed).hexdigest()


def read_token(digits: str) -> Token:
    """Read a token that a tablet made."""
    number = int(digits)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    protected, _, payload, _ = cbor2.loads(raw[1:]).value
    fields = cbor2.loads(payload)
    signed = cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)
    refers = tuple(fields[9]) if len(fields) == 10 else None
    return Token(
        (fields[1], fields[2]), fields[3], fields[4], fields[5], fields[7], fields[8], refers, signed
    )


def link_of(previous: bytes | None, linked_ack: str | None, certificate: str) -> bytes:
    """Return the link that a receipt after `previous` must have."""
    before = certificate.encode() if previous is None else previous
    return hashlib.sha256(before + (linked_ack or "").encode()).digest()[:8]


def is_covered(token: Token, salt: str, payment_entry: str) -> bool:
    """Return whether the token's digest is that of a payment's bytes."""
    salted = base64.urlsafe_b64decode(salt + "==") + payment_entry.encode()
    return hashlib.sha256(salted).digest()[:16] == token.covers


@dataclass
class Receipt:
    """A receipt that the office keeps."""

    token: Token
    entry_id: str
    payment: str
    worker: str
    state: str
    code: str | None

    @property
    def is_money(self) -> bool:
        return self.token.kind in MONEY_KINDS.values()

    @property
    def record_id(self) -> str:
        number = self.token.number
        return f"{number[0]}-{number[1]}-{self.token.digest[:8]}"
