"""Feeds: the hash of a row, and the sum over a scope that both ends keep.

The sum is taken modulo 2**64 over opaque row hashes that travel with the rows, so it does not
depend on the wire version (docs/protocol.md, "Sums").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_MODULUS = 2**64


def row_hash(record_type: str, record_id: str, version: int, wire_json: str) -> str:
    """Return the 64-bit hash of one row's state as 16 hex digits."""
    text = f"{record_type}\n{record_id}\n{version}\n{wire_json}"
    return hashlib.blake2b(text.encode("utf-8"), digest_size=8).hexdigest()


def sum_changed(total: str, *, added: Iterable[str] = (), removed: Iterable[str] = ()) -> str:
    """Return the scope's sum (16 hex digits) after rows came and went."""
    value = int(total, 16) + sum(int(item, 16) for item in added)
    return f"{(value - sum(int(item, 16) for item in removed)) % _MODULUS:016x}"


EMPTY_SUM = f"{0:016x}"
