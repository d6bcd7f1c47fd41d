"""Writes of cards: issued at the price of the day, and returned where they reached nobody."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from schemas.rates import RateFault, months_after
from server.audit.changes import Change
from server.funds.allocating import end_allocation, locked_allocation
from server.funds.buying import card_price
from server.funds.desk import FundDesk, checked_reason
from server.funds.models import Allocation
from server.funds.postings import FundStep, card_return, issue, price_difference
from server.funds.queries import fund_standing
from server.funds.records import put_allocation
from server.funds.refusals import FundRefusal, FundRefusedError
from server.funds.rules import Stage
from server.money.ledger import post
from server.office.queries import rate_tables

_CARD_NUMBER = re.compile(r"[A-Z]{2}[0-9]{13}|[0-9]{10}|[0-9]{12}")


def issue_card(
    change: Change,
    desk: FundDesk,
    allocation_id: str,
    card_number: str,
    valid_from: date,
    *,
    valid_to: date | None = None,
    price_vnd: int | None = None,
) -> None:
    """Take down that the insurer issued a card. Raises FundRefusedError.

    Without `valid_to` it is good for its months; without `price_vnd` it costs what the rate tables of
    this day say. What it costs more than was reserved is taken from its bucket, if that has it.
    """
    allocation = locked_allocation(change, allocation_id)
    if allocation.stage is not Stage.APPROVED:
        raise FundRefusedError(FundRefusal.STAGE_WRONG, allocation.stage)
    assert allocation.price_vnd is not None, "what is approved has a price"
    number = re.sub(r"[ .|-]", "", card_number).upper()
    if not _CARD_NUMBER.fullmatch(number):
        raise FundRefusedError(FundRefusal.CARD_NUMBER_INVALID)
    last_day = valid_to or months_after(valid_from, allocation.months) - timedelta(days=1)
    if last_day < valid_from:
        raise FundRefusedError(FundRefusal.DAYS_INVALID)
    today, actor = desk.day(change), change.actor.chain
    issued_vnd = price_vnd
    if issued_vnd is None:
        found = card_price(rate_tables(change.connection), allocation.months, allocation.member, today)
        if isinstance(found, RateFault):
            raise FundRefusedError(FundRefusal.PRICE_UNKNOWN, str(found.code))
        issued_vnd = found
    if issued_vnd <= 0:
        raise FundRefusedError(FundRefusal.AMOUNT_INVALID)
    dearer = issued_vnd - allocation.price_vnd
    if dearer > 0:
        left = fund_standing(change.connection, allocation.fund).spendable_vnd.get(allocation.bucket, 0)
        if left < dearer:
            raise FundRefusedError(FundRefusal.MONEY_SHORT, str(dearer - left))
    issued = replace(
        allocation,
        issued_price_vnd=issued_vnd,
        issued_on=today,
        issued_ms=change.now_ms,
        valid_from=valid_from,
        valid_to=last_day,
    )
    change.update(
        Allocation.__table__,
        {"id": allocation.id},
        issued_price_vnd=issued_vnd,
        issued_on=today,
        issued_by=actor,
        issued_ms=change.now_ms,
        card_sealed=desk.sealed(number, "allocation.card_sealed", allocation.id),
        valid_from=valid_from,
        valid_to=last_day,
    )
    fund, bucket, reserved = allocation.fund, allocation.bucket, allocation.price_vnd
    post(change, allocation.id, FundStep.ISSUE, issue(fund, bucket, reserved), today, actor)
    difference = price_difference(fund, bucket, reserved, issued_vnd)
    if difference:
        post(change, allocation.id, FundStep.PRICE_DIFFERENCE, difference, today, actor)
    put_allocation(change, issued)
    change.audit("card_issued", allocation.id, fund=fund, price_vnd=issued_vnd, reserved_vnd=reserved)


def return_card(change: Change, desk: FundDesk, allocation_id: str, reason: str) -> None:
    """Take down that an issued card reached nobody; its price stays spent. Raises FundRefusedError."""
    allocation = locked_allocation(change, allocation_id)
    told = checked_reason(reason)
    if allocation.stage is not Stage.ISSUED:
        raise FundRefusedError(FundRefusal.STAGE_WRONG, allocation.stage)
    lines = card_return(allocation.fund, allocation.bucket)
    post(change, allocation.id, FundStep.RETURN, lines, desk.day(change), change.actor.chain)
    ended = replace(allocation, ended=Stage.RETURNED.value, ended_reason=told, ended_ms=change.now_ms)
    end_allocation(change, ended)
    change.audit("card_returned", allocation.id, fund=allocation.fund)
