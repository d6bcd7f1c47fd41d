"""One restore, from top to bottom: check, set aside, place, migrate, replay, and a new epoch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from server.audit.changes import Change, run_change
from server.audit.desk_journal import DeskJournalError, DeskLine, desk_head, desk_lines, read_desk_file
from server.audit.office_rows import OFFICE_CHANGED
from server.audit.queries import current_epoch
from server.devices.actions import start_epoch
from server.devices.readmission import skip_unknown_numbers
from server.migrations import upgrade
from server.operations import file_sha256
from server.quotas.actions import recompute_office
from server.recovery.placing import RestoreError, check_backup, desk_head_of, place_backup
from server.recovery.queries import RecoveryStatus, recovery_status
from server.recovery.replay import RECOVERY_ACTOR, ReplayRefusedError, post_fund_decisions, replay_line
from server.recovery.rules import latest_epoch
from server.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `is_registered`: the desk journal knows the backup; `status`: who is late."""

    set_aside: Path | None
    is_registered: bool
    replayed: Counter[str]
    waiting: int
    epoch: int
    status: RecoveryStatus


def restore(runtime: Runtime, backup: Path, *, without_desk_journal: bool = False) -> Restored:
    """Put `backup` in the database's place and bring back what the desk journal knows beyond it.

    Safe to repeat: each time what is there is set aside. Raises RestoreError; before the backup is
    placed nothing has been touched.
    """
    engine, now_ms = runtime.transactions.engine, runtime.clock.now_ms()
    lines = _desk_lines(runtime, without_desk_journal=without_desk_journal)
    check_backup(engine, backup)
    head = desk_head_of(engine, backup)
    if head is not None and lines:
        _require_one_office(head, lines)
    sha256 = file_sha256(backup)
    is_registered = any(line.kind == "backup_verified" and line.members["sha256"] == sha256 for line in lines)
    aside = place_backup(engine, backup, now_ms)
    upgrade(engine)
    beyond = _beyond(runtime, lines)
    replayed, waiting = replay_lines(runtime, beyond)
    epoch = begin_recovery(runtime, lines, len(lines) - len(beyond), is_blind=not lines)
    with runtime.transactions.reading() as connection:
        status = recovery_status(connection)
    return Restored(aside, is_registered, replayed, waiting, epoch, status)


def replay_lines(runtime: Runtime, lines: list[DeskLine]) -> tuple[Counter[str], int]:
    """Replay records in order; return how many of each kind, and how many wait. Raises RestoreError."""
    replayed, waiting = Counter[str](), 0
    for line in lines:
        try:
            waiting += not replay_line(runtime, line)
        except ReplayRefusedError as error:
            raise RestoreError(str(error)) from error
        replayed[line.kind] += 1
    if OFFICE_CHANGED in replayed:
        zone = runtime.config.time_zone
        run_change(
            runtime.transactions,
            RECOVERY_ACTOR,
            runtime.clock.now_ms(),
            lambda change: recompute_office(change, zone),
        )
        post_fund_decisions(runtime)
    return replayed, waiting


def begin_recovery(runtime: Runtime, lines: list[DeskLine], known: int, *, is_blind: bool) -> int:
    """Start the epoch after every known one, and return it; `known` records were in the backup."""
    latest = latest_epoch(line.members for line in lines if line.kind == "epoch_started")

    def work(change: Change) -> int:
        if is_blind:
            skip_unknown_numbers(change)
        above = max(latest, current_epoch(change.connection))
        return start_epoch(change, above, restored_desk_seq=known)

    return run_change(runtime.transactions, RECOVERY_ACTOR, runtime.clock.now_ms(), work)


def _desk_lines(runtime: Runtime, *, without_desk_journal: bool) -> list[DeskLine]:
    path = runtime.transactions.desk_journal
    if without_desk_journal:
        if path is not None and path.exists():
            raise RestoreError("the desk journal is there: use it, or move it away yourself")
        return []
    if path is None or not path.exists():
        raise RestoreError(
            "the desk journal is missing: it holds what no tablet can bring back "
            "(--without-desk-journal goes on without it)"
        )
    try:
        return list(read_desk_file(path))
    except DeskJournalError as error:
        raise RestoreError(f"nothing was touched: {error}") from error


def _beyond(runtime: Runtime, lines: list[DeskLine]) -> list[DeskLine]:
    """Return the records that the backup does not have. Raises RestoreError where they are another's."""
    if not lines:
        return []
    with runtime.transactions.reading() as connection:
        head = desk_head(connection)
        if head[0] > len(lines):
            # The machine died between a commit and the file, which the new epoch's record brings up to date.
            [known] = desk_lines(connection, len(lines) - 1, 1)
            head = (known.seq, known.digest)
    _require_one_office(head, lines)
    return lines[head[0] :]


def _require_one_office(head: tuple[int, str], lines: list[DeskLine]) -> None:
    seq, digest = head
    if 0 < seq <= len(lines) and lines[seq - 1].digest != digest:
        raise RestoreError("the backup and the desk journal are not of one office")
