"""Writes of the insurer's own numbers beside our receipts.

A number is given once. What was wrong is corrected by a new row with its reason, and the row before stays;
nothing of the receipt itself ever changes. Rows are the office's own, so the desk journal brings them back.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.audit.changes import Change
from server.receipts.models import OfficialNumber
from server.receipts.queries import (
    StandingNumber,
    holder_of_number,
    receipts_of_numbers,
    standing_number,
)
from server.receipts.rules import (
    KnownReceipt,
    OfficialName,
    OfficialRefusal,
    is_for_insurer,
    is_reason,
    official_name,
    parsed_number,
)
from sync.ports import IdSource


class OfficialRefusedError(Exception):
    """The number was not taken down; `code` says why, and nothing was written."""

    def __init__(self, code: OfficialRefusal) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class OfficialGiven:
    """What somebody says: our printed number, and the insurer's series and number as typed.

    With a `reason` it corrects what stands there; both blank then say that there is no number after all.
    """

    receipt_number: str
    series: str
    number: str
    reason: str | None = None


def receipt_of_number(change: Change, printed: str) -> KnownReceipt:
    """Return the receipt of money under a printed number. Raises OfficialRefusedError."""
    place = parsed_number(printed)
    if place is None:
        raise OfficialRefusedError(OfficialRefusal.NO_SUCH_RECEIPT)
    found = receipts_of_numbers(change.connection, [place])
    if len(found) > 1:
        # A cloned tablet gave the number twice: whose money the insurer's number is about is not settled.
        raise OfficialRefusedError(OfficialRefusal.RECEIPT_IN_DISPUTE)
    if not found or not is_for_insurer(found[0].kind):
        raise OfficialRefusedError(OfficialRefusal.NO_SUCH_RECEIPT)
    if found[0].code is not None:
        raise OfficialRefusedError(OfficialRefusal.RECEIPT_IN_DISPUTE)
    return found[0]


def give_official_number(change: Change, ids: IdSource, receipt: KnownReceipt, given: OfficialGiven) -> None:
    """Take down the insurer's number of a receipt, or correct it. Raises OfficialRefusedError."""
    standing = standing_number(change.connection, receipt)
    name = _name_given(given, standing)
    if name is not None:
        holder = holder_of_number(change.connection, name)
        if holder is not None and holder != (standing and standing.id):
            raise OfficialRefusedError(OfficialRefusal.NUMBER_TAKEN)
    fresh_id, table = ids.new_id(), OfficialNumber.__table__
    if standing is not None:
        change.update(table, {"id": standing.id}, superseded_by=fresh_id)
        # Only one row of a receipt stands at any moment, and the table's key says so.
        change.flush()
    change.insert(
        table,
        id=fresh_id,
        installation=receipt.installation,
        counter=receipt.counter,
        content_digest=receipt.content_digest,
        series=None if name is None else name.series,
        number=None if name is None else name.number,
        number_value=None if name is None else int(name.number),
        reason=None if standing is None else given.reason,
        actor=change.actor.chain,
        at_ms=change.now_ms,
        superseded_by=None,
    )
    action = "official_number_given" if standing is None else "official_number_corrected"
    change.audit(
        action,
        f"{receipt.installation}-{receipt.counter}",
        series=None if name is None else name.series,
        number=None if name is None else name.number,
        before=None if standing is None else standing.id,
    )


def _name_given(given: OfficialGiven, standing: StandingNumber | None) -> OfficialName | None:
    """Return the number that is to stand, None for none. Raises OfficialRefusedError."""
    if standing is not None and given.reason is None:
        raise OfficialRefusedError(OfficialRefusal.HAS_A_NUMBER)
    if given.reason is not None:
        if standing is None:
            raise OfficialRefusedError(OfficialRefusal.NOTHING_TO_CORRECT)
        if not is_reason(given.reason):
            raise OfficialRefusedError(OfficialRefusal.REASON_MISSING)
        if not given.series.strip() and not given.number.strip():
            return None
    name = official_name(given.series, given.number)
    if name is None:
        raise OfficialRefusedError(OfficialRefusal.MALFORMED)
    return name
