"""Released versions before the current one: their shapes, and how these are lifted to today's.

A device may be months behind, and an updated one still sends what it captured before: a body is
recognised by its own shape, never by the version of the request that brings it
(docs/protocol.md, "Versions"). What stands here is never changed once it was released.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from schemas.base import RequestSchema, amount_vnd, choice, day, entry_id, integer, list_of, nested, optional
from schemas.exchange import CursorShown, SyncRequest
from schemas.kinds import ENROLMENT_STATUSES, SCHEMES, OutreachFact
from sync.limits import LIMITS
from sync.verdict import OutcomeState


class PullV1(RequestSchema):
    """Version 1: nothing is said about scopes that differed."""

    have = list_of(nested(CursorShown), most=5000)
    limit = integer(1, LIMITS.pull_rows)


class SyncRequestV1(SyncRequest):
    """`POST /api/v1/sync` of version 1."""

    pull = optional(nested(PullV1))


class EnrolmentRecordedV1(OutreachFact):
    """Version 1 named the first day; insurance runs by whole months."""

    person = entry_id()
    scheme = choice(SCHEMES)
    status = choice(ENROLMENT_STATUSES)
    from_day = day()
    months = integer(1, 60)
    income_vnd = optional(amount_vnd())
    amount_due_vnd = amount_vnd()
    visit = optional(entry_id())


def lifted_request(protocol: int, request: dict[str, Any]) -> dict[str, Any]:
    """Return a loaded sync request of a served version as one of the current version."""
    if protocol == 1 and request["pull"] is not None:
        return {**request, "pull": {**request["pull"], "differing": []}}
    return request


def lowered_outcome(protocol: int, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return an outcome as a device of that version knows it.

    Version 1 has no `answered`: there the entry goes on being quarantined.
    """
    if protocol == 1 and outcome["state"] == OutcomeState.ANSWERED:
        return {**outcome, "state": str(OutcomeState.QUARANTINED)}
    return dict(outcome)


@dataclass(frozen=True, slots=True)
class EarlierBody:
    """A released shape of a kind's body: how it is told from today's, and lifted to it."""

    protocol: int
    schema: Schema
    is_shape_of: Callable[[Mapping[str, Any]], bool]
    lift: Callable[[dict[str, Any]], dict[str, Any]]


# What version 1 did not ask an enrolment for.
_NOT_ASKED = dict.fromkeys(
    ("category", "supported_months", "member", "support", "hospital", "local_support_vnd")
)


def _with_month(loaded: dict[str, Any]) -> dict[str, Any]:
    lifted = {name: value for name, value in loaded.items() if name != "from_day"}
    return {**lifted, **_NOT_ASKED, "from_month": loaded["from_day"].isoformat()[:7]}


EARLIER_BODIES: dict[str, EarlierBody] = {
    "enrolment_recorded": EarlierBody(
        1, EnrolmentRecordedV1(), lambda body: "from_month" not in body, _with_month
    ),
}
