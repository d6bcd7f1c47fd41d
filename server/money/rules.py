"""Which lines a payment posts at each step of its life: pure, in whole đồng.

Cash is the agent's debt from the moment it arrives, whatever becomes of the entry, so arrival
posts against suspense and settling moves it on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sync.limits import LIMITS


class PaymentState(StrEnum):
    """How far a payment has come."""

    ARRIVED = "arrived"
    SETTLED = "settled"
    VOIDED = "voided"


class Step(StrEnum):
    """A posting in a payment's life; each happens once."""

    ARRIVAL = "arrival"
    SETTLEMENT = "settlement"
    VOID = "void"


# The scheme of a payment that is a donation to a fund: money that no insurer is owed.
DONATION = "donation"


class CaseKind(StrEnum):
    """Why a person has to look at a payment."""

    AMOUNT_UNKNOWN = "amount_unknown"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that was taken. `allocations` are (enrolment id, đồng), empty until it is settled."""

    entry_id: str
    worker_id: str
    installation_id: str
    scheme: str | None
    method: str
    amount_vnd: int
    state: PaymentState
    allocations: tuple[tuple[str, int], ...]
    payer_person_id: str | None
    business_day: date


@dataclass(frozen=True, slots=True)
class Claim:
    """The money that an entry says came with it; `amount_vnd` is None where it cannot be known."""

    method: str
    amount_vnd: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a posting: of đồng or of cards, perhaps of a fund and what it is restricted to."""

    account: str
    debit_vnd: int = 0
    credit_vnd: int = 0
    debit_cards: int = 0
    credit_cards: int = 0
    fund: int | None = None
    bucket: str | None = None


def cash_in_hand(worker_id: str) -> str:
    """Return the account of the cash that an agent holds."""
    return f"cash_in_hand:{worker_id}"


def transfer_claims(worker_id: str) -> str:
    """Return the account of transfers that an agent reported and no bank statement shows yet."""
    return f"transfer_claims:{worker_id}"


def suspense(worker_id: str) -> str:
    """Return the account of an agent's money whose purpose is not settled."""
    return f"suspense:{worker_id}"


def contributions_due(scheme: str) -> str:
    """Return the account of the contributions that the office owes to a scheme."""
    return f"contributions_due:{scheme}"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a payment is for, once its entry is in effect: the lines that move it there out of suspense.

    `amount_vnd` is None where what the entry names does not add up; `amount_field` is where it stands.
    """

    scheme: str
    claim: Claim
    lines: tuple[Line, ...]
    amount_field: str
    allocations: tuple[tuple[str, int], ...] = ()
    payer_person_id: str | None = None


def claim_of(kind: str | None, body: Mapping[str, Any] | None) -> Claim:
    """Return the money that an unvalidated body of a kind with money claims."""
    amount_vnd = donation_claimed(body) if kind == "donation_received" else amount_claimed(body)
    return Claim(method_claimed(body), amount_vnd)


def donation_claimed(body: Mapping[str, Any] | None) -> int | None:
    """Return the amount of an unvalidated donation, or None when it is unknown."""
    amount = body.get("amount_vnd") if body is not None else None
    return amount if type(amount) is int and 1 <= amount <= LIMITS.amount_vnd else None


def amount_claimed(body: Mapping[str, Any] | None) -> int | None:
    """Return the total of the allocations of an unvalidated body, or None when it is unknown.

    It is unknown as soon as one amount is no whole number from 1 to the limit.
    """
    allocations = body.get("allocations") if body is not None else None
    if not isinstance(allocations, list) or not allocations:
        return None
    amounts = [item.get("amount_vnd") if isinstance(item, dict) else None for item in allocations]
    known = [amount for amount in amounts if type(amount) is int and 1 <= amount <= LIMITS.amount_vnd]
    return sum(known) if len(known) == len(amounts) else None


def method_claimed(body: Mapping[str, Any] | None) -> str:
    """Return the method of an unvalidated body; what does not say "transfer" counts as cash."""
    return "transfer" if body is not None and body.get("method") == "transfer" else "cash"


def arrival_lines(worker_id: str, method: str, amount_vnd: int) -> tuple[Line, ...]:
    """Return the lines of money arriving, none for an unknown amount."""
    if amount_vnd == 0:
        return ()
    account = transfer_claims(worker_id) if method == "transfer" else cash_in_hand(worker_id)
    return Line(account, debit_vnd=amount_vnd), Line(suspense(worker_id), credit_vnd=amount_vnd)


def settlement_lines(worker_id: str, scheme: str, amount_vnd: int) -> tuple[Line, ...]:
    """Return the lines that move contributions out of suspense to the scheme that they are for."""
    return (
        Line(suspense(worker_id), debit_vnd=amount_vnd),
        Line(contributions_due(scheme), credit_vnd=amount_vnd),
    )


def void_lines(payment: Payment, settlement: Sequence[Line] = ()) -> tuple[Line, ...]:
    """Return the lines that reverse whatever a payment has posted so far.

    `settlement` is what a donation was settled with; that of contributions follows from the payment.
    """
    posted = list(arrival_lines(payment.worker_id, payment.method, payment.amount_vnd))
    if payment.state is PaymentState.SETTLED and payment.scheme is not None:
        assert bool(settlement) == (payment.scheme == DONATION), "only a donation's lines are its own"
        posted += settlement or settlement_lines(payment.worker_id, payment.scheme, payment.amount_vnd)
    return reversed_lines(posted)


def reversed_lines(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines that take a posting back."""
    return tuple(
        dataclasses.replace(
            line,
            debit_vnd=line.credit_vnd,
            credit_vnd=line.debit_vnd,
            debit_cards=line.credit_cards,
            credit_cards=line.debit_cards,
        )
        for line in reversed(lines)
    )


def is_balanced(lines: Sequence[Line]) -> bool:
    """Return whether debits equal credits, in đồng and in cards."""
    dong = sum(line.debit_vnd - line.credit_vnd for line in lines)
    cards = sum(line.debit_cards - line.credit_cards for line in lines)
    return dong == 0 and cards == 0
