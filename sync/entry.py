"""The envelope of an entry: one immutable fact, exactly as its device captured it.

Never canonicalises: the bytes that were hashed when captured are the entry.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from sync.clock import ClockReading
from sync.codes import EntryCode
from sync.limits import Limits

UUID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
UUID7_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
# What an entry is known by: its id, or the stand-in of one whose id cannot be read or is taken.
ENTRY_NAME_PATTERN = re.compile(rf"{UUID7_PATTERN.pattern}|{UUID_PATTERN.pattern}/[0-9a-f]{{32}}")
BOOT_PATTERN = re.compile(r"[0-9A-Za-z_-]{1,64}")
KIND_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MEMBERS = {"id", "kind", "captured", "body"}
_CLOCK_MEMBERS = {"wall_ms", "boot", "monotonic_ms"}
# 2**53: the largest whole number that every JSON reader keeps exactly.
LARGEST_INTEGER = 9_007_199_254_740_992
# A fault names its field with the sender's own member names; they may be of any length.
FIELD_CHARACTERS = 200
_PLAIN_NAME = re.compile(r"[0-9A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an entry cannot be applied, as a value: a code and the field it is about."""

    code: EntryCode
    field: str | None = None


class CapturedEntry(NamedTuple):
    """An entry whose envelope reads well. `body` still has to pass its kind's schema.

    A tuple, since there is one for each entry and a frozen dataclass takes three times as long to make.
    """

    entry_id: str
    kind: str
    captured: ClockReading
    body: dict[str, Any]
    raw: str


@dataclass(frozen=True, slots=True)
class UnreadableEntry:
    """An entry with a bad envelope; what could be read of it is kept for people and for the ledger."""

    fault: Fault
    raw: str
    entry_id: str | None = None
    kind: str | None = None
    captured: ClockReading | None = None
    body: dict[str, Any] | None = None


def shown_name(name: str) -> str:
    """Return a sender's member name as a fault may repeat it: what is no plain name is only "?".

    Otherwise a blank or a letter in another form would make the answer itself break the contract.
    """
    return name if _PLAIN_NAME.fullmatch(name) else "?"


class DuplicateMemberError(ValueError):
    """A JSON object names a member twice."""


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateMemberError
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def strict_json(text: str) -> Any:
    """Parse JSON and refuse NaN, Infinity, repeated members and bottomless nesting.

    Raises ValueError (of which JSONDecodeError and DuplicateMemberError are kinds) or
    RecursionError.
    """
    return json.loads(text, object_pairs_hook=_object_without_duplicates, parse_constant=_refuse_constant)


def _first_meanings(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object where a member that was named twice with two values has none."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        members[name] = value if name not in members or members[name] == value else None
    return members


def _lax_json(text: str) -> Any:
    """Parse what `strict_json` refuses, for evidence only; None where it is no JSON at all."""
    try:
        return json.loads(text, object_pairs_hook=_first_meanings, parse_int=_bounded_integer)
    except (ValueError, RecursionError):
        return None


def _bounded_integer(digits: str) -> int | float:
    # Python refuses to read more than 4300 digits; nothing here has more than 16.
    return int(digits) if len(digits) <= 40 else float("inf")


def depth_of(value: Any, ceiling: int) -> int:
    """Return how deep containers nest in `value`, stopping one past `ceiling`."""
    level = [value]
    depth = 0
    while True:
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return depth
        depth += 1
        if depth > ceiling:
            return depth


def text_fault(value: Any, limits: Limits, field: str = "body") -> Fault | None:
    """Return the first fault of any text inside `value`: a NUL, a lone surrogate, too long."""
    pending = [(field, value)]
    while pending:
        name, node = pending.pop()
        name = name[:FIELD_CHARACTERS]
        if isinstance(node, str):
            if "\x00" in node:
                return Fault(EntryCode.TEXT_HAS_NUL, name)
            if len(node) > max(limits.text_characters, 1000 if name.endswith("token") else 0):
                return Fault(EntryCode.TEXT_TOO_LONG, name)
            if not node.isascii() and any("\ud800" <= letter <= "\udfff" for letter in node):
                return Fault(EntryCode.FIELD_INVALID, name)
        elif isinstance(node, dict):
            pending.extend((f"{name}.{shown_name(key)}", child) for key, child in reversed(node.items()))
            pending.extend((f"{name}", key) for key in node if "\x00" in key or not key.isascii())
        elif isinstance(node, list):
            pending.extend((f"{name}.{index}", child) for index, child in enumerate(node))
    return None


def clock_reading(value: Any) -> ClockReading | None:
    """Return the reading in `value`, or None when it is not one."""
    if not isinstance(value, dict) or set(value) != _CLOCK_MEMBERS:
        return None
    wall_ms, boot, monotonic_ms = value["wall_ms"], value["boot"], value["monotonic_ms"]
    for number in (wall_ms, monotonic_ms):
        if type(number) is not int or abs(number) >= LARGEST_INTEGER:
            return None
    if monotonic_ms < 0 or not isinstance(boot, str) or not BOOT_PATTERN.fullmatch(boot):
        return None
    return ClockReading(wall_ms=wall_ms, boot=boot, monotonic_ms=monotonic_ms)


def _envelope_fault(value: dict[str, Any], captured: ClockReading | None) -> Fault | None:
    for name in ("id", "kind", "captured", "body"):
        if name not in value:
            return Fault(EntryCode.FIELD_MISSING, name)
    unknown = set(value) - _MEMBERS
    if unknown:
        return Fault(EntryCode.FIELD_UNKNOWN, None)
    if not isinstance(value["id"], str) or not UUID7_PATTERN.fullmatch(value["id"]):
        return Fault(EntryCode.ENTRY_ID_MALFORMED, "id")
    if not isinstance(value["kind"], str):
        return Fault(EntryCode.FIELD_WRONG_TYPE, "kind")
    if not KIND_PATTERN.fullmatch(value["kind"]):
        return Fault(EntryCode.KIND_UNKNOWN, "kind")
    if captured is None:
        return Fault(EntryCode.FIELD_INVALID, "captured")
    if not isinstance(value["body"], dict):
        return Fault(EntryCode.FIELD_WRONG_TYPE, "body")
    return None


def read_entry(raw: str, limits: Limits) -> CapturedEntry | UnreadableEntry:
    """Read the envelope of one entry; never raises, whatever the bytes are."""
    if len(raw.encode("utf-8", "surrogatepass")) > limits.entry_bytes:
        return _salvage(raw, Fault(EntryCode.ENTRY_TOO_LARGE))
    try:
        value = strict_json(raw)
    except (ValueError, RecursionError):
        return _salvage(raw, Fault(EntryCode.ENTRY_UNREADABLE))
    if not isinstance(value, dict):
        return UnreadableEntry(Fault(EntryCode.ENTRY_UNREADABLE), raw)
    if depth_of(value, limits.json_depth) > limits.json_depth:
        return _salvage(raw, Fault(EntryCode.ENTRY_TOO_DEEP))
    captured = clock_reading(value.get("captured"))
    fault = _envelope_fault(value, captured) or text_fault(value["body"], limits)
    if fault is not None or captured is None:
        return _unreadable(value, raw, fault or Fault(EntryCode.FIELD_INVALID, "captured"))
    return CapturedEntry(value["id"], value["kind"], captured, value["body"], raw)


def _salvage(raw: str, fault: Fault) -> UnreadableEntry:
    """Keep what can be read of an entry that breaks a limit or is no strict JSON: its id, its money."""
    value = _lax_json(raw)
    return _unreadable(value, raw, fault) if isinstance(value, dict) else UnreadableEntry(fault, raw)


def _unreadable(value: dict[str, Any], raw: str, fault: Fault) -> UnreadableEntry:
    entry_id, kind, body = value.get("id"), value.get("kind"), value.get("body")
    return UnreadableEntry(
        fault,
        raw,
        entry_id if isinstance(entry_id, str) and UUID7_PATTERN.fullmatch(entry_id) else None,
        kind if isinstance(kind, str) and KIND_PATTERN.fullmatch(kind) else None,
        clock_reading(value.get("captured")),
        body if isinstance(body, dict) else None,
    )
