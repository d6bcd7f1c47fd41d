"""A fund's books computed anew: what every row must have posted, and what is not there yet.

Rows and postings are held together by the functions of server.funds.postings, which acting and
recomputing share. After a restore the office's rows are back before their postings are, which
`post_missing` adds. Of handovers only the balance is expected: which of them were posted and taken
back again depends on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any

from sqlalchemy import Connection, select

from server.audit.changes import Change
from server.bank.records import LineKept, MatchKept, lines_kept, matches_kept
from server.bulk_rows import among, rows_among
from server.funds.desk import locked_fund
from server.funds.models import Allocation, Donation, Handover, Remittance, RemittanceConfirmation
from server.funds.office_queries import (
    AllocationState,
    OfficeDonationState,
    PayoutState,
    all_funds,
    allocations_of,
    office_donations_of,
    payouts_of,
)
from server.funds.postings import (
    FundStep,
    Lines,
    approval,
    cancellation,
    card_return,
    confirmation,
    door_settlement,
    issue,
    match,
    office_donation,
    price_difference,
    refund,
    remittance,
    statement_line,
)
from server.funds.rules import MatchKind, Stage
from server.money.ledger import post
from server.money.queries import posted_steps
from server.money.rules import Step, arrival_lines, reversed_lines
from sync.clock import local_day

ROWS_AT_A_TIME = 2000
_PLACES = select(Donation.entry_id, Donation.bucket, Donation.worker_id).where(
    among(Donation.__table__.c.entry_id)
)
_DONATION_KINDS = frozenset({MatchKind.DOOR_DONATION, MatchKind.OFFICE_DONATION, MatchKind.BOUNCE})


@dataclass(frozen=True, slots=True)
class Posting:
    """What one step of one source must have posted, on which day and by whom."""

    source_id: str
    step: str
    lines: Lines
    business_day: date
    caused_by: str


@dataclass(slots=True)
class OfficeBooks:
    """What the office's rows of a fund must have posted.

    `waiting` are matches with donations that no tablet has brought back yet.
    """

    postings: list[Posting] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def office_books(connection: Connection, zone: tzinfo, fund: int) -> OfficeBooks:
    """Return the postings that the office's rows of a fund ask for."""

    def day_of(at_ms: int) -> date:
        return local_day(at_ms, zone)

    books, donations = OfficeBooks(), office_donations_of(connection, fund)
    for donation in donations:
        books.postings += _of_office_donation(donation, day_of)
    for allocation in allocations_of(connection, fund):
        books.postings += _of_allocation(allocation, day_of)
    for payout in payouts_of(connection, fund):
        books.postings += _of_payout(payout, day_of)
    remitted, said = Remittance.__table__.c, RemittanceConfirmation.__table__.c
    confirmed = (
        select(said.entry_id, said.at_ms, said.actor, remitted.amount_vnd)
        .join_from(RemittanceConfirmation.__table__, Remittance.__table__, said.entry_id == remitted.entry_id)
        .where(remitted.fund == fund)
    )
    for row in connection.execute(confirmed):
        lines, day = confirmation(fund, row.amount_vnd), day_of(row.at_ms)
        books.postings.append(Posting(row.entry_id, FundStep.CONFIRMATION, lines, day, row.actor))
    amounts = {line.id: line for line in lines_kept(connection, fund)}
    for line in amounts.values():
        lines = statement_line(fund, line.amount_vnd)
        books.postings.append(Posting(line.id, FundStep.LINE, lines, line.day, line.id))
    matches = matches_kept(connection, fund)
    places: dict[str, tuple[str, str | None]] = {each.id: (each.bucket, None) for each in donations}
    for row in rows_among(connection, _PLACES, {each.target_id for each in matches if each.target_id}):
        places[row.entry_id] = (row.bucket, row.worker_id)
    for kept in matches:
        _add_match(fund, kept, amounts, places, day_of, books)
    return books


def door_postings(connection: Connection, fund: int) -> Iterator[Posting]:
    """Give the postings that what doors brought to a fund asks for, but for handovers.

    There may be a hundred thousand donations, so their rows are streamed.
    """
    for table, posted in (
        (Donation.__table__, _of_door_donation),
        (Remittance.__table__, _of_remittance),
    ):
        rows = connection.execute(
            select(table).where(table.c.fund == fund), execution_options={"yield_per": ROWS_AT_A_TIME}
        )
        for row in rows:
            yield from posted(row)


def cards_in_hand(connection: Connection, fund: int) -> dict[str, int]:
    """Return by bucket how many allocations of a fund have a handover that stands."""
    handed, given = Handover.__table__.c, Allocation.__table__.c
    statement = (
        select(given.id, given.bucket)
        .join_from(Handover.__table__, Allocation.__table__, handed.allocation_id == given.id)
        .where(given.fund == fund, handed.voided_by.is_(None))
        .distinct()
    )
    found: dict[str, int] = {}
    for _, bucket in connection.execute(statement):
        found[bucket] = found.get(bucket, 0) + 1
    return found


def handover_ids(connection: Connection, fund: int) -> set[str]:
    """Return the entries that handed over cards of a fund, voided ones too."""
    handed, given = Handover.__table__.c, Allocation.__table__.c
    statement = (
        select(handed.entry_id)
        .join_from(Handover.__table__, Allocation.__table__, handed.allocation_id == given.id)
        .where(given.fund == fund)
    )
    return set(connection.scalars(statement))


def missing_postings(connection: Connection, zone: tzinfo, fund: int) -> list[Posting]:
    """Return what the office's rows of a fund ask for and the ledger lacks."""
    books = office_books(connection, zone, fund)
    known = posted_steps(connection, [each.source_id for each in books.postings])
    return [each for each in books.postings if (each.source_id, each.step) not in known]


def post_missing(change: Change, zone: tzinfo) -> int:
    """Post what the office's rows ask for and the ledger lacks, of every fund; return how many steps.

    Needed after a restore, whose desk journal brings back rows and not postings. A decision on what a
    tablet has yet to bring back waits until this is called again.
    """
    change.flush()
    added = 0
    for fund in all_funds(change.connection):
        locked_fund(change, fund.number)
        for each in missing_postings(change.connection, zone, fund.number):
            post(change, each.source_id, each.step, each.lines, each.business_day, each.caused_by)
            added += 1
    change.audit("fund_postings_added", "office", count=added)
    return added


_DayOf = Callable[[int], date]


def _of_door_donation(row: Any) -> Iterable[Posting]:
    arrived = arrival_lines(row.worker_id, row.method, row.amount_vnd)
    settled = door_settlement(row.worker_id, row.method, row.fund, row.bucket, row.amount_vnd)
    yield Posting(row.entry_id, Step.ARRIVAL, arrived, row.business_day, row.entry_id)
    yield Posting(row.entry_id, Step.SETTLEMENT, settled, row.business_day, row.entry_id)
    if row.voided_by is not None:
        lines = reversed_lines([*arrived, *settled])
        yield Posting(row.entry_id, Step.VOID, lines, row.voided_on or row.business_day, row.voided_by)


def _of_office_donation(row: OfficeDonationState, day_of: _DayOf) -> Iterable[Posting]:
    if row.channel != "cash":
        # A transfer posts with the match of its line.
        return
    lines = office_donation(row.fund, row.bucket, row.amount_vnd)
    yield Posting(row.id, FundStep.OFFICE_DONATION, lines, row.day, row.actor)
    if row.reversed_ms is not None:
        day = day_of(row.reversed_ms)
        yield Posting(row.id, FundStep.REVERSAL, reversed_lines(lines), day, row.reversed_by or row.actor)


def _of_allocation(row: AllocationState, day_of: _DayOf) -> Iterable[Posting]:
    if row.approved_ms is None or row.price_vnd is None or row.priced_on is None:
        return
    approver = row.approved_by or ""
    lines = approval(row.fund, row.bucket, row.price_vnd)
    yield Posting(row.id, FundStep.APPROVAL, lines, row.priced_on, approver)
    ender = row.ended_by or approver
    if row.issued_ms is not None and row.issued_price_vnd is not None and row.issued_on is not None:
        issuer = row.issued_by or approver
        lines = issue(row.fund, row.bucket, row.price_vnd)
        yield Posting(row.id, FundStep.ISSUE, lines, row.issued_on, issuer)
        lines = price_difference(row.fund, row.bucket, row.price_vnd, row.issued_price_vnd)
        if lines:
            yield Posting(row.id, FundStep.PRICE_DIFFERENCE, lines, row.issued_on, issuer)
    if row.ended_ms is None:
        return
    if row.ended == Stage.CANCELLED:
        lines = cancellation(row.fund, row.bucket, row.price_vnd)
        yield Posting(row.id, FundStep.CANCELLATION, lines, day_of(row.ended_ms), ender)
    else:
        lines = card_return(row.fund, row.bucket)
        yield Posting(row.id, FundStep.RETURN, lines, day_of(row.ended_ms), ender)


def _of_payout(row: PayoutState, day_of: _DayOf) -> Iterable[Posting]:
    if row.kind != "refund" or row.approved_ms is None or row.bucket is None:
        return
    lines = refund(row.fund, row.bucket, row.amount_vnd)
    yield Posting(row.id, FundStep.REFUND, lines, day_of(row.approved_ms), row.approved_by or "")
    if row.cancelled_ms is not None:
        lines = reversed_lines(lines)
        yield Posting(row.id, FundStep.REVERSAL, lines, day_of(row.cancelled_ms), row.cancelled_by or "")


def _of_remittance(row: Any) -> Iterable[Posting]:
    lines = remittance(row.worker_id, row.fund, row.amount_vnd)
    yield Posting(row.entry_id, FundStep.REMITTANCE, lines, row.business_day, row.entry_id)
    if row.voided_by is not None:
        day = row.voided_on or row.business_day
        yield Posting(row.entry_id, FundStep.VOID, reversed_lines(lines), day, row.voided_by)


def _add_match(
    fund: int,
    kept: MatchKept,
    amounts: Mapping[str, LineKept],
    places: Mapping[str, tuple[str, str | None]],
    day_of: _DayOf,
    books: OfficeBooks,
) -> None:
    """Add what a match and its undoing post; one with a donation that is not here yet waits."""
    kind, bucket, worker_id = MatchKind(kept.kind), None, None
    if kind in _DONATION_KINDS:
        place = places.get(kept.target_id or "")
        if place is None:
            books.waiting.append(kept.id)
            return
        bucket, worker_id = place
    line = amounts[kept.line_id]
    lines = match(kind, fund, line.amount_vnd, bucket, worker_id)
    if not lines:
        return
    books.postings.append(Posting(kept.id, FundStep.MATCH, lines, line.day, kept.actor))
    if kept.undone_ms is not None:
        day, by = day_of(kept.undone_ms), kept.undone_by or kept.actor
        books.postings.append(Posting(kept.id, FundStep.UNMATCH, reversed_lines(lines), day, by))
