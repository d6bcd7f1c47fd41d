"""The log of amendments of the records that one push touches (docs/protocol.md, "Edits").

Holds keyed digests of values, never values: some are sealed numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.audit.changes import Change
from server.people.models import EditConflict, FieldEdit
from server.people.queries import edit_logs
from server.people.rules import edited_text
from server.sealing import Sealer
from sync.merge import FieldConflict, LoggedEdit, conflicts, ranked, standing_fields


@dataclass(frozen=True, slots=True)
class Amendment:
    """An amending entry: its id, the entry it was made on, the upper end of its corrected time."""

    entry_id: str
    base: str
    upper_ms: int


class EditLog:
    """Loads the logs that are wanted, and adds edits to them."""

    def __init__(self, change: Change, sealer: Sealer) -> None:
        self._change = change
        self._sealer = sealer
        self._wanted: set[str] = set()
        self._logs: dict[str, list[LoggedEdit]] = {}

    def want(self, record_id: str) -> None:
        """Ask for the edits of a record before `load`."""
        self._wanted.add(record_id)

    def load(self) -> None:
        """Read the logs that are wanted. A log begins with the registration, which set every field."""
        stored = edit_logs(self._change.connection, self._wanted)
        self._logs = {name: [LoggedEdit(name, {}), *stored.get(name, [])] for name in self._wanted}

    def has(self, record_id: str, entry_id: str) -> bool:
        """Return whether `entry_id` is in the log of the record, as registration or amendment."""
        return any(edit.entry_id == entry_id for edit in self._logs.get(record_id, []))

    def add(
        self, record_id: str, amendment: Amendment, values: Mapping[str, Any]
    ) -> tuple[list[FieldConflict], dict[str, Any]]:
        """Log an edit; return its conflicts, and the values that stand."""
        log = self._logs[record_id]
        digests = {
            name: self._sealer.blind_index(f"edit {name}", edited_text(value))
            for name, value in values.items()
        }
        found = conflicts(log, amendment.base, digests)
        edit = ranked(log, amendment.base, amendment.entry_id, amendment.upper_ms, digests)
        standing = standing_fields(log, edit)
        log.append(edit)
        for name, digest in digests.items():
            self._change.insert(
                FieldEdit.__table__,
                record_id=record_id,
                entry_id=edit.entry_id,
                field=name,
                position=len(log),
                value_digest=digest,
                rank_ms=edit.rank_ms,
                depth=edit.depth,
            )
        for conflict in found:
            stands = conflict.field in standing
            self._change.insert(
                EditConflict.__table__,
                record_id=record_id,
                field=conflict.field,
                winner_entry_id=edit.entry_id if stands else conflict.other_entry_id,
                loser_entry_id=conflict.other_entry_id if stands else edit.entry_id,
                state="open",
                found_ms=self._change.now_ms,
            )
        return found, {name: value for name, value in values.items() if name in standing}
