"""A fund as JSON and as CSV tables, by stable names (docs/public-ledger.md), and its transfer code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

from schemas.vietqr import fund_purpose, vietqr_text
from server.public_ledger.figures import CardStage, Movement
from server.public_ledger.queries import STAGES, PlaceRow, PublicFund
from server.public_ledger.roots import Root
from server.public_ledger.suppression import TOTAL
from server.receipts.rendering import qr_svg

Cells = Iterable[Sequence[str | int | None]]
_COLUMNS = (*STAGES, TOTAL)


def as_members(shown: PublicFund) -> dict[str, Any]:
    """Return a fund for `FundShown`."""
    fund, figures = shown.fund, shown.figures
    return {
        "number": fund.number,
        "name": {"vi": fund.name, "en": fund.name_en},
        "purpose": {"vi": fund.purpose, "en": fund.purpose_en},
        "opens_on": fund.opens_on,
        "closes_on": fund.closes_on,
        "is_open": shown.is_open,
        "target_cards": fund.target_cards,
        "cards": {stage.value: figures.cards[stage] for stage in CardStage},
        "totals_vnd": dict(_totals(shown)),
        "communes": _places(shown.communes),
        "pools": _places(shown.pools),
        "movements": [
            {
                "day": one.day,
                "kind": one.kind.value,
                "amount_vnd": one.amount_vnd,
                "count": one.counted,
            }
            for one in figures.movements
        ],
        "buys": [
            {"months": one.months, "price_vnd": one.price_vnd, "cards": one.cards, "left_vnd": one.left_vnd}
            for one in shown.buys
        ],
        "priced_on": shown.priced_on,
        "publications": [
            {
                "kind": one.kind.value,
                "due_on": one.due_on,
                "state": one.state.value,
                "published_on": one.published_on,
            }
            for one in shown.publications
        ],
        "account": {
            "bank_bin": fund.bank_bin,
            "number": fund.bank_account,
            "holder": fund.bank_holder,
            "purpose": fund_purpose(fund.number),
            "vietqr": transfer_text(shown),
        },
        "sync": {
            "through": shown.sync.through,
            "tablets": shown.sync.tablets,
            "tablets_outstanding": shown.sync.outstanding,
            "is_recovering": shown.sync.is_recovering,
        },
        "posted_ms": shown.posted_ms,
        "ledger_root": None if shown.root is None else root_members(shown.root),
    }


def root_members(root: Root) -> dict[str, Any]:
    """Return a root for `LedgerRootShown`."""
    return {
        "epoch": root.epoch,
        "number": root.number,
        "day": root.day,
        "lines": root.line_count,
        "root": root.root,
        **root.statement,
    }


def _places(rows: Iterable[PlaceRow] | None) -> list[dict[str, Any]] | None:
    if rows is None:
        return None
    return [
        {"key": row.key, "name": {"vi": row.name, "en": row.name_en}, "cards": dict(row.cards)}
        for row in rows
    ]


def _totals(shown: PublicFund) -> list[tuple[str, int]]:
    figures = shown.figures
    return [
        ("received", figures.received_vnd),
        *((f"received_{kind.value}", figures.by_kind_vnd[kind]) for kind in list(Movement)[:3]),
        ("returned", figures.returned_vnd),
        ("returned_refund", figures.by_kind_vnd[Movement.REFUND]),
        ("returned_bounce", figures.by_kind_vnd[Movement.BOUNCE]),
        ("spent", figures.spent_vnd),
        ("committed", figures.committed_vnd),
        ("free", figures.free_vnd),
        ("in_agents_hands", figures.in_hands_vnd),
        ("spendable", figures.spendable_vnd),
    ]


def _totals_table(shown: PublicFund) -> Cells:
    return [*_totals(shown)]


def _cards_table(shown: PublicFund) -> Cells:
    cards = shown.figures.cards
    return [("target", shown.fund.target_cards), *((stage.value, cards[stage]) for stage in CardStage)]


def _communes_table(shown: PublicFund) -> Cells:
    return _place_cells(shown.communes)


def _pools_table(shown: PublicFund) -> Cells:
    return _place_cells(shown.pools)


def _place_cells(rows: Iterable[PlaceRow] | None) -> Cells:
    return [
        (row.key, row.name, row.name_en, *(row.cards[column] for column in _COLUMNS)) for row in rows or ()
    ]


def _movements_table(shown: PublicFund) -> Cells:
    return [
        (one.day.isoformat(), one.kind.value, one.amount_vnd, one.counted) for one in shown.figures.movements
    ]


def _buys_table(shown: PublicFund) -> Cells:
    return [(one.months, one.price_vnd, one.cards, one.left_vnd) for one in shown.buys]


def _publications_table(shown: PublicFund) -> Cells:
    return [
        (
            one.kind.value,
            one.due_on.isoformat(),
            one.state.value,
            None if one.published_on is None else one.published_on.isoformat(),
        )
        for one in shown.publications
    ]


_PLACE_HEADER = ("key", "name", "name_en", *_COLUMNS)
# Name of the file → header, rows.
TABLES: dict[str, tuple[tuple[str, ...], Callable[[PublicFund], Cells]]] = {
    "totals": (("total", "amount_vnd"), _totals_table),
    "cards": (("stage", "cards"), _cards_table),
    "communes": (_PLACE_HEADER, _communes_table),
    "pools": (_PLACE_HEADER, _pools_table),
    "movements": (("day", "kind", "amount_vnd", "count"), _movements_table),
    "buys": (("months", "price_vnd", "cards", "left_vnd"), _buys_table),
    "publications": (("kind", "due_on", "state", "published_on"), _publications_table),
}


def transfer_text(shown: PublicFund) -> str | None:
    """Return the VietQR text of a gift, None where the account is not one that a code can name."""
    fund = shown.fund
    try:
        return vietqr_text(fund.bank_bin, fund.bank_account, purpose=fund_purpose(fund.number))
    except ValueError:
        return None


@lru_cache(maxsize=64)
def transfer_svg(text: str) -> str:
    """Return a code of a transfer as SVG; a text like this reads best with the mask that suits it."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text.encode("ascii"))
    code.make(fit=True)
    return qr_svg([list(map(bool, row)) for row in code.modules])
