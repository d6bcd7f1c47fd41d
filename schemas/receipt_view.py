"""What the server says about a receipt's digits: `GET /api/v1/receipts/<digits>`."""

from __future__ import annotations

from schemas.base import ResponseSchema, choice, integer, nested, optional, pattern, text
from schemas.receipt_token import ReceiptFault, ReceiptKind
from sync.entry import LARGEST_INTEGER

STANDINGS = (
    "not_a_receipt",
    "key_unknown",
    "signature_invalid",
    "after_cut_off",
    "unknown",
    "recovering",
    "pending",
    "reconciled",
    "voided",
    "replaced",
    "quarantined",
)


class ReceiptNumbers(ResponseSchema):
    """What was signed; kinds as in the token (1 voluntary, 2 health, 9 void, …)."""

    installation = integer(0, LARGEST_INTEGER - 1)
    counter = integer(1, LARGEST_INTEGER - 1)
    issued_at_s = integer(0, LARGEST_INTEGER - 1)
    kind = integer(min(ReceiptKind), max(ReceiptKind))
    amount_vnd = integer(0, LARGEST_INTEGER - 1)
    campaign = integer(0, LARGEST_INTEGER - 1)


class ReceiptShown(ResponseSchema):
    """The standing, and as much as is true. `content` is null unless the signature is true."""

    standing = choice(STANDINGS)
    reason = optional(choice(tuple(str(fault) for fault in ReceiptFault)))
    content = optional(nested(ReceiptNumbers))
    number = optional(pattern(r"[0-9]{2}-[0-9]{5,10}-[0-9]{8,10}"))
    related_number = optional(pattern(r"[0-9]{2}-[0-9]{5,10}-[0-9]{8,10}"))
    payer_initials = optional(text(most=20))
    office = optional(text(most=300))
