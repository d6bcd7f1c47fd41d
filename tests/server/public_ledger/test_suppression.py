"""Small cells are hidden, and nobody who knows the rules and every total can work them out."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from server.public_ledger.suppression import SMALLEST_SHOWN, TOTAL, shown_table

STAGES = ("committed", "issued", "handed", "returned")
_COUNTS = st.one_of(st.integers(0, 7), st.integers(0, 7), st.integers(0, 60))


def tables(rows: int, stages: tuple[str, ...] = STAGES):
    row = st.fixed_dictionaries(dict.fromkeys(stages, _COUNTS))
    return st.lists(row, min_size=1, max_size=rows).map(
        lambda found: {f"r{number}": cells for number, cells in enumerate(found)}
    )


def equations(counts, shown, stages):
    """Everything that a reader knows of the hidden cells, as (coefficients by cell, what they add up to)."""
    hidden = [(row, column) for row in shown for column in shown[row] if shown[row][column] is None]
    known = []
    for row, cells in shown.items():
        coefficients, rest = {}, 0
        for column, sign in [*((stage, 1) for stage in stages), (TOTAL, -1)]:
            if cells[column] is None:
                coefficients[row, column] = sign
            else:
                rest -= sign * cells[column]
        known.append((coefficients, rest))
    for column in (*stages, TOTAL):
        names = stages if column == TOTAL else (column,)
        rest = sum(cells[name] for cells in counts.values() for name in names)
        rest -= sum(cells[column] or 0 for cells in shown.values())
        known.append(({(row, column): 1 for row in shown if shown[row][column] is None}, rest))
    return hidden, known


def solved(hidden, known):
    """Return the cells that the linear system determines, by Gauss and Jordan over fractions."""
    matrix = [
        [Fraction(coefficients.get(cell, 0)) for cell in hidden] + [Fraction(rest)]
        for coefficients, rest in known
    ]
    done = 0
    for column in range(len(hidden)):
        pivot = next((n for n in range(done, len(matrix)) if matrix[n][column]), None)
        if pivot is None:
            continue
        matrix[done], matrix[pivot] = matrix[pivot], matrix[done]
        head = matrix[done][column]
        matrix[done] = [value / head for value in matrix[done]]
        for number, line in enumerate(matrix):
            if number != done and line[column]:
                factor = line[column]
                matrix[number] = [a - factor * b for a, b in zip(line, matrix[done], strict=True)]
        done += 1
    lines = [[n for n, value in enumerate(line[:-1]) if value] for line in matrix]
    return [hidden[line[0]] for line in lines if len(line) == 1]


@settings(max_examples=300, deadline=None)
@given(tables(8))
def test_no_hidden_cell_follows_from_totals_and_other_cells(counts):
    shown = shown_table(counts, STAGES)
    if shown is None:
        return
    assert solved(*equations(counts, shown, STAGES)) == []


@settings(max_examples=300, deadline=None)
@given(tables(8))
def test_every_small_cell_is_hidden_and_every_shown_one_is_true(counts):
    shown = shown_table(counts, STAGES)
    if shown is None:
        # Only a table with something small in it is withheld.
        cells = [count for row in counts.values() for count in (*row.values(), sum(row.values()))]
        assert any(0 < count < SMALLEST_SHOWN for count in cells)
        return
    for row, cells in counts.items():
        for column, count in {**cells, TOTAL: sum(cells.values())}.items():
            told = shown[row][column]
            assert told in (None, count)
            if 0 < count < SMALLEST_SHOWN:
                assert told is None
            if count == 0:
                assert told == 0


@settings(max_examples=150, deadline=None)
@given(tables(3, STAGES[:2]))
def test_whoever_tries_every_whole_number_finds_more_than_one_for_each_hidden_cell(counts):
    stages = STAGES[:2]
    shown = shown_table(counts, stages)
    if shown is None:
        return
    hidden, known = equations(counts, shown, stages)
    stages_hidden = [cell for cell in hidden if cell[1] != TOTAL]
    limits = [sum(cells[column] for cells in counts.values()) for _, column in stages_hidden]
    if not hidden or sum(limits) > 45:
        return
    found: dict = {cell: set() for cell in hidden}
    for values in product(*(range(1, limit + 1) for limit in limits)):
        guess = dict(zip(stages_hidden, values, strict=True))
        for row, column in hidden:
            if column == TOTAL:
                guess[row, column] = sum(
                    guess[row, stage] if shown[row][stage] is None else shown[row][stage] for stage in stages
                )
        is_right = all(
            sum(factor * guess[cell] for cell, factor in coefficients.items()) == rest
            for coefficients, rest in known
        ) and all(value >= 1 for value in guess.values())
        if is_right:
            for cell, value in guess.items():
                found[cell].add(value)
    assert all(len(values) > 1 for values in found.values())


def test_a_table_of_one_commune_with_a_small_cell_is_withheld():
    assert shown_table({"a": {"handed": 3}}, STAGES) is None


def test_a_complement_is_hidden_with_a_small_cell():
    shown = shown_table({"a": {"handed": 3, "issued": 9}, "b": {"handed": 20, "issued": 8}}, STAGES)
    assert shown is not None
    assert shown["a"] == {"committed": 0, "issued": None, "handed": None, "returned": 0, TOTAL: 12}
    assert shown["b"] == {"committed": 0, "issued": None, "handed": None, "returned": 0, TOTAL: 28}


def test_two_ones_that_add_up_to_two_are_not_left_alone():
    """Whoever knows that a hidden cell is at least 1 would know both."""
    shown = shown_table({"a": {"handed": 1, "issued": 9}, "b": {"handed": 1, "issued": 9}}, STAGES)
    assert shown is None or shown["a"]["issued"] is None


def test_a_table_without_small_cells_is_shown_as_it_is():
    counts = {"a": {"handed": 30, "issued": 0}, "b": {"handed": 5}}
    shown = shown_table(counts, STAGES)
    assert shown is not None
    assert shown["a"] == {"committed": 0, "issued": 0, "handed": 30, "returned": 0, TOTAL: 30}
