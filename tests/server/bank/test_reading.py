"""Statements as files: what is read of them, and everything that is wrong with them."""

from __future__ import annotations

from datetime import date

import pytest

from server.bank.codes import WORDS, StatementCode, statement_text
from server.bank.layouts import DEBIT_CREDIT, SIGNED, is_usable, mapping_layout
from server.bank.reading import FAULTS_MOST, read_statement
from tests.server.bank.statements import Moved, as_csv, as_xlsx, debit_credit_rows, signed_rows

TODAY = date(2026, 2, 1)
LINES = [
    Moved(date(2026, 1, 5), 500_000, "NGUYEN VAN A ung ho; quy TN1", "FT001"),
    Moved(date(2026, 1, 5), 1_250_000, "Công ty «Bình Minh», ủng hộ", "FT002"),
    Moved(date(2026, 1, 6), -11_000, "Thu phi quan ly", None),
]


def faults(content, **more):
    found = read_statement(content, TODAY, **more)
    assert found.statement is None
    return [(fault.code, fault.row, fault.column) for fault in found.faults]


def said(statement):
    return [(line.day, line.amount_vnd, line.description, line.reference) for line in statement.lines]


@pytest.mark.parametrize(
    "content",
    [
        as_xlsx(debit_credit_rows(LINES)),
        as_csv(debit_credit_rows(LINES)),
        as_csv(debit_credit_rows(LINES), encoding="utf-8"),
        as_csv(debit_credit_rows(LINES), "\t", encoding="utf-16"),
        as_csv(debit_credit_rows(LINES), ";"),
    ],
)
def test_a_statement_of_two_columns_is_read_from_any_file(content):
    statement = read_statement(content, TODAY, account="0011012345678").statement
    assert statement is not None
    assert said(statement) == [(line.day, line.amount_vnd, line.text, line.reference) for line in LINES]
    assert (statement.layout, statement.from_day, statement.to_day) == (
        DEBIT_CREDIT,
        date(2026, 1, 5),
        date(2026, 1, 6),
    )
    assert (statement.opening_vnd, statement.closing_vnd) == (0, 1_739_000)


@pytest.mark.parametrize("content", [as_xlsx(signed_rows(LINES, 7)), as_csv(signed_rows(LINES, 7), "\t")])
def test_a_signed_column_is_read_oldest_first_and_its_balances_say_where_it_began(content):
    statement = read_statement(content, TODAY).statement
    assert statement is not None
    assert statement.layout == SIGNED
    assert [line.amount_vnd for line in statement.lines] == [500_000, 1_250_000, -11_000]
    assert (statement.opening_vnd, statement.closing_vnd) == (7, 1_739_007)


def test_separators_of_thousands_do_not_pass_for_separators_of_cells():
    rows = signed_rows([Moved(date(2026, 1, 5), n * 1_000_000, "x") for n in range(1, 9)])
    statement = read_statement(as_csv(rows, ";"), TODAY).statement
    assert statement is not None
    assert sum(line.amount_vnd for line in statement.lines) == 36_000_000


def test_every_cell_that_is_wrong_is_named_by_row_and_column():
    rows = debit_credit_rows(LINES)
    rows[5][0] = "32/01/2026"
    rows[6][3] = "1.250.000,5"
    rows[6][4] = "một"
    rows[7][2] = None
    assert faults(as_xlsx(rows)) == [
        (StatementCode.CELL_NOT_A_DAY, 6, "A"),
        (StatementCode.AMOUNT_FRACTIONAL, 7, "D"),
        (StatementCode.AMOUNT_MALFORMED, 7, "E"),
        (StatementCode.AMOUNT_MISSING, 8, "D"),
    ]


def test_a_line_with_both_sides_or_a_negative_side_is_a_fault():
    rows = debit_credit_rows(LINES)
    rows[5][2] = "1.000"
    rows[7][2] = "-11.000"
    assert faults(as_xlsx(rows)) == [
        (StatementCode.AMOUNT_ON_BOTH_SIDES, 6, "D"),
        (StatementCode.AMOUNT_NEGATIVE, 8, "C"),
    ]


def test_a_balance_that_does_not_follow_names_its_row_and_one_mistake_is_one_fault():
    rows = debit_credit_rows(LINES)
    rows[6][3] = "1.250.001"
    assert faults(as_xlsx(rows)) == [(StatementCode.BALANCE_BROKEN, 7, "E")]


def test_a_line_that_was_taken_out_shows():
    rows = debit_credit_rows(LINES)
    del rows[6]
    assert faults(as_xlsx(rows)) == [(StatementCode.BALANCE_BROKEN, 7, "E")]


def test_a_closing_balance_that_the_lines_do_not_reach_is_a_fault():
    content = as_xlsx(debit_credit_rows(LINES, closing=1_739_001))
    assert faults(content) == [(StatementCode.CLOSING_DIFFERS, 8, None)]


def test_a_statement_of_another_account_is_refused():
    content = as_xlsx(debit_credit_rows(LINES, account="999"))
    assert read_statement(content, TODAY, account="0011012345678").statement is not None, (
        "too short to be one"
    )
    content = as_xlsx(debit_credit_rows(LINES, account="0099 0000 1111"))
    assert faults(content, account="0011012345678") == [(StatementCode.ACCOUNT_DIFFERS, None, None)]


def test_days_to_come_and_days_outside_the_period_are_faults():
    rows = signed_rows([Moved(date(2026, 2, 2), 1_000, "x")])
    assert faults(as_xlsx(rows)) == [(StatementCode.DAY_TO_COME, 2, "A")]
    rows = debit_credit_rows(LINES)
    rows[2][0] = "Từ ngày 06/01/2026 đến ngày 31/01/2026"
    assert faults(as_xlsx(rows)) == [
        (StatementCode.DAY_OUTSIDE_PERIOD, 6, "A"),
        (StatementCode.DAY_OUTSIDE_PERIOD, 7, "A"),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", StatementCode.SHEET_EMPTY),
        (b"Ng\xe0y;Ti\xean", StatementCode.FILE_NOT_UTF8),
        (b"PK\x03\x04nothing", StatementCode.FILE_UNREADABLE),
        ("Tên;Tuổi\nA;3".encode(), StatementCode.LAYOUT_UNKNOWN),
        (b"x" * (16 * 1024 * 1024 + 1), StatementCode.FILE_TOO_LARGE),
        ("Ngày;Số tiền;Mô tả\n".encode(), StatementCode.SHEET_EMPTY),
    ],
)
def test_a_file_that_is_no_statement_is_refused_with_a_word(content, code):
    assert faults(content) == [(code, None, None)]


def test_a_saved_mapping_reads_a_layout_of_any_other_bank():
    rows = [["Buchungstag", "Betrag", "Zweck"], ["05/01/2026", "500.000", "Ủng hộ"]]
    columns = {"day": "Buchungstag", "amount": "Betrag", "description": "Zweck"}
    assert faults(as_xlsx(rows)) == [(StatementCode.LAYOUT_UNKNOWN, None, None)]
    statement = read_statement(as_xlsx(rows), TODAY, mapping=mapping_layout("khác", columns)).statement
    assert statement is not None
    assert said(statement) == [(date(2026, 1, 5), 500_000, "Ủng hộ", None)]
    assert (statement.layout, statement.opening_vnd, statement.closing_vnd) == ("khác", None, None)


@pytest.mark.parametrize(
    ("columns", "usable"),
    [
        ({"day": "A", "amount": "B", "description": "C"}, True),
        ({"day": "A", "debit": "B", "credit": "D", "description": "C"}, True),
        ({"day": "A", "debit": "B", "description": "C"}, False),
        ({"day": "A", "amount": "B", "credit": "D", "description": "C"}, False),
        ({"day": "A", "amount": "A", "description": "C"}, False),
        ({"amount": "B", "description": "C"}, False),
        ({"day": "A", "amount": "B", "description": "C", "colour": "D"}, False),
    ],
)
def test_a_mapping_needs_a_day_a_description_and_one_amount(columns, usable):
    assert is_usable(columns) is usable


def test_faults_end_somewhere():
    rows = signed_rows([Moved(date(2026, 1, 5), 1_000, "x")] * 900)
    for row in rows[1:]:
        row[1] = "x"
    assert len(read_statement(as_xlsx(rows), TODAY).faults) == FAULTS_MOST


def test_every_code_has_words_in_both_languages():
    assert WORDS.keys() == set(StatementCode)
    assert statement_text(StatementCode.AMOUNT_MISSING) != statement_text(StatementCode.AMOUNT_MISSING, "en")
