"""Whole requests refused: nothing stored, recoverable, a 4xx with a code. Never a 5xx."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from schemas.signatures import SIGNATURE_HEADER, PrivateKey, request_message, to_base64url
from sync.limits import LIMITS
from tests.support.office_checks import count
from tests.support.raw_tablet import SYNC, a_household, send


@pytest.fixture
def office(shared_office):
    return shared_office


@pytest.fixture(autouse=True)
def _nothing_is_stored(office):
    yield
    assert count(office, "entry") == 0
    assert count(office, "clock_mark") == 0


@pytest.fixture
def request_of(tablet):
    """A sound request that registers one household."""
    tablet.household()
    return tablet.request()


UNREADABLE = {
    "no JSON": b"{",
    "empty": b"",
    "not UTF-8": b'{"protocol": "\xff"}',
    "a lone surrogate": b'{"protocol": "\\ud800"}',
    "a lone surrogate as a name": b'{"\\udfff": 1}',
    "an encoded surrogate": b'{"protocol": "\xed\xa0\x80"}',
    "a repeated member": b'{"protocol": 1, "protocol": 1}',
    "not a number": b'{"protocol": NaN}',
    "bottomless lists": b"[" * 200_000,
    "bottomless objects": b'{"a":' * 100_000,
    "a number of 5,000 digits": b'{"protocol": ' + b"9" * 5000 + b"}",
    "text after the end": b"{} {}",
    "a byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused(tablet, name):
    """[W2] One object, no member twice, no `NaN`, no lone surrogates."""
    answer = tablet.post(None, body=UNREADABLE[name])
    assert (answer.status, answer.code) == (400, "body_unreadable")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("escape", ["\\ud800", "\\uDBFF", "\\udc00", "\\uDFFF"])
def test_a_lone_surrogate_in_an_entry_is_refused_with_the_envelope(tablet, request_of, escape):
    """Lone surrogates in the envelope are refused."""
    text = json.dumps(request_of | {"push": request_of["push"] | {"entries": ["@"]}})
    assert tablet.post(None, body=text.replace("@", escape).encode()).code == "body_unreadable"


INVALID = {
    "a list": [],
    "null": None,
    "nothing in it": {},
}


@pytest.mark.parametrize("name", INVALID)
def test_a_body_of_another_form_is_refused(tablet, name):
    """[X1] A refused request has stored nothing: the fixture looks after each."""
    answer = tablet.post(INVALID[name])
    assert (answer.status, answer.code) == (422, "body_invalid")


@pytest.mark.parametrize(
    ("member", "value", "field"),
    [
        ("installation", "nobody", "installation"),
        ("installation", 7, "installation"),
        ("journal_head", {"seq": -1, "digest": "0" * 64}, "journal_head.seq"),
        ("journal_head", {"seq": 1, "digest": "xyz"}, "journal_head.digest"),
        ("journal_head", {"seq": 2**53, "digest": "0" * 64}, "journal_head.seq"),
        ("journal_head", {"seq": True, "digest": "0" * 64}, "journal_head.seq"),
        ("clock", {"wall_ms": 1.5, "boot": "b", "monotonic_ms": 0}, "clock.wall_ms"),
        ("clock", {"wall_ms": 1, "boot": "b\0", "monotonic_ms": 0}, "clock.boot"),
        ("clock", {"wall_ms": 1, "boot": "b", "monotonic_ms": -1}, "clock.monotonic_ms"),
        ("push", {"first_seq": 0, "previous_digest": "0" * 64, "entries": []}, "push.first_seq"),
        ("push", {"first_seq": 1, "previous_digest": "0" * 64, "entries": [7]}, "push.entries.0"),
        ("push", {"first_seq": 1, "previous_digest": "0" * 64, "entries": "x"}, "push.entries"),
        ("pull", {"have": [], "limit": 0, "differing": []}, "pull.limit"),
        ("pull", {"have": [{}], "limit": 1, "differing": []}, "pull.have.0.count"),
        ("nonsense", 1, "nonsense"),
        ("x" * 5000, 1, "x" * 200),
    ],
)
def test_a_wrong_member_is_named_and_its_value_never_repeated(tablet, request_of, member, value, field):
    """[W2] The members listed and no others; whole numbers written as such."""
    answer = tablet.post(request_of | {member: value})
    assert (answer.status, answer.code, answer.json["field"]) == (422, "body_invalid", field)


def test_more_entries_than_allowed_are_too_large_or_invalid(tablet, request_of):
    push = request_of["push"] | {"entries": ["x"] * (LIMITS.batch_entries + 1)}
    answer = tablet.post(request_of | {"push": push})
    assert answer.status in {413, 422}


def test_a_body_past_the_limit_is_refused_with_the_limits(tablet):
    """[R9.4] 413 repeats the limits and the client halves its batch."""
    answer = tablet.post(None, body=b" " * (LIMITS.body_bytes + 1), signature="x")
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert answer.json["limits"] == LIMITS.as_wire()


def test_a_gzip_bomb_is_refused_before_it_grows(office, tablet):
    """[R9.2] Inflated bytes are enforced while reading, before anything is parsed."""
    bomb = gzip.compress(b"0" * (64 * 1024 * 1024), compresslevel=9)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", SIGNATURE_HEADER: "x"}
    answer = send(office, SYNC, bomb, headers)
    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda zipped: zipped[:-1],
        lambda zipped: zipped[: len(zipped) // 2],
        lambda zipped: zipped + b"more",
        lambda zipped: zipped + zipped,
        lambda zipped: zipped[:-8] + b"\0" * 8,
        lambda _zipped: b"no gzip at all",
        lambda _zipped: zlib.compress(b"{}"),
        lambda _zipped: b"",
    ],
    ids=["a byte short", "half", "trailing bytes", "two members", "wrong sum", "none", "zlib", "empty"],
)
def test_spoilt_gzip_is_refused(office, tablet, request_of, spoil):
    """[W1] One gzip member and nothing after it."""
    inflated = json.dumps(request_of).encode()
    signature = to_base64url(tablet.key.sign(request_message("POST", SYNC, inflated)))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", SIGNATURE_HEADER: signature}
    answer = send(office, SYNC, spoil(gzip.compress(inflated)), headers)
    assert (answer.status, answer.code) == (400, "body_unreadable")


def test_another_coding_or_content_type_is_refused(tablet, request_of):
    """[W1] A request is application/json, and may be gzip; anything else is refused."""
    coded = tablet.post(request_of, Content_Encoding="br")
    assert (coded.status, coded.code) == (415, "content_type_unsupported")
    typed = tablet.post(request_of, Content_Type="text/plain")
    assert (typed.status, typed.code) == (415, "content_type_unsupported")


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "A" * 86, "A" * 87, "é", "=" * 40])
def test_a_bad_signature_is_refused(tablet, request_of, signature):
    """[R3.2] A bad signature is refused and nothing stored (the fixture looks)."""
    answer = tablet.post(request_of, signature=signature)
    expected = "signature_invalid" if signature else "signature_missing"
    assert (answer.status, answer.code) == (401, expected)


def test_a_missing_signature_is_refused(tablet, request_of):
    """[G2] The request signature is the authentication."""
    assert tablet.post(request_of, signature=None).code == "signature_missing"


def test_the_signature_of_another_key_or_another_body_is_refused(tablet, request_of):
    """[R3.2] A bad signature is refused and nothing stored (the fixture looks).

    [G2] The request signature is the authentication.
    """
    assert tablet.post(request_of, key=PrivateKey.generate()).code == "signature_invalid"
    inflated = json.dumps(request_of).encode()
    other_path = to_base64url(tablet.key.sign(request_message("POST", "/api/v1/enrolments", inflated)))
    assert tablet.post(request_of, signature=other_path).code == "signature_invalid"
    other_body = to_base64url(tablet.key.sign(request_message("POST", SYNC, inflated + b" ")))
    assert tablet.post(request_of, signature=other_body).code == "signature_invalid"


def test_an_unknown_installation_is_refused(tablet, request_of):
    answer = tablet.post(request_of | {"installation": "018f0000-0000-7000-8000-000000000000"})
    assert (answer.status, answer.code) == (401, "installation_unknown")


def test_another_protocol_is_refused(tablet, request_of):
    """[V2] A request of a version that is not served is `protocol_unsupported`."""
    answer = tablet.post(request_of | {"protocol": 3})
    assert (answer.status, answer.code) == (400, "protocol_unsupported")


@pytest.mark.parametrize(
    ("from_seq", "floor_seq", "floor_digest"), [(1, 1, "0" * 64), (1, 2, "1" * 64), (2, 1, "1" * 64)]
)
def test_a_hole_that_does_not_end_where_the_run_begins_is_refused(tablet, from_seq, floor_seq, floor_digest):
    """[R4.5] Such a hole is `hole_mismatch`, and nothing is stored."""
    tablet.household()
    hole = {"from_seq": from_seq, "floor_seq": floor_seq, "floor_digest": floor_digest}
    push = {"first_seq": 2, "previous_digest": "1" * 64, "entries": tablet.journal}
    head = {"seq": 9, "digest": "2" * 64}
    before = count(tablet.office, "entry")
    answer = tablet.post(tablet.request(push=push, hole=hole, journal_head=head))
    assert (answer.status, answer.code) == (422, "hole_mismatch")
    assert count(tablet.office, "entry") == before


def test_the_wrong_method_is_refused(office):
    with office.app.test_client() as client:
        answer = client.get(SYNC)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("key", ["AAAA", "not base64!", to_base64url(b"\x30\x03\x02\x01\x05"), 7, None])
def test_an_enrolment_without_a_p256_key_is_refused(tablet, key):
    content = {
        "protocol": 1,
        "installation": "018f0000-0000-7000-8000-000000000000",
        "code": "abc",
        "public_key": key,
        "predecessor": None,
        "clock": tablet.clock_shown(),
    }
    answer = tablet.post(content, path="/api/v1/enrolments")
    assert (answer.status, answer.code, answer.json["field"]) == (422, "body_invalid", "public_key")


def test_an_unknown_code_is_refused(tablet):
    fresh = type(tablet)(tablet.office)
    answer = fresh.enrol("nonsense")
    assert (answer.status, answer.code) == (403, "enrolment_code_invalid")


def test_a_refused_request_can_simply_be_sent_right(office, tablet, request_of):
    assert tablet.post(request_of, signature="AAAA").status == 401
    assert a_household()["area"] in tablet.journal[0]
    assert office.app.test_client().get("/healthz").status_code == 200
