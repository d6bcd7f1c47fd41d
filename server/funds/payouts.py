"""Writes of money that is to leave the account: premiums of issued cards, and refunds to donors.

One person proposes, another approves; that it was paid is what a line of the statement shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.audit.changes import Change
from server.bank.queries import matched_targets
from server.funds.desk import FundDesk, checked_reason, locked_fund, require_second
from server.funds.models import Allocation, Payout
from server.funds.office_queries import (
    AllocationState,
    GivenMoney,
    PayoutState,
    allocations_of,
    money_given,
    payout_by_id,
    refunded_vnd,
)
from server.funds.postings import FundStep, refund
from server.funds.queries import fund_standing
from server.funds.refusals import FundRefusal, FundRefusedError
from server.funds.rules import MatchKind
from server.money.ledger import post
from server.money.rules import reversed_lines

PREMIUM, REFUND = "premium", "refund"


@dataclass(frozen=True, slots=True)
class _Asked:
    fund: int
    kind: str
    amount_vnd: int
    donation_id: str | None = None
    bucket: str | None = None
    reason: str | None = None


def propose_premium(
    change: Change, desk: FundDesk, fund: int, allocation_ids: Iterable[str] | None = None
) -> str:
    """Propose to pay the insurer for issued cards, all of them or these; return the payout's id.

    Raises FundRefusedError where nothing of them is owed.
    """
    locked_fund(change, fund)
    wanted = None if allocation_ids is None else set(allocation_ids)
    owed = [
        each
        for each in unpaid_cards(allocations_of(change.connection, fund))
        if wanted is None or each.id in wanted
    ]
    if not owed or (wanted is not None and len(owed) != len(wanted)):
        raise FundRefusedError(FundRefusal.NOTHING_OWED)
    amount_vnd = sum(each.issued_price_vnd or 0 for each in owed)
    payout_id = _propose(change, desk, _Asked(fund, PREMIUM, amount_vnd))
    for each in owed:
        change.update(Allocation.__table__, {"id": each.id}, payout_id=payout_id)
    return payout_id


def unpaid_cards(allocations: Iterable[AllocationState]) -> list[AllocationState]:
    """Return the issued cards that no standing payout pays; a returned card is owed all the same."""
    return [each for each in allocations if each.issued_ms is not None and each.payout_id is None]


def propose_refund(
    change: Change, desk: FundDesk, fund: int, donation_id: str, amount_vnd: int, reason: str
) -> str:
    """Propose to give (a part of) a donation back; return the payout's id. Raises FundRefusedError."""
    locked_fund(change, fund)
    told = checked_reason(reason)
    given = _refundable(change, fund, donation_id)
    if amount_vnd < 1:
        raise FundRefusedError(FundRefusal.AMOUNT_INVALID)
    left = given.amount_vnd - refunded_vnd(change.connection, donation_id)
    if amount_vnd > left:
        raise FundRefusedError(FundRefusal.REFUND_TOO_LARGE, str(left))
    return _propose(change, desk, _Asked(fund, REFUND, amount_vnd, donation_id, given.bucket, told))


def approve_payout(change: Change, desk: FundDesk, payout_id: str) -> None:
    """Approve what another person proposed; a refund is owed from then on. Raises FundRefusedError."""
    payout = _locked(change, payout_id)
    if payout.approved_ms is not None:
        raise FundRefusedError(FundRefusal.PAYOUT_DECIDED)
    require_second(change, payout.proposed_by)
    if payout.kind == REFUND:
        assert payout.donation_id is not None
        assert payout.bucket is not None
        _refundable(change, payout.fund, payout.donation_id)
        standing = fund_standing(change.connection, payout.fund)
        left = standing.spendable_vnd.get(payout.bucket, 0)
        if left < payout.amount_vnd:
            raise FundRefusedError(FundRefusal.MONEY_SHORT, str(payout.amount_vnd - left))
        lines = refund(payout.fund, payout.bucket, payout.amount_vnd)
        post(change, payout.id, FundStep.REFUND, lines, desk.day(change), change.actor.chain)
    values = {"approved_by": change.actor.chain, "approved_ms": change.now_ms}
    change.update(Payout.__table__, {"id": payout.id}, **values)
    change.audit(
        "payout_approved", payout.id, fund=payout.fund, kind=payout.kind, amount_vnd=payout.amount_vnd
    )


def cancel_payout(change: Change, desk: FundDesk, payout_id: str, reason: str) -> None:
    """Cancel a payout that the statement does not show yet. Raises FundRefusedError."""
    payout = _locked(change, payout_id)
    told = checked_reason(reason)
    kind = MatchKind.REFUND if payout.kind == REFUND else MatchKind.PREMIUM
    if payout.id in matched_targets(change.connection, payout.fund, kind.value):
        raise FundRefusedError(FundRefusal.PAYOUT_PAID)
    kept = told if payout.reason is None else f"{payout.reason}; {told}"
    values = {"reason": kept, "cancelled_by": change.actor.chain, "cancelled_ms": change.now_ms}
    change.update(Payout.__table__, {"id": payout.id}, **values)
    if payout.kind == PREMIUM:
        change.update(Allocation.__table__, {"payout_id": payout.id}, payout_id=None)
    elif payout.approved_ms is not None:
        assert payout.bucket is not None
        lines = reversed_lines(refund(payout.fund, payout.bucket, payout.amount_vnd))
        post(change, payout.id, FundStep.REVERSAL, lines, desk.day(change), change.actor.chain)
    change.audit("payout_cancelled", payout.id, fund=payout.fund, kind=payout.kind)


def _propose(change: Change, desk: FundDesk, asked: _Asked) -> str:
    payout_id = desk.ids.new_id()
    change.insert(
        Payout.__table__,
        id=payout_id,
        fund=asked.fund,
        kind=asked.kind,
        amount_vnd=asked.amount_vnd,
        donation_id=asked.donation_id,
        bucket=asked.bucket,
        reason=asked.reason,
        proposed_by=change.actor.chain,
        proposed_ms=change.now_ms,
        approved_by=None,
        approved_ms=None,
        cancelled_by=None,
        cancelled_ms=None,
    )
    change.audit("payout_proposed", payout_id, fund=asked.fund, kind=asked.kind, amount_vnd=asked.amount_vnd)
    return payout_id


def _locked(change: Change, payout_id: str) -> PayoutState:
    """Return a payout that stands, its fund locked. Raises FundRefusedError."""
    change.flush()
    found = payout_by_id(change.connection, payout_id)
    if found is None:
        raise FundRefusedError(FundRefusal.PAYOUT_UNKNOWN)
    locked_fund(change, found.fund)
    payout = payout_by_id(change.connection, payout_id)
    if payout is None or not payout.is_standing:
        raise FundRefusedError(FundRefusal.PAYOUT_DECIDED)
    return payout


def _refundable(change: Change, fund: int, donation_id: str) -> GivenMoney:
    """Return a donation whose money came in and did not go back. Raises FundRefusedError."""
    given = money_given(change.connection, fund, donation_id)
    if given is None:
        raise FundRefusedError(FundRefusal.DONATION_UNKNOWN)
    if not given.is_here:
        raise FundRefusedError(FundRefusal.DONATION_NOT_HERE)
    if donation_id in matched_targets(change.connection, fund, MatchKind.BOUNCE.value):
        raise FundRefusedError(FundRefusal.DONATION_BOUNCED)
    return given
