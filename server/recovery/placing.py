"""A backup checked and put where the database is; what was there before is set aside, never deleted."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from server.migrations import known_revisions
from server.operations import BackupError, postgresql_address, run_program

_SIDE_FILES = ("-wal", "-shm")


class RestoreError(Exception):
    """The backup cannot be restored; the message says why, and whether anything was touched."""


def check_backup(engine: Engine, backup: Path) -> None:
    """Raise RestoreError where the file is no whole backup of an office that this version can read."""
    if not backup.is_file():
        raise RestoreError("there is no such backup")
    if engine.dialect.name == "sqlite":
        _check_sqlite(backup)
        return
    try:
        run_program(["pg_restore", "--file=/dev/null", str(backup)], dict(os.environ))
    except BackupError as error:
        raise RestoreError(f"the backup cannot be read: {error}") from error


def _check_sqlite(backup: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{backup}?mode=ro", uri=True)) as copy:
            if [row[0] for row in copy.execute("PRAGMA integrity_check")] != ["ok"]:
                raise RestoreError("the backup fails its integrity check")
            revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise RestoreError("the file is no backup of an office") from error
    if revision is None or revision[0] not in known_revisions():
        raise RestoreError("the backup is of a newer version of the server")


def desk_head_of(engine: Engine, backup: Path) -> tuple[int, str] | None:
    """Return the last desk record that a backup file holds; None where only restoring it tells."""
    if engine.dialect.name != "sqlite":
        return None
    with closing(sqlite3.connect(f"file:{backup}?mode=ro", uri=True)) as copy:
        found = copy.execute("SELECT value FROM office_state WHERE name = 'desk_head'").fetchone()
    if found is None:
        return None
    seq, _, digest = found[0].partition(" ")
    return int(seq), digest


def place_backup(engine: Engine, backup: Path, now_ms: int) -> Path | None:
    """Put a checked backup in the database's place; return where the file that was there is now.

    PostgreSQL's database must be empty: nothing of an office is ever dropped. Raises RestoreError.
    """
    engine.dispose()
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        aside = _set_aside(path, now_ms)
        _copy_durably(backup, path)
        return aside
    _require_empty(engine)
    address, environment = postgresql_address(engine)
    command = ["pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={address}"]
    try:
        run_program([*command, str(backup)], environment)
    except BackupError as error:
        raise RestoreError(f"nothing was restored: {error}") from error
    return None


def _set_aside(path: Path, now_ms: int) -> Path | None:
    if not path.exists():
        return None
    _require_unused(path)
    stamp = datetime.fromtimestamp(now_ms / 1000, tz=UTC).strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.name}.before-{stamp}")
    for suffix in ("", *_SIDE_FILES):
        if Path(f"{aside}{suffix}").exists():
            raise RestoreError(f"{aside} exists already; nothing was touched")
    for suffix in ("", *_SIDE_FILES):
        with suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", f"{aside}{suffix}")
    return aside


def _require_unused(path: Path) -> None:
    """Refuse while a server has the file open; leaving the write-ahead log needs it alone."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise RestoreError("the database is in use: stop the server first") from error
        except sqlite3.DatabaseError:
            # It is damaged, which may be why it is restored: it is set aside as it is.
            return


def _copy_durably(source: Path, target: Path) -> None:
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.copyfile(source, unfinished)
    os.chmod(unfinished, 0o600)
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    os.rename(unfinished, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _require_empty(engine: Engine) -> None:
    count = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
    try:
        with engine.connect() as connection:
            tables = connection.scalar(text(count))
    except SQLAlchemyError as error:
        raise RestoreError("the database cannot be reached") from error
    if tables:
        raise RestoreError("the database is not empty: restore into a new one, and point the server at it")
