"""What money buys in cards, by the rate tables of a day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schemas.rate_tables import RateTables, row_on
from schemas.rates import HouseholdTerms, RateFault, household_quote

CARD_TERMS = (3, 6, 12)
# Somebody who is given a card joins alone, so pays what a household's first member pays.
FIRST_MEMBER = 1


@dataclass(frozen=True, slots=True)
class Buys:
    """How many cards of one term a sum buys, and what is left of it, in đồng."""

    months: int
    price_vnd: int
    cards: int
    left_vnd: int


def card_price(tables: RateTables, months: int, member: int, on: date) -> int | RateFault:
    """Return what a card for so many months costs on a day: the premium without anybody's support."""
    quote = household_quote(tables, HouseholdTerms(member, months, on))
    return quote if isinstance(quote, RateFault) else quote.gross_vnd


def cards_bought(amount_vnd: int, tables: RateTables, on: date) -> list[Buys]:
    """Return what a sum buys on a day, a line a term; none where no table covers the day."""
    rule, found = row_on(tables.household_premium, on), []
    for months in CARD_TERMS:
        price = None if rule is None else card_price(tables, months, FIRST_MEMBER, on)
        if isinstance(price, int):
            cards, left = divmod(max(0, amount_vnd), price)
            found.append(Buys(months, price, cards, left))
    return found


def cards_cost(cards: int, months: int, tables: RateTables, on: date) -> int | RateFault:
    """Return what so many cards of one term cost on a day."""
    price = card_price(tables, months, FIRST_MEMBER, on)
    return price if isinstance(price, RateFault) else cards * price
