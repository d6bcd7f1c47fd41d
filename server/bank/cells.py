"""Cells of bank statements: amounts in whole đồng and days, as the banks of Vietnam write them. Pure."""

from __future__ import annotations

import re
from datetime import date

from server.bank.codes import StatementCode
from server.spreadsheets import Cell

LARGEST_VND = 1_000_000_000_000_000
_UNIT = re.compile(r"(?:vnd|vnđ|đồng|đ|₫|d)\.?$|^(?:vnd|vnđ|₫)", re.IGNORECASE)
# Groups of three with one separator, or digits alone; then perhaps a fraction with another separator.
_GROUPED = re.compile(r"(\d{1,3}(?:([.,'])\d{3})(?:\2\d{3})*)(?:([.,])(\d{1,2}))?")
_PLAIN = re.compile(r"(\d+)(?:[.,](\d+))?")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(.*)", re.DOTALL)
_YEAR_FIRST = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})(.*)", re.DOTALL)
_TIME = re.compile(
    r"|[T\s]\s*([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d|[AaPp][Mm])?"
)
_BLANKS = re.compile(r"\s+")
# Hyphens and minus signs that look alike.
_MINUS_SIGNS = "-\u2010\u2011\u2012\u2013\u2212"


def read_amount(cell: Cell) -> int | StatementCode | None:
    """Return an amount in đồng, signed; None where the cell is blank, a code where it is no amount."""
    if cell is None:
        return None
    if isinstance(cell, bool | date):
        return StatementCode.AMOUNT_MALFORMED
    if isinstance(cell, float):
        # A whole float has become an int already.
        return StatementCode.AMOUNT_FRACTIONAL if abs(cell) < 2**53 else StatementCode.AMOUNT_OUT_OF_RANGE
    if isinstance(cell, str):
        read = _typed_amount(cell)
        if not isinstance(read, int):
            return read
        cell = read
    return cell if abs(cell) <= LARGEST_VND else StatementCode.AMOUNT_OUT_OF_RANGE


def _typed_amount(text: str) -> int | StatementCode | None:
    text = _BLANKS.sub("", text)
    if text in _MINUS_SIGNS:
        # A dash stands for nothing in many exports.
        return None
    text = _UNIT.sub("", text)
    is_negative = False
    if text[:1] == "(" and text[-1:] == ")":
        text, is_negative = text[1:-1], True
    elif text[:1] and text[0] in f"+{_MINUS_SIGNS}":
        text, is_negative = text[1:], text[0] != "+"
    text = _UNIT.sub("", text)
    if len(text) > 40 or not text.isascii():
        return StatementCode.AMOUNT_MALFORMED
    whole, fraction = _parts(text)
    if whole is None:
        return StatementCode.AMOUNT_MALFORMED
    if fraction.strip("0"):
        return StatementCode.AMOUNT_FRACTIONAL
    return -int(whole) if is_negative else int(whole)


def _parts(text: str) -> tuple[str | None, str]:
    """Return the whole digits and the fraction's."""
    found = _GROUPED.fullmatch(text)
    if found and found[2] != found[3] and not (text[0] == "0" and found[3] is None):
        return re.sub(r"\D", "", found[1]), found[4] or ""
    plain = _PLAIN.fullmatch(text)
    return (None, "") if plain is None else (plain[1], plain[2] or "")


def read_day(cell: Cell) -> date | StatementCode | None:
    """Return a day, its time of day left out; None where the cell is blank."""
    if cell is None or isinstance(cell, date):
        return cell
    if not isinstance(cell, str):
        return StatementCode.CELL_NOT_A_DAY
    text = cell.strip()
    found = _DAY_FIRST.fullmatch(text)
    if found:
        day, month, year, rest = found.groups()
    elif found := _YEAR_FIRST.fullmatch(text):
        year, month, day, rest = found.groups()
    else:
        return StatementCode.CELL_NOT_A_DAY
    if not _TIME.fullmatch(rest.rstrip()):
        return StatementCode.CELL_NOT_A_DAY
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return StatementCode.CELL_NOT_A_DAY
