"""What each step of a fund's life posts: pure functions from facts to lines.

The same functions are called by what acts and by what recomputes, so that they cannot differ. The table
of steps is in docs/decisions/0024-a-fund-is-a-fold.md.
"""

from __future__ import annotations

from enum import StrEnum

from server.funds.accounts import (
    BANK,
    CARDS_COMMITTED,
    CARDS_HANDED,
    CARDS_ISSUED,
    CARDS_OWED,
    CARDS_RETURNED,
    CLAIMED,
    DUE_INSURER,
    FREE,
    IN_TRANSIT,
    OFFICE_CASH,
    REFUND_DUE,
    RESERVED,
    UNIDENTIFIED,
    card_moved,
    credit,
    debit,
)
from server.funds.rules import MatchKind
from server.money.rules import Line, cash_in_hand, reversed_lines, suspense, transfer_claims

Lines = tuple[Line, ...]


class FundStep(StrEnum):
    """A posting in the life of a fund's fact; each happens once for one source."""

    REMITTANCE = "remittance"
    VOID = "void"
    CONFIRMATION = "confirmation"
    OFFICE_DONATION = "office_donation"
    REVERSAL = "reversal"
    LINE = "line"
    MATCH = "match"
    UNMATCH = "unmatch"
    REFUND = "refund"
    APPROVAL = "approval"
    ISSUE = "issue"
    PRICE_DIFFERENCE = "price_difference"
    CANCELLATION = "cancellation"
    RETURN = "return"
    HANDOVER = "handover"
    HANDOVER_LOST = "handover_lost"


def door_settlement(worker_id: str, method: str, fund: int, bucket: str, amount_vnd: int) -> Lines:
    """Return how money taken at a door becomes the fund's, once its entry is in effect."""
    account = CLAIMED if method == "transfer" else FREE
    return debit(suspense(worker_id), amount_vnd), credit(account, amount_vnd, fund, bucket)


def remittance(worker_id: str, fund: int, amount_vnd: int) -> Lines:
    """Return how cash leaves an agent's hands."""
    return debit(IN_TRANSIT, amount_vnd, fund), credit(cash_in_hand(worker_id), amount_vnd)


def confirmation(fund: int, amount_vnd: int) -> Lines:
    """Return how cash brought to the office is there."""
    return debit(OFFICE_CASH, amount_vnd, fund), credit(IN_TRANSIT, amount_vnd, fund)


def office_donation(fund: int, bucket: str, amount_vnd: int) -> Lines:
    """Return how cash given at the office becomes the fund's."""
    return debit(OFFICE_CASH, amount_vnd, fund), credit(FREE, amount_vnd, fund, bucket)


def statement_line(fund: int, amount_vnd: int) -> Lines:
    """Return how a line of the statement stands in the books before anybody knows what it is."""
    if amount_vnd >= 0:
        return debit(BANK, amount_vnd, fund), credit(UNIDENTIFIED, amount_vnd, fund)
    return debit(UNIDENTIFIED, -amount_vnd, fund), credit(BANK, -amount_vnd, fund)


def match(kind: MatchKind, fund: int, amount_vnd: int, bucket: str | None, worker_id: str | None) -> Lines:
    """Return what a line's match moves; `amount_vnd` is the line's, whichever way it went.

    `bucket` is the donation's, `worker_id` that of the agent who reported the transfer.
    """
    amount_vnd = abs(amount_vnd)
    match kind:
        case MatchKind.DOOR_DONATION:
            assert worker_id is not None, "a transfer reported at a door is an agent's claim"
            return (
                debit(UNIDENTIFIED, amount_vnd, fund),
                credit(transfer_claims(worker_id), amount_vnd),
                debit(CLAIMED, amount_vnd, fund, bucket),
                credit(FREE, amount_vnd, fund, bucket),
            )
        case MatchKind.OFFICE_DONATION:
            return debit(UNIDENTIFIED, amount_vnd, fund), credit(FREE, amount_vnd, fund, bucket)
        case MatchKind.REMITTANCE:
            return debit(UNIDENTIFIED, amount_vnd, fund), credit(IN_TRANSIT, amount_vnd, fund)
        case MatchKind.DEPOSIT:
            return debit(UNIDENTIFIED, amount_vnd, fund), credit(OFFICE_CASH, amount_vnd, fund)
        case MatchKind.PREMIUM:
            return debit(DUE_INSURER, amount_vnd, fund), credit(UNIDENTIFIED, amount_vnd, fund)
        case MatchKind.REFUND:
            return debit(REFUND_DUE, amount_vnd, fund), credit(UNIDENTIFIED, amount_vnd, fund)
        case MatchKind.BOUNCE:
            return debit(FREE, amount_vnd, fund, bucket), credit(UNIDENTIFIED, amount_vnd, fund)
        case MatchKind.NOTHING:
            return ()


def refund(fund: int, bucket: str, amount_vnd: int) -> Lines:
    """Return how an approved refund is owed to its donor."""
    return debit(FREE, amount_vnd, fund, bucket), credit(REFUND_DUE, amount_vnd, fund)


def approval(fund: int, bucket: str, price_vnd: int) -> Lines:
    """Return how an approved card is reserved, and promised."""
    return (
        debit(FREE, price_vnd, fund, bucket),
        credit(RESERVED, price_vnd, fund, bucket),
        *card_moved(CARDS_COMMITTED, CARDS_OWED, fund, bucket),
    )


def issue(fund: int, bucket: str, price_vnd: int) -> Lines:
    """Return how an issued card is owed to the insurer, at the price that was reserved."""
    return (
        debit(RESERVED, price_vnd, fund, bucket),
        credit(DUE_INSURER, price_vnd, fund),
        *card_moved(CARDS_ISSUED, CARDS_COMMITTED, fund, bucket),
    )


def price_difference(fund: int, bucket: str, reserved_vnd: int, issued_vnd: int) -> Lines:
    """Return how a card that costs another price than was reserved is made up for; none for the same."""
    difference = issued_vnd - reserved_vnd
    if difference == 0:
        return ()
    if difference > 0:
        return debit(FREE, difference, fund, bucket), credit(DUE_INSURER, difference, fund)
    return debit(DUE_INSURER, -difference, fund), credit(FREE, -difference, fund, bucket)


def cancellation(fund: int, bucket: str, price_vnd: int) -> Lines:
    """Return how an approval is taken back before the card is issued."""
    return reversed_lines(approval(fund, bucket, price_vnd))


def card_return(fund: int, bucket: str) -> Lines:
    """Return how an issued card that reached nobody comes back; its price stays spent."""
    return card_moved(CARDS_RETURNED, CARDS_ISSUED, fund, bucket)


def handover(fund: int, bucket: str) -> Lines:
    """Return how a card is in its beneficiary's hand."""
    return card_moved(CARDS_HANDED, CARDS_ISSUED, fund, bucket)
