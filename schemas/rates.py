"""What a contribution or a premium comes to: whole đồng, from dated tables that are passed in.

Pure and the same on both ends; it must never read a clock, a file or a database. The tables are in
`schemas.rate_tables`; what no table covers is a fault, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schemas.rate_tables import RateTables, row_on
from sync.codes import RateCode


@dataclass(frozen=True, slots=True)
class RateFault:
    """Why there is no amount: a code and the input or table it is about."""

    code: RateCode
    field: str


@dataclass(frozen=True, slots=True)
class Quote:
    """An amount in đồng: `gross` = `state_support` + `local_support` + `due`, which the person pays."""

    gross_vnd: int
    state_support_vnd: int
    local_support_vnd: int
    due_vnd: int
    warnings: tuple[RateCode, ...] = ()

    @property
    def support_vnd(self) -> int:
        """What others pay, in đồng."""
        return self.state_support_vnd + self.local_support_vnd


@dataclass(frozen=True, slots=True)
class VoluntaryTerms:
    """What a voluntary contribution depends on; `on` is the day it is paid.

    `local_support_vnd` is what the local budget adds, for the whole period. `supported_months` are
    the months that the state supported before.
    """

    income_vnd: int
    category: str
    months: int
    on: date
    local_support_vnd: int = 0
    supported_months: int = 0


@dataclass(frozen=True, slots=True)
class HouseholdTerms:
    """What a member's health premium depends on: 1 is the first member that joins in a financial year."""

    member: int
    months: int
    on: date
    support: str | None = None
    local_support_vnd: int = 0


def voluntary_quote(tables: RateTables, terms: VoluntaryTerms) -> Quote | RateFault:
    """Return the voluntary contribution for a period that is paid at once on one day.

    Contribution = rate × chosen income; support = rate × poverty line × the category's share, for
    as many months as are left of the most that the state supports. A change of rates or of the
    category within the period changes nothing (docs/rates.md).
    """
    rule = row_on(tables.voluntary, terms.on)
    share = row_on(tables.voluntary_support, terms.on)
    if rule is None or terms.months not in rule.months:
        return RateFault(RateCode.RATE_TABLE_MISSING, "voluntary" if rule is None else "months")
    if share is None or terms.category not in share.percents:
        return RateFault(RateCode.RATE_TABLE_MISSING, "voluntary_support" if share is None else "category")
    fault = income_fault(tables, terms.income_vnd, terms.on)
    if fault is not None:
        return fault
    line = row_on(tables.poverty_line, terms.on)
    assert line is not None
    gross = terms.income_vnd * rule.contribution_percent * terms.months // 100
    supported = max(0, min(terms.months, share.most_months - terms.supported_months))
    # One division at the end: whole đồng without rounding twice.
    state = line.amount_vnd * rule.contribution_percent * share.percents[terms.category] * supported // 10_000
    warnings = () if supported == terms.months else (RateCode.SUPPORT_USED_UP,)
    return _shared(gross, state, terms.local_support_vnd, warnings)


def income_fault(tables: RateTables, income_vnd: int, on: date) -> RateFault | None:
    """Return why nobody can choose this monthly income on that day, or None."""
    rule, line, base = (
        row_on(tables.voluntary, on),
        row_on(tables.poverty_line, on),
        row_on(tables.base_salary, on),
    )
    for name, found in (("voluntary", rule), ("poverty_line", line), ("base_salary", base)):
        if found is None:
            return RateFault(RateCode.RATE_TABLE_MISSING, name)
    assert rule is not None
    assert line is not None
    assert base is not None
    ceiling = base.amount_vnd * rule.ceiling_base_salaries
    if income_vnd < line.amount_vnd:
        return RateFault(RateCode.INCOME_BELOW_FLOOR, "income")
    if income_vnd > ceiling:
        return RateFault(RateCode.INCOME_ABOVE_CEILING, "income")
    # The ceiling itself can be chosen wherever the steps fall.
    if (income_vnd - line.amount_vnd) % rule.step_vnd and income_vnd != ceiling:
        return RateFault(RateCode.INCOME_OFF_STEP, "income")
    return None


def household_quote(tables: RateTables, terms: HouseholdTerms) -> Quote | RateFault:
    """Return a household member's health premium for a period that is paid at once on one day.

    The first member's share of the base salary, stepped down for those after; support is a share
    of the member's premium, rounded down to the đồng.
    """
    rule = row_on(tables.household_premium, terms.on)
    base = row_on(tables.base_salary, terms.on)
    if rule is None or base is None:
        return RateFault(RateCode.RATE_TABLE_MISSING, "household_premium" if rule is None else "base_salary")
    if terms.months not in rule.months:
        return RateFault(RateCode.RATE_TABLE_MISSING, "months")
    percent = 0
    if terms.support is not None:
        support = row_on(tables.health_support, terms.on)
        if support is None or terms.support not in support.percents:
            is_known = any(terms.support in row.values.percents for row in tables.health_support)
            code = RateCode.RATE_TABLE_MISSING if is_known else RateCode.SUPPORT_UNKNOWN
            return RateFault(code, "support")
        percent = support.percents[terms.support]
    step = rule.step_percents[min(terms.member, len(rule.step_percents)) - 1]
    gross = base.amount_vnd * rule.first_permille * step * terms.months // 100_000
    return _shared(gross, gross * percent // 100, terms.local_support_vnd, ())


def _shared(gross: int, state: int, local: int, warnings: tuple[RateCode, ...]) -> Quote | RateFault:
    if not 0 <= local <= gross - state:
        return RateFault(RateCode.LOCAL_SUPPORT_INVALID, "local_support")
    return Quote(gross, state, local, gross - state - local, warnings)


def enrolment_quote(tables: RateTables, body: Mapping[str, Any], on: date) -> Quote | RateFault:
    """Return what an enrolment with this body comes to when it is paid on a day.

    `terms_missing` where it does not declare what the amount depends on.
    """
    local_vnd = body.get("local_support_vnd") or 0
    if body["scheme"] == "health":
        if body.get("member") is None:
            return RateFault(RateCode.TERMS_MISSING, "member")
        return household_quote(
            tables, HouseholdTerms(body["member"], body["months"], on, body.get("support"), local_vnd)
        )
    for name in ("income_vnd", "category"):
        if body.get(name) is None:
            return RateFault(RateCode.TERMS_MISSING, name)
    supported = body.get("supported_months") or 0
    terms = VoluntaryTerms(body["income_vnd"], body["category"], body["months"], on, local_vnd, supported)
    return voluntary_quote(tables, terms)


def is_first_member(body: Mapping[str, Any]) -> bool:
    """Return whether somebody enrols as the first of a household that joins in a financial year."""
    return bool(body["scheme"] == "health" and body["member"] == 1)


@dataclass(frozen=True, slots=True)
class Validity:
    """The days on which a card is good, both included."""

    from_day: date
    to_day: date


def card_validity(
    tables: RateTables, paid_on: date, months: int, previous_to: date | None
) -> Validity | RateFault:
    """Return when a health-insurance card that was paid in full on a day is good.

    A card that follows another without a long gap is good from the payment on, or from the end of
    the one before; a first card, or one after a long gap, only after the waiting time.
    """
    rule = row_on(tables.card_validity, paid_on)
    if rule is None:
        return RateFault(RateCode.RATE_TABLE_MISSING, "card_validity")
    is_new = previous_to is None or (paid_on - previous_to).days >= rule.gap_days
    if is_new:
        starts = paid_on + timedelta(days=rule.waiting_days)
    else:
        assert previous_to is not None
        starts = max(paid_on, previous_to + timedelta(days=1))
    return Validity(starts, months_after(starts, months) - timedelta(days=1))


def months_after(day: date, months: int) -> date:
    """Return the same day `months` later; where that month is shorter, the first of the next."""
    years, month = divmod(day.month - 1 + months, 12)
    try:
        return day.replace(year=day.year + years, month=month + 1)
    except ValueError:
        years, month = divmod(day.month + months, 12)
        return date(day.year + years, month + 1, 1)
