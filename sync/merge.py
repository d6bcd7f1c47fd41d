"""Field-by-field merge of edits whose base is an entry (docs/protocol.md, "Edits").

Pure: the caller passes the record's log. An edit that was made in sight of every earlier one
conflicts with none; one that was not conflicts per field, unless both set the same value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoggedEdit:
    """One applied entry of a record's log; `fields` maps field to a digest of the value it set."""

    entry_id: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """Two edits set one field to different values without having seen each other."""

    field: str
    other_entry_id: str


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
