"""Limits of the wire, advertised to devices and enforced by both ends (docs/protocol.md, rule 9).

They bind at capture, so that nothing captured can be too big to send, and they never shrink for a
protocol version that is still served.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Every number a sender has to respect. Lengths of text are in Unicode characters."""

    batch_entries: int = 500
    # 500 entries of about 1.5 KiB; a single largest entry always fits several times over.
    body_bytes: int = 2 * 1024 * 1024
    inflated_bytes: int = 8 * 1024 * 1024
    entry_bytes: int = 16 * 1024
    json_depth: int = 12
    text_characters: int = 500
    list_items: int = 50
    pull_rows: int = 1000
    amount_vnd: int = 1_000_000_000

    def as_wire(self) -> dict[str, int]:
        """Return the limits as the `limits` member of a response."""
        return {name: getattr(self, name) for name in self.__slots__}


LIMITS = Limits()
