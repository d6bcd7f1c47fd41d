"""What lines of a statement could be: every row that says that money came or went, and is not matched."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import Connection, select

from schemas.receipt_token import printed_number
from schemas.signatures import from_base64url
from schemas.vietqr import fund_purpose
from server.bank.queries import matched_lines, matched_targets
from server.funds.accounts import OFFICE_CASH
from server.funds.matching import Target
from server.funds.models import Donation, Fund, OfficeDonation, Payout, Remittance, RemittanceConfirmation
from server.funds.rules import MatchKind
from server.money.queries import fund_balances
from server.office.queries import workers_by_id
from server.receipts.queries import receipts_of_payments
from server.sealing import Sealer
from sync.clock import local_day

DONATIONS = (MatchKind.DOOR_DONATION, MatchKind.OFFICE_DONATION)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target with what its match posts (`bucket`, `worker_id`) and what a page says of it (`name`)."""

    target: Target
    bucket: str | None = None
    worker_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class FundAccount:
    """A fund with its account."""

    number: int
    name: str
    name_en: str
    bank_account: str


def fund_accounts(connection: Connection) -> list[FundAccount]:
    """Return every fund with its account, by number."""
    column = Fund.__table__.c
    statement = select(column.number, column.name, column.name_en, column.bank_account)
    return [FundAccount(*row) for row in connection.execute(statement.order_by(column.number))]


def office_cash_vnd(connection: Connection, fund: int) -> int:
    """Return what lies at the office of a fund."""
    balances = fund_balances(connection, fund)
    return sum(amount for (account, _), (amount, _) in balances.items() if account == OFFICE_CASH)


def open_candidates(
    connection: Connection, sealer: Sealer, zone: tzinfo, fund: int
) -> dict[tuple[str, str], Candidate]:
    """Return everything of a fund that a line could be and no line is, by (kind, id)."""
    found = [
        *_door_donations(connection, sealer, zone, fund),
        *_office_donations(connection, sealer, fund),
        *_remittances(connection, fund),
        *_payouts(connection, sealer, zone, fund),
        *_bounces(connection, sealer, fund),
    ]
    taken = {kind: matched_targets(connection, fund, kind.value) for kind in MatchKind}
    return {
        each.target.key: each
        for each in sorted(found, key=lambda one: one.target.key)
        if each.target.id not in taken[each.target.kind]
    }


def _door_donations(connection: Connection, sealer: Sealer, zone: tzinfo, fund: int) -> list[Candidate]:
    column = Donation.__table__.c
    statement = select(Donation.__table__).where(
        column.fund == fund, column.method == "transfer", column.voided_by.is_(None)
    )
    rows = connection.execute(statement).all()
    receipts = receipts_of_payments(connection, [row.entry_id for row in rows])
    found = []
    for row in rows:
        name = donor_name(sealer, "donation.sealed", row.entry_id, row.sealed)
        numbers = (
            printed_number(each.issued_at_s, each.installation, each.counter, zone)
            for each in receipts[row.entry_id]
        )
        target = Target(
            MatchKind.DOOR_DONATION,
            row.entry_id,
            row.amount_vnd,
            row.business_day,
            _some(name),
            (*numbers, *_pledge_codes(fund, row.pledge_id)),
        )
        found.append(Candidate(target, row.bucket, row.worker_id, name))
    return found


def _office_donations(connection: Connection, sealer: Sealer, fund: int) -> list[Candidate]:
    column = OfficeDonation.__table__.c
    statement = select(OfficeDonation.__table__).where(
        column.fund == fund, column.channel == "transfer", column.reversed_by.is_(None)
    )
    found = []
    for row in connection.execute(statement):
        name = donor_name(sealer, "office_donation.sealed", row.id, row.sealed)
        codes = _pledge_codes(fund, row.pledge_id)
        target = Target(MatchKind.OFFICE_DONATION, row.id, row.amount_vnd, row.day, _some(name), codes)
        found.append(Candidate(target, row.bucket, None, name))
    return found


def _remittances(connection: Connection, fund: int) -> list[Candidate]:
    column, confirmed = Remittance.__table__.c, RemittanceConfirmation.__table__.c
    statement = select(Remittance.__table__).where(
        column.fund == fund,
        column.destination == "bank_account",
        column.voided_by.is_(None),
        ~select(confirmed.entry_id).where(confirmed.entry_id == column.entry_id).exists(),
    )
    rows = connection.execute(statement).all()
    workers = workers_by_id(connection, {row.worker_id for row in rows})
    found = []
    for row in rows:
        name = workers[row.worker_id].name if row.worker_id in workers else None
        target = Target(
            MatchKind.REMITTANCE,
            row.entry_id,
            row.amount_vnd,
            row.business_day,
            _some(name),
            _some(row.reference),
        )
        found.append(Candidate(target, None, row.worker_id, name))
    return found


def _payouts(connection: Connection, sealer: Sealer, zone: tzinfo, fund: int) -> list[Candidate]:
    column = Payout.__table__.c
    statement = select(Payout.__table__).where(
        column.fund == fund, column.approved_ms.is_not(None), column.cancelled_ms.is_(None)
    )
    rows = connection.execute(statement).all()
    donors = _donors(connection, sealer, fund, {row.donation_id for row in rows if row.donation_id})
    found = []
    for row in rows:
        kind = MatchKind.REFUND if row.kind == "refund" else MatchKind.PREMIUM
        name = donors.get(row.donation_id)
        day = local_day(row.approved_ms, zone)
        target = Target(kind, row.id, -row.amount_vnd, day, _some(name), (row.id,))
        found.append(Candidate(target, row.bucket, None, name))
    return found


def _bounces(connection: Connection, sealer: Sealer, fund: int) -> list[Candidate]:
    """Return the transfers that came in and could be taken back, but for those that are refunded."""
    matched = matched_lines(connection, fund, [kind.value for kind in DONATIONS])
    column = Payout.__table__.c
    refunded = set(
        connection.scalars(
            select(column.donation_id).where(
                column.fund == fund, column.donation_id.is_not(None), column.cancelled_ms.is_(None)
            )
        )
    )
    donors = _donors(connection, sealer, fund, {target_id for _, _, target_id in matched})
    buckets = _buckets(connection, fund)
    found = []
    for line, _, target_id in matched:
        if target_id in refunded or target_id not in buckets:
            continue
        target = Target(
            MatchKind.BOUNCE,
            target_id,
            -line.amount_vnd,
            line.day,
            _some(donors.get(target_id)),
            _some(line.reference),
        )
        found.append(Candidate(target, buckets[target_id], None, donors.get(target_id)))
    return found


def _buckets(connection: Connection, fund: int) -> dict[str, str]:
    door, office = Donation.__table__.c, OfficeDonation.__table__.c
    found = {
        row.entry_id: row.bucket
        for row in connection.execute(select(door.entry_id, door.bucket).where(door.fund == fund))
    }
    rows = connection.execute(select(office.id, office.bucket).where(office.fund == fund))
    return found | {row.id: row.bucket for row in rows}


def _donors(connection: Connection, sealer: Sealer, fund: int, wanted: set[str]) -> dict[str, str]:
    """Return the names of who gave these donations, of those that say one."""
    door, office = Donation.__table__.c, OfficeDonation.__table__.c
    places = (
        ("donation.sealed", select(door.entry_id, door.sealed).where(door.fund == fund)),
        ("office_donation.sealed", select(office.id, office.sealed).where(office.fund == fund)),
    )
    found = {}
    for place, statement in places if wanted else ():
        for row_id, sealed in connection.execute(statement):
            name = donor_name(sealer, place, row_id, sealed) if row_id in wanted else None
            if name is not None:
                found[row_id] = name
    return found


def donor_name(sealer: Sealer, place: str, row_id: str, sealed: str | None) -> str | None:
    """Return the name of a donor who has one. Raises SealBrokenError."""
    if sealed is None:
        return None
    name: str | None = json.loads(sealer.open(from_base64url(sealed), place, row_id)).get("name")
    return name


def _pledge_codes(fund: int, pledge_id: str | None) -> tuple[str, ...]:
    return () if pledge_id is None else (fund_purpose(fund, pledge_id),)


def _some(text: str | None) -> tuple[str, ...]:
    return () if not text else (text,)


def targets_of(candidates: Iterable[Candidate]) -> list[Target]:
    """Return the targets alone."""
    return [each.target for each in candidates]


def known_fund(connection: Connection, fund: int) -> FundAccount | None:
    """Return a fund with its account, None where there is none of this number."""
    return next((each for each in fund_accounts(connection) if each.number == fund), None)
