"""Statements for tests, as the files of the two known layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.spreadsheets import Cell, written_csv, written_xlsx


@dataclass(frozen=True, slots=True)
class Moved:
    """One line that a statement is to have."""

    day: date
    amount_vnd: int
    text: str
    reference: str | None = None


def grouped(amount: int, separator: str = ".") -> str:
    return f"{amount:,}".replace(",", separator)


def debit_credit_rows(
    lines: Sequence[Moved], opening: int = 0, account: str = "0011012345678", *, closing: int | None = None
) -> list[list[Cell]]:
    """Return the cells of a statement with two columns of amounts, its header below the account's."""
    days = [line.day for line in lines]
    rows: list[list[Cell]] = [
        ["SAO KÊ TÀI KHOẢN", None, None, None, None, None],
        [f"Số tài khoản: {account}", None, None, None, None, None],
        [f"Từ ngày {min(days):%d/%m/%Y} đến ngày {max(days):%d/%m/%Y}", None, None, None, None, None],
        ["Số dư đầu kỳ", None, None, None, grouped(opening), None],
        ["Ngày giao dịch", "Số tham chiếu/Số CT", "Ghi nợ", "Ghi có", "Số dư", "Nội dung/Diễn giải"],
    ]
    balance = opening
    for line in lines:
        balance += line.amount_vnd
        out, into = max(0, -line.amount_vnd), max(0, line.amount_vnd)
        rows.append(
            [
                f"{line.day:%d/%m/%Y}",
                line.reference,
                grouped(out) if out else None,
                grouped(into) if into else None,
                grouped(balance),
                line.text,
            ]
        )
    out, into = (sum(max(0, sign * line.amount_vnd) for line in lines) for sign in (-1, 1))
    rows.append(["Tổng cộng", None, grouped(out), grouped(into), None, None])
    rows.append(["Số dư cuối kỳ", None, None, None, grouped(balance if closing is None else closing), None])
    return rows


def signed_rows(lines: Sequence[Moved], opening: int = 0) -> list[list[Cell]]:
    """Return the cells of a statement with one signed column, the newest line first."""
    rows, balance = [], opening
    for line in lines:
        balance += line.amount_vnd
        amount = f"{line.amount_vnd:+,}"
        rows.append([f"{line.day:%d-%m-%Y} 10:11:12", amount, f"{balance:,}", line.text, line.reference])
    header: list[Cell] = ["Ngày", "Số tiền (+/−)", "Số dư", "Mô tả", "Mã giao dịch"]
    return [header, *reversed(rows)]


def as_csv(rows: Sequence[Sequence[Cell]], separator: str = ",", encoding: str = "utf-8-sig") -> bytes:
    """Return rows as a CSV file in another encoding, separated otherwise."""
    if separator == ",":
        text = written_csv([str(cell or "") for cell in rows[0]], rows[1:]).decode("utf-8-sig")
    else:
        text = "\r\n".join(
            separator.join(
                "" if cell is None else f'"{cell}"' if separator in str(cell) else str(cell) for cell in row
            )
            for row in rows
        )
    return text.encode(encoding)


def as_xlsx(rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return rows as an XLSX file."""
    return written_xlsx("Sao kê", [str(cell or "") for cell in rows[0]], rows[1:])
