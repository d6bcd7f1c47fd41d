"""What a cell of a column may hold: each kind of column reads a cell into a value, or says its code.

Pure. A blank cell never comes here. What a spreadsheet did to a number while it was typed (zeros lost,
rewritten as 1.2E+11) is told apart from a number that somebody got wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.names import search_key
from server.imports.codes import ImportCode
from server.spreadsheets import Cell, as_text, has_control_characters

# A value, or the code of what is wrong with the cell.
Reading = Any
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/\-]*\Z")
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?[eE]\+?\d+\Z")
_SPREADSHEET_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!)\Z")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})\Z")
_PHONE_BLANKS = re.compile(r"[\s.\-()]")
_PHONE = re.compile(r"\+?[0-9]{8,15}\Z")
# A Vietnamese number has ten digits, the first of them 0.
_PHONE_WITHOUT_ZERO = 9
_RATIO = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,4})?\Z")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


class NumberCode(str):
    """A code that came as a number of a spreadsheet: trusted only where it is known already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: its name, its titles (Vietnamese, English), how its cells are read.

    `remark` says in both languages what belongs there; `example` is the template's.
    """

    name: str
    titles: tuple[str, str]
    read: Callable[[Cell], Reading]
    example: str
    remark: tuple[str, str] = ("", "")
    required: bool = False
    is_key: bool = False
    choices: tuple[str, ...] = ()

    def title(self, language: str) -> str:
        """Return the column's title, with a star where a cell is needed."""
        return self.titles[language == "en"] + (" *" if self.required else "")


def read_cell(column: Column, cell: Cell) -> Reading:
    """Return the cell's value, None for a blank one, or what is wrong with it."""
    if cell is None:
        return ImportCode.CELL_REQUIRED if column.required else None
    if isinstance(cell, str):
        if has_control_characters(cell):
            return ImportCode.CELL_HAS_CONTROL_CHARACTER
        if cell[0] == "#" and _SPREADSHEET_ERROR.match(cell):
            return ImportCode.CELL_IS_AN_ERROR
    return column.read(cell)


def text_of(most: int) -> Callable[[Cell], Reading]:
    """Return a reader of texts of at most `most` characters, on one line."""

    def read(cell: Cell) -> Reading:
        text = " ".join(as_text(cell).split())
        return text if len(text) <= most else ImportCode.CELL_TOO_LONG

    return read


def code_of(most: int) -> Callable[[Cell], Reading]:
    """Return a reader of codes that the office gives: kept as text, with every zero."""

    def read(cell: Cell) -> Reading:
        if isinstance(cell, float | date):
            return ImportCode.NUMBER_MANGLED
        text = as_text(cell)
        if _SCIENTIFIC.match(text):
            return ImportCode.NUMBER_MANGLED
        if len(text) > most:
            return ImportCode.CELL_TOO_LONG
        if not _CODE.match(text):
            return ImportCode.CODE_MALFORMED
        return NumberCode(text) if isinstance(cell, int) else text

    return read


def digits_of(length: int) -> Callable[[Cell], Reading]:
    """Return a reader of numbers of exactly `length` digits that name somebody."""

    def read(cell: Cell) -> Reading:
        if isinstance(cell, float | date):
            return ImportCode.NUMBER_MANGLED
        text = re.sub(r"[\s.\-]", "", as_text(cell))
        if _SCIENTIFIC.match(as_text(cell)):
            return ImportCode.NUMBER_MANGLED
        if not (text.isascii() and text.isdigit()) or len(text) > length:
            return ImportCode.CODE_MALFORMED
        return text if len(text) == length else ImportCode.LEADING_ZERO_LOST

    return read


def read_phone(cell: Cell) -> Reading:
    """Read a telephone number; blanks, dots and dashes between its digits are left out."""
    if isinstance(cell, float | date):
        return ImportCode.NUMBER_MANGLED
    text = as_text(cell)
    if _SCIENTIFIC.match(text):
        return ImportCode.NUMBER_MANGLED
    digits = _PHONE_BLANKS.sub("", text)
    if digits.isascii() and digits.isdigit() and digits[0] != "0" and len(digits) == _PHONE_WITHOUT_ZERO:
        return ImportCode.LEADING_ZERO_LOST
    return digits if _PHONE.match(digits) else ImportCode.PHONE_MALFORMED


def read_day(cell: Cell) -> Reading:
    """Read a day: a spreadsheet's own, 31/12/2025 or 2025-12-31. Never month first."""
    day = cell if isinstance(cell, date) else _day_in(as_text(cell))
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        return ImportCode.CELL_NOT_A_DAY
    return day


def _day_in(text: str) -> date | None:
    found = _DAY_FIRST.match(text)
    try:
        if found is None:
            return date.fromisoformat(text)
        day, month, year = map(int, found.groups())
        return date(year, month, day)
    except ValueError:
        return None


def whole_of(least: int, most: int) -> Callable[[Cell], Reading]:
    """Return a reader of whole numbers from `least` to `most`."""

    def read(cell: Cell) -> Reading:
        if isinstance(cell, str):
            text = cell.replace(" ", "")
            if re.fullmatch(r"-?[0-9]{1,15}", text) is None:
                return ImportCode.CELL_NOT_WHOLE
            cell = int(text)
        if not isinstance(cell, int):
            return ImportCode.CELL_NOT_WHOLE
        return cell if least <= cell <= most else ImportCode.CELL_OUT_OF_RANGE

    return read


def read_ratio(cell: Cell) -> Reading:
    """Read a published ratio: its number as it was printed, without the sign; decimals may follow a comma."""
    if isinstance(cell, date):
        return ImportCode.RATIO_MALFORMED
    text = as_text(cell).replace("%", "").replace(",", ".").strip()
    return text if _RATIO.match(text) else ImportCode.RATIO_MALFORMED


def choice_of(words: Mapping[str, tuple[str, str]]) -> Callable[[Cell], Reading]:
    """Return a reader of one of `words`: by its value, or by its word in either language."""
    known = {search_key(shown): value for value, both in words.items() for shown in (value, *both)}

    def read(cell: Cell) -> Reading:
        return known.get(search_key(as_text(cell)), ImportCode.CELL_NOT_IN_LIST)

    return read


def header_key(title: str) -> str:
    """Return what a header's title is compared by: case, diacritics and the star do not matter."""
    return search_key(title.replace("*", " "))
