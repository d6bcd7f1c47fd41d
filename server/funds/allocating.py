"""Writes that give a nominated person a card, or none: proposed by one, approved by another.

Money never leaves its bucket: a card is paid from what its beneficiary falls into, the pool's or an
area's money before anybody's. What is approved is reserved, and nothing that arrives later undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

from schemas.rates import RateFault
from server.audit.changes import Change
from server.funds.accounts import ANY, area_bucket, pool_bucket
from server.funds.buying import CARD_TERMS, FIRST_MEMBER, card_price
from server.funds.desk import FundDesk, checked_reason, locked_fund, require_second
from server.funds.models import Allocation, NominationDecision
from server.funds.nominations import (
    NominationStanding,
    NominationView,
    nomination_states,
    nominations_by_id,
)
from server.funds.office_queries import AllocationState, allocations_by_id, allocations_of
from server.funds.postings import FundStep, approval, cancellation
from server.funds.queries import fund_standing
from server.funds.records import put_allocation, put_nomination_state
from server.funds.refusals import FundRefusal, FundRefusedError
from server.funds.rules import Stage
from server.journals.actions import lock_names
from server.money.ledger import post
from server.office.queries import areas_by_key, rate_tables
from server.people.queries import PersonState

_COLUMNS = frozenset(column.name for column in Allocation.__table__.columns)
_MOST_MEMBER = 60


@dataclass(frozen=True, slots=True)
class Refused:
    """One of many decisions that was not taken, and why."""

    id: str
    code: FundRefusal
    detail: str = ""


def propose_card(
    change: Change,
    desk: FundDesk,
    nomination_id: str,
    *,
    months: int | None = None,
    member: int | None = None,
) -> str:
    """Propose a card for a nomination; return the allocation's id. Raises FundRefusedError."""
    found, refused = propose_cards(change, desk, [nomination_id], months=months, member=member)
    if refused:
        raise FundRefusedError(refused[0].code, refused[0].detail)
    return found[0]


def propose_cards(
    change: Change,
    desk: FundDesk,
    nomination_ids: Sequence[str],
    *,
    months: int | None = None,
    member: int | None = None,
) -> tuple[list[str], list[Refused]]:
    """Propose a card for each nomination of one fund, in their order; return allocations and refusals.

    Without `months` the fund's term; without `member` the step that the nomination says, or the first.
    """
    change.flush()
    today = desk.day(change)
    views = nominations_by_id(change.connection, nomination_ids, today)
    funds = {view.nomination.fund for view in views.values()}
    if len(funds) > 1:
        raise FundRefusedError(FundRefusal.FUND_UNKNOWN)
    refused = [Refused(one, FundRefusal.NOMINATION_UNKNOWN) for one in nomination_ids if one not in views]
    if not funds:
        return [], refused
    fund = locked_fund(change, funds.pop())
    # Only now does nobody else decide about this fund's nominations.
    views = nominations_by_id(change.connection, nomination_ids, today)
    term = fund.months if months is None else months
    if term not in CARD_TERMS or (member is not None and not 1 <= member <= _MOST_MEMBER):
        raise FundRefusedError(FundRefusal.MONTHS_INVALID)
    purse = _Purse(change, fund.number, today, with_proposed=True)
    proposed: list[str] = []
    for nomination_id, view in ((one, views[one]) for one in dict.fromkeys(nomination_ids) if one in views):
        code = _against(view)
        if code is not None:
            refused.append(Refused(nomination_id, *code))
            continue
        step = member or view.nomination.member or FIRST_MEMBER
        assert view.person is not None, "who is not known is not eligible"
        buckets = beneficiary_buckets(change, view.nomination.pool, view.person)
        bucket = purse.bucket_for(buckets, purse.price(term, step))
        proposed.append(_propose(change, desk, view, bucket, term, step))
    return proposed, refused


def approve_card(change: Change, desk: FundDesk, allocation_id: str) -> None:
    """Approve a proposal and reserve its price. Raises FundRefusedError."""
    refused = approve_cards(change, desk, [allocation_id])
    if refused:
        raise FundRefusedError(refused[0].code, refused[0].detail)


def approve_cards(change: Change, desk: FundDesk, allocation_ids: Sequence[str]) -> list[Refused]:
    """Approve proposals of one fund in their order, as far as money goes; return what was refused.

    The approver is not who proposed; the price is of the rate tables of this day.
    """
    change.flush()
    found = allocations_by_id(change.connection, allocation_ids)
    refused = [Refused(one, FundRefusal.ALLOCATION_UNKNOWN) for one in allocation_ids if one not in found]
    funds = {each.fund for each in found.values()}
    if len(funds) > 1:
        raise FundRefusedError(FundRefusal.FUND_UNKNOWN)
    if not funds:
        return refused
    fund = locked_fund(change, funds.pop())
    found, today = allocations_by_id(change.connection, allocation_ids), desk.day(change)
    nominated = [each.nomination_id for each in found.values()]
    views = nominations_by_id(change.connection, nominated, today)
    purse = _Purse(change, fund.number, today, with_proposed=False)
    for each in (found[one] for one in dict.fromkeys(allocation_ids) if one in found):
        try:
            _approve(change, each, views.get(each.nomination_id), purse, today)
        except FundRefusedError as error:
            refused.append(Refused(each.id, error.code, error.detail))
    return refused


def cancel_card(change: Change, desk: FundDesk, allocation_id: str, reason: str) -> None:
    """Cancel a card before it is issued; what was reserved is free again. Raises FundRefusedError."""
    allocation = locked_allocation(change, allocation_id)
    told = checked_reason(reason)
    if allocation.stage not in (Stage.PROPOSED, Stage.APPROVED):
        raise FundRefusedError(FundRefusal.STAGE_WRONG, allocation.stage)
    if allocation.stage is Stage.APPROVED:
        assert allocation.price_vnd is not None, "what is approved has a price"
        lines = cancellation(allocation.fund, allocation.bucket, allocation.price_vnd)
        post(change, allocation.id, FundStep.CANCELLATION, lines, desk.day(change), change.actor.chain)
    ended = replace(allocation, ended=Stage.CANCELLED.value, ended_reason=told, ended_ms=change.now_ms)
    end_allocation(change, ended)
    change.audit("allocation_cancelled", allocation.id, fund=allocation.fund, stage=allocation.stage)


def reject_nomination(change: Change, desk: FundDesk, nomination_id: str, reason: str) -> None:
    """Decide that a nominated person gets no card, for a reason of the office. Raises FundRefusedError."""
    _decide(change, desk, nomination_id, NominationStanding.REJECTED, "rejected", checked_reason(reason))


def exclude_nomination(change: Change, desk: FundDesk, nomination_id: str) -> str:
    """Take down what excludes a nominated person today, and return its code. Raises FundRefusedError."""
    change.flush()
    view = _view(change, desk, nomination_id)
    if view.verdict.code is None:
        raise FundRefusedError(FundRefusal.NOMINATION_DECIDED)
    code = view.verdict.code.value
    _decide(change, desk, nomination_id, NominationStanding.EXCLUDED, code, view.verdict.about)
    return code


def reopen_nomination(change: Change, desk: FundDesk, nomination_id: str, reason: str) -> None:
    """Let a nomination that was decided against wait again. Raises FundRefusedError."""
    change.flush()
    view = _view(change, desk, nomination_id)
    if view.standing not in (NominationStanding.REJECTED, NominationStanding.EXCLUDED):
        raise FundRefusedError(FundRefusal.NOMINATION_DECIDED, view.standing)
    _insert_decision(change, desk, view, "reopened", "reopened", checked_reason(reason))
    put_nomination_state(change, view.nomination, NominationStanding.WAITING)


def beneficiary_buckets(change: Change, pool: str, person: PersonState) -> list[str]:
    """Return the buckets that a beneficiary falls into: the pool's, the areas' from below, anybody's."""
    area = areas_by_key(change.connection, [person.area_key]).get(person.area_key)
    path = () if area is None else reversed(area.path)
    return [pool_bucket(pool), *map(area_bucket, path), ANY]


def locked_allocation(change: Change, allocation_id: str) -> AllocationState:
    """Return an allocation, its handovers and its fund locked. Raises FundRefusedError."""
    change.flush()
    found = allocations_by_id(change.connection, [allocation_id]).get(allocation_id)
    if found is None:
        raise FundRefusedError(FundRefusal.ALLOCATION_UNKNOWN)
    # A push that hands the card over locks the first of these names.
    lock_names(change.connection, [f"allocation:{allocation_id}", f"fund:{found.fund}"])
    return allocations_by_id(change.connection, [allocation_id])[allocation_id]


def end_allocation(change: Change, ended: AllocationState) -> None:
    """Write how an allocation ended, and tell the tablets; its nomination waits again."""
    change.update(
        Allocation.__table__,
        {"id": ended.id},
        ended=ended.ended,
        ended_reason=ended.ended_reason,
        ended_by=change.actor.chain,
        ended_ms=ended.ended_ms,
    )
    put_allocation(change, ended)
    nomination = nomination_states(change.connection, [ended.nomination_id]).get(ended.nomination_id)
    if nomination is not None and nomination.voided_by is None:
        put_nomination_state(change, nomination, NominationStanding.WAITING)


class _Purse:
    """What a fund may promise from each bucket, less what this change has promised, and what cards cost."""

    def __init__(self, change: Change, fund: int, today: date, *, with_proposed: bool) -> None:
        self._tables, self._today = rate_tables(change.connection), today
        self._here = dict(fund_standing(change.connection, fund).here_vnd)
        self._prices: dict[tuple[int, int], int] = {}
        if with_proposed:
            # Proposals reserve nothing; but the next one should not be made from what they will take.
            for each in allocations_of(change.connection, fund):
                if each.stage is Stage.PROPOSED:
                    self.take(each.bucket, self.price(each.months, each.member))

    def price(self, months: int, member: int) -> int:
        """Return what a card costs today. Raises FundRefusedError."""
        known = self._prices.get((months, member))
        if known is None:
            found = card_price(self._tables, months, member, self._today)
            if isinstance(found, RateFault):
                raise FundRefusedError(FundRefusal.PRICE_UNKNOWN, str(found.code))
            known = self._prices[months, member] = found
        return known

    def bucket_for(self, buckets: Iterable[str], price_vnd: int) -> str:
        """Return the first bucket that can pay, and take it from there; anybody's where none can."""
        bucket = next((one for one in buckets if self.left(one) >= price_vnd), ANY)
        self.take(bucket, price_vnd)
        return bucket

    def left(self, bucket: str) -> int:
        """Return what may still be promised from a bucket: as `spendable_by_bucket` has it."""
        return max(0, min(self._here.get(bucket, 0), sum(self._here.values())))

    def take(self, bucket: str, price_vnd: int) -> None:
        """Promise a price from a bucket."""
        self._here[bucket] = self._here.get(bucket, 0) - price_vnd


def _against(view: NominationView) -> tuple[FundRefusal, str] | None:
    match view.standing:
        case NominationStanding.WAITING:
            code = view.verdict.code
            return None if code is None else (FundRefusal.NOT_ELIGIBLE, code.value)
        case NominationStanding.ALLOCATED:
            return FundRefusal.ALLOCATED_ALREADY, ""
        case _:
            return FundRefusal.NOMINATION_DECIDED, view.standing.value


def _propose(
    change: Change, desk: FundDesk, view: NominationView, bucket: str, months: int, member: int
) -> str:
    assert view.person is not None
    allocation = AllocationState(
        id=desk.ids.new_id(),
        nomination_id=view.nomination.entry_id,
        person_id=view.nomination.person_id,
        fund=view.nomination.fund,
        bucket=bucket,
        pool=view.nomination.pool,
        area_key=view.person.area_key,
        months=months,
        member=member,
        proposed_by=change.actor.chain,
        proposed_ms=change.now_ms,
    )
    row = dict.fromkeys(_COLUMNS)
    row |= {name: value for name, value in asdict(allocation).items() if name in _COLUMNS}
    change.insert_row(Allocation.__table__, row)
    put_nomination_state(change, view.nomination, NominationStanding.ALLOCATED)
    change.audit("allocation_proposed", allocation.id, fund=allocation.fund, bucket=bucket, months=months)
    return allocation.id


def _approve(
    change: Change,
    allocation: AllocationState,
    view: NominationView | None,
    purse: _Purse,
    today: date,
) -> None:
    if allocation.stage is not Stage.PROPOSED:
        raise FundRefusedError(FundRefusal.STAGE_WRONG, allocation.stage)
    require_second(change, allocation.proposed_by)
    if view is None or view.standing is NominationStanding.VOIDED:
        raise FundRefusedError(FundRefusal.NOMINATION_UNKNOWN)
    if view.verdict.code is not None:
        raise FundRefusedError(FundRefusal.NOT_ELIGIBLE, view.verdict.code.value)
    price_vnd = purse.price(allocation.months, allocation.member)
    if purse.left(allocation.bucket) < price_vnd:
        raise FundRefusedError(FundRefusal.MONEY_SHORT, str(price_vnd - purse.left(allocation.bucket)))
    purse.take(allocation.bucket, price_vnd)
    values = {
        "price_vnd": price_vnd,
        "priced_on": today,
        "approved_by": change.actor.chain,
        "approved_ms": change.now_ms,
    }
    change.update(Allocation.__table__, {"id": allocation.id}, **values)
    lines = approval(allocation.fund, allocation.bucket, price_vnd)
    post(change, allocation.id, FundStep.APPROVAL, lines, today, change.actor.chain)
    put_allocation(
        change,
        replace(
            allocation,
            price_vnd=price_vnd,
            priced_on=today,
            approved_by=change.actor.chain,
            approved_ms=change.now_ms,
        ),
    )
    change.audit("allocation_approved", allocation.id, fund=allocation.fund, price_vnd=price_vnd)


def _view(change: Change, desk: FundDesk, nomination_id: str) -> NominationView:
    views = nominations_by_id(change.connection, [nomination_id], desk.day(change))
    view = views.get(nomination_id)
    if view is None or view.standing is NominationStanding.VOIDED:
        raise FundRefusedError(FundRefusal.NOMINATION_UNKNOWN)
    return view


def _decide(
    change: Change,
    desk: FundDesk,
    nomination_id: str,
    decision: NominationStanding,
    code: str,
    reason: str | None,
) -> None:
    change.flush()
    locked_fund(change, _view(change, desk, nomination_id).nomination.fund)
    view = _view(change, desk, nomination_id)
    if view.standing is not NominationStanding.WAITING:
        raise FundRefusedError(FundRefusal.NOMINATION_DECIDED, view.standing)
    _insert_decision(change, desk, view, decision.value, code, reason)
    put_nomination_state(change, view.nomination, decision, code)


def _insert_decision(
    change: Change, desk: FundDesk, view: NominationView, decision: str, code: str, reason: str | None
) -> None:
    nomination = view.nomination
    change.insert(
        NominationDecision.__table__,
        id=desk.ids.new_id(),
        nomination_id=nomination.entry_id,
        decision=decision,
        code=code,
        reason=reason,
        actor=change.actor.chain,
        at_ms=change.now_ms,
    )
    change.audit(f"nomination_{decision}", nomination.entry_id, fund=nomination.fund, code=code)
