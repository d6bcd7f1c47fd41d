"""New identifiers: UUIDv7 (RFC 9562), whose order follows the clock they are made with."""

from __future__ import annotations

import secrets
import uuid

from sync.clock import Clock


class ClockIds:
    """Makes UUIDv7 from a clock and the system's randomness; strictly increasing per process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def new_id(self) -> str:
        """Return a UUIDv7 in lower-case text."""
        stamp = (self._clock.now_ms() & 0xFFFF_FFFF_FFFF) << 80
        value = stamp | (secrets.randbits(74) & ((1 << 62) - 1)) | (secrets.randbits(12) << 64)
        value = (value & ~(0xF << 76)) | (0x7 << 76)
        value = (value & ~(0x3 << 62)) | (0x2 << 62)
        if value <= self._last:
            value = self._last + 1
        self._last = value
        return str(uuid.UUID(int=value))
