"""Reads a bank statement: finds its header, reads its lines, and checks its sums. Everything wrong is told.

Nothing here knows a database. What is read names people, so that it goes nowhere but into sealed rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from schemas.names import search_key
from server.bank.cells import read_amount, read_day
from server.bank.codes import StatementCode, StatementFault
from server.bank.layouts import KNOWN, Header, Layout, find_header
from server.bank.rules import Statement, StatementLine, broken_balances, implied_opening, in_order_of_time
from server.spreadsheets import Cell, SheetFileError, as_text, column_letter, sheet_readings

FAULTS_MOST = 500
_LONGEST = {"description": 1_000, "reference": 120, "counterparty": 200}
_OPENING = ("so du dau", "opening balance", "so du dau ky")
_CLOSING = ("so du cuoi", "closing balance", "ending balance")
_TOTAL = ("tong", "cong", "total", "so du", "phat sinh", "opening", "closing", "ending")
_PERIOD = re.compile(r"(?:tu(?: ngay)?|from)\W+(\S+?)\W+(?:den(?: ngay)?|to)\W+(\d\S*)")
_ACCOUNT = re.compile(r"(?:so tai khoan|tai khoan so|so tk|account (?:no|number))\W*([0-9][0-9 .-]{4,30})")

Row = tuple[int, tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a file: a statement, or everything that is wrong with it. Never both."""

    statement: Statement | None
    faults: tuple[StatementFault, ...]


@dataclass
class _Said:
    """What the rows around the lines say."""

    opening_vnd: int | None = None
    closing_vnd: int | None = None
    from_day: date | None = None
    to_day: date | None = None
    account: str | None = None


@dataclass
class _Told:
    faults: list[StatementFault] = field(default_factory=list)

    def tell(self, code: StatementCode, row: int, header: Header, name: str | None) -> None:
        column = None if name is None else header.columns.get(name)
        if column is None:
            self.faults.append(StatementFault(code, row))
        else:
            self.faults.append(StatementFault(code, row, column_letter(column), header.titles[column]))


def read_statement(
    content: bytes, today: date, *, mapping: Layout | None = None, account: str | None = None
) -> Reading:
    """Read a statement's file by one of the known layouts, or by `mapping` alone.

    `account` is the fund's; a statement that names another one is a fault, like a day after `today`.
    """
    layouts = KNOWN if mapping is None else (mapping,)
    is_empty = True
    try:
        for rows in sheet_readings(content):
            is_empty = is_empty and not rows
            header = find_header(rows, layouts)
            if header is not None:
                return _read(rows, header, today, account)
    except SheetFileError as error:
        return Reading(None, (StatementFault(StatementCode(error.reason)),))
    code = StatementCode.SHEET_EMPTY if is_empty else StatementCode.LAYOUT_UNKNOWN
    return Reading(None, (StatementFault(code),))


def _read(rows: Sequence[Row], header: Header, today: date, account: str | None) -> Reading:
    said, told = _Said(), _Told()
    for _, cells in rows[: header.index]:
        _hear(said, cells)
    lines = []
    for number, cells in rows[header.index + 1 :]:
        if _is_remark(cells, header):
            _hear(said, cells)
            continue
        line = _line(number, cells, header, today, told)
        if line is not None:
            lines.append(line)
    if account is not None and said.account is not None and said.account != _digits(account):
        told.faults.insert(0, StatementFault(StatementCode.ACCOUNT_DIFFERS))
    if not lines and not told.faults and (said.from_day is None or said.closing_vnd is None):
        told.faults.append(StatementFault(StatementCode.SHEET_EMPTY))
    if told.faults:
        return Reading(None, tuple(told.faults[:FAULTS_MOST]))
    return _checked(lines, header, said)


def _hear(said: _Said, cells: Iterable[Cell]) -> None:
    """Take in what a row outside the lines says: the account, the period, a balance."""
    given = [cell for cell in cells if cell is not None]
    # A day of a spreadsheet is shown as the texts are.
    text = search_key(" ".join(as_text(cell) for cell in given))
    if found := _PERIOD.search(text):
        first, last = read_day(found[1].strip(",;")), read_day(found[2].strip(",;."))
        if isinstance(first, date) and isinstance(last, date) and first <= last:
            said.from_day, said.to_day = first, last
    if (found := _ACCOUNT.search(text)) and said.account is None:
        said.account = _digits(found[1])
    for position, cell in enumerate(given):
        if not isinstance(cell, str):
            continue
        key = search_key(cell)
        amount = _amount_beside(cell, given[position + 1 :])
        if amount is None:
            continue
        if key.startswith(_OPENING) and said.opening_vnd is None:
            said.opening_vnd = amount
        elif key.startswith(_CLOSING):
            said.closing_vnd = amount


def _amount_beside(label: str, others: Sequence[Cell]) -> int | None:
    behind: list[Cell] = [label.rpartition(":")[2] or None] if ":" in label else []
    for cell in (*behind, *others):
        amount = read_amount(cell)
        if isinstance(amount, int):
            return amount
        if isinstance(cell, str) and search_key(cell).startswith(_TOTAL):
            return None
    return None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _is_remark(cells: Sequence[Cell], header: Header) -> bool:
    """Return whether a row is no line: a total, a balance, the header again, or words alone."""
    first = next((cell for cell in cells if cell is not None), None)
    if isinstance(first, str) and search_key(first).startswith(_TOTAL):
        return not isinstance(read_day(_cell(cells, header, "day")), date)
    if cells == tuple(header.titles):
        return True
    amounts = [_cell(cells, header, name) for name in ("amount", "debit", "credit", "balance")]
    return not any(each is not None for each in amounts) and sum(each is not None for each in cells) == 1


def _cell(cells: Sequence[Cell], header: Header, name: str) -> Cell:
    column = header.columns.get(name)
    return None if column is None or column >= len(cells) else cells[column]


def _line(
    number: int, cells: Sequence[Cell], header: Header, today: date, told: _Told
) -> StatementLine | None:
    before = len(told.faults)
    day = read_day(_cell(cells, header, "day"))
    if not isinstance(day, date):
        told.tell(day or StatementCode.CELL_REQUIRED, number, header, "day")
    elif day > today:
        told.tell(StatementCode.DAY_TO_COME, number, header, "day")
    amount = _amount(number, cells, header, told)
    balance = read_amount(_cell(cells, header, "balance"))
    if isinstance(balance, StatementCode):
        told.tell(balance, number, header, "balance")
    texts = {name: _text(number, cells, header, name, told) for name in _LONGEST}
    if len(told.faults) > before or not isinstance(day, date) or amount is None:
        return None
    assert not isinstance(balance, StatementCode)
    return StatementLine(
        row=number,
        day=day,
        amount_vnd=amount,
        description=texts["description"] or "",
        balance_vnd=balance,
        reference=texts["reference"],
        counterparty=texts["counterparty"],
    )


def _amount(number: int, cells: Sequence[Cell], header: Header, told: _Told) -> int | None:
    """Return a line's amount, signed; None where that is told as a fault."""
    if "amount" in header.columns:
        amount = read_amount(_cell(cells, header, "amount"))
        if not amount or isinstance(amount, StatementCode):
            told.tell(amount or StatementCode.AMOUNT_MISSING, number, header, "amount")
            return None
        return amount
    sides = {}
    for name in ("debit", "credit"):
        side = read_amount(_cell(cells, header, name))
        if isinstance(side, StatementCode) or (side is not None and side < 0):
            told.tell(
                side if isinstance(side, StatementCode) else StatementCode.AMOUNT_NEGATIVE,
                number,
                header,
                name,
            )
            return None
        sides[name] = side or 0
    if bool(sides["debit"]) is bool(sides["credit"]):
        both = StatementCode.AMOUNT_ON_BOTH_SIDES if sides["debit"] else StatementCode.AMOUNT_MISSING
        told.tell(both, number, header, "credit")
        return None
    return sides["credit"] - sides["debit"]


def _text(number: int, cells: Sequence[Cell], header: Header, name: str, told: _Told) -> str | None:
    cell = _cell(cells, header, name)
    text = None if cell is None else " ".join(as_text(cell).split())
    if text and len(text) > _LONGEST[name]:
        told.tell(StatementCode.CELL_TOO_LONG, number, header, name)
    return text or None


def _checked(lines: list[StatementLine], header: Header, said: _Said) -> Reading:
    """Return the statement where its days and sums hold."""
    ordered, told = in_order_of_time(lines), _Told()
    days = [line.day for line in ordered]
    from_day, to_day = said.from_day or min(days), said.to_day or max(days)
    for line in ordered:
        if not from_day <= line.day <= to_day:
            told.tell(StatementCode.DAY_OUTSIDE_PERIOD, line.row, header, "day")
    for line in broken_balances(ordered, said.opening_vnd):
        told.tell(StatementCode.BALANCE_BROKEN, line.row, header, "balance")
    opening = implied_opening(ordered) if said.opening_vnd is None else said.opening_vnd
    closing = said.closing_vnd
    if opening is not None:
        reached = opening + sum(line.amount_vnd for line in ordered)
        if closing is None:
            closing = reached
        elif closing != reached and not told.faults:
            told.faults.append(
                StatementFault(StatementCode.CLOSING_DIFFERS, ordered[-1].row if ordered else None)
            )
    if told.faults:
        return Reading(None, tuple(told.faults[:FAULTS_MOST]))
    statement = Statement(header.layout, from_day, to_day, opening, closing, tuple(ordered))
    return Reading(statement, ())
