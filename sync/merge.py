"""Field-by-field merge of edits whose base is an entry (docs/protocol.md, "Edits").

Pure: the caller passes the record's log. An edit that was made in sight of every earlier one
conflicts with none; one that was not conflicts per field, unless both set the same value. Which
value stands is a matter of the edits alone, never of the order of their arrival: the latest
capture wins, and an edit always wins over what its base was built on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoggedEdit:
    """One applied entry of a record's log; `fields` maps field to a digest of the value it set.

    `rank_ms` is the upper end of its corrected time, or its base's rank where that is later;
    `depth` how many amendments its base is built on.
    """

    entry_id: str
    fields: Mapping[str, str]
    rank_ms: int = 0
    depth: int = 0

    @property
    def order(self) -> tuple[int, int, str]:
        """The edit's place among all edits of the record: greater than its base's."""
        return (self.rank_ms, self.depth, self.entry_id)


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """Two edits set one field to different values without having seen each other."""

    field: str
    other_entry_id: str


def ranked(
    log: Sequence[LoggedEdit], base: str, entry_id: str, upper_ms: int, fields: Mapping[str, str]
) -> LoggedEdit:
    """Return the edit captured at `upper_ms` (at the latest) on `base`, with its rank."""
    built_on = next(edit for edit in log if edit.entry_id == base)
    return LoggedEdit(entry_id, fields, max(upper_ms, built_on.rank_ms), built_on.depth + 1)


def standing_fields(log: Sequence[LoggedEdit], edit: LoggedEdit) -> set[str]:
    """Return the fields of `edit` whose value stands over everything in the log."""
    return {
        name for name in edit.fields if all(other.order < edit.order for other in log if name in other.fields)
    }


def conflicts(log: Sequence[LoggedEdit], base: str, fields: Mapping[str, str]) -> list[FieldConflict]:
    """Return the conflicts of an edit made on `base`, at most one a field: with the latest rival.

    `log` is in the order of application and starts with the registration. An edit's ancestors
    were applied before its base, since an edit is held until its base is there: so what stands
    after the base is what its author had not seen.
    """
    position = next(index for index, edit in enumerate(log) if edit.entry_id == base)
    found: dict[str, FieldConflict] = {}
    for edit in log[position + 1 :]:
        for name, digest in fields.items():
            if name in edit.fields:
                if edit.fields[name] != digest:
                    found[name] = FieldConflict(name, edit.entry_id)
                else:
                    found.pop(name, None)
    return [found[name] for name in sorted(found)]
