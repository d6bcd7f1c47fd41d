"""States of an installation and what each may still do."""

from __future__ import annotations

from enum import StrEnum

# Ten minutes: long enough to hand over a tablet, short enough for a photographed code to be stale.
ENROLMENT_CODE_LIFE_MS = 10 * 60 * 1000
PREDECESSORS_MOST = 50
# No device sends a request this long after it signed it (docs/protocol.md, [Q5]).
REQUEST_LIFE_MS = 60 * 60 * 1000

# Whoever gives a tablet up says why, in more than a word.
WRITE_OFF_REASON_LEAST = 10


class InstallationState(StrEnum):
    """What an installation may do.

    active works; fenced contradicted its journal; superseded was replaced by a re-enrolment;
    revoked may still deliver, into quarantine, and reads nothing.
    """

    ACTIVE = "active"
    FENCED = "fenced"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


def is_revoked_at(state: str, last_valid_seq: int | None, seq: int) -> bool:
    """Return whether the entry at `seq` came after the installation's revocation."""
    return state == InstallationState.REVOKED and seq > (last_valid_seq or 0)


def signed_after_ms(now_ms: int, wall_ms: int, enrolled_ms: int, acknowledged_ms: int | None) -> int:
    """Return a moment after which a request that arrives now was signed; Unix milliseconds.

    The acknowledgement that it shows (`acknowledged_ms`) proves one exactly. Without a fresh one the
    claimed time counts, as far as the arrival bears it out and less the life of a request: one that
    lay about in between must not pass for a fresh one.
    """
    claimed_ms = min(now_ms, wall_ms) - REQUEST_LIFE_MS
    return min(now_ms, max(enrolled_ms, claimed_ms, acknowledged_ms or 0))
