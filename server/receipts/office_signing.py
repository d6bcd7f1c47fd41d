"""Receipts that the office's own key signs: installation 0, one counter without a gap.

The link of the first covers the text "tungnha office receipts" and the key's id in place of a
certificate; no acknowledgement is linked (docs/protocol.md, "Receipts").
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from schemas.receipt_token import (
    SALT_BYTES,
    ReceiptContent,
    ReceiptKind,
    content_digest,
    parse_receipt,
    payment_digest,
    receipt_link,
    sign_receipt,
)
from schemas.signatures import PrivateKey, to_base64url
from server.audit.changes import Change
from server.journals.actions import lock_names
from server.receipts.models import OfficeReceipt
from server.receipts.queries import OwnReceipt, newest_office_receipt
from server.receipts.rules import OFFICE_INSTALLATION

_COUNTER = "office_receipts"


@dataclass(frozen=True, slots=True)
class OfficeReceiptGiven:
    """What a receipt is to say; `facts` is the text that its digest covers, `fund` stands as campaign."""

    donation_id: str
    kind: ReceiptKind
    amount_vnd: int
    fund: int
    facts: str
    refers: int | None = None


def issue_office_receipt(change: Change, key: PrivateKey, given: OfficeReceiptGiven) -> OwnReceipt:
    """Sign the next receipt of the office and keep it.

    Numbers are given one by one: the counter stays locked until the change ends, and a change that
    fails gives none.
    """
    change.flush()
    lock_names(change.connection, [_COUNTER])
    before = newest_office_receipt(change.connection)
    salt = secrets.token_bytes(SALT_BYTES)
    content = ReceiptContent(
        installation=OFFICE_INSTALLATION,
        counter=1 if before is None else before.counter + 1,
        issued_at_s=change.now_ms // 1000,
        kind=given.kind,
        amount_vnd=given.amount_vnd,
        campaign=given.fund,
        link=receipt_link(
            None if before is None else parse_receipt(before.token).sig_structure,
            None,
            f"tungnha office receipts {key.kid}",
        ),
        digest=payment_digest(salt, given.facts),
        refers=None if given.refers is None else (OFFICE_INSTALLATION, given.refers),
    )
    token = sign_receipt(content, key)
    receipt = OwnReceipt(
        counter=content.counter,
        donation_id=given.donation_id,
        kind=int(given.kind),
        amount_vnd=given.amount_vnd,
        refers=given.refers,
        issued_at_s=content.issued_at_s,
        token=token,
        content_digest=content_digest(parse_receipt(token)),
    )
    change.insert(
        OfficeReceipt.__table__,
        **{name: getattr(receipt, name) for name in OwnReceipt.__dataclass_fields__},
        salt=to_base64url(salt),
        actor=change.actor.chain,
        at_ms=change.now_ms,
    )
    change.audit(
        "office_receipt_issued",
        f"{OFFICE_INSTALLATION}-{receipt.counter}",
        donation=given.donation_id,
        kind=receipt.kind,
        amount_vnd=receipt.amount_vnd,
    )
    return receipt
