"""What a person's line in a list for the insurer comes to, and what it lacks. Pure.

A line that lacks something is listed all the same, with the reason: whoever is left out silently is missed
by nobody until they need the insurance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from schemas.rate_tables import RateTables, row_on
from schemas.rates import Quote, RateFault, enrolment_quote

VOLUNTARY, HEALTH = "voluntary", "health"
# A list by its name, and the scheme that it is of.
LISTS = {"d05": VOLUNTARY, "d03": HEALTH}


class Lack(StrEnum):
    """What a form needs and the office has not; what the rate tables cannot say has a code of theirs."""

    NUMBER = "lacks_number"
    BIRTH_DATE = "lacks_birth_date"
    SEX = "lacks_sex"
    ADDRESS = "lacks_address"
    HOSPITAL = "lacks_hospital"
    PAYMENT = "lacks_payment"
    RECEIPT = "lacks_receipt"
    COLLECTOR = "lacks_collector"


@dataclass(frozen=True, slots=True)
class ReceiptGiven:
    """A receipt that stands for a payment of the enrolment: our number, its day, the insurer's number."""

    number: str
    issued_on: date
    official: str | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the office has of one enrolment; `terms` is what the agent declared, numbers are in the clear."""

    enrolment_id: str
    name: str
    insurance_number: str | None
    national_id: str | None
    birth_date: date | None
    sex: str | None
    address: str | None
    area_name: str
    terms: Mapping[str, Any]
    status: str
    on: date
    paid_vnd: int
    receipts: tuple[ReceiptGiven, ...]
    collector_code: str | None
    agent_name: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """A line of a list; amounts by the rate tables of the enrolment's day, None where these say nothing."""

    gathered: Gathered
    quote: Quote | None
    participant_vnd: int | None
    other_vnd: int | None
    state_percent: int | None
    local_percent: int | None
    lacks: tuple[str, ...]

    @property
    def difference_vnd(self) -> int | None:
        """Return what was collected beyond what the participant pays by the tables; negative: less."""
        return None if self.participant_vnd is None else self.gathered.paid_vnd - self.participant_vnd


def declared(tables: RateTables, found: Gathered) -> Declared:
    """Return the line of one enrolment."""
    quote = enrolment_quote(tables, found.terms, found.on)
    lacks = [str(lack) for lack in _lacks(found)]
    if isinstance(quote, RateFault):
        return Declared(found, None, None, None, None, None, (*lacks, str(quote.code)))
    # An agent declares that nothing is due where somebody else pays the participant's part.
    is_paid_by_others = found.terms["amount_due_vnd"] == 0
    return Declared(
        gathered=found,
        quote=quote,
        participant_vnd=0 if is_paid_by_others else quote.due_vnd,
        other_vnd=quote.due_vnd if is_paid_by_others else 0,
        state_percent=_state_percent(tables, found),
        local_percent=_local_percent(tables, found, quote),
        lacks=tuple(lacks),
    )


def _lacks(found: Gathered) -> Iterable[Lack]:
    is_health = found.terms["scheme"] == HEALTH
    if found.insurance_number is None and found.national_id is None:
        yield Lack.NUMBER
    if is_health and found.birth_date is None:
        yield Lack.BIRTH_DATE
    if is_health and found.sex is None:
        yield Lack.SEX
    if found.address is None:
        yield Lack.ADDRESS
    if is_health and not found.terms.get("hospital"):
        yield Lack.HOSPITAL
    if found.paid_vnd < found.terms["amount_due_vnd"]:
        yield Lack.PAYMENT
    elif found.terms["amount_due_vnd"] and not found.receipts:
        yield Lack.RECEIPT
    if found.collector_code is None:
        yield Lack.COLLECTOR


def _state_percent(tables: RateTables, found: Gathered) -> int | None:
    terms = found.terms
    if terms["scheme"] == HEALTH:
        support = row_on(tables.health_support, found.on)
        return None if support is None or not terms.get("support") else support.percents[terms["support"]]
    share = row_on(tables.voluntary_support, found.on)
    return None if share is None else share.percents[terms["category"]]


def _local_percent(tables: RateTables, found: Gathered, quote: Quote) -> int | None:
    """Return the local budget's share of what the state's is a share of, where it comes out whole.

    Agents declare the amount; a share that does not come out whole was never anybody's rule.
    """
    if quote.local_support_vnd == 0:
        return 0
    if found.terms["scheme"] == HEALTH:
        hundredfold, base = quote.local_support_vnd * 100, quote.gross_vnd
    else:
        rule, line = row_on(tables.voluntary, found.on), row_on(tables.poverty_line, found.on)
        assert rule is not None
        assert line is not None
        base = line.amount_vnd * rule.contribution_percent * found.terms["months"]
        hundredfold = quote.local_support_vnd * 10_000
    return hundredfold // base if hundredfold % base == 0 else None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a list adds up to, whole lines and lacking ones apart; amounts only where tables say one."""

    whole: int
    lacking: int
    participant_vnd: int
    paid_vnd: int
    difference_vnd: int


def totals_of(lines: Sequence[Declared]) -> Totals:
    """Return the sums of a list."""
    lacking = sum(bool(line.lacks) for line in lines)
    return Totals(
        whole=len(lines) - lacking,
        lacking=lacking,
        participant_vnd=sum(line.participant_vnd or 0 for line in lines),
        paid_vnd=sum(line.gathered.paid_vnd for line in lines),
        difference_vnd=sum(line.difference_vnd or 0 for line in lines),
    )
