"""The log of amendments of the records that one push touches (docs/protocol.md, "Edits").

Holds keyed digests of values, never values: some are sealed numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.audit.changes import Change
from server.people.models import EditConflict, FieldEdit
from server.people.queries import CONFLICT_KEY, ConflictView, edit_logs, open_conflicts
from server.people.rules import edited_text
from server.sealing import Sealer
from sync.merge import FieldConflict, LoggedEdit, Policy, conflicts, ranked, standing_fields, takes_over


@dataclass(frozen=True, slots=True)
class Amendment:
    """An amending entry: its id, the entry it was made on, the upper end of its corrected time.

    `is_decision`: the office made it, at its desk; it closes the conflicts that it saw.
    """

    entry_id: str
    base: str
    upper_ms: int
    is_decision: bool = False


class EditLog:
    """Loads the logs that are wanted, and adds edits to them."""

    def __init__(self, change: Change, sealer: Sealer) -> None:
        self._change = change
        self._sealer = sealer
        self._wanted: set[str] = set()
        self._logs: dict[str, list[LoggedEdit]] = {}
        self._open_conflicts: Mapping[str, list[ConflictView]] | None = None

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
        self,
        record_id: str,
        amendment: Amendment,
        values: Mapping[str, Any],
        current: Mapping[str, Any],
        policies: Mapping[str, Policy],
    ) -> tuple[list[FieldConflict], dict[str, Any]]:
        """Log an edit; return its conflicts, and the values that stand.

        `current` are the record's values of the fields whose policy compares them.
        """
        log = self._logs[record_id]
        if amendment.is_decision:
            self._close_conflicts(record_id, amendment, set(values))
        digests = {
            name: self._sealer.blind_index(f"edit {name}", edited_text(value))
            for name, value in values.items()
        }
        disputable = {name: digest for name, digest in digests.items() if policies[name].may_conflict}
        found = conflicts(log, amendment.base, disputable)
        edit = ranked(log, amendment.base, amendment.entry_id, amendment.upper_ms, digests)
        latest = standing_fields(log, edit)
        standing = {
            name
            for name, value in values.items()
            if takes_over(
                policies[name],
                current.get(name),
                value,
                is_latest=name in latest,
                is_decision=amendment.is_decision,
            )
        }
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
                resolved_by=None,
                resolved_ms=None,
            )
        return found, {name: value for name, value in values.items() if name in standing}

    def _close_conflicts(self, record_id: str, amendment: Amendment, fields: set[str]) -> None:
        """Close the open conflicts on `fields` that the office saw: both entries stand before its base."""
        log = [edit.entry_id for edit in self._logs[record_id]]
        seen = set(log[: log.index(amendment.base) + 1])
        if self._open_conflicts is None:
            # Only decisions of the office ask: a tablet's push saves the query.
            self._open_conflicts = open_conflicts(self._change.connection, self._wanted)
        for conflict in self._open_conflicts.get(record_id, ()):
            if conflict.field in fields and {conflict.winner_entry_id, conflict.loser_entry_id} <= seen:
                key = {name: getattr(conflict, name) for name in CONFLICT_KEY}
                self._change.update(
                    EditConflict.__table__,
                    key,
                    state="resolved",
                    resolved_by=amendment.entry_id,
                    resolved_ms=self._change.now_ms,
                )
