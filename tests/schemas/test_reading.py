"""What is read fast is what the core and the schemas read: the same value, or nothing at all."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from schemas.catalogue import KINDS
from schemas.earlier import EARLIER_BODIES
from schemas.reading import read_known
from schemas.vectors.bodies import WHOLE
from sync.entry import CapturedEntry, read_entry
from sync.limits import LIMITS
from tests.schemas.made_up import ODD, damaged, values_for

_IS_LONG = os.environ.get("TUNGNHA_LONG") == "1"
thorough = settings(
    max_examples=5000 if _IS_LONG else 60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_ID = "0190a1b2-0000-7000-8000-000000000000"
CAPTURED = {"wall_ms": 1590192000000, "boot": "k3_-Z", "monotonic_ms": 8123}
WAYS = some.fixed_dictionaries(
    {
        "ensure_ascii": some.booleans(),
        "separators": some.sampled_from([(",", ":"), (",", ":"), (", ", ": "), (",", " :")]),
        "sort_keys": some.booleans(),
    }
)
# A member that is named twice, a number in another form, an escape, something behind the end.
SPOILS = [
    ("", ""),
    ("", ""),
    ('"kind":', '"kind":"entry_voided","kind":'),
    ('"boot":"', '"boot":"x","boot":"'),
    ('"monotonic_ms":8123', '"monotonic_ms":8123.0'),
    ('"monotonic_ms":8123', '"monotonic_ms":8.123e3'),
    ('"wall_ms":1590192000000', '"wall_ms":NaN'),
    ('"area":', '"area":"1@2004-01-01","area":'),
    ("e", "\\u0065"),
    ("Th", "\\u0000"),
    ("Th", "\\ud800"),
    ("Th", "Th\\u1ebf"),
    ("Th", "The\u0302"),
    ("}", "} "),
    ("}}", "}}}"),
    ("{", " {"),
    ("/", "\\/"),
]
# What holds an object of any depth is read by the core, which counts.
BOTTOMLESS = {"entry_corrected"}
BODIES = {name: values_for(kind.schema) | some.just(WHOLE[name]) for name, kind in KINDS.items()}
for name, earlier in EARLIER_BODIES.items():
    BODIES[name] |= values_for(earlier.schema)


def an_entry(kind: str, body, **members) -> dict[str, object]:
    return {"id": _ID, "kind": kind, "captured": CAPTURED, "body": body} | members


def compact(entry) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


def read_slowly(raw: str):
    """Return what the core and marshmallow make of an entry: the entry and its body, or None."""
    entry = read_entry(raw, LIMITS)
    if not isinstance(entry, CapturedEntry) or entry.kind not in KINDS:
        return None
    kind, earlier = KINDS[entry.kind], EARLIER_BODIES.get(entry.kind)
    if earlier is None or not earlier.is_shape_of(entry.body):
        return None if kind.schema.validate(entry.body) else (entry, kind, kind.schema.load(entry.body))
    if earlier.schema.validate(entry.body):
        return None
    return entry, kind, earlier.lift(earlier.schema.load(entry.body))


@pytest.mark.parametrize("kind", KINDS)
@thorough
@given(made=some.data())
def test_an_entry_is_read_fast_only_as_it_is_read_slowly(kind, made):
    entry = an_entry(kind, made.draw(BODIES[kind]))
    if made.draw(some.booleans()):
        entry = damaged(entry, made.draw(some.integers(0, 60)), made.draw(ODD), "put")
    raw = json.dumps(entry, **made.draw(WAYS))
    raw = raw.replace(*made.draw(some.sampled_from(SPOILS)), 1)
    if any("\ud800" <= letter <= "\udfff" for letter in raw):
        return  # no request brings such a text: the envelope is refused whole
    assert read_known(raw, LIMITS) in (None, read_slowly(raw))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - BOTTOMLESS))
@thorough
@given(made=some.data())
def test_an_ordinary_entry_is_read_fast(kind, made):
    raw = compact(an_entry(kind, made.draw(BODIES[kind])))
    slow = read_slowly(raw)
    if slow is not None and "\x7f" not in raw:
        assert read_known(raw, LIMITS) == slow


def test_members_may_stand_in_any_order():
    entry = an_entry("visit_recorded", WHOLE["visit_recorded"])
    raw = compact(dict(reversed(entry.items())))
    assert read_known(raw, LIMITS) == read_slowly(raw) != None  # noqa: E711


def test_a_quoted_text_is_read_fast():
    raw = compact(an_entry("visit_recorded", WHOLE["visit_recorded"] | {"note": 'nói "mai"\n\\ / \u2028'}))
    assert read_known(raw, LIMITS) == read_slowly(raw) != None  # noqa: E711


@pytest.mark.parametrize("kind", sorted(set(WHOLE) - BOTTOMLESS))
def test_the_limits_of_an_entry_hold(kind):
    raw = compact(an_entry(kind, WHOLE[kind]))
    entry_bytes = len(raw.encode("utf-8"))
    assert read_known(raw, replace(LIMITS, entry_bytes=entry_bytes)) is not None
    assert read_known(raw, replace(LIMITS, entry_bytes=entry_bytes - 1)) is None
    longest = max(len(text) for text in json.dumps(WHOLE[kind], ensure_ascii=False).split('"'))
    assert read_known(raw, replace(LIMITS, text_characters=longest + 1)) is not None
    assert (read_known(raw, replace(LIMITS, json_depth=2)) is not None) == (kind in FLAT)


# Bodies without any object or list inside: two levels with the envelope.
FLAT = {"consent_recorded", "household_registered", "person_registered", "receipt_issued", "entry_voided"}
FLAT |= {"return_answered", "entry_returned", "records_merged", "records_unmerged"}
FLAT |= {"cash_remitted", "beneficiary_nominated"}


def test_a_text_that_its_schema_allows_and_the_limit_does_not_is_read_slowly():
    body = WHOLE["receipt_issued"] | {"linked_ack": "x" * (LIMITS.text_characters + 1)}
    raw = compact(an_entry("receipt_issued", body))
    assert KINDS["receipt_issued"].schema.validate(body) == {}
    assert read_known(raw, LIMITS) is None
    assert read_entry(raw, LIMITS).fault.code == "text_too_long"


def test_a_kind_that_is_not_known_is_read_slowly():
    assert read_known(compact(an_entry("roof_repaired", {})), LIMITS) is None
