"""What a card costs on a day, by the office's rate tables."""

from __future__ import annotations

from datetime import date

from schemas.rate_tables import published_tables
from schemas.rates import HouseholdTerms, Quote, household_quote


def card_price_vnd(member: int, months: int, day: date) -> int:
    """Return the premium of a household's member, nobody's support taken off."""
    quote = household_quote(published_tables(), HouseholdTerms(member, months, day))
    assert isinstance(quote, Quote)
    return quote.gross_vnd
