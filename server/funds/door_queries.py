"""Reads of what doors brought to funds: the rows that a void is about, and the handovers of allocations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select

from server.bulk_rows import among, rows_among
from server.funds.models import Allocation, Donation, Fund, Handover, Nomination, Pool, Remittance
from server.funds.postings import FundStep
from server.money.queries import posted_steps

DOOR_TABLES = {
    "donation_received": Donation.__table__,
    "cash_remitted": Remittance.__table__,
    "beneficiary_nominated": Nomination.__table__,
    "card_handed_over": Handover.__table__,
}
_ROWS = {
    kind: select(table).where(among(table.c.entry_id))
    for kind, table in DOOR_TABLES.items()
    if kind != "card_handed_over"
}
_HANDOVER = Handover.__table__.c
_HANDOVERS = select(
    _HANDOVER.entry_id, _HANDOVER.allocation_id, _HANDOVER.upper_ms, _HANDOVER.voided_by
).where(among(_HANDOVER.allocation_id))
_ALLOCATION_OF = select(_HANDOVER.entry_id, _HANDOVER.allocation_id).where(among(_HANDOVER.entry_id))
_FUND = Fund.__table__.c
_DAYS = select(_FUND.number, _FUND.opens_on, _FUND.closes_on).where(among(_FUND.number))
_POOLS = select(Pool.__table__.c.code).where(among(Pool.__table__.c.code))
_LIVE = select(Allocation.nomination_id).where(
    among(Allocation.__table__.c.nomination_id), Allocation.__table__.c.ended_ms.is_(None)
)


class HandoverState(Struct, frozen=True, gc=False):
    """A handover as a change sees it."""

    entry_id: str
    allocation_id: str
    upper_ms: int
    voided_by: str | None = None


class FundDays(Struct, frozen=True, gc=False):
    """The days on which a fund takes donations and nominations, both included."""

    opens_on: date
    closes_on: date | None

    def is_open(self, day: date) -> bool:
        """Return whether the fund takes what is of this day."""
        return self.opens_on <= day and (self.closes_on is None or day <= self.closes_on)


def fund_days(connection: Connection, numbers: Iterable[int]) -> dict[int, FundDays]:
    """Return the days of each fund that exists."""
    return {row[0]: FundDays(row[1], row[2]) for row in rows_among(connection, _DAYS, numbers)}


def pools_among(connection: Connection, codes: Iterable[str]) -> set[str]:
    """Return which of these pools exist."""
    return {code for (code,) in rows_among(connection, _POOLS, codes)}


def door_rows(connection: Connection, kind: str, entry_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the kept rows of these entries of one kind, but for handovers."""
    names = DOOR_TABLES[kind].c.keys()
    return {
        row.entry_id: dict(zip(names, row, strict=True))
        for row in rows_among(connection, _ROWS[kind], entry_ids)
    }


def every_door_row(connection: Connection, kind: str) -> Iterator[dict[str, Any]]:
    """Yield every kept row of a kind."""
    table = DOOR_TABLES[kind]
    for row in connection.execute(select(table), execution_options={"yield_per": 1000}):
        yield dict(zip(table.c.keys(), row, strict=True))


def handovers_of(
    connection: Connection, allocation_ids: Iterable[str]
) -> dict[str, dict[str, HandoverState]]:
    """Return every handover of these allocations, voided ones too: allocation → entry → handover."""
    found: dict[str, dict[str, HandoverState]] = defaultdict(dict)
    for row in rows_among(connection, _HANDOVERS, allocation_ids):
        found[row[1]][row[0]] = HandoverState(*row)
    return found


def allocations_handed(connection: Connection, entry_ids: Iterable[str]) -> set[str]:
    """Return which allocations these handovers are of."""
    return {allocation_id for _, allocation_id in rows_among(connection, _ALLOCATION_OF, entry_ids)}


def rounds_won(connection: Connection, entry_ids: Iterable[str]) -> dict[str, int]:
    """Return how often each handover has come to stand: each time is a step of its own in the ledger."""
    found = defaultdict[str, int](int)
    for entry_id, step in posted_steps(connection, entry_ids):
        found[entry_id] += step.partition(":")[0] == FundStep.HANDOVER
    return found


def allocated_nominations(connection: Connection, entry_ids: Iterable[str]) -> set[str]:
    """Return which of these nominations have an allocation that was not taken back."""
    return {nomination_id for (nomination_id,) in rows_among(connection, _LIVE, entry_ids)}
