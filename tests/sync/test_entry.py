"""Reading an entry's envelope: whatever the text is, an answer and never an exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.codes import EntryCode
from sync.entry import (
    FIELD_CHARACTERS,
    CapturedEntry,
    DuplicateMemberError,
    UnreadableEntry,
    depth_of,
    read_entry,
    strict_json,
    text_fault,
)
from sync.limits import LIMITS

ID = "018f0000-0000-7000-8000-000000000001"
CAPTURED = {"wall_ms": 1, "boot": "b", "monotonic_ms": 2}
SOUND = {"id": ID, "kind": "visit_recorded", "captured": CAPTURED, "body": {"note": "xin chào"}}
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(st.text())
def test_any_text_is_read_without_raising(text):
    assert isinstance(read_entry(text, LIMITS), UnreadableEntry | CapturedEntry)


@given(st.dictionaries(st.sampled_from((*SOUND, "more")), any_json))
def test_any_members_are_read_without_raising(members):
    entry = read_entry(json.dumps(SOUND | members), LIMITS)
    if entry.kind is not None:
        assert entry.kind.isascii()
        assert "\0" not in entry.kind
        assert len(entry.kind) <= 64
    if isinstance(entry, UnreadableEntry):
        assert len(entry.fault.field or "") <= FIELD_CHARACTERS


@given(any_json)
def test_any_body_is_read_without_raising(body):
    entry = read_entry(json.dumps(SOUND | {"body": body}), LIMITS)
    assert entry.entry_id == ID
    assert entry.kind == "visit_recorded"


def test_a_sound_entry_keeps_its_text():
    """[E1] No end ever parses and rewrites an entry's bytes."""
    raw = json.dumps(SOUND, indent=3)
    entry = read_entry(raw, LIMITS)
    assert isinstance(entry, CapturedEntry)
    assert (entry.raw, entry.entry_id, entry.captured.monotonic_ms) == (raw, ID, 2)


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', "NaN", "-Infinity", "9" * 5000, "{", "", "[" * 100_000])
def test_strict_json_refuses_what_readers_disagree_about(text):
    with pytest.raises((ValueError, RecursionError)):
        strict_json(text)
    assert issubclass(DuplicateMemberError, ValueError)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda raw: raw + " " * LIMITS.entry_bytes, EntryCode.ENTRY_TOO_LARGE),
        (lambda raw: raw.replace('"xin ch\\u00e0o"', "[" * 20 + "]" * 20), EntryCode.ENTRY_TOO_DEEP),
        (lambda raw: raw.replace('"xin ch\\u00e0o"', "NaN"), EntryCode.ENTRY_UNREADABLE),
        (lambda raw: raw.replace('"xin ch\\u00e0o"', "9" * 5000), EntryCode.ENTRY_UNREADABLE),
        (lambda raw: raw.replace('"note"', '"note": 1, "note"'), EntryCode.ENTRY_UNREADABLE),
        (lambda raw: raw.replace("xin", "\\u0000"), EntryCode.TEXT_HAS_NUL),
        (lambda raw: raw.replace("xin", "\\ud800"), EntryCode.FIELD_INVALID),
        (lambda raw: raw.replace("xin", "x" * 600), EntryCode.TEXT_TOO_LONG),
    ],
)
def test_of_a_bad_entry_the_id_the_kind_and_the_body_are_salvaged(spoil, code):
    """[R9.5] What can be read of an entry that breaks a limit (its id, its money) is used."""
    entry = read_entry(spoil(json.dumps(SOUND)), LIMITS)
    assert isinstance(entry, UnreadableEntry)
    assert (entry.fault.code, entry.entry_id, entry.kind) == (code, ID, "visit_recorded")
    assert entry.body is not None


def test_a_member_named_twice_with_two_values_has_none():
    raw = json.dumps(SOUND)[:-1] + f', "id": "{ID[:-1]}2", "kind": "visit_recorded"}}'
    entry = read_entry(raw, LIMITS)
    assert (entry.entry_id, entry.kind) == (None, "visit_recorded")


@pytest.mark.parametrize("kind", ["", "Visit", "visit\0", "\ud800", "x" * 65, "đi", "1st", "a b"])
def test_a_kind_that_no_catalogue_could_hold_is_unknown_and_not_kept(kind):
    entry = read_entry(json.dumps(SOUND | {"kind": kind}), LIMITS)
    assert isinstance(entry, UnreadableEntry)
    assert (entry.fault.code, entry.kind) == (EntryCode.KIND_UNKNOWN, None)


@given(any_json)
def test_depth_is_counted_up_to_one_past_the_ceiling(value):
    def depth(node) -> int:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return 1 + max(map(depth, children), default=-1) if isinstance(node, dict | list) and children else 0

    assert depth_of(value, 3) == min(depth(value), 4)


def test_a_fault_names_the_place_of_the_text():
    assert text_fault({"a": [{"b": "x\0"}]}, LIMITS).field == "body.a.0.b"
    assert text_fault({"a" * 5000: "\0"}, LIMITS).field == ("body." + "a" * 5000)[:FIELD_CHARACTERS]
    assert text_fault({"a": ["x", 1, None, True, 0.5]}, LIMITS) is None
