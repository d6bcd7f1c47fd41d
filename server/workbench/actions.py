"""What a supervisor does about a quarantined entry or two records; the audited look at an entry's bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from server.audit.changes import Change
from server.dashboard.queries import EntryLine, Sight, entry_line
from server.exchange.desk import DeskRefusedError, enter_at_desk, lock_desk
from server.journals.queries import stored_entries
from server.journals.views import EntryView, entry_at, entry_text
from server.people.actions import mark_distinct, require_not_distinct, unmark_distinct
from server.people.queries import merged_record, record_of
from server.runtime import Runtime
from server.sealing import Sealer
from server.workbench.queries import area_keys_in, comparison_of
from server.workbench.rules import typed_body, typed_text
from sync.codes import EntryCode
from sync.entry import Fault


@dataclass(frozen=True, slots=True)
class Evidence:
    """One entry with its original text, the SHA-256 of its bytes in hex, and its corrected body."""

    line: EntryLine
    raw: str
    sha256: str
    corrected: object


def open_evidence(
    change: Change, sealer: Sealer, sight: Sight, installation_id: str, seq: int
) -> Evidence | None:
    """Return an entry with its original bytes, or None where it is not there or not in sight.

    Either way the audit says who looked for what.
    """
    entry = _entry_in_sight(change, sight, installation_id, seq)
    if entry is None:
        change.audit("original_bytes_refused", f"{installation_id}/{seq}")
        return None
    raw = entry_text(change.connection, sealer, installation_id, seq)
    assert raw is not None
    change.audit("original_bytes_opened", f"{installation_id}/{seq}")
    return Evidence(
        line=entry_line(change.connection, entry),
        raw=raw,
        sha256=hashlib.sha256(raw.encode("utf-8")).hexdigest(),
        corrected=_corrected_body(change, sealer, entry),
    )


def correct_entry(
    runtime: Runtime, change: Change, sight: Sight, installation_id: str, seq: int, text: str
) -> bool:
    """Judge an entry again with the body that was typed; False where it is not in sight.

    Raises DeskRefusedError.
    """
    entry = _entry_in_sight(change, sight, installation_id, seq)
    if entry is None:
        change.audit("correction_refused", f"{installation_id}/{seq}")
        return False
    body = typed_body(text)
    if body is None:
        raise DeskRefusedError(Fault(EntryCode.ENTRY_UNREADABLE, "body"))
    enter_at_desk(runtime, change, "entry_corrected", {"target": entry.entry_id, "body": body})
    return True


def return_entry(
    runtime: Runtime, change: Change, sight: Sight, installation_id: str, seq: int, reason: str
) -> bool:
    """Send an entry back to its agent; False where it is not in sight. Raises DeskRefusedError."""
    entry = _entry_in_sight(change, sight, installation_id, seq)
    if entry is None:
        change.audit("return_refused", f"{installation_id}/{seq}")
        return False
    body = {"target": entry.entry_id, "reason": typed_text(reason)}
    enter_at_desk(runtime, change, "entry_returned", body)
    return True


def _entry_in_sight(change: Change, sight: Sight, installation_id: str, seq: int) -> EntryView | None:
    entry = entry_at(change.connection, installation_id, seq)
    return entry if entry is not None and sight.covers(entry.worker_id) else None


def _corrected_body(change: Change, sealer: Sealer, entry: EntryView) -> object:
    if entry.corrected_by is None:
        return None
    stored = stored_entries(change.connection, sealer, [entry.entry_id])[entry.entry_id]
    return None if stored.correction is None else json.loads(stored.correction)["body"]["body"]


def merge_records(runtime: Runtime, change: Change, sight: Sight, from_id: str, into_id: str) -> bool:
    """Merge a record into another one; False where one is not in sight.

    Raises DeskRefusedError, and DistinctionRefusedError where somebody has called them two.
    """
    lock_desk(change)
    found = comparison_of(change.connection, sight, from_id, into_id)
    if found is None:
        change.audit("merge_refused", from_id)
        return False
    require_not_distinct(change, found.record_type, from_id, into_id)
    body = {"record_type": found.record_type, "from": from_id, "into": into_id}
    enter_at_desk(runtime, change, "records_merged", body)
    return True


def distinguish_records(change: Change, sight: Sight, first_id: str, other_id: str) -> bool:
    """Call two records two; False where one is not in sight. Raises DistinctionRefusedError."""
    lock_desk(change)
    found = comparison_of(change.connection, sight, first_id, other_id)
    if found is None or first_id == other_id:
        change.audit("distinction_refused", first_id)
        return False
    mark_distinct(change, found.record_type, first_id, other_id)
    return True


def undo_distinction(change: Change, sight: Sight, first_id: str, other_id: str) -> bool:
    """Call two records two no longer; False where one is not in sight, or they are not called so."""
    lock_desk(change)
    found = comparison_of(change.connection, sight, first_id, other_id)
    if found is None or not unmark_distinct(change, found.record_type, first_id, other_id):
        change.audit("distinction_undoing_refused", first_id)
        return False
    return True


def unmerge_records(runtime: Runtime, change: Change, sight: Sight, merge_id: str) -> bool:
    """Undo a merge; False where its record is not in sight. Raises DeskRefusedError."""
    found = merged_record(change.connection, merge_id)
    record = None if found is None else record_of(change.connection, found[1])
    keys = area_keys_in(change.connection, sight)
    if record is None or not (keys is None or record.area_key in keys):
        change.audit("unmerge_refused", merge_id)
        return False
    enter_at_desk(runtime, change, "records_unmerged", {"merge": merge_id})
    return True
