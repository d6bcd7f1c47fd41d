"""A table on its way out: titles in both languages, and rows of values, not of markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from server.dashboard.rules import PAGES_MOST, Listing
from server.spreadsheets import Cell, written_csv, written_xlsx

FORMATS = ("xlsx", "csv")
_Line = TypeVar("_Line")


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A table; `titles` are (Vietnamese, English), of the table and of each column."""

    title: tuple[str, str]
    titles: tuple[tuple[str, str], ...]
    rows: Sequence[Sequence[Cell]]

    def written(self, file_format: str, language: str) -> bytes:
        """Return the file."""
        number = int(language == "en")
        header = [each[number] for each in self.titles]
        if file_format == "csv":
            return written_csv(header, self.rows)
        return written_xlsx(self.title[number], header, self.rows)


def every_page(page: Callable[[int], tuple[Sequence[_Line], Listing]]) -> list[_Line]:
    """Return the lines of all pages of a list; a list has no more pages than can be asked for."""
    lines: list[_Line] = []
    for number in range(1, PAGES_MOST + 1):
        found, listing = page(number)
        lines += found
        if not listing.has_older:
            break
    return lines
