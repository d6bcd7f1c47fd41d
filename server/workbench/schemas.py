"""What the workbench's JSON addresses take and give. Times are Unix milliseconds."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from schemas.base import (
    RequestSchema,
    ResponseSchema,
    boolean,
    entry_id,
    integer,
    json_object,
    list_of,
    nested,
    optional,
    text,
)
from server.dashboard.rules import LIST_LINES, PAGES_MOST

_MOST = 2**53


def _word() -> fields.Field[Any]:
    return text(most=64)


def _at_ms() -> fields.Field[Any]:
    return integer(-_MOST, _MOST)


class ConflictLineShown(ResponseSchema):
    """A record with fields in dispute."""

    record_type = _word()
    record = entry_id()
    name = text(most=300)
    area = _word()
    fields_ = list_of(_word(), data_key="fields", attribute="fields")
    found_ms = _at_ms()


class ConflictsShown(ResponseSchema):
    """One page of records in dispute, the longest waiting first."""

    conflicts = list_of(nested(ConflictLineShown), most=LIST_LINES)
    page = integer(1, PAGES_MOST)
    has_more = boolean()


class ClaimShown(ResponseSchema):
    """What one entry says of a field; numbers are masked. Null: it cleared the field."""

    entry = entry_id()
    value = optional(text(most=500))
    author = text(most=300)
    captured_ms = _at_ms()
    received_ms = _at_ms()
    stands = boolean()
    is_decision = boolean()


class DisputeShown(ResponseSchema):
    """A field with the entries that disagree on it, the one that stands first."""

    field = _word()
    claims = list_of(nested(ClaimShown), most=1000)


class ConflictShown(ResponseSchema):
    """A record in dispute. `base` goes back with the resolution: it says what was seen."""

    record_type = _word()
    record = entry_id()
    name = text(most=300)
    area = _word()
    base = entry_id()
    disputes = list_of(nested(DisputeShown))


class Resolution(RequestSchema):
    """What settles fields: `choose` maps a field to one of the entries, `set` to another value."""

    base = entry_id()
    choose = json_object(required=False, load_default=dict)
    set = json_object(required=False, load_default=dict)
