"""Blind indexes are HMACs by the book; sealing has its tests where values are stored."""

from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from server.sealing import Sealer

INDEX_KEY = bytes(range(32))
SEALER = Sealer({"k": bytes(32)}, "k", INDEX_KEY)


@given(st.text(max_size=200), st.sampled_from(["phone", "sheet_code.household"]))
def test_a_blind_index_is_the_hmac_of_the_value_under_the_fields_own_key(value, field):
    key = hmac.digest(INDEX_KEY, f"blind index {field}".encode(), hashlib.sha256)
    assert SEALER.blind_index(field, value) == hmac.digest(key, value.encode(), "sha256").hex()[:32]
