"""Reads of what the office set up and decided about funds. Names and numbers of people stay sealed here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from server.bank.queries import matched_targets
from server.bulk_rows import among, rows_among
from server.funds.eligibility import PoolRule, read_conditions
from server.funds.models import (
    Allocation,
    Donation,
    EligibilityRule,
    Fund,
    FundPublication,
    Handover,
    OfficeDonation,
    Payout,
    Pledge,
    Pool,
)
from server.funds.publications import FundDays
from server.funds.rules import MatchKind, Stage


@dataclass(frozen=True, slots=True)
class FundState:
    """A fund as the office set it up."""

    number: int
    name: str
    name_en: str
    purpose: str
    purpose_en: str
    target_cards: int
    months: int
    opens_on: date
    closes_on: date | None
    distribution_ended_on: date | None
    bank_bin: str
    bank_account: str
    bank_holder: str

    @property
    def days(self) -> FundDays:
        """Return the days that publications follow."""
        return FundDays(self.opens_on, self.closes_on, self.distribution_ended_on)


@dataclass(frozen=True, slots=True)
class PoolState:
    """A group of people that funds give to."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class PledgeState:
    """A promise; `sealed` is the donor. What donations that name it brought is `pledges_fulfilled`."""

    id: str
    fund: int
    bucket: str
    donor_class: str
    sealed: str | None
    amount_vnd: int
    made_on: date
    due_on: date | None
    cancelled_ms: int | None


@dataclass(frozen=True, slots=True)
class OfficeDonationState:
    """A donation that the office took down; `sealed` is the donor."""

    id: str
    fund: int
    bucket: str
    donor_class: str
    sealed: str | None
    channel: str
    amount_vnd: int
    day: date
    pledge_id: str | None
    corrects: str | None
    reason: str | None
    actor: str
    at_ms: int
    reversed_by: str | None
    reversed_ms: int | None


@dataclass(frozen=True, slots=True)
class AllocationState:
    """A card for one person, and how far it has come."""

    id: str
    nomination_id: str
    person_id: str
    fund: int
    bucket: str
    pool: str
    area_key: str
    months: int
    member: int
    proposed_by: str
    proposed_ms: int
    price_vnd: int | None = None
    priced_on: date | None = None
    approved_by: str | None = None
    approved_ms: int | None = None
    issued_price_vnd: int | None = None
    issued_on: date | None = None
    issued_by: str | None = None
    issued_ms: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    payout_id: str | None = None
    ended: str | None = None
    ended_reason: str | None = None
    ended_by: str | None = None
    ended_ms: int | None = None
    is_handed_over: bool = False

    @property
    def stage(self) -> Stage:
        """Return how far it has come."""
        if self.ended is not None:
            return Stage(self.ended)
        if self.is_handed_over:
            return Stage.HANDED_OVER
        if self.issued_ms is not None:
            return Stage.ISSUED
        return Stage.PROPOSED if self.approved_ms is None else Stage.APPROVED


@dataclass(frozen=True, slots=True)
class PayoutState:
    """Money to leave the account."""

    id: str
    fund: int
    kind: str
    amount_vnd: int
    donation_id: str | None
    bucket: str | None
    reason: str | None
    proposed_by: str
    proposed_ms: int
    approved_by: str | None
    approved_ms: int | None
    cancelled_by: str | None
    cancelled_ms: int | None

    @property
    def is_standing(self) -> bool:
        """Return whether it was not cancelled."""
        return self.cancelled_ms is None


@dataclass(frozen=True, slots=True)
class GivenMoney:
    """A donation of whichever way, as far as a refund or a bounce asks. `is_here`: its money came in."""

    id: str
    fund: int
    bucket: str
    amount_vnd: int
    is_here: bool


def _columns(model: Any, state: type[Any], *left_out: str) -> list[Any]:
    return [model.__table__.c[name] for name in state.__dataclass_fields__ if name not in left_out]


_FUNDS = select(*_columns(Fund, FundState))
_PLEDGES = select(*_columns(Pledge, PledgeState))
_OFFICE_DONATIONS = select(*_columns(OfficeDonation, OfficeDonationState))
_ALLOCATIONS = select(*_columns(Allocation, AllocationState, "is_handed_over"))
# Built once: a statement of each call would be compiled at each call.
_ALLOCATIONS_BY_ID = _ALLOCATIONS.where(among(Allocation.__table__.c.id))
_ALLOCATIONS_BY_PERSON = _ALLOCATIONS.where(among(Allocation.__table__.c.person_id))
_PAYOUTS = select(*_columns(Payout, PayoutState))
_HANDED = select(Handover.allocation_id).where(
    among(Handover.__table__.c.allocation_id), Handover.__table__.c.voided_by.is_(None)
)


def fund_by_number(connection: Connection, number: int) -> FundState | None:
    """Return a fund, None where there is none."""
    row = connection.execute(_FUNDS.where(Fund.__table__.c.number == number)).one_or_none()
    return None if row is None else FundState(*row)


def all_funds(connection: Connection) -> list[FundState]:
    """Return every fund by number."""
    return [FundState(*row) for row in connection.execute(_FUNDS.order_by(Fund.__table__.c.number))]


def publications_of(connection: Connection, fund: int) -> dict[str, int]:
    """Return what a fund has published, and when (milliseconds)."""
    column = FundPublication.__table__.c
    statement = select(column.kind, column.at_ms).where(column.fund == fund)
    return {row.kind: row.at_ms for row in connection.execute(statement)}


def pools(connection: Connection) -> list[PoolState]:
    """Return the pools by code."""
    column = Pool.__table__.c
    statement = select(*_columns(Pool, PoolState)).order_by(column.code)
    return [PoolState(*row) for row in connection.execute(statement)]


def pool_rules(connection: Connection) -> list[PoolRule]:
    """Return the dated conditions of all pools, by pool and day."""
    column = EligibilityRule.__table__.c
    statement = select(
        column.pool, column.valid_from, column.conditions, column.source, column.is_assumption
    ).order_by(column.pool, column.valid_from)
    return [
        PoolRule(row.pool, row.valid_from, read_conditions(json.loads(row.conditions)), *row[3:])
        for row in connection.execute(statement)
    ]


def pledges_of(connection: Connection, fund: int) -> list[PledgeState]:
    """Return a fund's pledges, cancelled ones too, the oldest first."""
    column = Pledge.__table__.c
    statement = _PLEDGES.where(column.fund == fund).order_by(column.made_on, column.id)
    return [PledgeState(*row) for row in connection.execute(statement)]


def pledge_by_id(connection: Connection, pledge_id: str) -> PledgeState | None:
    """Return a pledge, None where there is none."""
    row = connection.execute(_PLEDGES.where(Pledge.__table__.c.id == pledge_id)).one_or_none()
    return None if row is None else PledgeState(*row)


def pledges_fulfilled(connection: Connection, fund: int) -> dict[str, int]:
    """Return what the donations that name a pledge have brought into a fund, in đồng, by pledge.

    A transfer counts once a line of the statement shows it.
    """
    door, office = Donation.__table__.c, OfficeDonation.__table__.c
    found: dict[str, int] = defaultdict(int)
    at_doors = select(door.pledge_id, door.entry_id, door.method, door.amount_vnd).where(
        door.fund == fund, door.pledge_id.is_not(None), door.voided_by.is_(None)
    )
    at_office = select(office.pledge_id, office.id, office.channel, office.amount_vnd).where(
        office.fund == fund, office.pledge_id.is_not(None), office.reversed_ms.is_(None)
    )
    for statement, kind in (
        (at_doors, MatchKind.DOOR_DONATION),
        (at_office, MatchKind.OFFICE_DONATION),
    ):
        matched = matched_targets(connection, fund, kind.value)
        for pledge_id, source_id, how, amount_vnd in connection.execute(statement):
            if how == "cash" or source_id in matched:
                found[pledge_id] += amount_vnd
    return dict(found)


def office_donations_of(connection: Connection, fund: int) -> list[OfficeDonationState]:
    """Return a fund's donations at the office and by transfer, the oldest first."""
    column = OfficeDonation.__table__.c
    statement = _OFFICE_DONATIONS.where(column.fund == fund).order_by(column.day, column.id)
    return [OfficeDonationState(*row) for row in connection.execute(statement)]


def office_donation_by_id(connection: Connection, donation_id: str) -> OfficeDonationState | None:
    """Return a donation that the office took down, None where there is none."""
    statement = _OFFICE_DONATIONS.where(OfficeDonation.__table__.c.id == donation_id)
    row = connection.execute(statement).one_or_none()
    return None if row is None else OfficeDonationState(*row)


def money_given(connection: Connection, fund: int, donation_id: str) -> GivenMoney | None:
    """Return a donation of a fund, from a door or the office, that was neither voided nor reversed."""
    office = office_donation_by_id(connection, donation_id)
    if office is not None:
        if office.fund != fund or office.reversed_ms is not None:
            return None
        is_here = office.channel == "cash" or donation_id in matched_targets(
            connection, fund, MatchKind.OFFICE_DONATION.value
        )
        return GivenMoney(office.id, fund, office.bucket, office.amount_vnd, is_here)
    door = Donation.__table__.c
    row = connection.execute(
        select(door.bucket, door.amount_vnd, door.method).where(
            door.entry_id == donation_id, door.fund == fund, door.voided_by.is_(None)
        )
    ).one_or_none()
    if row is None:
        return None
    is_here = row.method == "cash" or donation_id in matched_targets(
        connection, fund, MatchKind.DOOR_DONATION.value
    )
    return GivenMoney(donation_id, fund, row.bucket, row.amount_vnd, is_here)


def refunded_vnd(connection: Connection, donation_id: str) -> int:
    """Return what was or is to be given back of a donation, in đồng; cancelled refunds do not count."""
    column = Payout.__table__.c
    statement = select(func.sum(column.amount_vnd)).where(
        column.kind == "refund", column.donation_id == donation_id, column.cancelled_ms.is_(None)
    )
    return int(connection.scalar(statement) or 0)


def allocations_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, AllocationState]:
    """Return the allocations that exist among these."""
    rows = rows_among(connection, _ALLOCATIONS_BY_ID, ids)
    return {each.id: each for each in _with_handovers(connection, rows)}


def allocations_of_persons(connection: Connection, person_ids: Iterable[str]) -> list[AllocationState]:
    """Return the allocations of these persons, of whatever fund."""
    return _with_handovers(connection, rows_among(connection, _ALLOCATIONS_BY_PERSON, person_ids))


def allocations_of(connection: Connection, fund: int) -> list[AllocationState]:
    """Return a fund's allocations in the order of their proposal."""
    column = Allocation.__table__.c
    statement = _ALLOCATIONS.where(column.fund == fund).order_by(column.proposed_ms, column.id)
    return _with_handovers(connection, connection.execute(statement).all())


def cards_ending(
    connection: Connection, today: date, within_days: int, fund: int | None = None
) -> list[AllocationState]:
    """Return the cards that end from today to so many days later, the first to end first."""
    column = Allocation.__table__.c
    statement = _ALLOCATIONS.where(
        column.issued_ms.is_not(None),
        column.ended_ms.is_(None),
        column.valid_to.between(today, today + timedelta(days=within_days)),
    )
    if fund is not None:
        statement = statement.where(column.fund == fund)
    rows = connection.execute(statement.order_by(column.valid_to, column.id)).all()
    return _with_handovers(connection, rows)


def _with_handovers(connection: Connection, rows: Iterable[Any]) -> list[AllocationState]:
    found = [AllocationState(*row) for row in rows]
    issued = [each.id for each in found if each.issued_ms is not None]
    handed = {row[0] for row in rows_among(connection, _HANDED, issued)}
    return [replace(each, is_handed_over=True) if each.id in handed else each for each in found]


def payout_by_id(connection: Connection, payout_id: str) -> PayoutState | None:
    """Return a payout, None where there is none."""
    row = connection.execute(_PAYOUTS.where(Payout.__table__.c.id == payout_id)).one_or_none()
    return None if row is None else PayoutState(*row)


def payouts_of(connection: Connection, fund: int) -> list[PayoutState]:
    """Return a fund's payouts in the order of their proposal."""
    column = Payout.__table__.c
    statement = _PAYOUTS.where(column.fund == fund).order_by(column.proposed_ms, column.id)
    return [PayoutState(*row) for row in connection.execute(statement)]
