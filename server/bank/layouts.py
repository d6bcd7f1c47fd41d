"""Layouts of bank statements: which column holds what. Two are known; the office saves mappings for others.

A layout is found by its header, wherever in the file it stands. Names are of the shape, not of a bank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.names import search_key
from server.spreadsheets import Cell, as_text

DEBIT_CREDIT, SIGNED = "debit_credit_columns", "signed_amount"
FIELDS = (
    "day",
    "amount",
    "debit",
    "credit",
    "balance",
    "description",
    "reference",
    "counterparty",
)
# A header stands near the top; what lies above are the account and the period.
HEADER_ROWS_MOST = 60

# Titles as `title_key` has them: without diacritics, and without what stands in brackets.
_DAY = ("ngay giao dich", "ngay", "ngay gd", "ngay hieu luc", "ngay hach toan", "transaction date", "date")
_DESCRIPTION = (
    "noi dung",
    "dien giai",
    "mo ta",
    "noi dung giao dich",
    "noi dung chi tiet",
    "chi tiet giao dich",
    "description",
    "details",
)
_REFERENCE = (
    "so tham chieu",
    "so ct",
    "so chung tu",
    "ma giao dich",
    "so but toan",
    "so giao dich",
    "reference",
    "transaction id",
)
_COUNTERPARTY = ("doi tac", "ten doi tac", "nguoi chuyen", "ten nguoi chuyen", "doi ung", "counterparty")
_BALANCE = ("so du", "so du cuoi", "so du luy ke", "balance")
_COMMON = {
    "day": _DAY,
    "balance": _BALANCE,
    "description": _DESCRIPTION,
    "reference": _REFERENCE,
    "counterparty": _COUNTERPARTY,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Titles that a field's column may have, by field; of several columns the first title wins."""

    name: str
    titles: Mapping[str, Sequence[str]]

    @property
    def needed(self) -> frozenset[str]:
        """Return the fields without which the layout is not this one."""
        amounts = {"amount"} if "amount" in self.titles else {"debit", "credit"}
        return frozenset({"day", "description", *amounts})


KNOWN = (
    Layout(
        DEBIT_CREDIT,
        {
            **_COMMON,
            "debit": ("ghi no", "phat sinh no", "so tien ghi no", "no", "tien ra", "debit"),
            "credit": ("ghi co", "phat sinh co", "so tien ghi co", "co", "tien vao", "credit"),
        },
    ),
    Layout(SIGNED, {**_COMMON, "amount": ("so tien", "so tien giao dich", "amount")}),
)


@dataclass(frozen=True, slots=True)
class Header:
    """A header that was found: which row of those read, and the position of each field's column."""

    layout: str
    index: int
    titles: tuple[str, ...]
    columns: Mapping[str, int]


def title_key(cell: Cell) -> str:
    """Return a header's cell as it is compared: «Số tiền (+/−)» and «so tien» are one."""
    if cell is None:
        return ""
    text = re.sub(r"\([^)]*\)|\[[^]]*\]", " ", as_text(cell)).strip()
    # Bilingual headers have the English title below or behind a stroke.
    text = search_key(re.split(r"[/\n|]", text)[0])
    return " ".join(re.sub(r"[^\w]+", " ", text).split())


def mapping_layout(name: str, columns: Mapping[str, str]) -> Layout:
    """Return the layout of a saved mapping, from field to the column's title."""
    return Layout(name, {field: (title_key(columns[field]),) for field in FIELDS if columns.get(field)})


def is_usable(columns: Mapping[str, str]) -> bool:
    """Return whether a mapping names a day, a description, and an amount or both sides of one."""
    titles = [title_key(title) for title in columns.values() if title]
    has_amount = bool(columns.get("amount"))
    sides = [bool(columns.get(side)) for side in ("debit", "credit")]
    return (
        set(columns) <= set(FIELDS)
        and bool(columns.get("day") and columns.get("description"))
        and (all(sides) if not has_amount else not any(sides))
        and all(titles)
        and len(titles) == len(set(titles))
    )


def find_header(rows: Sequence[tuple[int, Sequence[Cell]]], layouts: Iterable[Layout]) -> Header | None:
    """Return the first row that is a header of one of these layouts."""
    layouts = tuple(layouts)
    for index, (_, cells) in enumerate(rows[:HEADER_ROWS_MOST]):
        keys = [title_key(cell) for cell in cells]
        for layout in layouts:
            columns = {
                field: keys.index(title)
                for field, titles in layout.titles.items()
                for title in [next((each for each in titles if each in keys), None)]
                if title is not None
            }
            if columns.keys() >= layout.needed:
                titles = tuple("" if cell is None else as_text(cell) for cell in cells)
                return Header(layout.name, index, titles, columns)
    return None
