"""Holding a fund's ledger against its rows: every difference by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import chain, islice

from sqlalchemy import Connection

from server.funds.accounts import CARDS_HANDED
from server.funds.books import ROWS_AT_A_TIME, cards_in_hand, door_postings, handover_ids, office_books
from server.funds.office_queries import all_funds
from server.money.queries import fund_steps, postings_of
from server.money.rules import Line
from server.receipts.queries import office_receipt_gaps


@dataclass(frozen=True, slots=True)
class FundDifference:
    """What of a fund's books is not as its rows have it."""

    fund: int
    source_id: str
    step: str
    what: str

    def __str__(self) -> str:
        """Return the difference as a line."""
        return f"fund {self.fund}: {self.step} of {self.source_id} {self.what}"


def fund_differences(connection: Connection, zone: tzinfo) -> list[FundDifference]:
    """Return where any fund's ledger is not what its rows ask for, and which office receipts are missing."""
    found = [one for fund in all_funds(connection) for one in _differences_of(connection, zone, fund.number)]
    found += [
        FundDifference(0, str(counter), "receipt", "is missing")
        for counter in office_receipt_gaps(connection)
    ]
    return found


def _differences_of(connection: Connection, zone: tzinfo, fund: int) -> list[FundDifference]:
    books, unexplained = office_books(connection, zone, fund), fund_steps(connection, fund)
    handovers = handover_ids(connection, fund)
    found = _handover_differences(connection, fund, handovers)
    waiting = set(books.waiting)
    expected = chain(books.postings, door_postings(connection, fund))
    while part := list(islice(expected, ROWS_AT_A_TIME)):
        stored = postings_of(connection, {posting.source_id for posting in part})
        for posting in part:
            key = (posting.source_id, str(posting.step))
            unexplained.discard(key)
            lines = stored.get(key)
            if lines is None:
                found.append(FundDifference(fund, *key, "is missing"))
            elif _sorted(lines) != _sorted(posting.lines):
                found.append(FundDifference(fund, *key, "differs"))
    found += [
        FundDifference(fund, source_id, step, "is of no row")
        for source_id, step in sorted(unexplained)
        if source_id not in waiting and source_id not in handovers
    ]
    return found


def _handover_differences(connection: Connection, fund: int, handovers: set[str]) -> list[FundDifference]:
    """Return the buckets in which not as many cards are in hand as handovers stand."""
    handed = dict[str, int]()
    for lines in postings_of(connection, handovers).values():
        for line in lines:
            if line.account == CARDS_HANDED:
                bucket = line.bucket or ""
                handed[bucket] = handed.get(bucket, 0) + line.debit_cards - line.credit_cards
    expected, found = cards_in_hand(connection, fund), []
    for bucket in sorted({*expected, *handed}):
        posted, standing = handed.get(bucket, 0), expected.get(bucket, 0)
        if posted != standing:
            what = f"are {posted} cards and should be {standing}"
            found.append(FundDifference(fund, bucket, "handovers", what))
    return found


def _sorted(lines: Sequence[Line]) -> list[tuple[object, ...]]:
    return sorted(
        (
            line.account,
            line.fund or 0,
            line.bucket or "",
            line.debit_vnd,
            line.credit_vnd,
            line.debit_cards,
            line.credit_cards,
        )
        for line in lines
    )
