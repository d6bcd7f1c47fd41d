"""Field-by-field merge of edits whose base is an entry (docs/protocol.md, "Edits").

Pure: the caller passes the record's log. An edit that was made in sight of every earlier one
conflicts with none; one that was not conflicts per field, unless both set the same value. Which
value stands is a matter of the edits alone, never of the order of their arrival: by the policy of
the field. Most fields let the latest capture stand, and an edit always wins over what its base was
built on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """How it is settled which of several values of one field stands."""

    LATEST = "latest"
    GREATEST = "greatest"
    FURTHEST = "furthest"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one field.

    latest: the latest capture, and two that did not see each other conflict. greatest: a number
    that never shrinks. furthest: a status that only advances, through `steps`. office: devices
    cannot set it.
    """

    standing: Standing
    steps: tuple[str, ...] = ()

    @property
    def may_conflict(self) -> bool:
        """Return whether two values are a question for a person; else both are in the one that stands."""
        return self.standing is Standing.LATEST


LATEST = Policy(Standing.LATEST)
OFFICE = Policy(Standing.OFFICE)


def takes_over(policy: Policy, current: Any, incoming: Any, *, is_latest: bool, is_decision: bool) -> bool:
    """Return whether an incoming value stands instead of the current one; None is no value yet.

    `is_latest`: its edit is greater than every logged one of the field; `is_decision`: the office's.
    """
    match policy.standing:
        case Standing.LATEST:
            return is_latest
        case Standing.OFFICE:
            return is_decision and is_latest
        case Standing.GREATEST:
            return incoming is not None and (current is None or incoming > current)
        case Standing.FURTHEST:
            return _step(policy, incoming) > _step(policy, current)


def _step(policy: Policy, value: Any) -> int:
    return policy.steps.index(value) if value in policy.steps else -1


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
