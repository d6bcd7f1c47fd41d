"""What a judgement leaves behind: the entry at its place with its verdict, and what has become of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from server.devices.queries import InstallationView
from server.exchange.batch import Batch
from server.exchange.intake import Candidate, Incoming
from server.journals.actions import add_entry, add_outcome, move_outcome, report_incident
from server.journals.queries import KnownEntry
from sync.clock import CorrectedTime
from sync.codes import Flag
from sync.entry import Fault
from sync.ports import IdSource
from sync.verdict import OutcomeState, Verdict


class Position(Struct, frozen=True, gc=False):
    """A pushed entry at its place: what it reads as, its chain digest, its times, its seal."""

    incoming: Incoming
    digest: str
    sealed: bytes
    corrected: CorrectedTime
    business_day: date
    received_ms: int
    candidate: Candidate | None
    previous_wall_ms: int | None


class Storing:
    """Stores the entries of one push, all of one installation's journal."""

    def __init__(self, batch: Batch, ids: IdSource, installation: InstallationView) -> None:
        self._batch = batch
        self._change = batch.change
        self._ids = ids
        self._installation = installation

    def store_entry(self, position: Position, entry_id: str, verdict: Verdict) -> None:
        """Store the entry at its place, with the verdict that stands for ever."""
        incoming, corrected = position.incoming, position.corrected
        columns = {
            "installation_id": self._installation.id,
            "seq": incoming.seq,
            "entry_id": entry_id,
            "shown_id": verdict.entry_id,
            "kind": incoming.kind_name,
            "sealed": position.sealed,
            "sha256": incoming.sha256,
            "digest": position.digest,
            "received_ms": position.received_ms,
            "wall_ms": None if incoming.captured is None else incoming.captured.wall_ms,
            "lower_ms": corrected.lower_ms,
            "upper_ms": corrected.upper_ms,
            "business_day": position.business_day,
            "verdict": str(verdict.decision),
            "code": verdict.code,
            "field": verdict.field,
            "flags": json.dumps(verdict.flags) if verdict.flags else "[]",
        }
        add_entry(self._change, columns)

    def store_outcome(
        self, position: Position, entry_id: str, state: OutcomeState, fault: Fault | None
    ) -> None:
        """Store what has become of the entry at first."""
        known = KnownEntry(
            entry_id=entry_id,
            installation_id=self._installation.id,
            seq=position.incoming.seq,
            worker_id=self._installation.worker_id,
            kind=position.incoming.kind_name,
            sha256=position.incoming.sha256,
            state=str(state),
            code=None if fault is None else str(fault.code),
            field=None if fault is None else fault.field,
        )
        self._batch.known[entry_id] = known
        add_outcome(self._change, known)

    def move_outcome(
        self,
        entry_id: str,
        state: OutcomeState,
        fault: Fault | None,
        flags: tuple[Flag, ...] | None = None,
    ) -> None:
        """Let something else have become of an entry."""
        known = self._batch.known[entry_id]
        self._batch.known[entry_id] = move_outcome(self._change, known, state, fault, flags)

    def report(self, kind: str, incoming: Incoming) -> None:
        """Open an incident about an entry."""
        report_incident(
            self._change,
            self._ids,
            kind,
            installation_id=self._installation.id,
            worker_id=self._installation.worker_id,
            seq=incoming.seq,
            entry_id=incoming.shown_id,
        )


def texts(flags: Iterable[Flag]) -> tuple[str, ...]:
    """Return flags as they travel, each once."""
    return tuple(dict.fromkeys(str(flag) for flag in flags))
