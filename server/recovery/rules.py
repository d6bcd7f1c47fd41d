"""What the desk journal's history says: which epochs there were, and what restores have forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Desk records from `after` (excluded) to `up_to`: what they saw was forgotten by a restore."""

    after: int
    up_to: int


def latest_epoch(started: Iterable[dict[str, Any]]) -> int:
    """Return the largest epoch that records of kind `epoch_started` name; 0 without any."""
    return max((int(content["epoch"]) for content in started), default=0)


def forgotten_spans(started: Iterable[tuple[int, dict[str, Any]]]) -> list[Forgotten]:
    """Return what each restore forgot, from (number, content) of its `epoch_started` record.

    An epoch that the server started by itself does not know how far back its backup went: then
    everything before it counts as forgotten.
    """
    return [Forgotten(content.get("restored_desk_seq", 0), seq) for seq, content in started]


def is_forgotten(seq: int, spans: Iterable[Forgotten]) -> bool:
    """Return whether the state that record `seq` saw was forgotten later."""
    return any(span.after < seq < span.up_to for span in spans)
