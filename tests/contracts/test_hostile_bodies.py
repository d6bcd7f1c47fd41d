"""Anything at all may be sent to a device's addresses: a 4xx with a code, never a 5xx (rules 5 and 9).

What is refused by hand-written example stands in tests/server/exchange/test_refusals.py; here bodies
are made up, spoilt or stretched, and signed, so that they get past the door.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from schemas.exchange import Problem, SyncResponse
from schemas.signatures import SIGNATURE_HEADER, request_message, to_base64url
from schemas.vectors.bodies import WHOLE
from sync.journal import chain, entry_sha256
from sync.limits import LIMITS
from tests.support.raw_tablet import ENROLMENTS, SYNC, RawTablet, a_household, a_tablet, send
from tests.support.small_office import SmallOffice, small_office

_IS_LONG = os.environ.get("TUNGNHA_LONG") == "1"
PATHS = (SYNC, ENROLMENTS)
_FENCED: set[str] = set()
each_path = pytest.mark.parametrize("path", PATHS)
hostile = settings(
    max_examples=2000 if _IS_LONG else 30,
    deadline=None,
    derandomize=not _IS_LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# Surrogates too: JSON can write what UTF-8 cannot.
TEXTS = some.text(some.characters(exclude_categories=()), max_size=30)
NUMBERS = (
    some.integers()
    | some.floats()
    | some.sampled_from([2**53, -(2**53), 2**63, 2**64, 10**400, -1, 0, 1.5, True])
)
VALUES = some.recursive(
    some.none() | some.booleans() | NUMBERS | TEXTS,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Iterator[SmallOffice]:
    """One small office for everything that is thrown at it."""
    path = tmp_path_factory.mktemp("hostile") / "office.sqlite3"
    with small_office(f"sqlite:///{path}") as office:
        yield office
        office.runtime.transactions.engine.dispose()


@pytest.fixture(scope="module")
def tablets(office) -> dict[str, RawTablet]:
    """The tablet that sends; a test that gets it fenced takes another."""
    return {"now": a_tablet(office)}


def tablet_of(office: SmallOffice, tablets: dict[str, RawTablet]) -> RawTablet:
    """Return a tablet that the server still listens to."""
    if tablets["now"].installation in _FENCED:
        tablets["now"] = a_tablet(office)
    return tablets["now"]


def posted(tablet: RawTablet, path: str, body: bytes, **headers: str):
    """Send bytes, signed as they are, and check the form of the answer."""
    answer = tablet.post(None, path=path, body=body, **headers)
    assert_sound(answer)
    if answer.code in {"journal_forked", "installation_fenced"}:
        _FENCED.add(tablet.installation)
    return answer


def assert_sound(answer) -> None:
    """A 2xx as the contract has it, or a 4xx with a code."""
    assert answer.status == 200 or 400 <= answer.status < 500, answer.body[:300]
    if answer.status == 200:
        assert SyncResponse().validate(answer.json) == {}
    else:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert Problem().validate(answer.json) == {}


def spoilt(content, place: int, value):
    """Return a deep copy of some JSON in which one node, chosen by `place`, is `value`."""
    copied = json.loads(json.dumps(content))
    nodes: list[tuple[object, object]] = []
    pending = [copied]
    while pending:
        node = pending.pop()
        children = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in list(children):
            nodes.append((node, key))
            if isinstance(child, dict | list):
                pending.append(child)
    node, key = nodes[place % len(nodes)]
    node[key] = value
    return copied


@each_path
@hostile
@given(body=some.binary(max_size=200) | some.text(max_size=60).map(lambda text: text.encode("utf-8")))
def test_any_bytes_are_answered(office, tablets, path, body):
    assert posted(tablet_of(office, tablets), path, body).status >= 400


@each_path
@hostile
@given(value=VALUES)
def test_any_json_is_answered(office, tablets, path, value):
    """NaN, numbers without end, lone surrogates and odd members included."""
    body = json.dumps(value, ensure_ascii=True).encode("ascii")
    assert posted(tablet_of(office, tablets), path, body).status >= 400


def sound_bodies(tablet: RawTablet) -> dict[str, dict]:
    """Return a request for each address that is sound but for what a test does to it."""
    request = tablet.request(pull={"have": [], "limit": 10})
    entry = json.dumps({"id": tablet.ids.new_id()})
    request["push"] = {
        "first_seq": tablet.acked + 1,
        "previous_digest": request["journal_head"]["digest"],
        "entries": [entry],
    }
    request["last_ack"] = tablet.last_ack or {"text": "{}", "kid": "0" * 8, "signature": "AA"}
    enrolment = {
        "protocol": 1,
        "installation": "00000000-0000-4000-8000-000000000001",
        "code": "AAAA",
        "public_key": to_base64url(tablet.key.public.spki),
        "predecessor": None,
        "clock": tablet.clock_shown(),
    }
    return {SYNC: request, ENROLMENTS: enrolment}


@each_path
@hostile
@given(place=some.integers(0, 60), value=VALUES)
@example(place=0, value=float("nan"))
@example(place=3, value="\ud800")
@example(place=5, value=10**400)
@example(place=2, value={"\r": 1})
@example(place=2, value={"\x00e\u0302\ud800": 1})
def test_a_sound_request_with_one_spoilt_member_is_answered(office, tablets, path, place, value):
    tablet = tablet_of(office, tablets)
    body = json.dumps(spoilt(sound_bodies(tablet)[path], place, value)).encode("ascii")
    posted(tablet, path, body)


def pushed(office: SmallOffice, tablets: dict[str, RawTablet], texts: list[str]):
    """Deliver texts as the next entries of the journal; whatever they are, it has to go through."""
    tablet = tablet_of(office, tablets)
    tablet.journal = [*tablet.journal[: tablet.acked], *texts]
    answer = tablet.sync()
    assert_sound(answer)
    assert answer.status == 200, answer.json
    assert len(answer.verdicts) == len(texts)
    return answer


@hostile
@given(texts=some.lists(some.text(max_size=100), min_size=1, max_size=8))
def test_any_text_as_an_entry_is_quarantined_alone(office, tablets, texts):
    """Rule 5: whatever is wrong inside one entry quarantines that entry, and the others go through."""
    sound = tablet_of(office, tablets).entry("household_registered", a_household())[1]
    answer = pushed(office, tablets, [*texts, sound])
    assert answer.decisions[-1] == "applied"
    assert set(answer.decisions[:-1]) <= {"quarantined", "duplicate"}


@hostile
@given(kind=some.sampled_from(sorted(WHOLE)), place=some.integers(0, 40), value=VALUES)
# A member name of the sender's stands in the verdict's field; it must not make the answer unreadable.
@example(kind="household_amended", place=9, value={"\r": 1})
@example(kind="household_amended", place=9, value={"e\u0302": 1})
@example(kind="household_amended", place=9, value={"e\u0302": "x" * 501})
def test_a_spoilt_body_of_any_kind_gets_a_verdict(office, tablets, kind, place, value):
    tablet = tablet_of(office, tablets)
    entry_id = tablet.ids.new_id()
    content = {"id": entry_id, "kind": kind, "captured": tablet.clock_shown(), "body": WHOLE[kind]}
    # Written as ASCII: an escape can name half of a surrogate pair, the bytes of the request cannot.
    text = json.dumps(spoilt(content, place, value))
    pushed(office, tablets, [text])


DEPTHS = ("[", '{"a":', '{"protocol":1,"push":', '[{"a":')


@each_path
@pytest.mark.parametrize("opening", DEPTHS)
@pytest.mark.parametrize("count", [500, 20_000])
def test_deep_nesting_is_refused(office, tablets, path, opening, count):
    assert posted(tablet_of(office, tablets), path, opening.encode() * count).code == "body_unreadable"


def test_deep_and_closed_nesting_is_refused_and_inside_an_entry_quarantined(office, tablets):
    deep = "[" * 5000 + "]" * 5000
    assert posted(tablet_of(office, tablets), SYNC, deep.encode()).status == 400
    envelope = '{"id":"01720000-0000-7000-8000-000000000001","kind":"visit_recorded","body":'
    assert pushed(office, tablets, [deep, envelope + deep + "}"]).decisions == ["quarantined"] * 2


@each_path
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "latin-1", "cp1258", "utf-7"])
def test_another_encoding_of_text_is_refused(office, tablets, path, encoding):
    tablet = tablet_of(office, tablets)
    content = sound_bodies(tablet)[path] | {"ghichú": "é"}
    body = json.dumps(content, ensure_ascii=False).encode(encoding, "replace")
    assert posted(tablet, path, body).status in {400, 422}


@each_path
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json5",
        "é",
        "/",
    ],
)
def test_another_content_type_is_refused(office, tablets, path, content_type):
    tablet = tablet_of(office, tablets)
    answer = posted(tablet, path, json.dumps(sound_bodies(tablet)[path]).encode(), Content_Type=content_type)
    assert (answer.status, answer.code) == (415, "content_type_unsupported")


def zipped_post(tablet: RawTablet, path: str, inflated: bytes, sent: bytes, coding: str = "gzip"):
    """Send bytes that claim to be `inflated`, compressed."""
    signature = to_base64url(tablet.key.sign(request_message("POST", path, inflated)))
    headers = {"Content-Type": "application/json", "Content-Encoding": coding, SIGNATURE_HEADER: signature}
    answer = send(tablet.office, path, sent, headers)
    assert_sound(answer)
    return answer


@each_path
@pytest.mark.parametrize("megabytes", [9, 200])
def test_a_gzip_bomb_is_refused_with_the_limits(office, tablets, path, megabytes):
    """[R9.2] inflated bytes are enforced while reading, before anything is parsed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()
    assert len(bomb) < LIMITS.body_bytes
    answer = zipped_post(tablet_of(office, tablets), path, b"", bomb)
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert answer.json["limits"] == LIMITS.as_wire()


@each_path
@hostile
@given(cut=some.integers(0, 400), flipped=some.integers(0, 3200), is_cut=some.booleans())
def test_spoilt_gzip_is_refused(office, tablets, path, cut, flipped, is_cut):
    tablet = tablet_of(office, tablets)
    inflated = json.dumps(sound_bodies(tablet)[path]).encode()
    whole = bytearray(gzip.compress(inflated, mtime=0))
    if is_cut:
        sent = bytes(whole[: cut % len(whole)])
    else:
        whole[(flipped // 8) % len(whole)] ^= 1 << flipped % 8
        sent = bytes(whole)
    answer = zipped_post(tablet, path, inflated, sent)
    # Some bits of the header change nothing; then the request is as good as it was.
    assert answer.status >= 400 or zlib.decompress(sent, 31) == inflated


@each_path
@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "GZIP ", "x", "é"])
def test_another_coding_is_refused(office, tablets, path, coding):
    body = b"{}"
    answer = zipped_post(tablet_of(office, tablets), path, body, gzip.compress(body), coding)
    assert answer.status in {400, 415, 422}


def test_a_run_of_digests_that_lie_stores_nothing(office, tablets):
    """[R3.2] a head that is not the digest of the entries sent is refused and nothing stored."""
    tablet = tablet_of(office, tablets)
    sound = tablet.entry("household_registered", a_household())[1]
    previous = tablet.head_at(tablet.acked)["digest"]
    head = {"seq": tablet.acked + 1, "digest": chain(previous, [entry_sha256(sound + " ")])[0]}
    push = {"first_seq": tablet.acked + 1, "previous_digest": previous, "entries": [sound]}
    answer = tablet.post(tablet.request(push=push, journal_head=head))
    assert (answer.status, answer.code) == (409, "head_mismatch")
    assert tablet.sync().acked_seq == tablet.acked
