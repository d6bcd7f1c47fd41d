"""The desk journal: what no tablet can bring back, in an append-only file outside the database.

A change numbers its desk records in the database, in its own transaction; `mirror_desk_journal`
appends what the file lacks, after the commit and before anyone is answered (docs/protocol.md,
rule 11). So the file never holds what was not committed, and a crash between the two is made good
by the next change or the next start. A restore replays the file onto an older database.

Each line is one record: JSON with seq, at_ms, kind, actor, content and the digest of the chain.
Contents never hold personal data in the clear.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, func, insert, select, update

from server.audit.models import DeskRecord, OfficeState
from server.bulk_rows import insert_missing
from server.database import DatabaseBusyError, StorageFullError, Transactions
from sync.audit import audit_digest, audit_genesis, detail_text

_CHAIN = "desk"
_HEAD = "desk_head"
_OWNER_ONLY = 0o600
_TAIL_BYTES = 64 * 1024
_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
_RECORDS_A_READ = 1000
_TURN_S = 30


class DeskJournalError(Exception):
    """The file and the database tell different histories; a person has to look."""


class DeskJournalAheadError(DeskJournalError):
    """The file knows records that the database forgot: an older backup, restored by hand."""


@dataclass(frozen=True, slots=True)
class DeskLine:
    """One record. `content` is JSON text; `digest` covers the record before it, hex."""

    seq: int
    at_ms: int
    kind: str
    actor: str
    content: str
    digest: str

    @property
    def members(self) -> dict[str, Any]:
        """Return the content's members."""
        found: dict[str, Any] = json.loads(self.content)
        return found

    def as_text(self) -> str:
        """Return the record as it stands in the file, without its line feed."""
        members = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


def desk_head(connection: Connection, *, is_locking: bool = False) -> tuple[int, str]:
    """Return the last record's number and digest; (0, the genesis) before the first."""
    state = OfficeState.__table__
    statement = select(state.c.value).where(state.c.name == _HEAD)
    value = connection.scalar(statement.with_for_update() if is_locking else statement)
    if value is None:
        return 0, audit_genesis(_CHAIN)
    seq, _, digest = value.partition(" ")
    return int(seq), digest


def newest_desk_ms(connection: Connection) -> int | None:
    """Return when the newest record that the database knows was written, None before the first."""
    found: int | None = connection.scalar(select(func.max(DeskRecord.__table__.c.at_ms)))
    return found


def append_desk_records(
    connection: Connection, at_ms: int, actor: str, records: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    """Number and chain `records` (kind, content) behind the database's head, which is locked."""
    state = OfficeState.__table__
    genesis = f"0 {audit_genesis(_CHAIN)}"
    insert_missing(connection, state, [{"name": _HEAD, "value": genesis}], ["name"])
    seq, digest = desk_head(connection, is_locking=True)
    rows = []
    for kind, content in records:
        seq += 1
        text = detail_text(content)
        digest = audit_digest(digest, seq, at_ms, kind, actor, text)
        rows.append(_row(DeskLine(seq, at_ms, kind, actor, text, digest)))
    _write(connection, rows, seq, digest)


def adopt_desk_lines(connection: Connection, lines: Sequence[DeskLine]) -> None:
    """Take records of the file into a database that forgot them; they follow its head as they are.

    Raises DeskJournalError where they do not.
    """
    if not lines:
        return
    state = OfficeState.__table__
    genesis = f"0 {audit_genesis(_CHAIN)}"
    insert_missing(connection, state, [{"name": _HEAD, "value": genesis}], ["name"])
    _require_chain(desk_head(connection, is_locking=True), lines)
    _write(connection, [_row(line) for line in lines], lines[-1].seq, lines[-1].digest)


def desk_lines(connection: Connection, after: int, most: int = _RECORDS_A_READ) -> list[DeskLine]:
    """Return the database's records after a number, in order."""
    table = DeskRecord.__table__
    columns = [table.c[name] for name in DeskLine.__dataclass_fields__]
    statement = select(*columns).where(table.c.seq > after).order_by(table.c.seq).limit(most)
    return [DeskLine(*row) for row in connection.execute(statement)]


def read_desk_file(path: Path) -> Iterator[DeskLine]:
    """Yield the file's records in order, its chain checked; a torn last line is left out.

    Raises DeskJournalError at the first record that does not follow the one before it.
    """
    head = (0, audit_genesis(_CHAIN))
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            line = _parsed(raw)
            _require_chain(head, [line])
            head = (line.seq, line.digest)
            yield line


def mirror_desk_journal(transactions: Transactions) -> None:
    """Append what the file lacks, and wait until it is on disk. Nothing to do without a file.

    Raises StorageFullError or DatabaseBusyError when the file cannot be written now,
    DeskJournalAheadError or DeskJournalError when it is not this database's.
    """
    path = transactions.desk_journal
    if path is None:
        return
    try:
        with _locked(path) as file:
            head = _file_head(file)
            with transactions.reading() as connection:
                _require_same_history(connection, head)
                lines = desk_lines(connection, head[0])
            while lines:
                file.write(b"".join(line.as_text().encode() + b"\n" for line in lines))
                with transactions.reading() as connection:
                    lines = desk_lines(connection, lines[-1].seq)
            file.flush()
            os.fsync(file.fileno())
    except Timeout as error:
        raise DatabaseBusyError from error
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise StorageFullError from error
        raise DatabaseBusyError from error


@contextmanager
def _locked(path: Path) -> Iterator[Any]:
    """Open the file for appending while no other thread or process does."""
    with FileLock(f"{path}.lock", mode=_OWNER_ONLY, timeout=_TURN_S):
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
        with os.fdopen(descriptor, "ab+") as file:
            if is_new and os.name == "posix":
                folder = os.open(path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
            yield file


def _file_head(file: Any) -> tuple[int, str]:
    """Return the file's last whole record; a line torn by a crash is cut off first."""
    size = file.seek(0, os.SEEK_END)
    reach = _TAIL_BYTES
    while True:
        start = max(size - reach, 0)
        file.seek(start)
        tail = file.read(size - start)
        end = tail.rfind(b"\n")
        begin = tail.rfind(b"\n", 0, end) if end > 0 else -1
        if start == 0 or begin >= 0:
            break
        reach *= 2
    if start + end + 1 < size:
        file.truncate(start + end + 1)
    if end < 0:
        return 0, audit_genesis(_CHAIN)
    line = _parsed(tail[begin + 1 : end + 1])
    return line.seq, line.digest


def _parsed(raw: bytes) -> DeskLine:
    try:
        members = json.loads(raw)
        return DeskLine(**members)
    except (ValueError, TypeError) as error:
        raise DeskJournalError("a line of the desk journal cannot be read") from error


def _require_chain(head: tuple[int, str], lines: Sequence[DeskLine]) -> None:
    seq, digest = head
    for line in lines:
        seq += 1
        digest = audit_digest(digest, seq, line.at_ms, line.kind, line.actor, line.content)
        if (line.seq, line.digest) != (seq, digest):
            raise DeskJournalError(f"record {line.seq} of the desk journal does not follow record {seq - 1}")


def _require_same_history(connection: Connection, head: tuple[int, str]) -> None:
    seq, digest = head
    if seq == 0:
        return
    table = DeskRecord.__table__
    known = connection.scalar(select(table.c.digest).where(table.c.seq == seq))
    if known is None:
        raise DeskJournalAheadError("the desk journal is ahead of the database: use `tungnha restore`")
    if known != digest:
        raise DeskJournalError("the desk journal is of another database")


def _row(line: DeskLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in DeskLine.__dataclass_fields__}


def _write(connection: Connection, rows: list[dict[str, Any]], seq: int, digest: str) -> None:
    state = OfficeState.__table__
    connection.execute(insert(DeskRecord), rows)
    connection.execute(update(OfficeState).where(state.c.name == _HEAD).values(value=f"{seq} {digest}"))
