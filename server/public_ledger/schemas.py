"""What the public addresses of funds give as JSON. Amounts are whole đồng; a hidden figure is null."""

from __future__ import annotations

from schemas.base import (
    ResponseSchema,
    boolean,
    choice,
    day,
    integer,
    list_of,
    nested,
    optional,
    pattern,
    text,
)
from server.funds.publications import PublicationKind, PublicationState
from server.public_ledger.figures import Movement
from sync.entry import LARGEST_INTEGER

_MOST = LARGEST_INTEGER - 1
# More communes, days or roots than there can be.
_LINES_MOST = 100_000


class NameShown(ResponseSchema):
    """A text in both languages."""

    vi = text(most=4000)
    en = text(most=4000)


class StagesShown(ResponseSchema):
    """Cards by where they stand."""

    committed = integer(-_MOST, _MOST)
    issued = integer(-_MOST, _MOST)
    handed = integer(-_MOST, _MOST)
    returned = integer(-_MOST, _MOST)


class PlaceCardsShown(ResponseSchema):
    """Cards of one place by where they stand, and in all; null is hidden."""

    committed = optional(integer(0, _MOST))
    issued = optional(integer(0, _MOST))
    handed = optional(integer(0, _MOST))
    returned = optional(integer(0, _MOST))
    total = optional(integer(0, _MOST))


class PlaceShown(ResponseSchema):
    """A commune or a pool, with its cards."""

    key = text(most=300)
    name = nested(NameShown)
    cards = nested(PlaceCardsShown)


class TotalsShown(ResponseSchema):
    """A fund's totals; received − returned − spent − committed = free."""

    received = integer(-_MOST, _MOST)
    received_door = integer(-_MOST, _MOST)
    received_office = integer(-_MOST, _MOST)
    received_transfer = integer(-_MOST, _MOST)
    returned = integer(-_MOST, _MOST)
    returned_refund = integer(-_MOST, _MOST)
    returned_bounce = integer(-_MOST, _MOST)
    spent = integer(-_MOST, _MOST)
    committed = integer(-_MOST, _MOST)
    free = integer(-_MOST, _MOST)
    in_agents_hands = integer(0, _MOST)
    spendable = integer(0, _MOST)


class MovementShown(ResponseSchema):
    """What moved on a day; `count` is null where so few gifts would point at somebody."""

    day = day()
    kind = choice(tuple(kind.value for kind in Movement))
    amount_vnd = integer(-_MOST, _MOST)
    count = optional(integer(0, _MOST))


class BuysShown(ResponseSchema):
    """How many cards of a term what is spendable buys."""

    months = integer(1, 120)
    price_vnd = integer(0, _MOST)
    cards = integer(0, _MOST)
    left_vnd = integer(0, _MOST)


class PublicationShown(ResponseSchema):
    """What has to be published, and whether it was."""

    kind = choice(tuple(kind.value for kind in PublicationKind))
    due_on = day()
    state = choice(tuple(state.value for state in PublicationState))
    published_on = optional(day())


class AccountShown(ResponseSchema):
    """Where gifts go; `vietqr` is the text of a code for a bank's app."""

    bank_bin = text(most=20)
    number = text(most=40)
    holder = text(most=300)
    purpose = text(most=25)
    vietqr = optional(text(most=500))


class FundSyncShown(ResponseSchema):
    """How much may be missing up to the end of a day."""

    through = day()
    tablets = integer(0, _MOST)
    tablets_outstanding = integer(0, _MOST)
    is_recovering = boolean()


class LedgerRootShown(ResponseSchema):
    """A day's root of the ledger; `text` is what `signature` signs, behind the context and a line feed."""

    epoch = integer(1, _MOST)
    number = integer(1, _MOST)
    day = day()
    lines = integer(0, _MOST)
    root = pattern(r"[0-9a-f]{64}")
    kid = pattern(r"[0-9a-f]{8}")
    signature = text(most=200)
    text = text(most=2000)


class FundShown(ResponseSchema):
    """Everything that is public of a fund; a table that would point at people is null."""

    number = integer(1, 999_999)
    name = nested(NameShown)
    purpose = nested(NameShown)
    opens_on = day()
    closes_on = optional(day())
    is_open = boolean()
    target_cards = integer(0, _MOST)
    cards = nested(StagesShown)
    totals_vnd = nested(TotalsShown)
    communes = optional(list_of(nested(PlaceShown), most=_LINES_MOST))
    pools = optional(list_of(nested(PlaceShown), most=_LINES_MOST))
    movements = list_of(nested(MovementShown), most=_LINES_MOST)
    buys = list_of(nested(BuysShown), most=12)
    priced_on = day()
    publications = list_of(nested(PublicationShown), most=12)
    account = nested(AccountShown)
    sync = nested(FundSyncShown)
    posted_ms = optional(integer(-_MOST, _MOST))
    ledger_root = optional(nested(LedgerRootShown))


class FundListed(ResponseSchema):
    """A fund in the index."""

    number = integer(1, 999_999)
    name = nested(NameShown)
    is_open = boolean()


class FundsShown(ResponseSchema):
    """Every fund, the newest first."""

    funds = list_of(nested(FundListed), most=_LINES_MOST)


class LedgerRootsShown(ResponseSchema):
    """Every root, in order, and the office's public key (DER SubjectPublicKeyInfo, base64url)."""

    context = text(most=100)
    kid = pattern(r"[0-9a-f]{8}")
    public_key = text(most=300)
    roots = list_of(nested(LedgerRootShown), most=_LINES_MOST)
