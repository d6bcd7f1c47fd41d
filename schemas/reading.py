"""Reading of entries as ordinary devices write them, at the speed of C.

An entry is taken only where its text is the very one that its value is written as: then no member
is named twice and no number has lost anything. Whatever else there is, `sync.entry.read_entry` and
the kind's schema read, and explain; for what is taken here both give the same (docs/decisions/0016).
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from schemas.catalogue import KINDS, Kind, accepted_body
from schemas.derived import UNREADABLE
from sync.clock import ClockReading
from sync.entry import BOOT_PATTERN, LARGEST_INTEGER, UUID7_PATTERN, CapturedEntry, text_fault
from sync.limits import Limits

_MOST = LARGEST_INTEGER - 1


class _Captured(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """The rules of `sync.entry.clock_reading`."""

    wall_ms: Annotated[int, Meta(ge=-_MOST, le=_MOST)]
    boot: Annotated[str, Meta(pattern=rf"\A(?:{BOOT_PATTERN.pattern})\Z")]
    monotonic_ms: Annotated[int, Meta(ge=0, le=_MOST)]


class _Envelope(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """The rules of `sync.entry.read_entry`; `kind` is one of the catalogue's."""

    id: Annotated[str, Meta(pattern=rf"\A(?:{UUID7_PATTERN.pattern})\Z")]
    kind: str
    captured: _Captured
    body: dict[str, Any]


_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode


def read_known(raw: str, limits: Limits) -> tuple[CapturedEntry, Kind, dict[str, Any]] | None:
    """Return an entry, its kind and its body as the kind's schema loads it; None: read it slowly."""
    try:
        text = raw.encode("utf-8")
        value = _decode(text)
        if len(text) > limits.entry_bytes or _encode(value) != text:
            return None
        envelope = msgspec.convert(value, _Envelope)
    except UNREADABLE:
        return None
    kind = KINDS.get(envelope.kind)
    if kind is None:
        return None
    # The envelope is one level more than the body.
    body = accepted_body(kind, envelope.body, limits.json_depth - 1)
    if body is None:
        return None
    # No text is longer than the whole entry.
    if len(raw) > limits.text_characters and text_fault(envelope.body, limits) is not None:
        return None
    seen = envelope.captured
    captured = ClockReading(seen.wall_ms, seen.boot, seen.monotonic_ms)
    return CapturedEntry(envelope.id, envelope.kind, captured, envelope.body, raw), kind, body
