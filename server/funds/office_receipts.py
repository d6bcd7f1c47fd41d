"""Receipts for donations at the office and by transfer, with the corrections and voids that follow them."""

from __future__ import annotations

from schemas.receipt_token import ReceiptKind
from server.audit.changes import Change
from server.funds.desk import FundDesk
from server.funds.office_queries import OfficeDonationState, money_given, office_donation_by_id
from server.funds.refusals import FundRefusal, FundRefusedError
from server.receipts.office_signing import OfficeReceiptGiven, issue_office_receipt
from server.receipts.queries import OwnReceipt, office_receipts_of
from sync.audit import detail_text


def donation_facts(donation: OfficeDonationState) -> str:
    """Return the text that the digest of a donation's receipt covers: its facts without the donor."""
    return detail_text(
        {
            "amount_vnd": donation.amount_vnd,
            "bucket": donation.bucket,
            "channel": donation.channel,
            "corrects": donation.corrects,
            "day": donation.day.isoformat(),
            "donor_class": donation.donor_class,
            "fund": donation.fund,
            "id": donation.id,
        }
    )


def standing_receipt(change: Change, donation_id: str) -> OwnReceipt | None:
    """Return the receipt of a donation that was neither voided nor replaced."""
    receipts = office_receipts_of(change.connection, [donation_id]).get(donation_id, [])
    closed = {each.refers for each in receipts if each.kind == ReceiptKind.VOID}
    given = [each for each in receipts if each.kind != ReceiptKind.VOID and each.counter not in closed]
    return given[-1] if given else None


def issue_donation_receipt(change: Change, desk: FundDesk, donation_id: str) -> OwnReceipt:
    """Give the receipt of a donation whose money is here. Raises FundRefusedError.

    A transfer has one once a line of the statement shows it. A donation that corrects another one gets
    a correction, which refers to that one's receipt.
    """
    change.flush()
    donation = office_donation_by_id(change.connection, donation_id)
    if donation is None:
        raise FundRefusedError(FundRefusal.DONATION_UNKNOWN)
    given = money_given(change.connection, donation.fund, donation_id)
    if given is None:
        raise FundRefusedError(FundRefusal.DONATION_REVERSED)
    if not given.is_here:
        raise FundRefusedError(FundRefusal.DONATION_NOT_HERE)
    if standing_receipt(change, donation_id) is not None:
        raise FundRefusedError(FundRefusal.RECEIPT_GIVEN)
    before = None if donation.corrects is None else standing_receipt(change, donation.corrects)
    return issue_office_receipt(
        change,
        desk.key,
        OfficeReceiptGiven(
            donation_id=donation.id,
            kind=ReceiptKind.DONATION if before is None else ReceiptKind.CORRECTION,
            amount_vnd=donation.amount_vnd,
            fund=donation.fund,
            facts=donation_facts(donation),
            refers=None if before is None else before.counter,
        ),
    )


def void_donation_receipt(change: Change, desk: FundDesk, donation_id: str) -> OwnReceipt:
    """Void the receipt of a donation that was taken back: reversed, or bounced. Raises FundRefusedError."""
    change.flush()
    donation = office_donation_by_id(change.connection, donation_id)
    if donation is None:
        raise FundRefusedError(FundRefusal.DONATION_UNKNOWN)
    receipt = standing_receipt(change, donation_id)
    if receipt is None:
        raise FundRefusedError(FundRefusal.RECEIPT_MISSING)
    return issue_office_receipt(
        change,
        desk.key,
        OfficeReceiptGiven(
            donation_id=donation.id,
            kind=ReceiptKind.VOID,
            amount_vnd=receipt.amount_vnd,
            fund=donation.fund,
            facts=donation_facts(donation),
            refers=receipt.counter,
        ),
    )
