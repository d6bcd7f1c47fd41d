"""What the board's pages change: an enrolment code is made."""

from __future__ import annotations

from dataclasses import dataclass

from server.audit.changes import Change
from server.dashboard.queries import Sight, agents_in
from server.devices.actions import create_enrolment_code
from server.devices.rules import ENROLMENT_CODE_LIFE_MS


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A one-time enrolment code; it is shown once and kept as a hash only."""

    text: str
    worker_id: str
    worker_name: str
    expires_ms: int


def issue_enrolment_code(change: Change, sight: Sight, worker_id: str, account_id: str) -> IssuedCode | None:
    """Return a fresh one-time code for a tablet, or None where the worker is no agent in sight."""
    name = dict(agents_in(change.connection, sight, change.now_ms)).get(worker_id)
    if name is None:
        change.audit("enrolment_code_refused", account_id)
        return None
    text = create_enrolment_code(change, worker_id, account_id)
    return IssuedCode(text, worker_id, name, change.now_ms + ENROLMENT_CODE_LIFE_MS)
