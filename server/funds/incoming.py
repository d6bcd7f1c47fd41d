"""Reads of what came into a fund by which way, and of what still waits for somebody at the office."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from server.bank.queries import matched_lines, matched_targets
from server.funds.models import (
    Allocation,
    Donation,
    OfficeDonation,
    Payout,
    Remittance,
    RemittanceConfirmation,
)
from server.funds.rules import MatchKind

DOOR_CASH, DOOR_TRANSFER, OFFICE_CASH_IN, TRANSFER = "door_cash", "door_transfer", "office_cash", "transfer"
CHANNELS = (DOOR_CASH, DOOR_TRANSFER, OFFICE_CASH_IN, TRANSFER)
_DOOR, _OFFICE, _CARRIED = Donation.__table__.c, OfficeDonation.__table__.c, Remittance.__table__.c


@dataclass(frozen=True, slots=True)
class DoorDonationState:
    """A donation from a door; `sealed` is the donor."""

    entry_id: str
    worker_id: str
    fund: int
    bucket: str
    donor_class: str
    sealed: str | None
    method: str
    amount_vnd: int
    business_day: date
    upper_ms: int
    voided_by: str | None


@dataclass(frozen=True, slots=True)
class Carried:
    """Cash that an agent says was carried away, and that nobody has confirmed."""

    entry_id: str
    worker_id: str
    destination: str
    amount_vnd: int
    business_day: date
    upper_ms: int


_DOORS = select(*(_DOOR[name] for name in DoorDonationState.__dataclass_fields__))


def came_in(connection: Connection, fund: int) -> dict[tuple[str, str], int]:
    """Return (channel, donor class) → what came in, in đồng; a transfer once a statement shows it.

    What bounced or was refunded came in too: `given_back` says how much of it went again.
    """
    found: dict[tuple[str, str], int] = defaultdict(int)
    at_doors = select(_DOOR.donor_class, func.sum(_DOOR.amount_vnd)).where(
        _DOOR.fund == fund, _DOOR.method == "cash", _DOOR.voided_by.is_(None)
    )
    for donor_class, amount_vnd in connection.execute(at_doors.group_by(_DOOR.donor_class)):
        found[DOOR_CASH, donor_class] = int(amount_vnd)
    at_office = select(_OFFICE.donor_class, func.sum(_OFFICE.amount_vnd)).where(
        _OFFICE.fund == fund, _OFFICE.channel == "cash", _OFFICE.reversed_ms.is_(None)
    )
    for donor_class, amount_vnd in connection.execute(at_office.group_by(_OFFICE.donor_class)):
        found[OFFICE_CASH_IN, donor_class] = int(amount_vnd)
    reported = select(_DOOR.entry_id, _DOOR.donor_class, _DOOR.amount_vnd).where(
        _DOOR.fund == fund, _DOOR.method == "transfer", _DOOR.voided_by.is_(None)
    )
    own = select(_OFFICE.id, _OFFICE.donor_class, _OFFICE.amount_vnd).where(
        _OFFICE.fund == fund, _OFFICE.channel == "transfer", _OFFICE.reversed_ms.is_(None)
    )
    for channel, kind, statement in (
        (DOOR_TRANSFER, MatchKind.DOOR_DONATION, reported),
        (TRANSFER, MatchKind.OFFICE_DONATION, own),
    ):
        matched = matched_targets(connection, fund, kind.value)
        for source_id, donor_class, amount_vnd in connection.execute(statement):
            if source_id in matched:
                found[channel, donor_class] += amount_vnd
    return dict(found)


def given_back(connection: Connection, fund: int) -> tuple[int, int]:
    """Return what the bank took back, and what refunds that were approved give back, in đồng."""
    bounced = -sum(
        line.amount_vnd for line, _, _ in matched_lines(connection, fund, [MatchKind.BOUNCE.value])
    )
    column = Payout.__table__.c
    statement = select(func.sum(column.amount_vnd)).where(
        column.fund == fund,
        column.kind == "refund",
        column.approved_ms.is_not(None),
        column.cancelled_ms.is_(None),
    )
    return bounced, int(connection.scalar(statement) or 0)


def waiting_counts(connection: Connection, fund: int) -> tuple[int, int]:
    """Return how many cards, and how many payouts, wait for a second person."""
    card, payout = Allocation.__table__.c, Payout.__table__.c
    cards = select(func.count()).where(card.fund == fund, card.approved_ms.is_(None), card.ended_ms.is_(None))
    payouts = select(func.count()).where(
        payout.fund == fund, payout.approved_ms.is_(None), payout.cancelled_ms.is_(None)
    )
    return int(connection.scalar(cards) or 0), int(connection.scalar(payouts) or 0)


def carried_open(connection: Connection, fund: int) -> list[Carried]:
    """Return the remittances that nobody has confirmed and no statement shows, the oldest first."""
    confirmed = RemittanceConfirmation.__table__.c
    statement = select(*(_CARRIED[name] for name in Carried.__dataclass_fields__)).where(
        _CARRIED.fund == fund,
        _CARRIED.voided_by.is_(None),
        ~select(confirmed.entry_id).where(confirmed.entry_id == _CARRIED.entry_id).exists(),
    )
    matched = matched_targets(connection, fund, MatchKind.REMITTANCE.value)
    rows = connection.execute(statement.order_by(_CARRIED.upper_ms, _CARRIED.entry_id))
    return [Carried(*row) for row in rows if row.entry_id not in matched]


def door_donations_of(
    connection: Connection, fund: int, *, limit: int, offset: int
) -> list[DoorDonationState]:
    """Return a fund's donations from doors, voided ones too, the newest first."""
    statement = _DOORS.where(_DOOR.fund == fund).order_by(_DOOR.business_day.desc(), _DOOR.entry_id.desc())
    return [DoorDonationState(*row) for row in connection.execute(statement.limit(limit).offset(offset))]


def door_donation_by_id(connection: Connection, entry_id: str) -> DoorDonationState | None:
    """Return a donation from a door, None where there is none."""
    row = connection.execute(_DOORS.where(_DOOR.entry_id == entry_id)).one_or_none()
    return None if row is None else DoorDonationState(*row)
