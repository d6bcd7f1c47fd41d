"""How a pull walks the scopes: pure arithmetic over cursors and heads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a device stands in one scope."""

    scope: str
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A right to read one scope, with the scope's state in the snapshot of this pull."""

    scope: str
    epoch: int
    head: int
    count: int
    sum: str


def starting_points(
    have: Sequence[Cursor], granted: Mapping[str, tuple[int, int]], afresh: Collection[str] = ()
) -> dict[str, int]:
    """Return, per granted scope that is behind, the seq to read after.

    `granted` maps scope to (epoch, head). A scope the device does not name, names in another
    epoch, or claims to be past the head of, starts at 0 for that scope alone, and so does one of
    `afresh`, whose sum differed. A scope that is not granted is never read, whatever is claimed.
    """
    claimed = {cursor.scope: cursor for cursor in have}
    points = {}
    for scope in sorted(granted):
        epoch, head = granted[scope]
        cursor = claimed.get(scope)
        known = cursor is not None and cursor.epoch == epoch and 0 <= cursor.seq <= head
        known = known and scope not in afresh
        after = cursor.seq if known and cursor is not None else 0
        if after < head:
            points[scope] = after
    return points
