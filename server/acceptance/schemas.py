"""What the JSON addresses of acceptance take and give."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.base import RequestSchema, ResponseSchema, boolean, day, integer, list_of, nested, optional, text
from server.dashboard.schemas import CompletenessShown
from sync.codes import EntryCode

_MOST = 2**53
# Holders times indicators of one office: far more than any has.
_LINES_MOST = 1_000_000


class PeriodQuery(RequestSchema):
    """Which period: of a campaign, up to its last day or to `to_day`; or of the office up to a day."""

    campaign = fields.Integer(
        load_default=None, validate=validate.Range(1, 999_999, error=EntryCode.FIELD_INVALID)
    )
    to_day = fields.Date(load_default=None)


class PeriodShown(ResponseSchema):
    """A period and how complete it is."""

    campaign = optional(integer(1, 999_999))
    to_day = day()
    completeness = nested(CompletenessShown)


class LineShown(ResponseSchema):
    """One holder and indicator: accepted, adjusted since, and what counts now."""

    indicator = text(most=64)
    holder_kind = text(most=64)
    holder = text(most=200)
    name = text(most=300)
    counted = integer(0, _MOST)
    carried = integer(-_MOST, _MOST)
    paid = integer(-_MOST, _MOST)
    quota_initial = optional(integer(0, _MOST))
    quota_supplementary = optional(integer(0, _MOST))
    adjusted = integer(-_MOST, _MOST)
    recounted = integer(0, _MOST)
    difference = integer(-_MOST, _MOST)
    fingerprint = text(most=64, least=0)


class StatementShown(ResponseSchema):
    """A statement with the lines in sight; `difference` adds up what is not posted yet."""

    number = integer(1, _MOST)
    campaign = integer(0, 999_999)
    from_day = day()
    to_day = day()
    accepted_ms = integer(0, _MOST)
    is_complete = boolean()
    override_reason = optional(text(most=500))
    installations = integer(0, _MOST)
    outstanding = integer(0, _MOST)
    unsettled = integer(0, _MOST)
    digest = text(most=64)
    difference = integer(0, _MOST)
    lines = list_of(nested(LineShown), most=_LINES_MOST)
