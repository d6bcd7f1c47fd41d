"""Amounts in Vietnamese words, as accountants write them."""

from __future__ import annotations

import pytest

from server.fund_statements.in_words import dong_in_words


@pytest.mark.parametrize(
    ("amount_vnd", "words"),
    [
        (0, "Không đồng"),
        (5, "Năm đồng"),
        (10, "Mười đồng"),
        (15, "Mười lăm đồng"),
        (21, "Hai mươi mốt đồng"),
        (105, "Một trăm linh năm đồng"),
        (1_005, "Một nghìn không trăm linh năm đồng"),
        (1_000_000, "Một triệu đồng"),
        (171_000_000, "Một trăm bảy mươi mốt triệu đồng"),
        (1_005_750_000, "Một tỷ không trăm linh năm triệu bảy trăm năm mươi nghìn đồng"),
        (2_000_000_005, "Hai tỷ không trăm linh năm đồng"),
        (671_000_000_000, "Sáu trăm bảy mươi mốt tỷ đồng"),
        (-25_000, "Âm hai mươi lăm nghìn đồng"),
    ],
)
def test_an_amount_is_written_as_accountants_do(amount_vnd, words):
    assert dong_in_words(amount_vnd) == words
