"""Reads of the ledger: payments, balances per agent, open cases, totals. All sums in đồng."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from sys import intern
from typing import Any

from sqlalchemy import Connection, func, or_, select

from server.bulk_rows import among, chunks, rows_among
from server.money.models import LedgerLine, MoneyCase, PaymentRow
from server.money.rules import Line, Payment, PaymentState, cash_in_hand, suspense, transfer_claims


@dataclass(frozen=True, slots=True)
class AgentBalance:
    """What one agent answers for: cash held, transfers claimed, and how much of it is unsettled."""

    cash_in_hand_vnd: int = 0
    transfer_claims_vnd: int = 0
    suspense_vnd: int = 0


@dataclass(frozen=True, slots=True)
class CaseView:
    """An open case about money."""

    entry_id: str
    kind: str
    worker_id: str
    opened_ms: int


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """The whole ledger; `balances_vnd` maps an account's class to debit − credit."""

    debit_vnd: int
    credit_vnd: int
    balances_vnd: dict[str, int]


def payment_of_row(row: Any) -> Payment:
    """Return the payment that a row of its table holds."""
    return Payment(
        entry_id=row.entry_id,
        worker_id=row.worker_id,
        installation_id=row.installation_id,
        scheme=row.scheme,
        method=row.method,
        amount_vnd=row.amount_vnd,
        state=PaymentState(row.state),
        allocations=tuple((enrolment, amount) for enrolment, amount in json.loads(row.allocations_json)),
        payer_person_id=row.payer_person_id,
        business_day=row.business_day,
    )


def payments_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Payment]:
    """Return the payments with these entry ids."""
    table = PaymentRow.__table__
    found = {}
    for part in chunks(sorted(set(ids))):
        for row in connection.execute(table.select().where(table.c.entry_id.in_(part))):
            found[row.entry_id] = payment_of_row(row)
    return found


def settled_allocations(connection: Connection, enrolment_ids: set[str]) -> dict[str, list[str]]:
    """Return, per settled payment that is for any of these enrolments, which of them it is for.

    Reads every settled payment: whoever took the money, and whenever, it may be for any enrolment.
    """
    payment, found = PaymentRow.__table__.c, {}
    statement = select(payment.entry_id, payment.allocations_json).where(
        payment.state == PaymentState.SETTLED.value
    )
    for entry_id, allocations_json in connection.execute(statement, execution_options={"yield_per": 2000}):
        paid = [enrolment for enrolment, _ in json.loads(allocations_json) if enrolment in enrolment_ids]
        if paid:
            found[entry_id] = paid
    return found


def balances_of_agents(connection: Connection, worker_ids: Iterable[str]) -> dict[str, AgentBalance]:
    """Return the balance of each agent; zeros for one without postings."""
    line, amounts, workers = LedgerLine.__table__.c, defaultdict[str, int](int), sorted(set(worker_ids))
    accounts = [of(worker) for worker in workers for of in (cash_in_hand, transfer_claims, suspense)]
    for part in chunks(accounts):
        statement = select(line.account, func.sum(line.debit_vnd - line.credit_vnd))
        for account, amount in connection.execute(
            statement.where(line.account.in_(part)).group_by(line.account)
        ):
            amounts[account] = int(amount)
    return {
        worker: AgentBalance(
            cash_in_hand_vnd=amounts[cash_in_hand(worker)],
            transfer_claims_vnd=amounts[transfer_claims(worker)],
            suspense_vnd=-amounts[suspense(worker)],
        )
        for worker in workers
    }


def open_cases(connection: Connection) -> list[CaseView]:
    """Return the open cases, oldest first."""
    case = MoneyCase.__table__.c
    statement = select(case.entry_id, case.kind, case.worker_id, case.opened_ms)
    statement = statement.where(case.closed_ms.is_(None)).order_by(case.opened_ms, case.entry_id)
    return [CaseView(*row) for row in connection.execute(statement)]


def ledger_totals(connection: Connection) -> LedgerTotals:
    """Return the sums of the whole ledger by class of account (the name before the colon)."""
    line, balances = LedgerLine.__table__.c, defaultdict[str, int](int)
    debit_vnd = credit_vnd = 0
    statement = select(line.account, func.sum(line.debit_vnd), func.sum(line.credit_vnd))
    for account, debit, credit in connection.execute(statement.group_by(line.account)):
        debit_vnd, credit_vnd = debit_vnd + int(debit), credit_vnd + int(credit)
        balances[account.partition(":")[0]] += int(debit) - int(credit)
    return LedgerTotals(debit_vnd, credit_vnd, dict(balances))


def unbalanced_entries(connection: Connection) -> list[str]:
    """Return the sources whose postings have not as much debit as credit; there never are any."""
    line = LedgerLine.__table__.c
    is_unequal = or_(
        func.sum(line.debit_vnd) != func.sum(line.credit_vnd),
        func.sum(line.debit_cards) != func.sum(line.credit_cards),
    )
    statement = select(line.entry_id).group_by(line.entry_id).having(is_unequal)
    return list(connection.scalars(statement.order_by(line.entry_id)))


def posted_lines(connection: Connection, source_id: str, step: str) -> list[Line]:
    """Return the lines that one step of a source has posted."""
    line = LedgerLine.__table__.c
    statement = select(*(line[name] for name in Line.__dataclass_fields__)).where(
        line.entry_id == source_id, line.step == step
    )
    return [Line(*row) for row in connection.execute(statement.order_by(line.line_number))]


def fund_balances(connection: Connection, fund: int) -> dict[tuple[str, str | None], tuple[int, int]]:
    """Return (account, bucket) → debit − credit of a fund's lines, in đồng and in cards."""
    line = LedgerLine.__table__.c
    statement = (
        select(
            line.account,
            line.bucket,
            func.sum(line.debit_vnd - line.credit_vnd),
            func.sum(line.debit_cards - line.credit_cards),
        )
        .where(line.fund == fund)
        .group_by(line.account, line.bucket)
    )
    return {
        (account, bucket): (int(amount_vnd), int(amount_cards))
        for account, bucket, amount_vnd, amount_cards in connection.execute(statement)
    }


_POSTED = (
    select(LedgerLine.entry_id, LedgerLine.step).where(among(LedgerLine.__table__.c.entry_id)).distinct()
)


def posted_steps(connection: Connection, source_ids: Iterable[str]) -> set[tuple[str, str]]:
    """Return the (source, step) that were posted among these sources."""
    return {(row[0], row[1]) for row in rows_among(connection, _POSTED, source_ids)}


_LINES_OF = (
    select(
        LedgerLine.entry_id,
        LedgerLine.step,
        *(LedgerLine.__table__.c[name] for name in Line.__dataclass_fields__),
    )
    .where(among(LedgerLine.__table__.c.entry_id))
    .order_by(LedgerLine.entry_id, LedgerLine.step, LedgerLine.line_number)
)


def postings_of(connection: Connection, source_ids: Iterable[str]) -> dict[tuple[str, str], list[Line]]:
    """Return (source, step) → lines of all that these sources posted, in their order."""
    found = defaultdict[tuple[str, str], list[Line]](list)
    for source_id, step, *values in rows_among(connection, _LINES_OF, source_ids):
        found[source_id, step].append(Line(*values))
    return dict(found)


def fund_steps(connection: Connection, fund: int) -> set[tuple[str, str]]:
    """Return every (source, step) that posted anything for a fund."""
    line = LedgerLine.__table__.c
    statement = select(line.entry_id, line.step).where(line.fund == fund).distinct()
    rows = connection.execute(statement, execution_options={"yield_per": 2000})
    return {(source_id, intern(step)) for source_id, step in rows}
