"""Holding a fund's ledger against its rows: every difference by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import Connection

from server.funds.accounts import CARDS_HANDED
from server.funds.books import Posting, cards_in_hand, expected_books, handover_ids
from server.funds.office_queries import all_funds
from server.money.queries import fund_postings
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
    books, stored = expected_books(connection, zone, fund), fund_postings(connection, fund)
    handovers = handover_ids(connection, fund)
    handed, found = dict[str, int](), list[FundDifference]()
    for (source_id, step), lines in list(stored.items()):
        if source_id in handovers:
            del stored[source_id, step]
            for line in lines:
                if line.account == CARDS_HANDED:
                    bucket = line.bucket or ""
                    handed[bucket] = handed.get(bucket, 0) + line.debit_cards - line.credit_cards
    for posting in (*books.office, *books.doors):
        lines = stored.pop((posting.source_id, posting.step), [])
        if not lines:
            found.append(_difference(fund, posting, "is missing"))
        elif _sorted(lines) != _sorted(posting.lines):
            found.append(_difference(fund, posting, "differs"))
    waiting = set(books.waiting)
    found += [
        FundDifference(fund, source_id, step, "is of no row")
        for source_id, step in sorted(stored)
        if source_id not in waiting
    ]
    expected = cards_in_hand(connection, fund)
    for bucket in sorted({*expected, *handed}):
        if expected.get(bucket, 0) != handed.get(bucket, 0):
            what = f"are {handed.get(bucket, 0)} cards and should be {expected.get(bucket, 0)}"
            found.append(FundDifference(fund, bucket, "handovers", what))
    return found


def _difference(fund: int, posting: Posting, what: str) -> FundDifference:
    return FundDifference(fund, posting.source_id, str(posting.step), what)


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
