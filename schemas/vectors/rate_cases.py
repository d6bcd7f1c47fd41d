"""Vectors of rates: terms, and what they come to by the published tables or why they come to nothing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from schemas.kinds import CATEGORIES
from schemas.rate_tables import published_rows, read_rate_tables
from schemas.rates import (
    HouseholdTerms,
    Quote,
    RateFault,
    VoluntaryTerms,
    card_validity,
    household_quote,
    voluntary_quote,
)

_DAYS = ("2018-06-30", "2018-07-01", "2021-12-31", "2022-01-01", "2025-06-30", "2025-07-01", "2026-07-01")
_SUPPORTS = ("poor", "near_poor", "student", "average_farm_household", "unheard_of")


def _voluntary_terms() -> list[dict[str, Any]]:
    usual = {"income_vnd": 1_500_000, "category": "other", "months": 1}
    cases = [
        {**usual, "on": day, "category": category, "months": months}
        for day in _DAYS
        for category in CATEGORIES
        for months in (1, 12)
    ]
    incomes = (699_999, 700_000, 725_000, 1_499_999, 1_550_000, 27_800_000, 46_800_000, 46_850_000)
    cases += [{**usual, "on": day, "income_vnd": income} for day in _DAYS for income in incomes]
    cases += [{**usual, "on": "2025-07-01", "months": months} for months in (2, 3, 6, 24, 60)]
    cases += [
        {**usual, "on": "2025-07-01", "months": 12, "supported_months": before}
        for before in (108, 114, 120, 200)
    ]
    cases += [
        {**usual, "on": "2025-07-01", "local_support_vnd": amount}
        for amount in (1, 33_000, 264_000, 264_001, -1)
    ]
    return cases


def _household_terms() -> list[dict[str, Any]]:
    usual = {"member": 1, "months": 3}
    cases = [{**usual, "on": day, "member": member} for day in _DAYS for member in (1, 2, 3, 4, 5, 9)]
    cases += [{**usual, "on": "2025-08-15", "months": months} for months in (1, 6, 12)]
    cases += [
        {**usual, "on": day, "member": 4, "support": support}
        for day in ("2018-07-01", "2025-07-01")
        for support in _SUPPORTS
    ]
    cases += [{**usual, "on": "2025-07-01", "local_support_vnd": amount} for amount in (15_900, 400_000)]
    return cases


_CARDS: tuple[tuple[str, int, str | None], ...] = (
    ("2025-06-30", 12, None),
    ("2025-07-01", 12, None),
    ("2025-08-01", 3, "2025-08-31"),
    ("2025-08-01", 6, "2025-07-31"),
    ("2025-08-01", 6, "2025-05-04"),
    ("2025-08-01", 6, "2025-05-03"),
    ("2025-08-01", 6, "2025-05-02"),
    ("2025-08-31", 6, "2025-08-30"),
)


def shown_quote(found: Quote | RateFault) -> dict[str, Any]:
    """Return a quote, or the code and the field of a fault, as JSON."""
    if isinstance(found, RateFault):
        return {"quote": None, "code": str(found.code), "field": found.field}
    quote = {**asdict(found), "warnings": [str(code) for code in found.warnings]}
    return {"quote": quote, "code": None, "field": None}


def _dated(terms: dict[str, Any]) -> dict[str, Any]:
    return {**terms, "on": date.fromisoformat(terms["on"])}


def rate_vectors() -> dict[str, Any]:
    """Return the tables and, for each case, its terms with what they come to."""
    rows = published_rows()
    tables = read_rate_tables(rows)
    cards = []
    for paid_on, months, previous_to in _CARDS:
        before = None if previous_to is None else date.fromisoformat(previous_to)
        found = card_validity(tables, date.fromisoformat(paid_on), months, before)
        shown = (
            {"from_day": None, "to_day": None, "code": str(found.code)}
            if isinstance(found, RateFault)
            else {"from_day": str(found.from_day), "to_day": str(found.to_day), "code": None}
        )
        cards.append({"paid_on": paid_on, "months": months, "previous_to": previous_to, **shown})
    return {
        "rows": rows,
        "voluntary": [
            {"terms": terms, **shown_quote(voluntary_quote(tables, VoluntaryTerms(**_dated(terms))))}
            for terms in _voluntary_terms()
        ],
        "household": [
            {"terms": terms, **shown_quote(household_quote(tables, HouseholdTerms(**_dated(terms))))}
            for terms in _household_terms()
        ],
        "cards": cards,
    }
