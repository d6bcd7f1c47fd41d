"""Verdicts and outcomes.

A verdict is what the server decided about an entry when it first judged it; it never changes
within an epoch and never expires (docs/protocol.md, rule 2). The outcome is what has become of
the entry by now.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple


class Decision(StrEnum):
    """The five verdicts."""

    APPLIED = "applied"
    MERGED = "merged"
    DUPLICATE = "duplicate"
    HELD = "held"
    QUARANTINED = "quarantined"


class OutcomeState(StrEnum):
    """What an entry can have become."""

    APPLIED = "applied"
    MERGED = "merged"
    HELD = "held"
    QUARANTINED = "quarantined"
    VOIDED = "voided"
    # It was quarantined, sent back, and the agent has answered: nobody has to settle it any more.
    ANSWERED = "answered"


IN_EFFECT = frozenset({OutcomeState.APPLIED, OutcomeState.MERGED})


class Verdict(NamedTuple):
    """One decision about the entry at `seq` of an installation's journal.

    A tuple, since there is one for each entry and a frozen dataclass takes three times as long to make.
    """

    seq: int
    entry_id: str | None
    decision: Decision
    code: str | None = None
    field: str | None = None
    flags: tuple[str, ...] = ()

    def as_wire(self) -> dict[str, Any]:
        """Return the verdict as a member of a response's `verdicts`."""
        return {
            "seq": self.seq,
            "id": self.entry_id,
            "verdict": str(self.decision),
            "code": self.code,
            "field": self.field,
            "flags": list(self.flags),
        }
