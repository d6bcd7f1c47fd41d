"""One sync's writes, in one transaction: the push judged whole, the heartbeat and the clock mark.

Lock first, then read (docs/protocol.md, rule 1): the installation's row, then the names of
everything that the batch refers to, present or missing, in sorted order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from server.audit.changes import Actor, Change, run_change
from server.audit.queries import current_epoch
from server.database import DatabaseBusyError, StorageFullError
from server.devices.actions import advance_journal, fence_installation, keep_first_receipt, record_sync
from server.devices.queries import (
    InstallationView,
    clock_marks_of,
    lineage_of,
    locked_installation,
)
from server.devices.rules import InstallationState, signed_after_ms
from server.errors import ProblemError, frames_of
from server.exchange.acknowledgement import ShownAcknowledgement
from server.exchange.batch import Batch
from server.exchange.deciding import decide_entries
from server.exchange.epochs import EpochForgottenError, first_receipt, have_epoch_above, is_forgotten
from server.exchange.intake import (
    Incoming,
    fresh_candidate,
    read_incoming,
    seal_entries,
)
from server.exchange.judging import JudgementError, SetAside
from server.exchange.outcomes import as_judged
from server.exchange.storing import Position
from server.journals.actions import keep_contested, keep_hole, report_incident
from server.journals.queries import (
    digests_between,
    holes_of,
    last_wall_ms,
    verdicts_between,
)
from server.runtime import Runtime
from sync.clock import ClockMark, ClockReading, Timeline, business_day, spans_by_boot
from sync.codes import RequestCode
from sync.journal import chain, genesis_digest
from sync.push import (
    Append,
    Fork,
    Gap,
    HeadMismatch,
    Hole,
    HoleMismatch,
    JournalHead,
    Placement,
    Pushed,
    contradicts,
    place,
)
from sync.verdict import Verdict

_log = structlog.get_logger("tungnha.exchange")


@dataclass(frozen=True, slots=True)
class SyncShown:
    """What a device showed in one request: its head, its clocks, and the run of entries, if any."""

    installation_id: str
    journal_head: JournalHead
    clock: ClockReading
    predecessor_id: str | None
    app_version: str | None
    last_ack: ShownAcknowledgement | None
    hole: Hole | None
    first_seq: int | None
    previous_digest: str | None
    entries: Sequence[str]


@dataclass(frozen=True, slots=True)
class SyncDone:
    """What the change came to: the acknowledged head, and the verdicts of the run in order."""

    acked: JournalHead
    verdicts: Sequence[Verdict]
    server_ms: int
    forked_at: int | None = None
    # Entries whose outcome, as this change leaves it, is what their verdict says.
    as_judged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Prepared:
    shown: SyncShown
    pushed: Pushed | None
    incoming: Sequence[Incoming]
    sealed: Sequence[bytes]


def receive_sync(runtime: Runtime, shown: SyncShown) -> SyncDone:
    """Store one sync. Raises ProblemError where the request is refused and nothing is stored.

    A fork is refused too, but its bytes are kept and the installation is fenced.
    """
    prepared = _prepare(runtime, shown)
    actor = Actor(f"installation:{shown.installation_id}")
    aside = SetAside()
    while True:
        work = _Work(runtime, prepared, aside)
        try:
            done = run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)
        except JudgementError as error:
            cause = error.__cause__ or error
            _log.error("judgement_failed", error=type(cause).__name__, frames=frames_of(cause))
            if error.entry_id in aside.failing:
                raise
            aside = aside.with_failing(error.entry_id)
            continue
        except EpochForgottenError as error:
            have_epoch_above(runtime, shown.installation_id, error.epoch)
            continue
        except (ProblemError, DatabaseBusyError, StorageFullError):
            raise
        except Exception as error:
            _log.error("judgement_failed", error=type(error).__name__, frames=frames_of(error))
            culprit = _culprit(runtime, prepared, aside)
            if culprit is None:
                raise
            aside = aside.with_unwritable([culprit])
            continue
        if done.forked_at is not None:
            raise ProblemError(RequestCode.JOURNAL_FORKED)
        return done


class _RehearsedError(Exception):
    """A rehearsal went through; raised so that nothing of it is stored."""


def _passes(runtime: Runtime, prepared: _Prepared, aside: SetAside) -> bool:
    """Return whether the push could be written with these entries set aside; writes nothing."""

    def rehearse(change: Change) -> None:
        _Work(runtime, prepared, aside)(change)
        change.finish()
        raise _RehearsedError

    actor = Actor(f"installation:{prepared.shown.installation_id}")
    try:
        run_change(runtime.transactions, actor, runtime.clock.now_ms(), rehearse)
    except _RehearsedError:
        return True
    except (ProblemError, DatabaseBusyError, StorageFullError):
        raise
    except Exception as error:  # noqa: BLE001 - any failure is the answer
        _log.info("rehearsal_failed", error=type(error).__name__)
    return False


def _culprit(runtime: Runtime, prepared: _Prepared, aside: SetAside) -> str | None:
    """Return the first entry with whose effect the push cannot be written (rule 5).

    A failing bulk write names no entry, so entries are quarantined from the end until it passes,
    by halves. None where it fails even with all of them quarantined.
    """
    ids = [item.shown_id for item in prepared.incoming if item.shown_id is not None]
    ids = [entry_id for entry_id in dict.fromkeys(ids) if entry_id not in aside.unwritable]
    if not ids or not _passes(runtime, prepared, aside.with_unwritable(ids)):
        return None
    sound, failing = 0, len(ids)
    while failing - sound > 1:
        middle = (sound + failing) // 2
        if _passes(runtime, prepared, aside.with_unwritable(ids[middle:])):
            sound = middle
        else:
            failing = middle
    return ids[failing - 1]


def _prepare(runtime: Runtime, shown: SyncShown) -> _Prepared:
    """Read, hash and seal the entries before the write lock is taken."""
    if shown.first_seq is None or shown.previous_digest is None:
        return _Prepared(shown, None, (), ())
    incoming = [read_incoming(seq, raw) for seq, raw in enumerate(shown.entries, start=shown.first_seq)]
    pushed = Pushed(shown.first_seq, shown.previous_digest, [item.sha256 for item in incoming])
    sealed = seal_entries(runtime.sealer, shown.installation_id, incoming)
    return _Prepared(shown, pushed, incoming, sealed)


class _Work:
    """The work of one change; may run several times, on deadlocks."""

    def __init__(self, runtime: Runtime, prepared: _Prepared, aside: SetAside) -> None:
        self._runtime = runtime
        self._prepared = prepared
        self._aside = aside

    def __call__(self, change: Change) -> SyncDone:
        shown = self._prepared.shown
        installation = locked_installation(change.connection, shown.installation_id)
        _refuse_unfit(installation, shown)
        ack = shown.last_ack
        if (
            ack is not None
            and is_forgotten(ack, installation)
            and ack.epoch >= current_epoch(change.connection)
        ):
            raise EpochForgottenError(ack.epoch)
        placement = self._place(change, installation)
        match placement:
            case HeadMismatch():
                raise ProblemError(RequestCode.HEAD_MISMATCH, field="journal_head")
            case HoleMismatch():
                raise ProblemError(RequestCode.HOLE_MISMATCH, field="hole")
            case Gap(expected_seq):
                raise ProblemError(RequestCode.JOURNAL_GAP, expected_seq=expected_seq)
            case Fork(seq):
                return self._fence(change, installation, seq)
            case Append(replayed, digests, hole):
                if hole is not None:
                    keep_hole(change, installation.id, hole)
                    self._report(change, installation, "journal_hole", hole.from_seq)
                return self._append(change, installation, replayed, digests, hole)

    def _place(self, change: Change, installation: InstallationView) -> Placement:
        shown, pushed = self._prepared.shown, self._prepared.pushed
        acked = JournalHead(installation.acked_seq, installation.head_digest)
        stored = {acked.seq: acked.digest}
        if pushed is None:
            # Without a run only the head is checked: an empty run at the acknowledged end.
            pushed = Pushed(acked.seq + 1, acked.digest, ())
        first, lost = min(pushed.first_seq - 1, shown.journal_head.seq), list[Hole]()
        if first < acked.seq:
            stored |= digests_between(change.connection, installation.id, first, acked.seq)
            stored[0] = genesis_digest(installation.id)
            lost = holes_of(change.connection, installation.id)
            stored |= {gone.floor_seq: gone.floor_digest for gone in lost}
        if not pushed.sha256s and shown.journal_head.seq < acked.seq:
            # The tablet knows less than it sent before: a copy, or a restored backup. Its digest
            # decides which; where it is an honest prefix the device hears it from the answer.
            is_fork = contradicts(shown.journal_head, acked.seq, stored, lost)
            return Fork(shown.journal_head.seq) if is_fork else Append(0, ())
        return place(pushed, shown.journal_head, acked.seq, stored, shown.hole, lost)

    def _fence(self, change: Change, installation: InstallationView, seq: int) -> SyncDone:
        prepared = self._prepared
        if prepared.pushed is not None:
            digests = chain(prepared.pushed.previous_digest, prepared.pushed.sha256s)
            keep_contested(
                change.connection,
                [
                    {
                        "installation_id": installation.id,
                        "seq": item.seq,
                        "digest": digest,
                        "sha256": item.sha256,
                        "sealed": sealed,
                        "received_ms": change.now_ms,
                    }
                    for item, digest, sealed in zip(prepared.incoming, digests, prepared.sealed, strict=True)
                ],
            )
        self._report(change, installation, "journal_forked", seq)
        fence_installation(change, installation)
        acked = JournalHead(installation.acked_seq, installation.head_digest)
        return SyncDone(acked, (), change.now_ms, forked_at=seq)

    def _report(self, change: Change, installation: InstallationView, kind: str, seq: int) -> None:
        report_incident(
            change,
            self._runtime.ids,
            kind,
            installation_id=installation.id,
            worker_id=installation.worker_id,
            seq=seq,
        )

    def _append(
        self,
        change: Change,
        installation: InstallationView,
        replayed: int,
        digests: Sequence[str],
        hole: Hole | None = None,
    ) -> SyncDone:
        shown, incoming = self._prepared.shown, self._prepared.incoming
        mark = ClockMark(change.now_ms, shown.clock.boot, shown.clock.monotonic_ms)
        verdicts: list[Verdict] = []
        unchanged: frozenset[str] = frozenset()
        if replayed:
            first = incoming[0].seq
            last = min(first + replayed, first + len(incoming)) - 1
            verdicts = verdicts_between(change.connection, installation.id, first, last)
        arrived = first_receipt(shown.last_ack, installation)
        if arrived is not None and arrived[0] != installation.first_received_seq:
            keep_first_receipt(change, installation.id, *arrived)
            self._report(change, installation, "acknowledgement_forgotten", arrived[0])
        acked = JournalHead(installation.acked_seq, installation.head_digest)
        if hole is not None:
            acked = JournalHead(hole.floor_seq, hole.floor_digest)
        if len(incoming) > replayed:
            fresh, unchanged = self._judge(change, installation, replayed, digests, mark, arrived)
            verdicts += fresh
            acked = JournalHead(incoming[-1].seq, digests[-1])
        if acked.seq > installation.acked_seq:
            advance_journal(change, installation.id, acked)
        record_sync(
            change,
            self._runtime.ids,
            installation.id,
            mark=mark,
            wall_ms=shown.clock.wall_ms,
            journal_head=shown.journal_head,
            app_version=shown.app_version,
            delivered_ms=self._delivered_ms(change, installation, acked),
        )
        change.audit(
            "sync", installation.id, received=len(incoming) - replayed, acked_seq=acked.seq, head=acked.digest
        )
        return SyncDone(acked, verdicts, change.now_ms, as_judged=unchanged)

    def _delivered_ms(self, change: Change, installation: InstallationView, acked: JournalHead) -> int | None:
        """Return up to when everything that this tablet captured has been received.

        Only a head that is the end of what was received proves it: a lower one is an older request's,
        or a copy's; behind a higher one something is still missing.
        """
        shown, known_ms = self._prepared.shown, installation.delivered_ms
        if shown.journal_head != acked:
            return known_ms
        enrolled_ms = installation.enrolled_ms
        acknowledged_ms = None if shown.last_ack is None else shown.last_ack.server_ms
        signed_ms = signed_after_ms(change.now_ms, shown.clock.wall_ms, enrolled_ms, acknowledged_ms)
        return signed_ms if known_ms is None else max(known_ms, signed_ms)

    def _judge(
        self,
        change: Change,
        installation: InstallationView,
        replayed: int,
        digests: Sequence[str],
        mark: ClockMark,
        arrived: tuple[int, int] | None,
    ) -> tuple[list[Verdict], frozenset[str]]:
        """Judge the new entries; return the verdicts, and which entries' outcome is their verdict."""
        positions = self._positions(change, installation, replayed, digests, mark, arrived)
        batch = Batch(self._runtime, change)
        verdicts = decide_entries(self._runtime, batch, installation, positions, self._aside)
        for contested_id in sorted(batch.receipts.contested_installations):
            # Two receipts under one number prove a clone. One that is fenced or replaced already
            # keeps its state: its honest receipts are judged one by one.
            contested = locked_installation(change.connection, contested_id)
            if contested.state == InstallationState.ACTIVE:
                self._report(change, contested, "receipt_number_reused", contested.acked_seq)
                fence_installation(change, contested)
        return verdicts, as_judged(verdicts, batch.known)

    def _positions(
        self,
        change: Change,
        installation: InstallationView,
        replayed: int,
        digests: Sequence[str],
        mark: ClockMark,
        arrived: tuple[int, int] | None,
    ) -> list[Position]:
        """Place every new entry: its corrected time, frozen now, and its business day.

        `arrived`: up to that seq everything had arrived by that time, before a restore.
        """
        prepared, zone = self._prepared, self._runtime.config.time_zone
        lineage = lineage_of(change.connection, installation)
        placed = list(zip(prepared.incoming, digests, prepared.sealed, strict=True))[replayed:]
        seqs = (placed[0][0].seq, placed[-1][0].seq)
        captures = spans_by_boot([item.captured or prepared.shown.clock for item, _, _ in placed])
        marks = clock_marks_of(change.connection, lineage, seqs, captures)
        timeline = Timeline(marks, mark, lineage[-1].enrolled_ms)
        previous_ms = last_wall_ms(change.connection, installation.id, seqs[0] - 1)
        positions = []
        for item, digest, sealed in placed:
            captured = item.captured or prepared.shown.clock
            received_ms = change.now_ms
            if arrived is not None and item.seq <= arrived[0]:
                received_ms = min(received_ms, arrived[1])
            corrected = timeline.corrected(captured, item.seq, received_ms)
            day = business_day(captured, corrected, zone)
            candidate = fresh_candidate(
                item,
                installation.id,
                installation.worker_id,
                corrected=corrected,
                claimed_ms=captured.wall_ms,
                business_day=day,
                received_ms=received_ms,
            )
            positions.append(
                Position(item, digest, sealed, corrected, day, received_ms, candidate, previous_ms)
            )
            previous_ms = None if item.captured is None else item.captured.wall_ms
        return positions


def _refuse_unfit(installation: InstallationView, shown: SyncShown) -> None:
    match installation.state:
        case InstallationState.FENCED:
            raise ProblemError(RequestCode.INSTALLATION_FENCED)
        case InstallationState.SUPERSEDED:
            raise ProblemError(RequestCode.INSTALLATION_SUPERSEDED)
    if shown.predecessor_id is not None and shown.predecessor_id != installation.predecessor_id:
        raise ProblemError(RequestCode.PREDECESSOR_MISMATCH, field="predecessor")
