"""The receipt token: canonical, tamper-evident, and readable by software that is not ours."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import cbor2
import cwt
import pytest
from cwt import COSE, COSEKey
from hypothesis import given, settings
from hypothesis import strategies as some

from schemas.receipt_token import (
    DIGITS_MOST,
    ReceiptContent,
    ReceiptFault,
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
from schemas.signatures import PrivateKey

KEY = PrivateKey((7).to_bytes(32, "big"))
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
UINT32 = some.integers(0, 2**32 - 1)
POSITIVE = some.integers(1, 2**32 - 1)


def a_content(**changes: object) -> ReceiptContent:
    values: dict[str, object] = {
        "installation": 4807,
        "counter": 48213,
        "issued_at_s": 1_590_202_800,
        "kind": ReceiptKind.VOLUNTARY,
        "amount_vnd": 1_234_567,
        "campaign": 3,
        "link": bytes(range(8)),
        "digest": bytes(range(16)),
        "refers": None,
    }
    return ReceiptContent(**(values | changes))  # type: ignore[arg-type]


@some.composite
def contents(draw: some.DrawFn) -> ReceiptContent:
    kind = draw(some.sampled_from(list(ReceiptKind)))
    refers = (draw(UINT32), draw(POSITIVE)) if kind in (ReceiptKind.CORRECTION, ReceiptKind.VOID) else None
    return ReceiptContent(
        installation=draw(UINT32),
        counter=draw(POSITIVE),
        issued_at_s=draw(UINT32),
        kind=kind,
        amount_vnd=draw(some.integers(0, 2**53 - 1)),
        campaign=draw(UINT32),
        link=draw(some.binary(min_size=8, max_size=8)),
        digest=draw(some.binary(min_size=16, max_size=16)),
        refers=refers,
    )


def token_bytes(digits: str) -> bytes:
    number = int(digits)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def as_digits(token: bytes) -> str:
    return str(int.from_bytes(token, "big"))


def reason_of(digits: str) -> ReceiptFault:
    with pytest.raises(ReceiptMalformedError) as caught:
        parse_receipt(digits)
    return caught.value.reason


@given(contents())
@settings(max_examples=150, deadline=None)
def test_a_signed_content_reads_back_whole_and_fits_the_limit(content: ReceiptContent) -> None:
    digits = sign_receipt(content, KEY)
    parsed = parse_receipt(digits)
    assert parsed.content == content
    assert parsed.kid == KEY.kid
    assert is_signed_by(parsed, KEY.public)
    # 364 digits are what QR version 9-M holds beside an address of 27 bytes.
    assert len(digits) <= 364 < DIGITS_MOST


@given(contents())
@settings(max_examples=25, deadline=None)
def test_a_cose_library_that_is_not_ours_verifies_the_token(content: ReceiptContent) -> None:
    message = token_bytes(sign_receipt(content, KEY))[1:]
    key = COSEKey.from_pem(_public_pem(), kid=bytes.fromhex(KEY.kid), alg="ES256")
    payload = cbor2.loads(COSE.new().decode(message, key))
    assert payload[1:3] == [content.installation, content.counter]
    assert payload[5] == content.amount_vnd


def test_a_token_made_by_a_cose_library_that_is_not_ours_verifies_here() -> None:
    content = a_content()
    fields = [1, 4807, 48213, 1_590_202_800, 1, 1_234_567, 3, content.link, content.digest]
    signer = COSEKey.from_pem(_private_pem(), kid=bytes.fromhex(KEY.kid), alg="ES256")
    message = COSE.new().encode(
        cbor2.dumps(fields, canonical=True),
        signer,
        protected={cwt.COSEHeaders.ALG: cwt.COSEAlgs.ES256, cwt.COSEHeaders.KID: bytes.fromhex(KEY.kid)},
        unprotected={},
    )
    parsed = parse_receipt(as_digits(b"\x01" + message))
    assert parsed.content == content
    assert is_signed_by(parsed, KEY.public)


def test_changing_any_byte_is_refused() -> None:
    """Every one of 255 other values at every byte is malformed or not signed."""
    token = token_bytes(sign_receipt(a_content(kind=ReceiptKind.VOID, refers=(12, 34)), KEY))
    for position in range(len(token)):
        # All values where the structure is; a sample inside the signature, whose every bit counts.
        values = range(256) if position < len(token) - 64 else (0, 1, token[position] ^ 0x80, 255)
        for value in values:
            if value == token[position]:
                continue
            changed = token[:position] + bytes([value]) + token[position + 1 :]
            try:
                parsed = parse_receipt(as_digits(changed))
            except ReceiptMalformedError:
                continue
            assert not is_signed_by(parsed, KEY.public), position


@given(some.integers(0, 500), some.binary(max_size=6))
@settings(max_examples=100, deadline=None)
def test_cut_or_lengthened_tokens_are_refused(length: int, tail: bytes) -> None:
    token = token_bytes(sign_receipt(a_content(), KEY))
    changed = token[:length] + tail
    if changed == token:
        return
    try:
        parsed = parse_receipt(as_digits(changed))
    except ReceiptMalformedError:
        return
    assert not is_signed_by(parsed, KEY.public)


@given(some.text(max_size=450))
@settings(max_examples=200, deadline=None)
def test_any_text_is_refused_with_a_reason_and_never_breaks(text: str) -> None:
    assert isinstance(reason_of(text), ReceiptFault)


@given(some.binary(max_size=160))
@settings(max_examples=400, deadline=None)
def test_any_cbor_is_refused_with_a_reason_and_never_breaks(token: bytes) -> None:
    for prefix in (b"\x01", b"\x01\xd2\x84\x43\xa1\x01\x26\xa0"):
        assert isinstance(reason_of(as_digits(prefix + token)), ReceiptFault)


@pytest.mark.parametrize(
    "broken",
    [
        b"\x61\xff",  # a text that is no UTF-8
        b"\x81\xa1\x61\xff\x01",
        b"\xc1\x1b" + b"\xff" * 8,  # a moment that no calendar has
        b"\xd8\x25\x41\x00",  # a UUID of one byte
        b"\xd8\x23\x61(",  # a pattern that is none
        b"\xd8\x24\x01",  # mail that is a number
    ],
)
def test_a_refused_token_leaves_nothing_in_memory(broken: bytes) -> None:
    """The C decoder of cbor2 never lets go of some of its errors, and they hold every frame above."""

    class Request:
        pass

    def refuse() -> weakref.ref[Request]:
        request = Request()
        assert reason_of(as_digits(b"\x01" + broken)) == ReceiptFault.NOT_SIGN1
        return weakref.ref(request)

    kept = refuse()
    gc.collect()
    assert kept() is None
    assert not [each for each in gc.get_objects() if isinstance(each, cbor2.CBORDecodeError)]


def test_another_key_did_not_sign_it() -> None:
    parsed = parse_receipt(sign_receipt(a_content(), KEY))
    assert not is_signed_by(parsed, PrivateKey.generate().public)


def test_a_key_with_the_same_kid_did_not_sign_it() -> None:
    """Four bytes of kid can collide; only the signature proves."""
    other = PrivateKey.generate().public
    parsed = parse_receipt(sign_receipt(a_content(), KEY))
    other.kid = KEY.kid
    assert not is_signed_by(parsed, other)


@pytest.mark.parametrize("signature", [b"\0" * 64, b"\0" * 32 + b"\1" * 32, ORDER.to_bytes(32, "big") * 2])
def test_degenerate_signatures_are_refused(signature: bytes) -> None:
    token = token_bytes(sign_receipt(a_content(), KEY))[:-64] + signature
    assert not is_signed_by(parse_receipt(as_digits(token)), KEY.public)


def test_a_malleated_signature_is_another_token_of_the_same_receipt() -> None:
    """n − s verifies too, which is why the content is hashed and not the token.

    [T3] The same content under another signature is the same receipt.
    """
    digits = sign_receipt(a_content(), KEY)
    token = token_bytes(digits)
    s = int.from_bytes(token[-32:], "big")
    other = as_digits(token[:-32] + (ORDER - s).to_bytes(32, "big"))
    assert other != digits
    assert is_signed_by(parse_receipt(other), KEY.public)
    assert content_digest(parse_receipt(other)) == content_digest(parse_receipt(digits))


@pytest.mark.parametrize(
    ("digits", "reason"),
    [
        ("", ReceiptFault.NOT_DIGITS),
        ("0123", ReceiptFault.NOT_DIGITS),
        ("+123", ReceiptFault.NOT_DIGITS),
        ("1_000", ReceiptFault.NOT_DIGITS),
        ("१२३", ReceiptFault.NOT_DIGITS),
        ("²", ReceiptFault.NOT_DIGITS),
        ("1" * (DIGITS_MOST + 1), ReceiptFault.TOO_LONG),
        (as_digits(b"\x02\xd2"), ReceiptFault.FORMAT_UNKNOWN),
        (as_digits(b"\x01\xd2"), ReceiptFault.NOT_SIGN1),
        (as_digits(b"\x01" + b"\xff" * 4), ReceiptFault.NOT_SIGN1),
    ],
)
def test_text_that_is_no_token_is_refused_with_its_reason(digits: str, reason: ReceiptFault) -> None:
    """[T2] Parsing is strict: ASCII digits, at most 400, no leading zero, first byte 1."""
    assert reason_of(digits) is reason


def test_another_encoding_of_the_same_content_is_refused() -> None:
    """[T2] The same digits when encoded again."""
    digits = sign_receipt(a_content(), KEY)
    message = cbor2.loads(token_bytes(digits)[1:])
    protected, unprotected, payload, signature = message.value
    # A whole number as a float, and one written longer than needed, read as the same values.
    fields = cbor2.loads(payload)
    for altered in (
        cbor2.dumps([float(fields[0]), *fields[1:]]),
        payload.replace(b"\x19\x12\xc7", b"\x1a\x00\x00\x12\xc7"),
    ):
        again = cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, altered, signature]))
        assert reason_of(as_digits(b"\x01" + again)) in {
            ReceiptFault.NOT_CANONICAL,
            ReceiptFault.FIELDS_INVALID,
        }


def test_another_algorithm_is_refused() -> None:
    """[T2] ES256 and nothing else."""
    message = cbor2.loads(token_bytes(sign_receipt(a_content(), KEY))[1:])
    _, unprotected, payload, signature = message.value
    protected = cbor2.dumps({1: -8, 4: bytes.fromhex(KEY.kid)}, canonical=True)
    again = cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, payload, signature]))
    assert reason_of(as_digits(b"\x01" + again)) is ReceiptFault.ALGORITHM_UNKNOWN


@pytest.mark.parametrize(
    "changes",
    [
        {"counter": 0},
        {"installation": -1},
        {"amount_vnd": -1},
        {"amount_vnd": 2**53},
        {"kind": 4},
        {"link": b"short"},
        {"digest": b"short"},
        {"kind": ReceiptKind.VOID},
        {"refers": (1, 1)},
        {"kind": ReceiptKind.VOID, "refers": (1, 0)},
    ],
)
def test_a_content_that_says_no_receipt_is_not_signed(changes: dict[str, object]) -> None:
    with pytest.raises(ReceiptMalformedError):
        sign_receipt(a_content(**changes), KEY)


def test_the_link_covers_the_receipt_before_and_the_acknowledgement() -> None:
    parsed = parse_receipt(sign_receipt(a_content(), KEY))
    first = receipt_link(None, None, "certificate")
    assert len(first) == 8
    assert first != receipt_link(None, "ack", "certificate")
    later = receipt_link(parsed.sig_structure, "ack", "certificate")
    assert later == receipt_link(parsed.sig_structure, "ack", "another certificate")
    assert later != receipt_link(parsed.sig_structure, None, "certificate")


def test_the_digest_is_salted() -> None:
    assert len(payment_digest(b"s" * 16, "{}")) == 16
    assert payment_digest(b"s" * 16, "{}") != payment_digest(b"t" * 16, "{}")


def test_the_printed_number_has_the_year_of_the_offices_time_zone() -> None:
    new_year_in_hanoi = int(datetime(2025, 12, 31, 17, 30, tzinfo=UTC).timestamp())
    content = a_content(issued_at_s=new_year_in_hanoi)
    assert receipt_number(content, ZoneInfo("Asia/Ho_Chi_Minh")) == "26-04807-00048213"


def _public_pem() -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    return load_der_public_key(KEY.public.spki).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private_pem() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.derive_private_key(int.from_bytes(KEY.scalar, "big"), ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
