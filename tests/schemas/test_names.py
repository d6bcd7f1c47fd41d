from __future__ import annotations

import unicodedata

import pytest

from schemas.names import search_key


@pytest.mark.parametrize(
    ("name", "key"),
    [("Đường Bến Đò", "duong ben do"), ("  Mỹ   Tho ", "my tho"), ("ĐỒNG THÁP", "dong thap")],
)
def test_a_name_is_found_without_diacritics(name, key):
    assert search_key(name) == key


def test_every_letter_has_the_key_that_taking_marks_off_one_by_one_gives():
    for code in (*range(0x20, 0x2FFF), *range(0xA000, 0xD800), *range(0xE000, 0x20000)):
        folded = unicodedata.normalize("NFD", f"a{chr(code)}b".casefold().replace("đ", "d"))
        plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
        assert search_key(f"a{chr(code)}b") == " ".join(plain.split()), hex(code)
