"""What the pages change: a look at original bytes is written down, an enrolment code is made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from server.audit.changes import Change
from server.dashboard.queries import EntryLine, Sight, agents_in, entry_line
from server.devices.actions import create_enrolment_code
from server.devices.rules import ENROLMENT_CODE_LIFE_MS
from server.journals.queries import entry_at, entry_text
from server.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Evidence:
    """One entry with its original text, and the SHA-256 of its bytes in hex."""

    line: EntryLine
    raw: str
    sha256: str


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A one-time enrolment code; it is shown once and kept as a hash only."""

    text: str
    worker_id: str
    worker_name: str
    expires_ms: int


def open_evidence(
    change: Change, sealer: Sealer, sight: Sight, installation_id: str, seq: int
) -> Evidence | None:
    """Return an entry with its original bytes, or None where it is not there or not in sight.

    Either way the audit says who looked for what.
    """
    entry = entry_at(change.connection, installation_id, seq)
    if entry is None or not (sight.worker_ids is None or entry.worker_id in sight.worker_ids):
        change.audit("original_bytes_refused", f"{installation_id}/{seq}")
        return None
    raw = entry_text(change.connection, sealer, installation_id, seq)
    assert raw is not None
    change.audit("original_bytes_opened", f"{installation_id}/{seq}")
    return Evidence(
        line=entry_line(change.connection, entry),
        raw=raw,
        sha256=hashlib.sha256(raw.encode("utf-8")).hexdigest(),
    )


def issue_enrolment_code(change: Change, sight: Sight, worker_id: str, account_id: str) -> IssuedCode | None:
    """Return a fresh one-time code for a tablet, or None where the worker is no agent in sight."""
    name = dict(agents_in(change.connection, sight, change.now_ms)).get(worker_id)
    if name is None:
        change.audit("enrolment_code_refused", account_id)
        return None
    text = create_enrolment_code(change, worker_id, account_id)
    return IssuedCode(text, worker_id, name, change.now_ms + ENROLMENT_CODE_LIFE_MS)
