"""The office's own journal: a decision made on a page is an entry like any other.

Its installation is `desk`, its worker the account's. It is judged by the same rules in one change,
chained and stored with its bytes, and written to the desk journal, from which a restore replays it
(docs/protocol.md, rule 11). What the rules refuse, or would hold, is not stored at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection

from schemas.signatures import from_base64url, to_base64url
from server.audit.changes import Actor, Change, run_change
from server.devices.queries import InstallationView
from server.devices.rules import InstallationState
from server.errors import frames_of
from server.exchange.batch import Batch
from server.exchange.deciding import decide_entries
from server.exchange.intake import SHEET, fresh_candidate, read_incoming, seal_entries
from server.exchange.judging import JudgementError, SetAside
from server.exchange.storing import Position
from server.journals.actions import lock_names
from server.journals.queries import desk_journal_head, known_entries, last_wall_ms
from server.runtime import Runtime
from sync.clock import CorrectedTime, local_day
from sync.codes import EntryCode
from sync.entry import Fault
from sync.journal import DESK, DESK_NUMBER, next_digest
from sync.push import JournalHead
from sync.verdict import Decision, Verdict

_log = structlog.get_logger("tungnha.exchange")

# What the desk journal holds of a desk entry, sealed for it: a line is no place of a database.
_SEALED_IN_JOURNAL = "desk_journal.entry"
_IN_EFFECT = {Decision.APPLIED, Decision.MERGED}
# Made once: `json.dumps` makes an encoder for every entry.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class DeskRefusedError(Exception):
    """A decision breaks a rule; the fault says which. Nothing of it is stored."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.field or '-'}")
        self.fault = fault


def receive_desk_entry(runtime: Runtime, author: Actor, kind: str, body: Mapping[str, Any]) -> Verdict:
    """Make a decision of `author` (who has a worker) one change. Raises DeskRefusedError."""
    return run_change(
        runtime.transactions,
        author,
        runtime.clock.now_ms(),
        lambda change: enter_at_desk(runtime, change, kind, body),
    )


def lock_desk(change: Change) -> None:
    """Wait until nobody else decides anything: what is read then stands until this change ends."""
    lock_names(change.connection, [f"journal:{DESK}"])


def enter_at_desk(
    runtime: Runtime, change: Change, kind: str, body: Mapping[str, Any], *, after_ms: int = 0
) -> Verdict:
    """Decide something within `change`, whose actor has a worker. Raises DeskRefusedError.

    The decision is later than `after_ms`, and than every decision before it, by the office's own
    clock: of two edits in one millisecond it is the one that saw the other.
    """
    [verdict] = enter_all_at_desk(runtime, change, kind, [body], after_ms=after_ms)
    return verdict


def enter_all_at_desk(
    runtime: Runtime, change: Change, kind: str, bodies: Sequence[Mapping[str, Any]], *, after_ms: int = 0
) -> list[Verdict]:
    """Decide the same kind of thing about many at once, as a push of a tablet would: see enter_at_desk.

    Where one of them is refused, none is stored.
    """
    verdicts, raws = _entered(runtime, change, kind, bodies, after_ms)
    for (entry_id, raw), verdict in zip(raws.items(), verdicts, strict=True):
        sealed = runtime.sealer.seal(raw, _SEALED_IN_JOURNAL, entry_id)
        change.audit("desk_entry", entry_id, kind=kind, seq=verdict.seq)
        change.desk("entry", entry=entry_id, worker=change.actor.worker_id, sealed=to_base64url(sealed))
    return verdicts


@dataclass(frozen=True, slots=True)
class PreparedEntries:
    """Entries of the desk, read and sealed for their places behind `head`; `raws`: id → bytes, in order."""

    head: JournalHead
    worker_id: str
    raws: dict[str, str]
    positions: list[Position]


def prepare_from_sheet(
    runtime: Runtime,
    connection: Connection,
    worker_id: str,
    now_ms: int,
    kind: str,
    bodies: Sequence[Mapping[str, Any]],
) -> PreparedEntries:
    """Prepare what a sheet brings for being entered at `now_ms`, before anybody is kept waiting for it.

    All in one millisecond: nothing that a sheet registers contests with the rest of it.
    """
    head = desk_journal_head(connection)
    first_ms = _next_ms(connection, head, now_ms)
    raws = _spelled(runtime, kind, bodies, first_ms, apart_ms=0)
    positions = _positions(runtime, head, now_ms, list(raws.values()), worker_id, SHEET)
    return PreparedEntries(head, worker_id, raws, positions)


def enter_prepared(runtime: Runtime, change: Change, prepared: PreparedEntries) -> bool:
    """Enter what was prepared for the moment of `change`; False, and nothing done, where the desk went on.

    The caller writes the audit row and the desk record of them all: one each would outgrow the entries.
    Raises DeskRefusedError.
    """
    if _locked_head(change) != prepared.head:
        return False
    _judged(runtime, change, prepared.head, prepared.worker_id, prepared.positions)
    return True


def _entered(
    runtime: Runtime, change: Change, kind: str, bodies: Sequence[Mapping[str, Any]], after_ms: int
) -> tuple[list[Verdict], dict[str, str]]:
    worker_id = change.actor.worker_id
    assert worker_id is not None, "a decision is somebody's"
    head = _locked_head(change)
    first_ms = _next_ms(change.connection, head, max(change.now_ms, after_ms + 1))
    raws = _spelled(runtime, kind, bodies, first_ms, apart_ms=1)
    return _decide(runtime, change, head, list(raws.values()), worker_id), raws


def _next_ms(connection: Connection, head: JournalHead, now_ms: int) -> int:
    """Return the moment of what is decided next: later than every decision before it."""
    return max(now_ms, (last_wall_ms(connection, DESK, head.seq) or 0) + 1)


def _spelled(
    runtime: Runtime, kind: str, bodies: Sequence[Mapping[str, Any]], first_ms: int, *, apart_ms: int
) -> dict[str, str]:
    """Return the bytes of new entries by their ids, in order. Raises DeskRefusedError."""
    raws: dict[str, str] = {}
    for number, body in enumerate(bodies):
        wall_ms = first_ms + number * apart_ms
        captured = {"wall_ms": wall_ms, "boot": DESK, "monotonic_ms": max(wall_ms, 0)}
        entry_id = runtime.ids.new_id()
        raws[entry_id] = _encode({"id": entry_id, "kind": kind, "captured": captured, "body": body})
        if not _is_text(raws[entry_id]):
            raise DeskRefusedError(Fault(EntryCode.FIELD_INVALID, "body"))
    return raws


def replay_desk_entry(runtime: Runtime, change: Change, content: Mapping[str, Any]) -> Verdict | None:
    """Take a desk entry of the desk journal into a database that forgot it; None where it has it.

    `content` is that of the record of kind `entry`, `change` of the record's moment. Writes no desk
    record. Raises DeskRefusedError: `reference_not_seen` where a tablet has yet to bring back what it
    decided on.
    """
    entry_id, worker_id = content["entry"], content["worker"]
    if known_entries(change.connection, [entry_id]):
        return None
    raw = runtime.sealer.open(from_base64url(content["sealed"]), _SEALED_IN_JOURNAL, entry_id)
    [verdict] = _decide(runtime, change, _locked_head(change), [raw], worker_id)
    change.audit("desk_entry", entry_id, kind=json.loads(raw)["kind"], seq=verdict.seq)
    return verdict


def replay_from_sheet(runtime: Runtime, change: Change, raws: Sequence[str], worker_id: str) -> None:
    """Take what a sheet brought into a database that forgot it. Raises DeskRefusedError."""
    _decide(runtime, change, _locked_head(change), raws, worker_id, SHEET)


def _is_text(raw: str) -> bool:
    """Return whether the text is UTF-8: half a surrogate pair, which JSON can escape, is none."""
    try:
        raw.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _locked_head(change: Change) -> JournalHead:
    lock_desk(change)
    return desk_journal_head(change.connection)


def _decide(
    runtime: Runtime,
    change: Change,
    head: JournalHead,
    raws: Sequence[str],
    worker_id: str,
    origin: str = DESK,
) -> list[Verdict]:
    positions = _positions(runtime, head, change.now_ms, raws, worker_id, origin)
    return _judged(runtime, change, head, worker_id, positions)


def _judged(
    runtime: Runtime, change: Change, head: JournalHead, worker_id: str, positions: Sequence[Position]
) -> list[Verdict]:
    verdicts = _decided_alone(runtime, change, _desk_installation(worker_id, head), positions)
    for verdict in verdicts:
        if verdict.decision not in _IN_EFFECT:
            raise DeskRefusedError(
                Fault(EntryCode(verdict.code or EntryCode.JUDGEMENT_FAILED), verdict.field)
            )
    return verdicts


def _positions(
    runtime: Runtime, head: JournalHead, now_ms: int, raws: Sequence[str], worker_id: str, origin: str
) -> list[Position]:
    """Return entries at their places behind `head`. Raises DeskRefusedError: one cannot be read."""
    read = [read_incoming(seq, raw, origin) for seq, raw in enumerate(raws, start=head.seq + 1)]
    for incoming in read:
        if incoming.fault is not None or incoming.shown_id is None:
            raise DeskRefusedError(incoming.fault or Fault(EntryCode.ENTRY_UNREADABLE))
    sealed, digest, positions = seal_entries(runtime.sealer, DESK, read), head.digest, []
    for incoming, seal in zip(read, sealed, strict=True):
        digest = next_digest(digest, incoming.sha256)
        wall_ms = now_ms if incoming.captured is None else incoming.captured.wall_ms
        corrected, day = CorrectedTime(wall_ms, wall_ms), local_day(wall_ms, runtime.config.time_zone)
        candidate = fresh_candidate(
            incoming,
            DESK,
            worker_id,
            corrected=corrected,
            claimed_ms=wall_ms,
            business_day=day,
            received_ms=now_ms,
        )
        positions.append(
            Position(
                incoming=incoming,
                digest=digest,
                sealed=seal,
                corrected=corrected,
                business_day=day,
                candidate=candidate,
                previous_wall_ms=None,
                received_ms=now_ms,
            )
        )
    return positions


def _decided_alone(
    runtime: Runtime, change: Change, installation: InstallationView, positions: Sequence[Position]
) -> list[Verdict]:
    """Judge the decisions; what they release and cannot be judged is quarantined alone (rule 5)."""
    own = {position.incoming.shown_id for position in positions}
    aside = SetAside()
    while True:
        try:
            with change.attempt():
                return decide_entries(runtime, Batch(runtime, change), installation, positions, aside)
        except JudgementError as error:
            cause = error.__cause__ or error
            _log.error("judgement_failed", error=type(cause).__name__, frames=frames_of(cause))
            if error.entry_id in aside.failing | own:
                raise DeskRefusedError(Fault(EntryCode.JUDGEMENT_FAILED)) from error
            aside = aside.with_failing(error.entry_id)


def _desk_installation(worker_id: str, head: JournalHead) -> InstallationView:
    """Return the desk as a judgement sees it: an installation that nobody enrolled."""
    return InstallationView(
        id=DESK,
        number=DESK_NUMBER,
        worker_id=worker_id,
        kid="",
        state=InstallationState.ACTIVE,
        predecessor_id=None,
        enrolled_ms=0,
        acked_seq=head.seq,
        head_digest=head.digest,
        last_valid_seq=None,
        journal_head_seq=head.seq,
        last_sync_ms=None,
        clock_offset_ms=None,
        app_version=None,
        journal_head_digest=head.digest,
    )
