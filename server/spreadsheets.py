"""Sheets as files, read and written: XLSX and CSV. Knows nothing of what a sheet is about.

A formula is never evaluated: of an XLSX cell the value that the spreadsheet saved is read, and a
text is written as a text even where it begins like a formula. Whoever opens a written CSV may have a
program that does evaluate, so that such a text gets an apostrophe, which reading takes off again.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine
import xlsxwriter

# Read cells are texts, numbers, days or nothing. A number of a spreadsheet is a float even when whole.
Cell = str | int | float | date | None

FILE_BYTES_MOST = 16 * 1024 * 1024
# An XLSX file is a ZIP archive: what it unpacks to is bounded before anything is unpacked.
INFLATED_BYTES_MOST = 160 * 1024 * 1024
ROWS_MOST = 50_000
COLUMNS_MOST = 64
CELL_CHARACTERS_MOST = 2_000
_SEPARATORS = (";", "\t", ",")
_BEGINS_LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ZIP_MAGIC = b"PK\x03\x04"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class SheetFileError(Exception):
    """The file is no sheet that can be read; `reason` is one of the words below."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


UNREADABLE, TOO_LARGE, NOT_UTF8, EMPTY, TOO_MANY_ROWS, TOO_MANY_COLUMNS = (
    "file_unreadable",
    "file_too_large",
    "file_not_utf8",
    "sheet_empty",
    "too_many_rows",
    "too_many_columns",
)


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """A sheet: its header, and (number, cells) of every row below that is not blank.

    The number is the one that a spreadsheet shows beside the row, from 1. Cells are as many as the header.
    """

    header_number: int
    header: tuple[str, ...]
    rows: list[tuple[int, tuple[Cell, ...]]]


def read_sheet(content: bytes) -> ReadSheet:
    """Read the first sheet of an XLSX file, or a CSV file. Raises SheetFileError."""
    if len(content) > FILE_BYTES_MOST:
        raise SheetFileError(TOO_LARGE)
    return _gathered(_xlsx_rows(content) if content.startswith(_ZIP_MAGIC) else _csv_rows(content))


def sheet_readings(content: bytes) -> Iterator[list[tuple[int, tuple[Cell, ...]]]]:
    """Yield every way to read a file's rows that are not blank, with their numbers. Raises SheetFileError.

    For files that others made, whose table begins anywhere: an XLSX file reads one way, a CSV file (UTF-8, or
    UTF-16 with its mark) one for each separator. Limits are those of `read_sheet`.
    """
    if len(content) > FILE_BYTES_MOST:
        raise SheetFileError(TOO_LARGE)
    if content.startswith(_ZIP_MAGIC):
        yield _all_rows(_xlsx_rows(content))
        return
    # Spreadsheets write UTF-16 where they say «Unicode», with its mark.
    text = _decoded(content, "utf-16" if content.startswith(_UTF_16_MARKS) else "utf-8-sig")
    for separator in _SEPARATORS:
        # A separator of another kind of file may leave quotes in the middle of cells.
        with contextlib.suppress(csv.Error):
            yield _all_rows(_separated(text, separator))


def _all_rows(numbered: Iterable[tuple[int, Sequence[Any]]]) -> list[tuple[int, tuple[Cell, ...]]]:
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    for number, raw in numbered:
        cells = [normalised(cell) for cell in raw]
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            continue
        if len(cells) > COLUMNS_MOST:
            raise SheetFileError(TOO_MANY_COLUMNS)
        if len(rows) == ROWS_MOST:
            raise SheetFileError(TOO_MANY_ROWS)
        rows.append((number, tuple(cells)))
    return rows


def _gathered(numbered: Iterable[tuple[int, Sequence[Any]]]) -> ReadSheet:
    header: tuple[str, ...] | None = None
    header_number = 0
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    for number, raw in numbered:
        cells = [normalised(cell) for cell in raw]
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            continue
        if len(cells) > COLUMNS_MOST:
            raise SheetFileError(TOO_MANY_COLUMNS)
        if header is None:
            header, header_number = tuple("" if cell is None else as_text(cell) for cell in cells), number
            continue
        if len(rows) == ROWS_MOST:
            raise SheetFileError(TOO_MANY_ROWS)
        width = len(header)
        # What stands to the right of the header belongs to no column: a note beside the table.
        rows.append((number, tuple(cells[:width]) + (None,) * (width - len(cells))))
    if header is None or not rows:
        raise SheetFileError(EMPTY)
    return ReadSheet(header_number, header, rows)


def normalised(cell: Any) -> Cell:
    """Return a cell as it is worked with: texts in NFC, trimmed, without the exporter's apostrophe."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        if not cell.isascii():
            cell = unicodedata.normalize("NFC", cell)
        if cell[0] == "'" and cell[1:2] in _BEGINS_LIKE_A_FORMULA:
            cell = cell[1:]
        return cell.strip() or None
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time(0) else cell.isoformat(" ")
    if isinstance(cell, timedelta | time):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, int | float | date):
        return cell
    return str(cell)


def column_letter(position: int) -> str:
    """Return what a spreadsheet calls its columns: 0 is A, 26 is AA."""
    letters = ""
    while position >= 0:
        position, rest = divmod(position, 26)
        letters, position = chr(ord("A") + rest) + letters, position - 1
    return letters


def as_text(cell: Cell) -> str:
    """Return a cell that is not blank as somebody would read it."""
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def has_control_characters(text: str) -> bool:
    """Return whether a text holds characters that no person typed."""
    return _CONTROL.search(text) is not None


def _xlsx_rows(content: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > INFLATED_BYTES_MOST:
                raise SheetFileError(TOO_LARGE)
        with python_calamine.CalamineWorkbook.from_object(io.BytesIO(content)) as book:
            sheet = book.get_sheet_by_index(0)
            if sheet.total_width > COLUMNS_MOST * 4:
                raise SheetFileError(TOO_MANY_COLUMNS)
            if sheet.total_height > ROWS_MOST * 2:
                raise SheetFileError(TOO_MANY_ROWS)
            first, left = sheet.start or (0, 0)
            for offset, row in enumerate(sheet.iter_rows()):
                yield first + offset + 1, [None] * left + row
    except (python_calamine.CalamineError, zipfile.BadZipFile, ValueError, IndexError) as error:
        raise SheetFileError(UNREADABLE) from error


def _decoded(content: bytes, encoding: str = "utf-8-sig") -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise SheetFileError(NOT_UTF8) from error
    if "\0" in text:
        raise SheetFileError(UNREADABLE)
    return text


def _separated(text: str, separator: str) -> Iterator[tuple[int, Sequence[str]]]:
    # A quoted cell may hold line breaks: rows are counted as a spreadsheet would number them.
    return enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), start=1)


def _csv_rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    text = _decoded(content)
    first_line = text.lstrip("\r\n").partition("\n")[0]
    separator = max(_SEPARATORS, key=first_line.count)
    try:
        yield from _separated(text, separator)
    except csv.Error as error:
        raise SheetFileError(UNREADABLE) from error


def defused(text: str) -> str:
    """Return a text that no program takes for a formula; `normalised` gives back the text."""
    return f"'{text}" if text.startswith(_BEGINS_LIKE_A_FORMULA) else text


def _written(cell: Cell) -> Cell:
    return defused(cell) if isinstance(cell, str) else cell


def written_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a CSV file: UTF-8 with the mark that spreadsheets need, separated by commas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([defused(name) for name in header])
    for row in rows:
        writer.writerow(["" if cell is None else as_text(_written(cell)) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def written_xlsx(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    text_columns: Iterable[int] = (),
    remarks: Sequence[str] = (),
) -> bytes:
    """Return an XLSX file of one sheet. `text_columns` keep leading zeros of what is typed into them.

    `remarks` are notes on the header's cells, one each, or none.
    """
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, {**options, "in_memory": True, "constant_memory": False})
    sheet = book.add_worksheet(_sheet_name(title))
    bold = book.add_format({"bold": True, "bg_color": "#E8F0EC", "border": 1, "text_wrap": True})
    as_day, as_words = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "@"})
    typed = frozenset(text_columns)
    for column, name in enumerate(header):
        sheet.set_column(
            column, column, max(12, min(len(name) + 4, 40)), as_words if column in typed else None
        )
        sheet.write_string(0, column, defused(name), bold)
        if column < len(remarks) and remarks[column]:
            sheet.write_comment(0, column, remarks[column])
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, column, defused(cell), as_words)
            elif isinstance(cell, date):
                sheet.write_datetime(number, column, datetime.combine(cell, time(0)), as_day)
            elif cell is not None:
                sheet.write_number(number, column, cell)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _sheet_name(title: str) -> str:
    """Return a name that Excel takes: 31 characters at most, and none of those that it forbids."""
    return re.sub(r"[\[\]:*?/\\']", " ", title)[:31].strip() or "Sheet1"
