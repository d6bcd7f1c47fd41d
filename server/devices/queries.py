"""Reads of installations, their keys and their clock marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    select,
    union_all,
)

from schemas.signatures import PublicKey
from server.bulk_rows import among, chunks, rows_among
from server.devices.models import (
    BackupMark,
    ClockMarkRow,
    EnrolmentCode,
    Installation,
    VerifiedBackup,
    WriteOff,
)
from server.devices.rules import PREDECESSORS_MOST
from server.prepared import rows_of
from sync.clock import ClockMark

_INSTALLATION = Installation.__table__


@dataclass(frozen=True, slots=True)
class InstallationView:
    """An installation as other features see it; times in Unix milliseconds."""

    id: str
    number: int
    worker_id: str
    kid: str
    state: str
    predecessor_id: str | None
    enrolled_ms: int
    acked_seq: int
    head_digest: str
    last_valid_seq: int | None
    journal_head_seq: int
    last_sync_ms: int | None
    clock_offset_ms: int | None
    app_version: str | None
    journal_head_digest: str
    delivered_ms: int | None = None
    revoked_ms: int | None = None
    written_off_ms: int | None = None
    first_received_seq: int | None = None
    first_received_ms: int | None = None

    @property
    def unsent(self) -> int:
        """Return how many entries the device had at its last sync that have not arrived."""
        return max(self.journal_head_seq - self.acked_seq, 0)


@dataclass(frozen=True, slots=True)
class WriteOffView:
    """A tablet that somebody wants to give up, and still waits for another person; who is an account."""

    id: str
    installation_id: str
    reason: str
    proposed_by: str
    proposed_ms: int


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A key that signs receipts, with the installation that holds it."""

    installation_id: str
    number: int
    public_key: PublicKey
    certificate_text: str
    worker_id: str
    state: str
    last_valid_counter: int | None


@dataclass(frozen=True, slots=True)
class BackupView:
    """A backup that passed its check: its file, and the file's SHA-256 in hex."""

    id: str
    made_ms: int
    path: str
    sha256: str


_VIEW_COLUMNS = [_INSTALLATION.c[name] for name in InstallationView.__dataclass_fields__]
_MARK = ClockMarkRow.__table__.c
_OLDER_BACKUP = (
    select(VerifiedBackup.id)
    .order_by(VerifiedBackup.made_ms.desc(), VerifiedBackup.id.desc())
    .offset(1)
    .limit(1)
    .scalar_subquery()
)
_DURABLE = select(BackupMark.acked_seq).where(
    BackupMark.backup_id == _OLDER_BACKUP, BackupMark.installation_id == bindparam("id")
)
# Statements of every sync are built once: to build one costs more than to run it.
_BY_ID = select(*_VIEW_COLUMNS).where(_INSTALLATION.c.id == bindparam("id"))
_LOCKED = select(*_VIEW_COLUMNS).where(_INSTALLATION.c.id == bindparam("id")).with_for_update()
# Both drivers give bytes as they are.
_PUBLIC_KEY = select(_INSTALLATION.c.public_key).where(_INSTALLATION.c.id == bindparam("id"))
_NUMBERS = select(_INSTALLATION.c.id, _INSTALLATION.c.number).where(among(_INSTALLATION.c.id))
_MARK_COLUMNS = (
    _MARK.server_ms,
    _MARK.id,
    _MARK.boot,
    _MARK.monotonic_ms,
    _MARK.head_seq,
    _MARK.installation_id,
)
_IS_OF_OWN = _MARK.installation_id == bindparam("own")
_IS_OF_BOOT = and_(_MARK.installation_id == bindparam("installation"), _MARK.boot == bindparam("boot"))


def _first_mark(condition: ColumnElement[bool]) -> Select[Any]:
    """Return the query of the mark that comes first of those that meet a condition."""
    wanted = select(_MARK.id).where(condition).order_by(_MARK.server_ms, _MARK.id).limit(1)
    return select(*_MARK_COLUMNS).where(_MARK.id == wanted.scalar_subquery())


def _last_mark(condition: ColumnElement[bool]) -> Select[Any]:
    """Return the query of the mark that comes last of those that meet a condition."""
    wanted = select(_MARK.id).where(condition).order_by(_MARK.server_ms.desc(), _MARK.id.desc()).limit(1)
    return select(*_MARK_COLUMNS).where(_MARK.id == wanted.scalar_subquery())


# Before the first capture only the last mark can say something, after the last capture only the first.
_MARKS_AROUND: CompoundSelect[Any] = union_all(
    _last_mark(and_(_IS_OF_BOOT, _MARK.monotonic_ms <= bindparam("from_ms"))),
    select(*_MARK_COLUMNS).where(
        _IS_OF_BOOT, _MARK.monotonic_ms > bindparam("from_ms"), _MARK.monotonic_ms <= bindparam("to_ms")
    ),
    _first_mark(and_(_IS_OF_BOOT, _MARK.monotonic_ms > bindparam("to_ms"))),
)
_MARKS_OF_BOOTS = select(*_MARK_COLUMNS).where(among(_MARK.installation_id), among(_MARK.boot, "boots"))
_MARKS_BY_HEAD: CompoundSelect[Any] = union_all(
    _last_mark(and_(_IS_OF_OWN, _MARK.head_seq < bindparam("first_seq"))),
    select(*_MARK_COLUMNS).where(
        _IS_OF_OWN, _MARK.head_seq >= bindparam("first_seq"), _MARK.head_seq < bindparam("last_seq")
    ),
    _first_mark(and_(_IS_OF_OWN, _MARK.head_seq >= bindparam("last_seq"))),
)
# Beyond this many boots and journals, one query for all marks of the boots is less than one for each.
_SEPARATE_QUERIES_MOST = 6


def installation_by_id(
    connection: Connection, installation_id: str, *, is_locking: bool = False
) -> InstallationView | None:
    """Return the installation, or None; `is_locking` keeps its row locked until the change ends."""
    rows = rows_of(connection, _LOCKED if is_locking else _BY_ID, {"id": installation_id})
    return InstallationView(*rows[0]) if rows else None


def locked_installation(connection: Connection, installation_id: str) -> InstallationView:
    """Return the installation with its row locked until the change ends."""
    (row,) = rows_of(connection, _LOCKED, {"id": installation_id})
    return InstallationView(*row)


def installations_of_workers(
    connection: Connection, worker_ids: Iterable[str]
) -> dict[str, list[InstallationView]]:
    """Return the installations of each worker, by number."""
    found: dict[str, list[InstallationView]] = {worker_id: [] for worker_id in worker_ids}
    for part in chunks(sorted(found)):
        statement = select(*_VIEW_COLUMNS).where(_INSTALLATION.c.worker_id.in_(part))
        for row in connection.execute(statement.order_by(_INSTALLATION.c.number)):
            view = InstallationView(*row)
            found[view.worker_id].append(view)
    return found


def all_installations(connection: Connection) -> list[InstallationView]:
    """Return every installation, by number."""
    rows = connection.execute(select(*_VIEW_COLUMNS).order_by(_INSTALLATION.c.number))
    return [InstallationView(*row) for row in rows]


def installation_numbers(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    """Return the number of each installation."""
    return {row[0]: row[1] for row in rows_among(connection, _NUMBERS, ids)}


def public_key_of(connection: Connection, installation_id: str) -> PublicKey | None:
    """Return the key with which the installation signs, or None when it is unknown."""
    rows = rows_of(connection, _PUBLIC_KEY, {"id": installation_id})
    return _public_key(rows[0][0]) if rows else None


@lru_cache(4096)
def _public_key(spki: bytes) -> PublicKey:
    """Return a key whose curve and point were checked; that takes longer than a signature's check."""
    return PublicKey(spki)


def _device_key(row: Row[tuple[object, ...]]) -> DeviceKey:
    return DeviceKey(
        installation_id=row.id,
        number=row.number,
        public_key=PublicKey(row.public_key),
        certificate_text=row.certificate_text,
        worker_id=row.worker_id,
        state=row.state,
        last_valid_counter=row.last_valid_counter,
    )


def device_keys_by_kid(connection: Connection, kid: str) -> list[DeviceKey]:
    """Return the keys with this key id: one, or none."""
    rows = connection.execute(select(_INSTALLATION).where(_INSTALLATION.c.kid == kid))
    return [_device_key(row) for row in rows]


def key_chain_of(connection: Connection, installation_id: str) -> list[DeviceKey]:
    """Return the keys of the installation and of its predecessors, newest first."""
    keys: list[DeviceKey] = []
    wanted: str | None = installation_id
    while wanted is not None and len(keys) < PREDECESSORS_MOST:
        row = connection.execute(select(_INSTALLATION).where(_INSTALLATION.c.id == wanted)).one_or_none()
        if row is None:
            break
        keys.append(_device_key(row))
        wanted = row.predecessor_id
    return keys


def lineage_of(connection: Connection, installation: InstallationView) -> list[InstallationView]:
    """Return the installation and its predecessors, newest first."""
    lineage, wanted = [installation], installation.predecessor_id
    while wanted is not None and len(lineage) < PREDECESSORS_MOST:
        predecessor = installation_by_id(connection, wanted)
        if predecessor is None:
            break
        lineage.append(predecessor)
        wanted = predecessor.predecessor_id
    return lineage


def clock_marks_of(
    connection: Connection,
    lineage: Sequence[InstallationView],
    seqs: tuple[int, int],
    captures: Mapping[str, tuple[int, int]],
) -> list[ClockMark]:
    """Return the marks that can say when the entries of a push were captured, oldest first.

    `seqs` are the first and the last place of the entries in the journal; `captures` gives, for each of
    their boots, the least and the most that the monotonic clock said. Of all the marks of the
    installation and its predecessors those are left out beside which another one proves more. Only the
    installation's own marks say where its journal ended.
    """
    own, ids = lineage[0].id, [installation.id for installation in lineage]
    rows = rows_of(connection, _MARKS_BY_HEAD, {"own": own, "first_seq": seqs[0], "last_seq": seqs[1]})
    if len(ids) * len(captures) > _SEPARATE_QUERIES_MOST:
        rows += rows_among(connection, _MARKS_OF_BOOTS, ids, boots=sorted(captures))
    else:
        for boot, (from_ms, to_ms) in captures.items():
            around = {"boot": boot, "from_ms": from_ms, "to_ms": to_ms}
            for installation_id in ids:
                rows += rows_of(connection, _MARKS_AROUND, {**around, "installation": installation_id})
    return [
        ClockMark(server_ms, boot, monotonic_ms, head_seq if installation_id == own else None)
        for server_ms, _id, boot, monotonic_ms, head_seq, installation_id in sorted(set(rows))
    ]


def code_row(connection: Connection, code_sha256: str) -> Row[tuple[object, ...]] | None:
    """Return the enrolment code with its row locked, or None."""
    code = EnrolmentCode.__table__
    return connection.execute(
        code.select().where(code.c.code_sha256 == code_sha256).with_for_update()
    ).one_or_none()


def open_write_offs(connection: Connection, installation_ids: Iterable[str]) -> dict[str, WriteOffView]:
    """Return the proposal to give up each of these tablets that waits for a second person."""
    table, found = WriteOff.__table__.c, {}
    columns = [table[name] for name in WriteOffView.__dataclass_fields__]
    for part in chunks(sorted(set(installation_ids))):
        statement = select(*columns).where(table.installation_id.in_(part), table.state == "proposed")
        for row in connection.execute(statement):
            found[row.installation_id] = WriteOffView(*row)
    return found


def verified_backups(connection: Connection) -> list[BackupView]:
    """Return the newest verified backups, newest first; two at most."""
    backup = VerifiedBackup.__table__.c
    statement = select(*(backup[name] for name in BackupView.__dataclass_fields__))
    rows = connection.execute(statement.order_by(backup.made_ms.desc(), backup.id.desc()).limit(2))
    return [BackupView(*row) for row in rows]


def durable_seq_of(connection: Connection, installation_id: str) -> int:
    """Return up to where both of the two newest verified backups hold a journal; 0 with fewer."""
    rows = rows_of(connection, _DURABLE, {"id": installation_id})
    return rows[0][0] if rows else 0


def journal_marks(connection: Connection) -> dict[str, int]:
    """Return up to where each journal has arrived: what a backup of this moment holds."""
    rows = connection.execute(select(_INSTALLATION.c.id, _INSTALLATION.c.acked_seq))
    return {row.id: row.acked_seq for row in rows}
