"""States of an installation and what each may still do."""

from __future__ import annotations

from enum import StrEnum

# Ten minutes: long enough to hand over a tablet, short enough for a photographed code to be stale.
ENROLMENT_CODE_LIFE_MS = 10 * 60 * 1000
PREDECESSORS_MOST = 50


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
