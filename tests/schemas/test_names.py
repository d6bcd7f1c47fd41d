from __future__ import annotations

import pytest

from schemas.names import search_key


@pytest.mark.parametrize(
    ("name", "key"),
    [("Đường Bến Đò", "duong ben do"), ("  Mỹ   Tho ", "my tho"), ("ĐỒNG THÁP", "dong thap")],
)
def test_a_name_is_found_without_diacritics(name, key):
    assert search_key(name) == key
