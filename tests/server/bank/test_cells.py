"""Amounts and days as banks write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.bank.cells import read_amount, read_day
from server.bank.codes import StatementCode


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.234.567", 1_234_567),
        ("1,234,567", 1_234_567),
        ("1 234 567", 1_234_567),
        ("1,234,567.00", 1_234_567),
        ("1.234.567,00", 1_234_567),
        ("500.000", 500_000),
        ("+500,000 VND", 500_000),
        ("-500.000đ", -500_000),
        ("−500.000 ₫", -500_000),
        ("(500,000)", -500_000),
        ("500000 VNĐ", 500_000),
        ("VND 500,000", 500_000),
        ("0", 0),
        ("1234.00", 1_234),
        ("1\u00a0234\u00a0567", 1_234_567),
        (500_000, 500_000),
        (None, None),
        ("-", None),
        ("", None),
    ],
)
def test_an_amount_is_read_as_it_is_meant(cell, amount):
    assert read_amount(cell) == amount


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1.234,5", StatementCode.AMOUNT_FRACTIONAL),
        ("1,234,567.50", StatementCode.AMOUNT_FRACTIONAL),
        (1234.5, StatementCode.AMOUNT_FRACTIONAL),
        ("0.500", StatementCode.AMOUNT_FRACTIONAL),
        ("1.23.456", StatementCode.AMOUNT_MALFORMED),
        ("1,234.567.890", StatementCode.AMOUNT_MALFORMED),
        ("năm trăm", StatementCode.AMOUNT_MALFORMED),
        ("1e6", StatementCode.AMOUNT_MALFORMED),
        ("١٢٣", StatementCode.AMOUNT_MALFORMED),
        (date(2026, 1, 5), StatementCode.AMOUNT_MALFORMED),
        (10**15 + 1, StatementCode.AMOUNT_OUT_OF_RANGE),
        ("9" * 30, StatementCode.AMOUNT_OUT_OF_RANGE),
        (1e300, StatementCode.AMOUNT_OUT_OF_RANGE),
    ],
)
def test_what_is_no_amount_in_whole_dong_is_a_fault(cell, code):
    assert read_amount(cell) is code


@given(
    st.integers(-(10**15), 10**15), st.sampled_from([".", ",", " ", ""]), st.sampled_from(["", "đ", " VND"])
)
def test_any_whole_amount_is_read_back_however_it_is_grouped(amount, separator, unit):
    text = f"{amount:,}".replace(",", separator) + unit
    assert read_amount(text) == amount


@pytest.mark.parametrize(
    "cell",
    [
        "05/01/2026",
        "5/1/2026",
        "05-01-2026 13:45:59",
        "05/01/2026 13:45",
        "2026-01-05",
        "2026-01-05T13:45:59",
        "2026-01-05 13:45:59.123",
        "2026-01-05T13:45:59+07:00",
        "05.01.2026",
        date(2026, 1, 5),
    ],
)
def test_a_day_is_read_day_first_or_year_first(cell):
    assert read_day(cell) == date(2026, 1, 5)


@pytest.mark.parametrize(
    "cell", ["31/02/2026", "2026-13-01", "hôm qua", "05/01/26", 46027, "05/01/2026 25:00"]
)
def test_what_is_no_day_is_a_fault(cell):
    assert read_day(cell) is StatementCode.CELL_NOT_A_DAY
