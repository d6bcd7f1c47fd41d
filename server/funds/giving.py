"""Writes of what is promised and given at the office: pledges, donations, corrections, agents' cash.

A pledge is never money. A correction is a further row; the one before it stays and is reversed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date

from server.audit.changes import Change
from server.bank.queries import matched_targets
from server.funds.accounts import ANY, area_bucket, pool_bucket
from server.funds.desk import FundDesk, checked_reason, locked_fund
from server.funds.models import OfficeDonation, Pledge, RemittanceConfirmation
from server.funds.office_queries import (
    OfficeDonationState,
    office_donation_by_id,
    pledge_by_id,
    pools,
    refunded_vnd,
)
from server.funds.office_receipts import (
    issue_donation_receipt,
    standing_receipt,
    void_donation_receipt,
)
from server.funds.postings import FundStep, confirmation, office_donation
from server.funds.queries import remittance_by_id
from server.funds.refusals import FundRefusal, FundRefusedError
from server.funds.rules import DonorClass, MatchKind
from server.funds.setting_up import checked_text
from server.money.ledger import post
from server.money.rules import reversed_lines
from server.office.queries import areas_by_key
from server.receipts.queries import OwnReceipt

# A company's transfer may be larger than anything that is taken at a door.
LARGEST_VND = 1_000_000_000_000
_MOST_NAME, _MOST_PHONE = 120, 20
_TAX_CODE = re.compile(r"[0-9]{10}(-[0-9]{3})?")


@dataclass(frozen=True, slots=True)
class Donor:
    """Who gives; kept sealed."""

    name: str
    phone: str | None = None
    tax_code: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gives or promises; `restriction` is (area or pool, key). Anonymous has no donor."""

    fund: int
    donor_class: DonorClass
    amount_vnd: int
    donor: Donor | None = None
    restriction: tuple[str, str] | None = None
    pledge_id: str | None = None


def take_pledge(
    change: Change, desk: FundDesk, given: Given, made_on: date, due_on: date | None = None
) -> str:
    """Take down what somebody promises, and return the pledge's id. Raises FundRefusedError."""
    locked_fund(change, given.fund)
    bucket, donor = _checked(change, given)
    if made_on > desk.day(change):
        raise FundRefusedError(FundRefusal.DAY_IN_FUTURE)
    if due_on is not None and due_on < made_on:
        raise FundRefusedError(FundRefusal.DAYS_INVALID)
    pledge_id = desk.ids.new_id()
    change.insert(
        Pledge.__table__,
        id=pledge_id,
        fund=given.fund,
        bucket=bucket,
        donor_class=given.donor_class.value,
        sealed=desk.sealed(donor, "pledge.sealed", pledge_id),
        amount_vnd=given.amount_vnd,
        made_on=made_on,
        due_on=due_on,
        actor=change.actor.chain,
        at_ms=change.now_ms,
        cancelled_by=None,
        cancelled_ms=None,
    )
    change.audit("pledge_taken", pledge_id, fund=given.fund, amount_vnd=given.amount_vnd)
    return pledge_id


def cancel_pledge(change: Change, pledge_id: str) -> None:
    """Let a pledge be no more; what it brought stays. Raises FundRefusedError."""
    change.flush()
    pledge = pledge_by_id(change.connection, pledge_id)
    if pledge is None:
        raise FundRefusedError(FundRefusal.PLEDGE_UNKNOWN)
    if pledge.cancelled_ms is not None:
        raise FundRefusedError(FundRefusal.PLEDGE_CANCELLED)
    values = {"cancelled_by": change.actor.chain, "cancelled_ms": change.now_ms}
    change.update(Pledge.__table__, {"id": pledge_id}, **values)
    change.audit("pledge_cancelled", pledge_id, fund=pledge.fund)


def take_cash_donation(change: Change, desk: FundDesk, given: Given, day: date) -> tuple[str, OwnReceipt]:
    """Take cash at the office; return the donation's id and its receipt. Raises FundRefusedError."""
    locked_fund(change, given.fund)
    donation_id = _take(change, desk, given, "cash", day)
    return donation_id, issue_donation_receipt(change, desk, donation_id)


def take_transfer_donation(change: Change, desk: FundDesk, given: Given, day: date) -> str:
    """Take down a transfer that somebody reports; return its id. Raises FundRefusedError.

    It is money once a line of the statement is matched with it, and has a receipt from then on.
    """
    locked_fund(change, given.fund)
    return _take(change, desk, given, "transfer", day)


def correct_donation(
    change: Change, desk: FundDesk, donation_id: str, given: Given, day: date, reason: str
) -> str:
    """Reverse a donation and take down what is true; return the new row's id. Raises FundRefusedError."""
    donation = _open_donation(change, donation_id)
    if given.fund != donation.fund:
        raise FundRefusedError(FundRefusal.FUND_UNKNOWN)
    told = checked_reason(reason)
    fresh_id = _take(change, desk, given, donation.channel, day, corrects=donation_id, reason=told)
    _reverse(change, desk, donation, fresh_id)
    change.flush()
    if donation.channel == "cash":
        issue_donation_receipt(change, desk, fresh_id)
    change.audit("donation_corrected", donation_id, by=fresh_id, fund=donation.fund)
    return fresh_id


def reverse_donation(change: Change, desk: FundDesk, donation_id: str, reason: str) -> None:
    """Take a donation back that never was; its receipt is voided. Raises FundRefusedError.

    Money that goes back to its donor is a refund (server.funds.payouts), not this.
    """
    donation = _open_donation(change, donation_id)
    told = checked_reason(reason)
    _reverse(change, desk, donation, change.actor.chain)
    kept = told if donation.reason is None else f"{donation.reason}; {told}"
    change.update(OfficeDonation.__table__, {"id": donation_id}, reason=kept)
    if standing_receipt(change, donation_id) is not None:
        void_donation_receipt(change, desk, donation_id)
    change.audit("donation_reversed", donation_id, fund=donation.fund, amount_vnd=donation.amount_vnd)


def confirm_remittance(change: Change, desk: FundDesk, entry_id: str) -> None:
    """Confirm that cash which an agent brought is at the office. Raises FundRefusedError."""
    change.flush()
    found = remittance_by_id(change.connection, entry_id)
    if found is None:
        raise FundRefusedError(FundRefusal.REMITTANCE_UNKNOWN)
    locked_fund(change, found.fund)
    remittance = remittance_by_id(change.connection, entry_id)
    if remittance is None or remittance.is_voided:
        raise FundRefusedError(FundRefusal.REMITTANCE_UNKNOWN)
    if remittance.destination != "office":
        raise FundRefusedError(FundRefusal.REMITTANCE_TO_ACCOUNT)
    matched = matched_targets(change.connection, remittance.fund, MatchKind.REMITTANCE.value)
    if remittance.is_confirmed or entry_id in matched:
        raise FundRefusedError(FundRefusal.REMITTANCE_ARRIVED)
    change.insert(
        RemittanceConfirmation.__table__,
        entry_id=entry_id,
        actor=change.actor.chain,
        at_ms=change.now_ms,
    )
    lines = confirmation(remittance.fund, remittance.amount_vnd)
    post(change, entry_id, FundStep.CONFIRMATION, lines, desk.day(change), change.actor.chain)
    change.audit("remittance_confirmed", entry_id, fund=remittance.fund, amount_vnd=remittance.amount_vnd)


def bucket_of(change: Change, restriction: tuple[str, str] | None) -> str:
    """Return the bucket of a restriction; its area or pool must exist. Raises FundRefusedError."""
    if restriction is None:
        return ANY
    kind, key = restriction
    if kind == "area":
        if not areas_by_key(change.connection, [key]):
            raise FundRefusedError(FundRefusal.AREA_UNKNOWN)
        return area_bucket(key)
    if key not in {pool.code for pool in pools(change.connection)}:
        raise FundRefusedError(FundRefusal.POOL_UNKNOWN)
    return pool_bucket(key)


def _take(
    change: Change,
    desk: FundDesk,
    given: Given,
    channel: str,
    day: date,
    *,
    corrects: str | None = None,
    reason: str | None = None,
) -> str:
    bucket, donor = _checked(change, given)
    if day > desk.day(change):
        raise FundRefusedError(FundRefusal.DAY_IN_FUTURE)
    if given.pledge_id is not None:
        pledge = pledge_by_id(change.connection, given.pledge_id)
        if pledge is None or pledge.fund != given.fund:
            raise FundRefusedError(FundRefusal.PLEDGE_UNKNOWN)
    donation_id = desk.ids.new_id()
    change.insert(
        OfficeDonation.__table__,
        id=donation_id,
        fund=given.fund,
        bucket=bucket,
        donor_class=given.donor_class.value,
        sealed=desk.sealed(donor, "office_donation.sealed", donation_id),
        channel=channel,
        amount_vnd=given.amount_vnd,
        day=day,
        pledge_id=given.pledge_id,
        corrects=corrects,
        reason=reason,
        actor=change.actor.chain,
        at_ms=change.now_ms,
        reversed_by=None,
        reversed_ms=None,
    )
    if channel == "cash":
        lines = office_donation(given.fund, bucket, given.amount_vnd)
        post(change, donation_id, FundStep.OFFICE_DONATION, lines, day, change.actor.chain)
    change.audit("donation_taken", donation_id, fund=given.fund, channel=channel, amount_vnd=given.amount_vnd)
    return donation_id


def _open_donation(change: Change, donation_id: str) -> OfficeDonationState:
    """Return a donation that may be reversed, its fund locked. Raises FundRefusedError."""
    change.flush()
    found = office_donation_by_id(change.connection, donation_id)
    if found is None:
        raise FundRefusedError(FundRefusal.DONATION_UNKNOWN)
    locked_fund(change, found.fund)
    donation = office_donation_by_id(change.connection, donation_id)
    if donation is None or donation.reversed_ms is not None:
        raise FundRefusedError(FundRefusal.DONATION_REVERSED)
    if refunded_vnd(change.connection, donation_id):
        raise FundRefusedError(FundRefusal.DONATION_REFUNDED)
    if donation_id in matched_targets(change.connection, donation.fund, MatchKind.OFFICE_DONATION.value):
        # What a line shows is undone by undoing the match; then nothing of it is in the books.
        raise FundRefusedError(FundRefusal.DONATION_MATCHED)
    return donation


def _reverse(change: Change, desk: FundDesk, donation: OfficeDonationState, by: str) -> None:
    values = {"reversed_by": by, "reversed_ms": change.now_ms}
    change.update(OfficeDonation.__table__, {"id": donation.id}, **values)
    if donation.channel == "cash":
        lines = reversed_lines(office_donation(donation.fund, donation.bucket, donation.amount_vnd))
        day = desk.day(change)
        post(change, donation.id, FundStep.REVERSAL, lines, day, change.actor.chain)


def _checked(change: Change, given: Given) -> tuple[str, str | None]:
    """Return the bucket, and the donor as JSON. Raises FundRefusedError."""
    if not 1 <= given.amount_vnd <= LARGEST_VND:
        raise FundRefusedError(FundRefusal.AMOUNT_INVALID)
    bucket = bucket_of(change, given.restriction)
    if given.donor_class is DonorClass.ANONYMOUS:
        if given.donor is not None:
            raise FundRefusedError(FundRefusal.DONOR_NOT_WANTED)
        return bucket, None
    if given.donor is None:
        raise FundRefusedError(FundRefusal.DONOR_MISSING)
    return bucket, _donor_text(given.donor)


def _donor_text(donor: Donor) -> str:
    phone = None if not donor.phone else donor.phone.strip()
    tax_code = None if not donor.tax_code else donor.tax_code.strip()
    is_phone = phone is None or (len(phone) <= _MOST_PHONE and re.fullmatch(r"\+?[0-9 .-]{8,20}", phone))
    if not is_phone or (tax_code is not None and not _TAX_CODE.fullmatch(tax_code)):
        raise FundRefusedError(FundRefusal.DONOR_INVALID)
    name = checked_text(donor.name, _MOST_NAME)
    return json.dumps({"name": name, "phone": phone, "tax_code": tax_code}, ensure_ascii=False)
