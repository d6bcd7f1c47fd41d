"""What can be wrong with a bank statement, and its text in both languages.

These codes never travel to a device; they are documented in docs/error-codes.md and never renamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StatementCode(StrEnum):
    """A fault of a statement's file, of its header, of a cell, or of its sums."""

    FILE_UNREADABLE = "file_unreadable"
    FILE_TOO_LARGE = "file_too_large"
    FILE_NOT_UTF8 = "file_not_utf8"
    SHEET_EMPTY = "sheet_empty"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    LAYOUT_UNKNOWN = "layout_unknown"
    CELL_REQUIRED = "cell_required"
    CELL_TOO_LONG = "cell_too_long"
    CELL_NOT_A_DAY = "cell_not_a_day"
    DAY_TO_COME = "day_to_come"
    AMOUNT_MALFORMED = "amount_malformed"
    AMOUNT_FRACTIONAL = "amount_fractional"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    AMOUNT_NEGATIVE = "amount_negative"
    AMOUNT_ON_BOTH_SIDES = "amount_on_both_sides"
    AMOUNT_MISSING = "amount_missing"
    DAY_OUTSIDE_PERIOD = "day_outside_period"
    BALANCE_BROKEN = "balance_broken"
    CLOSING_DIFFERS = "closing_differs"
    ACCOUNT_DIFFERS = "account_differs"


WORDS: dict[StatementCode, tuple[str, str]] = {
    StatementCode.FILE_UNREADABLE: (
        "Không đọc được tệp; cần tệp XLSX hoặc CSV",
        "The file cannot be read; it has to be XLSX or CSV",
    ),
    StatementCode.FILE_TOO_LARGE: ("Tệp quá lớn; hãy chia nhỏ", "The file is too large; divide it"),
    StatementCode.FILE_NOT_UTF8: (
        "Tệp CSV không phải UTF-8 hay UTF-16; hãy lưu lại dạng «CSV UTF-8» hoặc XLSX",
        "The CSV file is neither UTF-8 nor UTF-16; save it as “CSV UTF-8” or XLSX",
    ),
    StatementCode.SHEET_EMPTY: ("Sao kê không có dòng nào", "The statement has no lines"),
    StatementCode.TOO_MANY_ROWS: (
        "Sao kê có quá nhiều dòng; hãy chia nhỏ",
        "The statement has too many rows; divide it",
    ),
    StatementCode.TOO_MANY_COLUMNS: ("Sao kê có quá nhiều cột", "The statement has too many columns"),
    StatementCode.LAYOUT_UNKNOWN: (
        "Không nhận ra các cột của sao kê; hãy lưu một mẫu cột cho ngân hàng này",
        "The statement's columns are not known; save a column mapping for this bank",
    ),
    StatementCode.CELL_REQUIRED: ("Ô này không được để trống", "This cell must not be blank"),
    StatementCode.CELL_TOO_LONG: ("Nội dung quá dài", "The text is too long"),
    StatementCode.CELL_NOT_A_DAY: (
        "Không phải ngày: cần dạng ngày/tháng/năm hoặc năm-tháng-ngày",
        "Not a day: day/month/year or year-month-day is needed",
    ),
    StatementCode.DAY_TO_COME: ("Ngày chưa đến", "A day to come"),
    StatementCode.AMOUNT_MALFORMED: ("Không đọc được số tiền", "The amount cannot be read"),
    StatementCode.AMOUNT_FRACTIONAL: ("Số tiền lẻ dưới một đồng", "An amount with a part of a đồng"),
    StatementCode.AMOUNT_OUT_OF_RANGE: ("Số tiền quá lớn", "The amount is too large"),
    StatementCode.AMOUNT_NEGATIVE: (
        "Số tiền âm trong cột ghi nợ hoặc ghi có",
        "A negative amount in the debit or credit column",
    ),
    StatementCode.AMOUNT_ON_BOTH_SIDES: (
        "Một dòng có cả ghi nợ lẫn ghi có",
        "A line with both a debit and a credit",
    ),
    StatementCode.AMOUNT_MISSING: ("Dòng không có số tiền", "A line without an amount"),
    StatementCode.DAY_OUTSIDE_PERIOD: (
        "Ngày nằm ngoài kỳ của sao kê",
        "The day lies outside the statement's period",
    ),
    StatementCode.BALANCE_BROKEN: (
        "Số dư không bằng số dư trước cộng số tiền của dòng",
        "The balance is not the one before plus the line's amount",
    ),
    StatementCode.CLOSING_DIFFERS: (
        "Số dư đầu kỳ cộng các dòng không bằng số dư cuối kỳ",
        "The opening balance plus all lines is not the closing balance",
    ),
    StatementCode.ACCOUNT_DIFFERS: (
        "Sao kê của tài khoản khác, không phải tài khoản của quỹ",
        "A statement of another account than the fund's",
    ),
}


@dataclass(frozen=True, slots=True)
class StatementFault:
    """What is wrong, and where: `row` and `column` as a spreadsheet has them, `title` the header's.

    Row and column are None where the fault is of the whole file.
    """

    code: StatementCode
    row: int | None = None
    column: str | None = None
    title: str | None = None


def statement_text(code: StatementCode, language: str = "vi") -> str:
    """Return the text of `code` in `language` ("vi" or "en")."""
    return WORDS[code][language == "en"]
