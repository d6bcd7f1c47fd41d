"""What the office's JSON addresses take and give. Times are Unix milliseconds."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from schemas.base import (
    RequestSchema,
    ResponseSchema,
    boolean,
    day,
    integer,
    list_of,
    nested,
    optional,
    pattern,
    text,
    uuid_text,
)
from server.dashboard.rules import BOARD_LINES, BOARD_ORDERS, HOLDER_KINDS, LIST_LINES, PAGES_MOST
from sync.codes import EntryCode

_MOST = 2**53
# More tablets than any office has.
_TABLETS_MOST = 100_000


def _query_number(most: int, default: int | None) -> fields.Field[Any]:
    """A whole number of a query string, where every value comes as text."""
    check = validate.Range(1, most, error=EntryCode.FIELD_INVALID)
    return fields.Integer(load_default=default, validate=check)


def _word() -> fields.Field[Any]:
    return text(most=64)


def _at_ms() -> fields.Field[Any]:
    return integer(-_MOST, _MOST)


class BoardQuery(RequestSchema):
    """Which board; what is left out is chosen as the page chooses it."""

    campaign = _query_number(999_999, None)
    indicator = fields.String(validate=validate.Length(max=64))
    holder = fields.String(validate=validate.OneOf(HOLDER_KINDS))
    sort = fields.String(load_default="behind", validate=validate.OneOf(BOARD_ORDERS))
    page = _query_number(PAGES_MOST, 1)


class PageQuery(RequestSchema):
    """Which page of a list."""

    page = _query_number(PAGES_MOST, 1)


class CampaignShown(ResponseSchema):
    """A campaign; both days are included."""

    number = integer(1, 999_999)
    name = text(most=300)
    kind = _word()
    from_day = day()
    to_day = day()


class PlanShown(ResponseSchema):
    """A quota, what is expected of it by today, and a ratio that somebody published, never used."""

    kind = _word()
    quota = optional(integer(0, _MOST))
    expected = optional(integer(0, _MOST))
    quoted_percent = optional(text(most=20))
    is_mismatched = boolean()


class SyncShown(ResponseSchema):
    """How old what the office has of an agent is; `unsent` as the tablet last reported."""

    last_sync_ms = optional(_at_ms())
    freshness = _word()
    unsent = optional(integer(0, _MOST))
    reported_ms = optional(_at_ms())


class BoardLineShown(ResponseSchema):
    """One holder of quotas."""

    holder = text(most=200)
    name = text(most=300)
    worker_id = optional(text(most=100))
    organisation = optional(text(most=300))
    team = optional(text(most=300))
    done = integer(0, _MOST)
    percent = optional(pattern(r"[0-9]+\.[0-9]{2}"))
    plans = list_of(nested(PlanShown), most=2)
    sync = optional(nested(SyncShown))
    standing = _word()
    is_minimum_met = optional(boolean())


class MinimumShown(ResponseSchema):
    """A minimum over several indicators: how many of those of whom it is asked have met all of it."""

    code = text(most=64)
    name_vi = text(most=300)
    name_en = text(most=300)
    met = integer(0, _MOST)
    asked = integer(0, _MOST)


class TabletShown(ResponseSchema):
    """A tablet that may still hold something of a period, and why."""

    installation = uuid_text()
    number = text(most=20)
    worker_id = text(most=100)
    worker_name = text(most=300)
    reason = _word()


class CompletenessShown(ResponseSchema):
    """What is still missing of a period: counts of the whole office, and the tablets in sight."""

    installations = integer(0, _MOST)
    outstanding = integer(0, _MOST)
    unsettled = integer(0, _MOST)
    written_off = integer(0, _MOST)
    is_over = boolean()
    is_recovering = boolean()
    is_final = boolean()
    tablets = list_of(nested(TabletShown), most=_TABLETS_MOST)


class BoardShown(ResponseSchema):
    """A board: one indicator and kind of holder; totals are over all lines, not over one page."""

    campaign = nested(CampaignShown)
    indicator = text(most=64, least=0)
    holder_kind = _word()
    done = integer(0, _MOST)
    totals = list_of(nested(PlanShown), most=2)
    lines = list_of(nested(BoardLineShown), most=BOARD_LINES)
    lines_total = integer(0, _MOST)
    completeness = nested(CompletenessShown)
    minimums = list_of(nested(MinimumShown), most=BOARD_LINES)
    plan_whole = optional(integer(0, _MOST))
    has_more = boolean()


class EntryShown(ResponseSchema):
    """An entry without its bytes: the verdict that it got, and what has become of it since."""

    installation = uuid_text()
    seq = integer(1, _MOST)
    id = text(most=100)
    kind = optional(_word())
    worker_id = optional(text(most=100))
    worker_name = text(most=300)
    received_ms = _at_ms()
    wall_ms = optional(_at_ms())
    lower_ms = _at_ms()
    upper_ms = _at_ms()
    business_day = day()
    verdict = _word()
    verdict_code = optional(_word())
    verdict_field = optional(text(most=300))
    flags = list_of(_word())
    state = optional(_word())
    code = optional(_word())
    field = optional(text(most=300))


class EntriesShown(ResponseSchema):
    """One page of entries."""

    entries = list_of(nested(EntryShown), most=LIST_LINES)
    page = integer(1, PAGES_MOST)
    has_more = boolean()


class EnrolmentCodeRequest(RequestSchema):
    """Whose tablet the code is for."""

    worker = uuid_text()


class EnrolmentCodeShown(ResponseSchema):
    """A one-time code; it is told this once."""

    worker = uuid_text()
    code = text(most=64)
    expires_ms = _at_ms()
