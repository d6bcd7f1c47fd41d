"""Sealing of the client's own rows: AES-256-GCM under one key file that only its owner can read.

The associated data is where a value lives ("table.column|row"), so that a ciphertext copied to
another row does not open. Layout of a sealed value: nonce (12 bytes), ciphertext, tag.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyFileError(Exception):
    """The key file is missing, damaged, or open to other users."""


class SealBrokenError(Exception):
    """A sealed value does not open: another key, another place, or altered bytes."""


class RowSealer:
    """Seals and opens the values of one store."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: str, place: str, row: str) -> bytes:
        """Return `value` sealed for `place` ("table.column") and `row`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value.encode("utf-8"), f"{place}|{row}".encode())

    def open(self, sealed: bytes, place: str, row: str) -> str:
        """Return the value sealed for `place` and `row`. Raises SealBrokenError."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, f"{place}|{row}".encode()).decode("utf-8")
        except (InvalidTag, ValueError) as error:
            raise SealBrokenError(f"{place} does not open") from error


def make_key_file(path: Path) -> None:
    """Write a new random key to `path`, mode 0600; an existing file is never overwritten.

    The file appears whole or not at all, also when two processes start at once.
    """
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES).hex().encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def read_key_file(path: Path) -> RowSealer:
    """Return the sealer of the key at `path`. Raises KeyFileError."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read the key file {path}") from error
    if os.name == "posix" and mode & _OTHERS:
        raise KeyFileError(f"other users can read the key file {path}: run chmod 600 on it")
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError as error:
        raise KeyFileError(f"the key file {path} is damaged") from error
    if len(key) != _KEY_BYTES:
        raise KeyFileError(f"the key file {path} is damaged")
    return RowSealer(key)
