"""The receipt token: a COSE_Sign1 of nine or ten numbers, written as decimal digits for a QR code.

Made and signed at the door, verified by the server and by any other tablet without network, so
both ends compute it here. It never holds personal data. Parsing is strict: whatever would not be
written back as the same digits is refused with a reason. ECDSA signatures are malleable, so what
identifies a receipt is what was signed (`content_digest`), never the token.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Any

import cbor2

from schemas.signatures import PrivateKey, PublicKey
from sync.entry import LARGEST_INTEGER

# A void's worst case is 151 bytes, so 364 digits: with a URL of 27 bytes exactly QR version 9-M.
DIGITS_MOST = 400
SALT_BYTES = 16
LINK_BYTES = 8
DIGEST_BYTES = 16
_FORMAT = 1
SCHEMA_VERSION = 1
_SIGN1_TAG = 18
# RFC 8949 §3: major types, and the low bits that say how many bytes of argument follow.
_MAJOR_STRINGS, _MAJOR_TAG = (2, 3), 6
_ARGUMENT_FOLLOWS, _LONGEST_ARGUMENT = 24, 27
_ALGORITHM, _KID = 1, 4
_ES256 = -7
_KID_BYTES = 4
_SIGNATURE_BYTES = 64
# The five-byte integers of CBOR end here; Unix seconds pass it in 2106.
_LARGEST_UINT32 = 0xFFFF_FFFF


class ReceiptKind(IntEnum):
    """What a receipt is for; one scheme a receipt."""

    VOLUNTARY = 1
    HEALTH = 2
    DONATION = 3
    CORRECTION = 8
    VOID = 9
    DAY_CLOSE = 20


_REFERRING = (ReceiptKind.CORRECTION, ReceiptKind.VOID)


class ReceiptFault(StrEnum):
    """Why digits are no receipt token."""

    NOT_DIGITS = "not_digits"
    TOO_LONG = "too_long"
    FORMAT_UNKNOWN = "format_unknown"
    NOT_SIGN1 = "not_sign1"
    ALGORITHM_UNKNOWN = "algorithm_unknown"
    SIGNATURE_LENGTH = "signature_length"
    FIELDS_INVALID = "fields_invalid"
    NOT_CANONICAL = "not_canonical"


class ReceiptMalformedError(ValueError):
    """Digits that are no receipt token, or a content that no token can hold; see `reason`."""

    def __init__(self, reason: ReceiptFault) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReceiptContent:
    """What is signed.

    `link` has 8 bytes, `digest` 16; `refers` is (installation, counter) of the receipt that a
    correction or a void is about, where installation 0 is the office's own key.
    """

    installation: int
    counter: int
    issued_at_s: int
    kind: int
    amount_vnd: int
    campaign: int
    link: bytes
    digest: bytes
    refers: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ParsedReceipt:
    """A token that reads well; `is_signed_by` tells whether it is true. `kid` is 8 hex digits."""

    content: ReceiptContent
    kid: str
    sig_structure: bytes
    signature: bytes


def sign_receipt(content: ReceiptContent, key: PrivateKey) -> str:
    """Return the token of `content` as decimal digits. Raises ReceiptMalformedError."""
    if not _is_sound(content):
        raise ReceiptMalformedError(ReceiptFault.FIELDS_INVALID)
    signature = key.sign(_sig_structure(content, key.kid))
    return _digits(content, key.kid, signature)


def parse_receipt(digits: str) -> ParsedReceipt:
    """Read a token strictly. Raises ReceiptMalformedError; does not verify the signature."""
    if len(digits) > DIGITS_MOST:
        raise ReceiptMalformedError(ReceiptFault.TOO_LONG)
    if not (digits.isascii() and digits.isdecimal()) or digits[0] == "0":
        raise ReceiptMalformedError(ReceiptFault.NOT_DIGITS)
    number = int(digits)
    token = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if token[0] != _FORMAT:
        raise ReceiptMalformedError(ReceiptFault.FORMAT_UNKNOWN)
    message = _decoded(token[1:])
    if not isinstance(message, cbor2.CBORTag) or message.tag != _SIGN1_TAG:
        raise ReceiptMalformedError(ReceiptFault.NOT_SIGN1)
    parts = message.value
    if not isinstance(parts, list | tuple) or len(parts) != 4 or parts[1] != {}:
        raise ReceiptMalformedError(ReceiptFault.NOT_SIGN1)
    protected, _, payload, signature = parts
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise ReceiptMalformedError(ReceiptFault.NOT_SIGN1)
    if len(signature) != _SIGNATURE_BYTES:
        raise ReceiptMalformedError(ReceiptFault.SIGNATURE_LENGTH)
    kid = _kid_of(_decoded(protected))
    content = _content_of(_decoded(payload))
    if _digits(content, kid, signature) != digits:
        raise ReceiptMalformedError(ReceiptFault.NOT_CANONICAL)
    return ParsedReceipt(content, kid, _sig_structure(content, kid), signature)


def is_signed_by(parsed: ParsedReceipt, key: PublicKey) -> bool:
    """Return whether `key` signed what the token says."""
    return parsed.kid == key.kid and key.verify(parsed.sig_structure, parsed.signature)


def receipt_link(previous_sig_structure: bytes | None, linked_ack: str | None, certificate: str) -> bytes:
    """Return the link (8 bytes) of a receipt.

    It covers the receipt before, or the certificate's text before the first, and the text of the
    last signed acknowledgement, which bounds backdating from below.
    """
    previous = certificate.encode("utf-8") if previous_sig_structure is None else previous_sig_structure
    return hashlib.sha256(previous + (linked_ack or "").encode("utf-8")).digest()[:LINK_BYTES]


def payment_digest(salt: bytes, entry: str) -> bytes:
    """Return the digest (16 bytes) of an entry's text; salted, since what it holds can be guessed."""
    return hashlib.sha256(salt + entry.encode("utf-8")).digest()[:DIGEST_BYTES]


def content_digest(parsed: ParsedReceipt) -> str:
    """Return the SHA-256 of what was signed, as hex: the same for every signature over it."""
    return hashlib.sha256(parsed.sig_structure).hexdigest()


def receipt_number(content: ReceiptContent, zone: tzinfo) -> str:
    """Return the printed number, year-installation-counter: `26-04807-00048213`."""
    return printed_number(content.issued_at_s, content.installation, content.counter, zone)


def printed_number(issued_at_s: int, installation: int, counter: int, zone: tzinfo) -> str:
    """Return a printed number of its parts, where there is no token to read."""
    issued_at = datetime.fromtimestamp(issued_at_s, UTC).astimezone(zone)
    return f"{issued_at:%y}-{installation:05d}-{counter:08d}"


def _encoded(value: Any) -> bytes:
    # canonical: the deterministic encoding of RFC 8949 §4.2 for the types used here.
    encoded: bytes = cbor2.dumps(value, canonical=True)
    return encoded


def _decoded(encoded: bytes) -> Any:
    if _has_foreign_tag(encoded):
        raise ReceiptMalformedError(ReceiptFault.NOT_SIGN1)
    try:
        return cbor2.loads(encoded, str_errors="replace")
    except Exception as error:  # whatever a decoder written in C may think of
        raise ReceiptMalformedError(ReceiptFault.NOT_SIGN1) from error


def _has_foreign_tag(encoded: bytes) -> bool:
    """Return whether a tag other than COSE_Sign1's stands anywhere, as read from the heads of all items.

    cbor2 would build dates, patterns and mail from them. Where that fails, and where a text is no UTF-8,
    its C decoder leaks the error, and with its traceback the whole request: no tag gets that far, and
    what is no UTF-8 is replaced (no token holds a text, so it is refused all the same).
    """
    at = 0
    while at < len(encoded):
        major, argument = encoded[at] >> 5, encoded[at] & 0x1F
        at += 1
        if argument >= _ARGUMENT_FOLLOWS:
            follow = 1 << (argument - _ARGUMENT_FOLLOWS) if argument <= _LONGEST_ARGUMENT else 0
            argument = int.from_bytes(encoded[at : at + follow], "big")
            at += follow
        if major == _MAJOR_TAG and argument != _SIGN1_TAG:
            return True
        if major in _MAJOR_STRINGS:
            at += argument
    return False


@lru_cache(1024)  # of a handful of keys, and asked for with every token
def _protected(kid: str) -> bytes:
    return _encoded({_ALGORITHM: _ES256, _KID: bytes.fromhex(kid)})


def _payload(content: ReceiptContent) -> bytes:
    fields: list[Any] = [
        SCHEMA_VERSION,
        content.installation,
        content.counter,
        content.issued_at_s,
        int(content.kind),
        content.amount_vnd,
        content.campaign,
        content.link,
        content.digest,
    ]
    return _encoded(fields if content.refers is None else [*fields, list(content.refers)])


def _sig_structure(content: ReceiptContent, kid: str) -> bytes:
    return _encoded(["Signature1", _protected(kid), b"", _payload(content)])


def _digits(content: ReceiptContent, kid: str, signature: bytes) -> str:
    message = cbor2.CBORTag(_SIGN1_TAG, [_protected(kid), {}, _payload(content), signature])
    return str(int.from_bytes(bytes([_FORMAT]) + _encoded(message), "big"))


def _kid_of(header: Any) -> str:
    if not isinstance(header, dict) or set(header) != {_ALGORITHM, _KID}:
        raise ReceiptMalformedError(ReceiptFault.NOT_SIGN1)
    if header[_ALGORITHM] != _ES256 or not isinstance(header[_KID], bytes) or len(header[_KID]) != _KID_BYTES:
        raise ReceiptMalformedError(ReceiptFault.ALGORITHM_UNKNOWN)
    kid: bytes = header[_KID]
    return kid.hex()


def _content_of(fields: Any) -> ReceiptContent:
    if not isinstance(fields, list | tuple) or len(fields) not in (9, 10) or fields[0] != SCHEMA_VERSION:
        raise ReceiptMalformedError(ReceiptFault.FIELDS_INVALID)
    refers = None
    if len(fields) == 10:
        if not isinstance(fields[9], list | tuple) or len(fields[9]) != 2:
            raise ReceiptMalformedError(ReceiptFault.FIELDS_INVALID)
        refers = (fields[9][0], fields[9][1])
    installation, counter, issued_at_s, kind, amount_vnd, campaign, link, digest = fields[1:9]
    content = ReceiptContent(
        installation, counter, issued_at_s, kind, amount_vnd, campaign, link, digest, refers
    )
    if not _is_sound(content):
        raise ReceiptMalformedError(ReceiptFault.FIELDS_INVALID)
    return content


def _is_within(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _has_bytes(value: Any, length: int) -> bool:
    return isinstance(value, bytes) and len(value) == length


def _is_sound(content: ReceiptContent) -> bool:
    if not _is_within(content.kind, 0, 255) or content.kind not in set(ReceiptKind):
        return False
    if (content.refers is not None) != (content.kind in _REFERRING):
        return False
    refers = content.refers or (0, 1)
    return (
        _is_within(content.installation, 0, _LARGEST_UINT32)
        and _is_within(content.counter, 1, _LARGEST_UINT32)
        and _is_within(content.issued_at_s, 0, _LARGEST_UINT32)
        and _is_within(content.amount_vnd, 0, LARGEST_INTEGER - 1)
        and _is_within(content.campaign, 0, _LARGEST_UINT32)
        and _has_bytes(content.link, LINK_BYTES)
        and _has_bytes(content.digest, DIGEST_BYTES)
        and _is_within(refers[0], 0, _LARGEST_UINT32)
        and _is_within(refers[1], 1, _LARGEST_UINT32)
    )
