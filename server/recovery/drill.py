"""A restore rehearsed on the real backups, aside: every tablet pushes again, and nothing may be missing.

Reads the live office in one snapshot and writes nothing to it. What tablets would bring back is read
from the live office's stored bytes, above what each backup holds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from server.audit.desk_journal import DeskLine, desk_head, read_desk_file
from server.audit.queries import current_epoch
from server.devices.queries import InstallationView, all_installations, verified_backups
from server.devices.rules import InstallationState
from server.errors import ProblemError
from server.exchange.acknowledgement import ShownAcknowledgement
from server.exchange.jobs import verify_nightly
from server.exchange.pushing import SyncShown, receive_sync
from server.journals.queries import holes_of
from server.journals.views import entry_texts
from server.recovery.audit_heads import audit_findings
from server.recovery.comparison import Holdings, compared, holdings
from server.recovery.placing import RestoreError
from server.recovery.replay import replay_backlog
from server.recovery.restore import restore
from server.recovery.scratch import scratch_office
from server.runtime import Runtime
from sync.clock import ClockReading
from sync.journal import chain, entry_sha256, genesis_digest
from sync.limits import LIMITS
from sync.push import Hole, JournalHead

_DELIVERING = frozenset({InstallationState.ACTIVE, InstallationState.REVOKED})


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive entries above what the backup holds, and the hole before them, if any."""

    first_seq: int
    previous_digest: str
    entries: Sequence[str]
    hole: Hole | None


@dataclass(frozen=True, slots=True)
class Drilled:
    """What one backup gave: how much was replayed and pushed again, and every difference in the end."""

    backup: Path
    replayed: int
    pushed: int
    findings: list[str]


def newest_backups(runtime: Runtime) -> list[Path]:
    """Return the files of the two newest verified backups. Raises RestoreError."""
    with runtime.transactions.reading() as connection:
        found = [Path(backup.path) for backup in verified_backups(connection)]
    if not found:
        raise RestoreError("no backup is registered: run `tungnha backup` first")
    return found


def drill(live: Runtime, backup: Path) -> Drilled:
    """Restore `backup` aside, let every tablet push again, and compare. Raises RestoreError."""
    with live.transactions.reading() as connection, tempfile.TemporaryDirectory(prefix="drill-") as folder:
        lines = _desk_lines(live, connection)
        expected = holdings(connection)
        with scratch_office(live, Path(folder), lines) as scratch:
            return _drilled(live, connection, scratch, backup, expected)


def _drilled(
    live: Runtime,
    connection: Connection,
    scratch: Runtime,
    backup: Path,
    expected: Holdings,
) -> Drilled:
    restored = restore(scratch, backup)
    findings = [] if restored.is_registered else [f"{backup.name} was never registered"]
    epoch, pushed = current_epoch(connection), 0
    for installation in all_installations(connection):
        if installation.state not in _DELIVERING:
            continue
        try:
            pushed += _push_again(live, connection, scratch, installation, epoch)
        except ProblemError as problem:
            findings.append(f"installation {installation.number} is refused: {problem.code}")
    waiting = replay_backlog(scratch)
    if waiting:
        findings.append(f"{waiting} decisions wait for entries that nobody brings back")
    findings += verify_nightly(scratch)
    assert scratch.transactions.desk_journal is not None
    # With the record of this restore: what it forgot is no finding.
    lines = list(read_desk_file(scratch.transactions.desk_journal))
    with scratch.transactions.reading() as drilled:
        findings += audit_findings(drilled, live.config.office_key.public, lines)
        findings += compared(expected, holdings(drilled))
    return Drilled(backup, sum(restored.replayed.values()), pushed, findings)


def _desk_lines(live: Runtime, connection: Connection) -> list[DeskLine]:
    """Return the desk journal's records up to the snapshot."""
    path, (seq, _) = live.transactions.desk_journal, desk_head(connection)
    lines = [] if path is None else [line for line in read_desk_file(path) if line.seq <= seq]
    if len(lines) != seq:
        raise RestoreError("the desk journal lacks records that the database has")
    return lines


def _push_again(
    live: Runtime, connection: Connection, scratch: Runtime, installation: InstallationView, epoch: int
) -> int:
    """Let a tablet bring back what the restored backup lacks; return how many entries."""
    with scratch.transactions.reading() as drilled:
        known = {each.id: each for each in all_installations(drilled)}
    if installation.id not in known:
        return 0
    restored, pushed = known[installation.id], 0
    head = JournalHead(installation.acked_seq, installation.head_digest)
    ack = None
    if installation.acked_seq > restored.acked_seq and installation.last_sync_ms is not None:
        ack = ShownAcknowledgement(installation.acked_seq, epoch, installation.last_sync_ms)
    shown = SyncShown(
        installation_id=installation.id,
        journal_head=head,
        clock=ClockReading(live.clock.now_ms(), "drill", 0),
        predecessor_id=installation.predecessor_id,
        app_version=installation.app_version,
        last_ack=ack,
        hole=None,
        first_seq=None,
        previous_digest=None,
        entries=(),
    )
    for run in _runs(live, connection, installation, restored):
        receive_sync(
            scratch,
            replace(
                shown,
                hole=run.hole,
                first_seq=run.first_seq,
                previous_digest=run.previous_digest,
                entries=run.entries,
            ),
        )
        pushed += len(run.entries)
    return pushed


def _runs(
    live: Runtime, connection: Connection, installation: InstallationView, restored: InstallationView
) -> Iterator[_Run]:
    """Yield what the live office holds above the restored head, in batches, with its holes."""
    holes = {hole.from_seq: hole for hole in holes_of(connection, installation.id)}
    seq, digest = restored.acked_seq, restored.head_digest
    if seq == 0:
        digest = genesis_digest(installation.id)
    while seq < installation.acked_seq:
        hole = holes.get(seq + 1)
        if hole is not None:
            seq, digest = hole.floor_seq, hole.floor_digest
        entries = entry_texts(connection, live.sealer, installation.id, seq + 1, LIMITS.batch_entries)
        if hole is None and not entries:
            return
        yield _Run(seq + 1, digest, entries, hole)
        seq += len(entries)
        digests = chain(digest, map(entry_sha256, entries))
        digest = digests[-1] if digests else digest
