"""The exchanges between a device and the server, member by member (docs/protocol.md)."""

from __future__ import annotations

from marshmallow import fields

from schemas.base import (
    RequestSchema,
    ResponseSchema,
    base64url,
    boolean,
    hex_digest,
    integer,
    list_of,
    nested,
    optional,
    pattern,
    text,
    uuid_text,
)
from sync.entry import BOOT_PATTERN, LARGEST_INTEGER
from sync.limits import LIMITS

# The version of all of it (docs/protocol.md, "Versions").
PROTOCOL = 2
# What is served side by side; schemas/earlier.py lifts the older ones.
SERVED_PROTOCOLS = (1, 2)
_MOST = LARGEST_INTEGER - 1
SCOPE = r"[a-z]{1,20}(?::[0-9A-Za-z@.:-]{1,80})?"


class SignedStatement(RequestSchema):
    """A JSON string signed by the office key; kept and shown back verbatim."""

    text = text(most=1000)
    kid = pattern(r"[0-9a-f]{8}")
    signature = base64url()


class Head(RequestSchema):
    """A journal's last position and the chain digest there."""

    seq = integer(0, _MOST)
    digest = hex_digest()


class ClockShown(RequestSchema):
    """The device's clocks at the moment of sending, in milliseconds."""

    wall_ms = integer(-_MOST, _MOST)
    boot = pattern(BOOT_PATTERN)
    monotonic_ms = integer(0, _MOST)


class Hole(RequestSchema):
    """Entries that the device purged and the server asks for again."""

    from_seq = integer(1, _MOST)
    floor_seq = integer(1, _MOST)
    floor_digest = hex_digest()


class RawEntry(fields.String):
    """An entry's JSON exactly as captured: any text, judged entry by entry and never here."""


class Push(RequestSchema):
    """A run of consecutive entries."""

    first_seq = integer(1, _MOST)
    previous_digest = hex_digest()
    entries = list_of(RawEntry(), most=LIMITS.batch_entries)


class CursorShown(RequestSchema):
    """Where the device stands in one scope, with the count and sum of what it holds there."""

    scope = pattern(SCOPE)
    epoch = integer(0, _MOST)
    seq = integer(0, _MOST)
    count = integer(0, _MOST)
    sum = pattern(r"[0-9a-f]{16}")


class Pull(RequestSchema):
    """What the device holds, and how many rows it wants at most.

    `differing` names scopes whose sum differed at the head: they are read again from 0.
    """

    have = list_of(nested(CursorShown), most=5000)
    limit = integer(1, LIMITS.pull_rows)
    differing = list_of(pattern(SCOPE), most=5000)


class SyncRequest(RequestSchema):
    """`POST /api/v1/sync`: the push, the pull, or both."""

    protocol = integer(1, 1_000_000)
    installation = uuid_text()
    journal_head = nested(Head)
    clock = nested(ClockShown)
    last_ack = optional(nested(SignedStatement))
    predecessor = optional(uuid_text())
    certificate = optional(nested(SignedStatement))
    hole = optional(nested(Hole))
    push = optional(nested(Push))
    pull = optional(nested(Pull))


class VerdictShown(ResponseSchema):
    """The decision about one entry."""

    seq = integer(1, _MOST)
    id = optional(text(most=100))
    verdict = text(most=20)
    code = optional(text(most=64))
    field = optional(text(most=200))
    flags = list_of(text(most=64))


class OutcomeShown(ResponseSchema):
    """What has become of an entry, where that is no longer its verdict."""

    id = text(most=100)
    state = text(most=20)
    code = optional(text(most=64))
    field = optional(text(most=200))


class GrantShown(ResponseSchema):
    """A scope that the device may read, as it stands in this pull's snapshot."""

    scope = text(most=120)
    epoch = integer(0, _MOST)
    head = integer(0, _MOST)
    count = integer(0, _MOST)
    sum = pattern(r"[0-9a-f]{16}")


class Row(ResponseSchema):
    """One change of a scope: `op` is put or remove; `record` is null on remove."""

    scope = text(most=120)
    seq = integer(1, _MOST)
    type = text(most=40)
    id = text(most=100)
    version = integer(0, _MOST)
    op = text(most=10)
    row_hash = text(most=16, least=0)
    record = fields.Dict(keys=fields.String(), required=True, allow_none=True)


class LimitsShown(ResponseSchema):
    """The limits in force (sync/limits.py)."""

    batch_entries = integer(1, _MOST)
    body_bytes = integer(1, _MOST)
    inflated_bytes = integer(1, _MOST)
    entry_bytes = integer(1, _MOST)
    json_depth = integer(1, _MOST)
    text_characters = integer(1, _MOST)
    list_items = integer(1, _MOST)
    pull_rows = integer(1, _MOST)
    amount_vnd = integer(1, _MOST)


class SyncResponse(ResponseSchema):
    """The answer: the acknowledgement, verdicts in order, outcomes, and rows of the pull.

    While the office is `recovering` from a restore, nothing leaves the device.
    """

    ack = nested(SignedStatement)
    verdicts = list_of(nested(VerdictShown), most=LIMITS.batch_entries)
    outcomes = list_of(nested(OutcomeShown), most=LIMITS.batch_entries)
    grants = optional(list_of(nested(GrantShown), most=100_000))
    rows = list_of(nested(Row), most=LIMITS.pull_rows)
    recovering = boolean()
    limits = nested(LimitsShown)


class EnrolmentRequest(RequestSchema):
    """`POST /api/v1/enrolments`: a one-time code for a registered key. Signed with that key.

    `installation` is made on the device; `public_key` is the DER SubjectPublicKeyInfo. A restored
    office may have forgotten the predecessor, whose certificate brings it back.
    """

    protocol = integer(1, 1_000_000)
    installation = uuid_text()
    code = base64url(most=64)
    public_key = base64url(most=200)
    predecessor = optional(uuid_text())
    predecessor_certificate = optional(nested(SignedStatement))
    clock = nested(ClockShown)


class EnrolmentResponse(ResponseSchema):
    """The installation's number and certificate, and what the device needs to work offline."""

    installation = uuid_text()
    number = integer(1, _MOST)
    worker = nested(ResponseSchema.from_dict({"id": text(most=100), "name": text(most=200)}))
    certificate = nested(SignedStatement)
    office_public_key = base64url(most=200)
    receipt_url = text(most=27)
    limits = nested(LimitsShown)


class Problem(ResponseSchema):
    """An error as RFC 9457 problem details, with a code of the contract."""

    type = text(most=200)
    title = text(most=200)
    status = integer(400, 599)
    code = text(most=64)
    detail = optional(text(most=1000))
    field = optional(text(most=200))
    expected_seq = optional(integer(1, _MOST))
    limits = optional(nested(LimitsShown))
