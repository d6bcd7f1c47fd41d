"""Which cells of a public table of cards are hidden, so that no small one can be worked out. Pure.

A table has one row a place (a commune, or a pool), a column a stage and a column of the rows' totals; the
totals of the columns are the fund's and always public. A cell from 1 to 4 is hidden; so are as many others
as it takes that no hidden cell follows from what is shown, though every reader knows these rules and that
a hidden cell is at least 1. A nought tells of nobody and is shown. Where that cannot be done the table is
withheld (docs/public-ledger.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product

SMALLEST_SHOWN = 5
TOTAL = "total"
Cell = tuple[str, str]
_SINK = ("column", TOTAL)


def shown_table(
    counts: Mapping[str, Mapping[str, int]], stages: Sequence[str]
) -> dict[str, dict[str, int | None]] | None:
    """Return the table with None for each hidden cell and a column `total`; None where all of it is withheld.

    `counts` maps row → stage → cards.
    """
    values = {
        (row, column): count
        for row, cells in counts.items()
        for column, count in _with_total(cells, stages).items()
    }
    hidden = hidden_cells(values)
    if hidden is None:
        return None
    return {
        row: {column: None if (row, column) in hidden else values[row, column] for column in (*stages, TOTAL)}
        for row in counts
    }


def hidden_cells(values: Mapping[Cell, int]) -> set[Cell] | None:
    """Return the cells to hide, or None where no choice protects every small one."""
    pipes = _Pipes(values)
    small = sorted((count, cell) for cell, count in values.items() if 0 < count < SMALLEST_SHOWN)
    waiting = [cell for _, cell in small]
    pipes.hide(waiting)
    # What can vary goes on being able to when more is hidden, so each cell is looked at once.
    while waiting:
        cell = waiting.pop(0)
        if pipes.can_vary(cell):
            continue
        more = _cheapest_way_out(cell, pipes)
        if more is None:
            return None
        waiting += sorted(more)
    return pipes.hidden


def _with_total(cells: Mapping[str, int], stages: Sequence[str]) -> dict[str, int]:
    found = {stage: cells.get(stage, 0) for stage in stages}
    return {**found, TOTAL: sum(found.values())}


def _cheapest_way_out(cell: Cell, pipes: _Pipes) -> set[Cell] | None:
    """Hide, at the least cost, the other corners of a rectangle that lets a cell vary; return them."""
    values, (row, column) = pipes.values, cell
    rows, columns = {each[0] for each in values}, {each[1] for each in values}
    ways: list[tuple[int, list[Cell]]] = []
    for other_row, other_column in product(sorted(rows - {row}), sorted(columns - {column})):
        corners = {(row, other_column), (other_row, column), (other_row, other_column)} - pipes.hidden
        # A nought is always shown, so none can be among the hidden.
        if corners and all(values[corner] > 0 for corner in corners):
            ways.append((sum(values[corner] for corner in corners), sorted(corners)))
    for _, corners_left in sorted(ways):
        pipes.hide(corners_left)
        if pipes.can_vary(cell):
            return set(corners_left)
        pipes.show(corners_left)
    return None


class _Pipes:
    """A table with totals as a flow: from the column of totals through each row to its stages.

    Hidden cells are the pipes whose flow is unknown. Another solution differs by a round trip through
    such pipes: up a pipe always, down it where its flow is more than 1.
    """

    def __init__(self, values: Mapping[Cell, int]) -> None:
        self.values = values
        self.hidden: set[Cell] = set()
        self._ways: dict[Cell, set[Cell]] = defaultdict(set)

    def hide(self, cells: Sequence[Cell]) -> None:
        """Let the flow of these cells be unknown."""
        for cell in cells:
            self.hidden.add(cell)
            up, down = _ends(cell)
            self._ways[up].add(down)
            if self.values[cell] > 1:
                self._ways[down].add(up)

    def show(self, cells: Sequence[Cell]) -> None:
        """Take that back."""
        for cell in cells:
            self.hidden.discard(cell)
            up, down = _ends(cell)
            self._ways[up].discard(down)
            self._ways[down].discard(up)

    def can_vary(self, cell: Cell) -> bool:
        """Return whether another whole number, at least 1, fits a hidden cell and all that is shown."""
        start, end = _ends(cell)
        return self._is_reachable(end, start) or (self.values[cell] > 1 and self._is_reachable(start, end))

    def _is_reachable(self, start: Cell, end: Cell) -> bool:
        """Return whether one gets from one end of a cell's pipe to the other by other pipes."""
        seen, waiting = {start}, [start]
        while waiting:
            place = waiting.pop()
            for after in self._ways[place]:
                if after == end and place != start:
                    return True
                if after != end and after not in seen:
                    seen.add(after)
                    waiting.append(after)
        return False


def _ends(cell: Cell) -> tuple[Cell, Cell]:
    """Return from where to where a cell's flow goes."""
    row, column = cell
    place = ("row", row)
    return (_SINK, place) if column == TOTAL else (place, ("column", column))
