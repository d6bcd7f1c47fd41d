"""The account's statement in the plan: lines as they come, and the files that the bank hands out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from server.demo.fund.steps import BankRow, Statement, with_balances

DEBIT_CREDIT, SIGNED, XLSX = "debit_credit.csv", "signed.csv", "debit_credit.xlsx"


class Bank:
    """The lines of the fund's account. Each is matched once its statement is read."""

    def __init__(self) -> None:
        self._rows: list[BankRow] = []
        self._read: set[str] = set()
        self._matched: set[str] = set()
        self._files: list[tuple[str, str, date, date]] = []

    def add(
        self, day: date, reference: str, description: str, amount_vnd: int, kind: str, target: str = ""
    ) -> None:
        """Let a line happen on the account."""
        assert all(row.reference != reference for row in self._rows), reference
        self._rows.append(BankRow(day, reference, description, amount_vnd, kind, target))

    def statement(self, name: str, layout: str, from_day: date, to_day: date) -> tuple[Statement, int]:
        """Hand out the statement of these days, and say how many of its lines were not seen before."""
        self._files.append((name, layout, from_day, to_day))
        statement = self._statement(name, layout, from_day, to_day)
        fresh = {row.reference for row in statement.rows} - self._read
        self._read |= fresh
        return statement, len(fresh)

    def waiting(self) -> Iterator[BankRow]:
        """Yield the lines that were read and not matched."""
        for row in with_balances(self._rows):
            if row.reference in self._read and row.reference not in self._matched:
                yield row

    def matched(self, reference: str) -> None:
        """A line is matched."""
        self._matched.add(reference)

    def statements(self) -> list[Statement]:
        """Return every file, once all lines are there."""
        return [self._statement(*file) for file in self._files]

    def _statement(self, name: str, layout: str, from_day: date, to_day: date) -> Statement:
        rows = [row for row in with_balances(self._rows) if from_day <= row.day <= to_day]
        return Statement(name, layout, tuple(rows))
