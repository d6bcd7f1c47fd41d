"""No 5xx for any input, and the office adds up afterwards. TUNGNHA_FUZZ_EXAMPLES asks for more."""

from __future__ import annotations

import copy
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.exchange import Problem, SyncResponse
from tests.support.raw_tablet import (
    ENROLMENTS,
    RawTablet,
    a_household,
    a_payment,
    a_tablet,
    an_enrolment,
    send,
)
from tests.support.small_office import COMMUNES

EXAMPLES = int(os.environ.get("TUNGNHA_FUZZ_EXAMPLES", "25"))
_IDS = [f"018f0000-0000-7000-8000-{number:012x}" for number in range(8)]
_fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ids = st.sampled_from(_IDS)
_PARTS = (None, None, "journal_head", "clock", "push", "pull", "last_ack", "hole", "certificate")
_NAMES = (
    *("protocol", "installation", "journal_head", "clock", "last_ack", "predecessor", "certificate", "hole"),
    *("push", "pull", "seq", "digest", "wall_ms", "boot", "monotonic_ms", "first_seq", "previous_digest"),
    *("entries", "have", "limit", "text", "kid", "signature", "code", "public_key"),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["\0", "\ud800", "000190000001", "9" * 400, "2020-02-30", *COMMUNES, *_IDS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def bodies(draw: st.DrawFn, entry_id: str) -> tuple[str, dict[str, object]]:
    """A kind with a body that would do, about few things, so that they meet."""
    one, other = draw(ids), draw(ids)
    number = draw(st.sampled_from((None, "000190000001", "000190000002")))
    known: dict[str, dict[str, object]] = {
        "household_registered": a_household(draw(st.sampled_from(COMMUNES))),
        "household_amended": {"household": one, "base": other, "set": {"area": COMMUNES[0]}},
        "person_registered": {"full_name": "Lê Thị Bưởi", "household": one, "national_id": number},
        "person_amended": {"person": one, "base": other, "set": {"national_id": number}},
        "visit_recorded": {"household": one, "area": COMMUNES[1], "disposition": "agreed"},
        "enrolment_recorded": an_enrolment(one),
        "payment_collected": a_payment(entry_id, [one]),
        "receipt_issued": {"payment": one, "token": "1" + "2" * 300, "salt": "A" * 22, "linked_ack": None},
        "entry_voided": {"target": one, "reason": "nhầm"},
    }
    kind = draw(st.sampled_from(sorted(known)))
    return kind, known[kind]


@st.composite
def entries(draw: st.DrawFn) -> str:
    """The text of an entry: right, nearly right, or nothing at all."""
    entry_id = draw(ids)
    kind, body = draw(bodies(entry_id))
    captured: dict[str, object] = {
        "wall_ms": draw(st.integers(-(2**54), 2**54)),
        "boot": "b",
        "monotonic_ms": 1,
    }
    content: dict[str, object] = {"id": entry_id, "kind": kind, "captured": captured, "body": body}
    for spoilt in draw(st.lists(st.sampled_from([content, body, body, captured]), max_size=2)):
        name = (
            draw(st.sampled_from(sorted(spoilt)) | st.text(max_size=6))
            if spoilt
            else draw(st.text(max_size=6))
        )
        if draw(st.booleans()):
            spoilt.pop(name, None)
        else:
            spoilt[name] = draw(values)
    text = json.dumps(content)
    cut = draw(st.sampled_from((None, None, None, None, 0.5)))
    return text if cut is None else text[: int(len(text) * cut)]


@pytest.fixture(scope="module")
def fuzzed(shared_office):
    """A tablet that every example of this module shares: its journal grows and is never fenced."""
    return a_tablet(shared_office)


@_fuzz
@given(batch=st.lists(entries(), min_size=1, max_size=8))
def test_any_entries_are_judged(fuzzed: RawTablet, batch):
    """No 5xx for any input; each entry has exactly one verdict."""
    fuzzed.journal.extend(batch)
    answer = fuzzed.sync(pull=True)
    assert answer.status == 200, answer.json
    assert len(answer.verdicts) == len(batch)
    assert SyncResponse().validate(answer.json) == {}
    assert fuzzed.sync(first_seq=len(fuzzed.journal) - len(batch) + 1).verdicts == answer.verdicts


@_fuzz
@given(data=st.data())
def test_any_request_is_answered_with_less_than_500(shared_office, fuzzed: RawTablet, data):
    content = copy.deepcopy(fuzzed.request(pull={"have": [], "limit": 5}))
    for _ in range(data.draw(st.integers(1, 3))):
        part, name = (
            data.draw(st.sampled_from(_PARTS)),
            data.draw(st.sampled_from(_NAMES) | st.text(max_size=6)),
        )
        target = content if part is None or not isinstance(content.get(part), dict) else content[part]
        target[name] = data.draw(values)
    path = data.draw(st.sampled_from(("/api/v1/sync", ENROLMENTS)))
    answer = fuzzed.post(None, body=json.dumps(content).encode(), path=path)
    assert answer.status < 500, answer.json
    if answer.status != 200:
        assert Problem().validate(answer.json) == {}


@_fuzz
@given(
    body=st.binary(max_size=200),
    headers=st.dictionaries(
        st.sampled_from(
            ("Content-Type", "Content-Encoding", "Tungnha-Signature", "User-Agent", "Accept-Encoding")
        ),
        st.sampled_from(
            ("application/json", "gzip", "identity", "é", "AAAA", "", "*", "text/plain; charset=x")
        ),
    ),
)
def test_any_bytes_are_answered_with_less_than_500(shared_office, body, headers):
    assert send(shared_office, "/api/v1/sync", body, headers).status < 500
    assert send(shared_office, ENROLMENTS, body, headers).status < 500
