"""The insurer's numbers of many receipts at once: the receipt book's own file, filled in and given back.

All of it or nothing. A row without a number says nothing; one that says what stands already changes nothing,
so the same file may come again. Corrections need a reason, so they are made one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.audit.changes import Change
from server.declarations.book import BOOK_TITLES
from server.receipts.actions import (
    OfficialGiven,
    OfficialRefusedError,
    give_official_number,
    receipt_of_number,
)
from server.receipts.queries import standing_number
from server.receipts.rules import OfficialRefusal, official_name
from server.spreadsheets import SheetFileError, as_text, read_sheet
from sync.ports import IdSource

# Written in one change, for which pushes wait.
NUMBERS_MOST = 1_000
# Of the book's columns: our number, the insurer's series, the insurer's number.
_COLUMNS = (0, 6, 7)
NO_COLUMNS, TOO_MANY = "columns_missing", "too_many_rows"


@dataclass(frozen=True, slots=True)
class NumberFault:
    """Why a row is not taken, by its number in the file; 0 is the file itself. `code` has words in forms."""

    row: int
    code: str


class NumbersRefusedError(Exception):
    """Nothing of the file was taken; `faults` say why, from top to bottom."""

    def __init__(self, faults: Sequence[NumberFault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


def numbers_in(content: bytes) -> list[tuple[int, OfficialGiven]]:
    """Return what a file says, by row. Raises NumbersRefusedError."""
    try:
        sheet = read_sheet(content)
    except SheetFileError as error:
        raise NumbersRefusedError([NumberFault(0, error.reason)]) from error
    titles = {title: place for place, both in enumerate(BOOK_TITLES) for title in both}
    places = {titles[name]: place for place, name in enumerate(sheet.header) if name in titles}
    wanted = [places[place] for place in _COLUMNS if place in places]
    if len(wanted) < len(_COLUMNS):
        raise NumbersRefusedError([NumberFault(0, NO_COLUMNS)])
    found = []
    for number, cells in sheet.rows:
        receipt, series, name = ("" if cells[place] is None else as_text(cells[place]) for place in wanted)
        if series or name:
            found.append((number, OfficialGiven(receipt, series, name)))
    if len(found) > NUMBERS_MOST:
        raise NumbersRefusedError([NumberFault(0, TOO_MANY)])
    return found


def give_numbers(
    change: Change, ids: IdSource, rows: Sequence[tuple[int, OfficialGiven]], covers: Callable[[str], bool]
) -> int:
    """Take down what the rows say, of receipts of workers that `covers` lets through; return how many.

    Raises NumbersRefusedError, and then nothing is written.
    """
    taking, faults, count = _Taking(change, ids, covers), list[NumberFault](), 0
    for number, given in rows:
        try:
            count += taking.take(given)
        except OfficialRefusedError as error:
            faults.append(NumberFault(number, str(error.code)))
    if faults:
        raise NumbersRefusedError(faults)
    return count


class _Taking:
    """Takes rows of one file; what earlier rows said is not in the tables yet, so it is remembered."""

    def __init__(self, change: Change, ids: IdSource, covers: Callable[[str], bool]) -> None:
        self._change, self._ids, self._covers = change, ids, covers
        self._receipts: set[tuple[int, int, str]] = set()
        self._numbers: set[tuple[str, int]] = set()

    def take(self, given: OfficialGiven) -> bool:
        """Take down a row; False where it stands already. Raises OfficialRefusedError."""
        receipt = receipt_of_number(self._change, given.receipt_number)
        if not self._covers(receipt.worker_id):
            raise OfficialRefusedError(OfficialRefusal.NO_SUCH_RECEIPT)
        if receipt.key in self._receipts:
            raise OfficialRefusedError(OfficialRefusal.HAS_A_NUMBER)
        self._receipts.add(receipt.key)
        name = official_name(given.series, given.number)
        if name is not None:
            if (name.series, int(name.number)) in self._numbers:
                raise OfficialRefusedError(OfficialRefusal.NUMBER_TAKEN)
            self._numbers.add((name.series, int(name.number)))
            standing = standing_number(self._change.connection, receipt)
            if standing is not None and standing.name == name:
                return False
        give_official_number(self._change, self._ids, receipt, given)
        return True
