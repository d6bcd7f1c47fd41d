"""A fund's paper, read without the server: the bank's statements and the office's book of decisions."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import python_calamine

# Base salary in đồng from a day on; a first member pays 4.5 % of it a month, those after less.
_BASE_VND = ((date(2019, 7, 1), 1_490_000), (date(2023, 7, 1), 1_800_000), (date(2024, 7, 1), 2_340_000))
_PERMILLE, _STEP_PERCENTS = 45, (100, 70, 60, 50, 40)
_TITLES = {
    "Ngày giao dịch": "day",
    "Ngày": "day",
    "Số tham chiếu": "reference",
    "Mã giao dịch": "reference",
    "Ghi nợ": "out",
    "Ghi có": "into",
    "Số tiền": "amount",
    "Số dư": "balance",
}


def price_vnd(member: int, months: int, day: date) -> int:
    """Return what a card costs on a day."""
    base_vnd = max(row for row in _BASE_VND if row[0] <= day)[1]
    percent = _STEP_PERCENTS[min(member, len(_STEP_PERCENTS)) - 1]
    return base_vnd * _PERMILLE * percent * months // 100_000


@dataclass
class Card:
    """One allocation as the book tells it."""

    ref: str
    bucket: str
    months: int
    member: int
    stage: str = "proposed"
    reserved_vnd: int = 0
    issued_vnd: int = 0


@dataclass
class Books:
    """Everything that was added up, in đồng by bucket unless it says otherwise."""

    bank: dict[str, tuple[date, int, int]] = field(default_factory=dict)
    matches: dict[str, tuple[str, str]] = field(default_factory=dict)
    gifts: dict[str, dict[str, str]] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)
    refunds: dict[str, tuple[str, int]] = field(default_factory=dict)
    cards: list[Card] = field(default_factory=list)
    promised_vnd: int = 0
    kept: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)

    def read_statements(self, folder: Path) -> None:
        """Take every line of the statements once, whatever file it stands in."""
        for path in sorted(folder.iterdir()):
            for row in _cells(path):
                day = _day(row["day"])
                amount_vnd = (
                    _whole(row["amount"]) if "amount" in row else _whole(row["into"]) - _whole(row["out"])
                )
                line = (day, amount_vnd, _whole(row["balance"]))
                known = self.bank.setdefault(str(row["reference"]), line)
                assert known == line, f"two lines are called {row['reference']}"

    def read_book(self, path: Path) -> None:
        """Follow the office's book, line by line."""
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["outcome"] != "done":
                    self.refused[f"{row['action']} {row['outcome']}"] += 1
                    continue
                self._follow(row)

    def _follow(self, row: dict[str, str]) -> None:
        ref, target, amount_vnd = row["ref"], row["target"], int(row["amount_vnd"])
        match row["action"]:
            case "pledge":
                self.promised_vnd += amount_vnd
            case "cash" | "transfer":
                self.gifts[ref] = row
            case "reverse":
                self.reversed.add(ref)
            case "match":
                kind, _, of = target.partition(":")
                self.matches[ref] = (kind, of)
            case "unmatch":
                del self.matches[ref]
            case "confirm":
                self.confirmed.add(ref)
            case "refund":
                self.refunds[ref] = (target, amount_vnd)
            case "propose":
                self.cards.append(Card(ref, row["bucket"], int(row["months"]), int(row["member"])))
            case "approve" | "issue" | "cancel" | "return":
                self._move(row["action"], self._card(ref), date.fromisoformat(row["day"]))

    def _card(self, ref: str) -> Card:
        return next(card for card in reversed(self.cards) if card.ref == ref)

    def _move(self, action: str, card: Card, day: date) -> None:
        if action == "approve":
            card.stage, card.reserved_vnd = "approved", price_vnd(card.member, card.months, day)
        elif action == "issue":
            card.stage, card.issued_vnd = "issued", price_vnd(card.member, card.months, day)
        else:
            card.stage = {"cancel": "cancelled", "return": "returned"}[action]

    def last_balance_vnd(self) -> int:
        """Return the balance that the statements end with."""
        last = max(self.bank.items(), key=lambda item: (item[1][0], item[0]))
        return last[1][2]

    def lines_of(self, *kinds: str) -> Iterator[tuple[str, int]]:
        """Yield (target, amount in đồng) of the lines that stand matched as one of these kinds."""
        for reference, (kind, target) in self.matches.items():
            if kind in kinds:
                yield target, self.bank[reference][1]


def _cells(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a statement's rows by what their columns hold."""
    rows: Iterable[list[Any]]
    if path.suffix == ".xlsx":
        rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    else:
        rows = csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
    header: list[str | None] = []
    for row in rows:
        if header:
            yield {name: cell for name, cell in zip(header, row, strict=False) if name is not None}
        else:
            header = [_TITLES.get(str(cell)) for cell in row]


def _day(cell: Any) -> date:
    if isinstance(cell, date):
        return cell
    day, month, year = map(int, str(cell).split("/"))
    return date(year, month, day)


def _whole(cell: Any) -> int:
    if isinstance(cell, (int, float)):
        return int(cell)
    return int(re.sub(r"[.+]", "", cell) or 0)
