"""Sealing of personal data in the database: AES-256-GCM under rotating keys, and blind indexes.

The associated data is where a value lives (table, column, row), so that a ciphertext copied to
another place does not open. A blind index is an HMAC under a key derived for its field, since
several kinds of number share their length.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SealBrokenError(Exception):
    """A sealed value does not open: another key, another place, or altered bytes."""


class Sealer:
    """Seals and opens values, and computes blind indexes."""

    def __init__(self, keys: Mapping[str, bytes], current: str, index_key: bytes) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current
        self._index_key = index_key
        self._field_states: dict[str, tuple[Any, Any]] = {}

    def seal(self, value: str, place: str, row: str) -> bytes:
        """Return `value` sealed for `place` ("table.column") and `row`.

        Layout: length of the key id (1 byte), key id, nonce (12 bytes), ciphertext and tag.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, value.encode("utf-8"), f"{place}|{row}".encode())
        key_id = self._current.encode("ascii")
        return bytes([len(key_id)]) + key_id + nonce + sealed

    def seal_all(self, values: Sequence[tuple[str, str]], place: str) -> list[bytes]:
        """Return each of the (row, value) sealed as by `seal`, with randomness asked for only once."""
        encrypt, key_id = self._ciphers[self._current].encrypt, self._current.encode("ascii")
        head, nonces = bytes([len(key_id)]) + key_id, secrets.token_bytes(_NONCE_BYTES * len(values))
        sealed, start = [], 0
        for row, value in values:
            nonce = nonces[start : start + _NONCE_BYTES]
            start += _NONCE_BYTES
            sealed.append(head + nonce + encrypt(nonce, value.encode(), f"{place}|{row}".encode()))
        return sealed

    def open(self, sealed: bytes, place: str, row: str) -> str:
        """Return the value sealed for `place` and `row`. Raises SealBrokenError."""
        end_of_id = 1 + sealed[0]
        cipher = self._ciphers.get(sealed[1:end_of_id].decode("ascii", "replace"))
        if cipher is None:
            raise SealBrokenError("sealed under a key that is not configured")
        nonce = sealed[end_of_id : end_of_id + _NONCE_BYTES]
        try:
            value = cipher.decrypt(nonce, sealed[end_of_id + _NONCE_BYTES :], f"{place}|{row}".encode())
        except InvalidTag as error:
            raise SealBrokenError(f"{place} does not open") from error
        return value.decode("utf-8")

    def seal_optional(self, value: str | None, place: str, row: str) -> bytes | None:
        """Return the sealed value, or None for None."""
        return None if value is None else self.seal(value, place, row)

    def open_optional(self, sealed: bytes | None, place: str, row: str) -> str | None:
        """Return the opened value, or None for None."""
        return None if sealed is None else self.open(sealed, place, row)

    def blind_index(self, field: str, value: str) -> str:
        """Return the keyed index of `value` for `field` as 32 hex digits."""
        states = self._field_states.get(field)
        if states is None:
            key = hmac.digest(self._index_key, b"blind index " + field.encode(), hashlib.sha256)
            states = self._field_states[field] = _hmac_states(key)
        inner, outer = states[0].copy(), states[1].copy()
        inner.update(value.encode("utf-8"))
        outer.update(inner.digest())
        digest: bytes = outer.digest()
        return digest.hex()[:32]


def _hmac_states(key: bytes) -> tuple[Any, Any]:
    """Return SHA-256 after the inner and after the outer key of HMAC (RFC 2104), for a key of a digest.

    `hmac.digest` sets both up for every value, which takes five times what hashing one takes.
    """
    padded = key.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)
