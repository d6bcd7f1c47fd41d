"""Ports: what the core needs from outside, as protocols."""

from __future__ import annotations

from typing import Protocol


class IdSource(Protocol):
    """Where new identifiers come from, so that a simulation can own them."""

    def new_id(self) -> str:
        """Return a UUIDv7 in lower-case text."""
