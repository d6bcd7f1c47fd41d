"""Hostile digits for the public receipt: odd, bent, truly signed with odd content, and CBOR bombs."""

from __future__ import annotations

from random import Random
from typing import Any
from urllib.parse import quote

import cbor2

from schemas.signatures import to_base64url
from tests.contracts.hostile.lanes import Family, Lane, Shot
from tests.contracts.hostile.values import number_from, text_from, value_from

_EDGES = (0, 1, -1, 2**31, 2**32, 2**53 - 1, 2**53, 2**63, 2**64, 10**30)
# Tags that decoders act on: dates, big numbers, fractions, shared values, expressions, sets, addresses.
_BOMBS = (
    b"\x9a\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\x00\x00\x00\x01\x00\x00\x00\x00",
    b"\x81" * 150 + b"\x00",
    b"\xd8\x1c\x81\xd8\x1d\x00",
    b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xc5\x82\x1a\x3b\x9a\xca\x00\x01",
    b"\xd8\x1e\x82\x01\x00",
    b"\xc0\x66999999",
    b"\xc1\xfb\x7f\xef\xff\xff\xff\xff\xff\xff",
    b"\xc1\x1b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xd8\x23\x69(a+)+$aab",
    b"\xd8\x24\x65MIME:",
    b"\xd9\x01\x02\x81\x81\x01",
    b"\xd9\x01\x04\x41\x00",
    b"\xd8\x25\x41\x00",
    b"\xa2\x01\x02\x01\x03",
    b"\xf9\x7e\x00",
    b"\x9f" * 60,
    b"\x5f\x41\x00",
    b"\x18",
    b"\xff",
    b"",
)


def digits_of(token: bytes) -> str:
    """Return the digits of a token's bytes."""
    return str(int.from_bytes(b"\x01" + token, "big"))


def content_from(rng: Random, lane: Lane) -> list[Any]:
    """Return what is signed, with one or two fields off."""
    fields: list[Any] = [1, lane.number, rng.randrange(1, 10**6), 1_780_000_000, 1, 300_000, 2]
    fields += [rng.randbytes(8), rng.randbytes(16)]
    if rng.random() < 0.3:
        fields[4] = 9
        fields.append([lane.number, rng.choice(_EDGES)])
    for _ in range(rng.randrange(3)):
        fields[rng.randrange(len(fields))] = rng.choice([rng.choice(_EDGES), b"", "x", None, 1.0, [], {}])
    if rng.random() < 0.1:
        fields = fields[: rng.randrange(len(fields))]
    return fields


def token_from(rng: Random, lane: Lane) -> str:
    """Return digits that read as a token, or nearly; most are truly signed by this lane's key."""
    kid = bytes.fromhex(lane.key.public.kid)
    header: Any = rng.choice([{1: -7, 4: kid}] * 6 + [{1: -7}, {4: kid}, {1: -35, 4: kid}, {1: -7, 4: b"x"}])
    protected = cbor2.dumps(header, canonical=True)
    payload = cbor2.dumps(content_from(rng, lane), canonical=rng.random() < 0.9)
    if rng.random() < 0.15:
        payload = rng.choice(_BOMBS)
    if rng.random() < 0.05:
        protected = rng.choice(_BOMBS)
    signed = cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)
    signature = lane.key.sign(signed) if rng.random() < 0.7 else rng.randbytes(rng.choice([0, 63, 64, 65]))
    parts: list[Any] = [protected, rng.choice([{}, {}, {}, {}, {4: kid}, []]), payload, signature]
    message = cbor2.CBORTag(rng.choice([18, 18, 18, 18, 17, 61, 2**32]), parts)
    token = cbor2.dumps(message, canonical=True)
    if rng.random() < 0.1:
        token = rng.choice(_BOMBS) + token[: rng.randrange(len(token))]
    digits = digits_of(token)
    if rng.random() < 0.2:
        place = rng.randrange(len(digits))
        digits = digits[:place] + str(rng.randrange(10)) + digits[place + 1 :]
    return digits


def receipt_from(rng: Random, lane: Lane) -> dict[str, Any]:
    """Return the body of a `receipt_issued` with an odd token."""
    body = {
        "payment": lane.one_of(rng, "payment_collected"),
        "token": token_from(rng, lane),
        "salt": to_base64url(rng.randbytes(16)),
        "linked_ack": lane.last_ack["text"] if lane.last_ack and rng.random() < 0.5 else None,
    }
    if rng.random() < 0.3:
        body[rng.choice(list(body))] = value_from(rng)
    if rng.random() < 0.2:
        body["token"] = rng.choice(["1" * 400, "0", "", "1" * 1_001, "\u0661" * 300, "1" * 300 + "\n"])
    return body


def _address(rng: Random, digits: str) -> Shot:
    path = rng.choice(["/api/v1/receipts/", "/r/"]) + digits
    if path.startswith("/r/") and rng.random() < 0.2:
        path += rng.choice([".svg", ".png"])
    return Shot(path, b"", {}, method="GET")


def _tokens(rng: Random, lane: Lane) -> Shot:
    return _address(rng, token_from(rng, lane))


def _digits(rng: Random, lane: Lane) -> Shot:
    length = rng.choice([1, 5, 100, 311, 400, 401, 1_000, 3_000])
    digits = "".join(rng.choice("0123456789") for _ in range(length))
    if rng.random() < 0.3:
        digits = digits_of(rng.choice(_BOMBS) + rng.randbytes(rng.randrange(40)))
    return _address(rng, digits)


def _addresses(rng: Random, lane: Lane) -> Shot:
    odd = rng.choice(
        [
            quote(text_from(rng).encode("utf-8", "surrogatepass")),
            quote("\u0661\u0662\u0663"),
            quote(str(number_from(rng))),
            "%00",
            "%ff%fe",
            "%ed%a0%80",
            "1%2F2",
            "..%2f..%2fetc",
            "1?" + "a=b&" * 500,
            "1%0d%0aSet-Cookie:x",
            "%",
        ]
    )
    return _address(rng, odd)


_FOUND = frozenset({200, 404})
FAMILIES = (
    Family("receipt page: odd tokens", 200, _FOUND, _tokens),
    Family("receipt page: random digits", 80, _FOUND, _digits),
    # An empty rest of the address is a redirect or another page; a bad escape the HTTP server refuses.
    Family("receipt page: odd addresses", 60, frozenset({200, 308, 400, 404}), _addresses, is_below=True),
)
