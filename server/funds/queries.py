"""Reads of the funds' books. All sums in đồng, or in whole cards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from server.bank.queries import matched_targets
from server.bulk_rows import among, rows_among
from server.funds.accounts import (
    BANK,
    CARDS_COMMITTED,
    CARDS_HANDED,
    CARDS_ISSUED,
    CARDS_RETURNED,
    CLAIMED,
    DUE_INSURER,
    FREE,
    IN_TRANSIT,
    OFFICE_CASH,
    REFUND_DUE,
    RESERVED,
    UNIDENTIFIED,
)
from server.funds.models import Donation, Remittance, RemittanceConfirmation
from server.funds.rules import (
    CashHeld,
    CashTaken,
    MatchKind,
    held_by_agent,
    in_hands_by_bucket,
    spendable_by_bucket,
)
from server.money.queries import fund_balances

_TAKEN = Donation.__table__.c
_CASH_TAKEN = select(
    _TAKEN.entry_id, _TAKEN.worker_id, _TAKEN.bucket, _TAKEN.amount_vnd, _TAKEN.upper_ms
).where(
    among(_TAKEN.worker_id),
    _TAKEN.fund == bindparam("fund"),
    _TAKEN.method == "cash",
    _TAKEN.voided_by.is_(None),
)
_CARDS = (CARDS_COMMITTED, CARDS_ISSUED, CARDS_HANDED, CARDS_RETURNED)


@dataclass(frozen=True, slots=True)
class FundStanding:
    """Where a fund stands: sums in đồng, in all and by bucket; cards by account.

    `free_vnd` less `in_hands_vnd` is what is here and not promised; `spendable_vnd` what may be promised.
    """

    bank_vnd: int
    office_cash_vnd: int
    in_transit_vnd: int
    unidentified_vnd: int
    due_insurer_vnd: int
    refund_due_vnd: int
    claimed_vnd: Mapping[str, int]
    free_vnd: Mapping[str, int]
    reserved_vnd: Mapping[str, int]
    in_hands_vnd: Mapping[str, int]
    spendable_vnd: Mapping[str, int]
    cards: Mapping[str, int]

    @property
    def here_vnd(self) -> dict[str, int]:
        """Return what is free and not in agents' hands, by bucket; below zero after a bounce."""
        buckets = {*self.free_vnd, *self.in_hands_vnd}
        return {one: self.free_vnd.get(one, 0) - self.in_hands_vnd.get(one, 0) for one in buckets}


def fund_standing(connection: Connection, fund: int) -> FundStanding:
    """Return where a fund stands by its ledger, one snapshot."""
    dong, cards = dict[str, int](), dict[str, int]()
    by_bucket = defaultdict[str, dict[str, int]](dict)
    for (account, bucket), (amount_vnd, amount_cards) in fund_balances(connection, fund).items():
        dong[account] = dong.get(account, 0) + amount_vnd
        cards[account] = cards.get(account, 0) + amount_cards
        if bucket is not None:
            # Credit accounts are shown as what they hold.
            by_bucket[account][bucket] = -amount_vnd
    free = by_bucket[FREE]
    arrived = cash_arrived(connection, fund)
    # Most agents have handed in everything, and then nobody has to know of which donations.
    taken = cash_taken(connection, fund, _holders(connection, fund, arrived))
    in_hands = in_hands_by_bucket(taken, arrived)
    return FundStanding(
        bank_vnd=dong.get(BANK, 0),
        office_cash_vnd=dong.get(OFFICE_CASH, 0),
        in_transit_vnd=dong.get(IN_TRANSIT, 0),
        unidentified_vnd=-dong.get(UNIDENTIFIED, 0),
        due_insurer_vnd=-dong.get(DUE_INSURER, 0),
        refund_due_vnd=-dong.get(REFUND_DUE, 0),
        # Matched transfers leave it on the debit side, so what is still claimed is its credit balance.
        claimed_vnd=by_bucket[CLAIMED],
        free_vnd=free,
        reserved_vnd=by_bucket[RESERVED],
        in_hands_vnd=in_hands,
        spendable_vnd=spendable_by_bucket(free, in_hands),
        cards={account: cards.get(account, 0) for account in _CARDS},
    )


def cash_held(connection: Connection, fund: int) -> list[CashHeld]:
    """Return who still holds cash of a fund, and since when; the oldest first."""
    arrived = cash_arrived(connection, fund)
    return held_by_agent(cash_taken(connection, fund, _holders(connection, fund, arrived)), arrived)


def cash_taken(connection: Connection, fund: int, worker_ids: Iterable[str]) -> list[CashTaken]:
    """Return the cash that these agents took for a fund at doors, without what was voided."""
    rows = rows_among(connection, _CASH_TAKEN, worker_ids, fund=fund)
    return [CashTaken(*row) for row in rows]


def _holders(connection: Connection, fund: int, arrived_vnd: Mapping[str, int]) -> list[str]:
    """Return the agents who took more cash than what of it arrived."""
    column = Donation.__table__.c
    statement = select(column.worker_id, func.sum(column.amount_vnd)).where(
        column.fund == fund, column.method == "cash", column.voided_by.is_(None)
    )
    totals = connection.execute(statement.group_by(column.worker_id))
    return [worker_id for worker_id, taken in totals if taken > arrived_vnd.get(worker_id, 0)]


def cash_arrived(connection: Connection, fund: int) -> dict[str, int]:
    """Return by agent what they handed in that is at the office or on the account."""
    column, confirmed = Remittance.__table__.c, RemittanceConfirmation.__table__.c
    matched = matched_targets(connection, fund, MatchKind.REMITTANCE.value)
    at_office = set(connection.scalars(select(confirmed.entry_id)))
    statement = select(column.entry_id, column.worker_id, column.amount_vnd).where(
        column.fund == fund, column.voided_by.is_(None)
    )
    arrived = defaultdict[str, int](int)
    for entry_id, worker_id, amount_vnd in connection.execute(statement):
        if entry_id in matched or entry_id in at_office:
            arrived[worker_id] += amount_vnd
    return dict(arrived)


@dataclass(frozen=True, slots=True)
class RemittanceState:
    """Cash that an agent says was carried away; `is_confirmed`: the office has it."""

    entry_id: str
    worker_id: str
    fund: int
    destination: str
    amount_vnd: int
    is_voided: bool
    is_confirmed: bool


def remittance_by_id(connection: Connection, entry_id: str) -> RemittanceState | None:
    """Return a remittance, None where there is none."""
    column, confirmed = Remittance.__table__.c, RemittanceConfirmation.__table__.c
    statement = select(
        column.entry_id,
        column.worker_id,
        column.fund,
        column.destination,
        column.amount_vnd,
        column.voided_by,
    ).where(column.entry_id == entry_id)
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    is_confirmed = connection.scalar(select(confirmed.at_ms).where(confirmed.entry_id == entry_id))
    return RemittanceState(
        row.entry_id,
        row.worker_id,
        row.fund,
        row.destination,
        row.amount_vnd,
        is_voided=row.voided_by is not None,
        is_confirmed=is_confirmed is not None,
    )
