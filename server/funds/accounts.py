"""The accounts of funds, and what money is restricted to. Pure.

A *bucket* is `any`, `area:<key>` or `pool:<code>`; money never leaves its bucket but to be reserved,
spent or given back (docs/decisions/0024-a-fund-is-a-fold.md).
"""

from __future__ import annotations

from server.money.rules import Line

ANY = "any"

IN_TRANSIT = "fund_in_transit"
OFFICE_CASH = "fund_office_cash"
BANK = "fund_bank"
UNIDENTIFIED = "fund_unidentified"
CLAIMED = "fund_claimed"
FREE = "fund_free"
RESERVED = "fund_reserved"
DUE_INSURER = "fund_due_insurer"
REFUND_DUE = "fund_refund_due"

CARDS_OWED = "cards_owed"
CARDS_COMMITTED = "cards_committed"
CARDS_ISSUED = "cards_issued"
CARDS_HANDED = "cards_handed"
CARDS_RETURNED = "cards_returned"


def area_bucket(area_key: str) -> str:
    """Return the bucket of money for one area and what lies below it."""
    return f"area:{area_key}"


def pool_bucket(code: str) -> str:
    """Return the bucket of money for one pool."""
    return f"pool:{code}"


def debit(account: str, amount_vnd: int, fund: int | None = None, bucket: str | None = None) -> Line:
    """Return a debit in đồng."""
    return Line(account, debit_vnd=amount_vnd, fund=fund, bucket=bucket)


def credit(account: str, amount_vnd: int, fund: int | None = None, bucket: str | None = None) -> Line:
    """Return a credit in đồng."""
    return Line(account, credit_vnd=amount_vnd, fund=fund, bucket=bucket)


def card_moved(to: str, out_of: str, fund: int, bucket: str) -> tuple[Line, Line]:
    """Return the two lines of one card that moves from one account to another."""
    return (
        Line(to, debit_cards=1, fund=fund, bucket=bucket),
        Line(out_of, credit_cards=1, fund=fund, bucket=bucket),
    )
