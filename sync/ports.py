"""Ports: what the core needs from outside, as protocols."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """Signs with one P-256 key."""

    def sign(self, message: bytes) -> bytes:
        """Return the raw r||s signature (64 bytes) of `message`, ES256."""

    @property
    def kid(self) -> str:
        """Return the key's id: the first 4 bytes of the SHA-256 of its SPKI, as 8 hex digits."""


class Verifier(Protocol):
    """Verifies signatures of one P-256 key."""

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Return whether `signature` (raw r||s) is the key's over `message`."""


class IdSource(Protocol):
    """Where new identifiers come from, so that a simulation can own them."""

    def new_id(self) -> str:
        """Return a UUIDv7 in lower-case text."""
