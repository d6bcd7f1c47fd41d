"""Keeping the server: whether it is ready, and backups that are checked before they count."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from server.audit.changes import Actor, run_change
from server.database import DatabaseBusyError, Transactions
from server.devices.actions import register_backup
from server.devices.queries import BackupView
from server.migrations import current_revision, newest_revision
from server.runtime import Runtime

_OWNER_ONLY = 0o600
_MARKS = "SELECT id, acked_seq FROM installation"
_DUMP_TIMEOUT_S = 6 * 60 * 60


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests can be served."""

    database: Literal["reachable", "unreachable"]
    migrations: Literal["at_head", "behind", "unknown"]

    @property
    def is_ready(self) -> bool:
        """Return whether nothing is missing."""
        return self.database == "reachable" and self.migrations == "at_head"


class BackupError(Exception):
    """The backup could not be made or did not pass its check; nothing is left at its path."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that passed its check. `row_counts` is by table; empty where it cannot be known.

    `marks` is up to where it holds each installation's journal.
    """

    path: Path
    byte_count: int
    sha256: str
    row_counts: dict[str, int]
    marks: dict[str, int]


def readiness(transactions: Transactions) -> Readiness:
    """Return whether the database answers and has the newest tables."""
    try:
        with transactions.reading() as connection:
            connection.execute(text("SELECT 1"))
            revision = current_revision(connection)
    except (SQLAlchemyError, DatabaseBusyError):
        return Readiness("unreachable", "unknown")
    at_head = revision is not None and revision == newest_revision()
    return Readiness("reachable", "at_head" if at_head else "behind")


def make_backup(engine: Engine, path: Path) -> Backup:
    """Write a consistent backup to `path` while the server goes on, check it, and return it.

    `path` must not exist; the file can be read by its owner alone. Raises BackupError.
    """
    if path.exists():
        raise BackupError("the path exists already; a backup never overwrites")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
    except FileExistsError as error:
        raise BackupError("another backup to this path is running, or one was interrupted") from error
    except OSError as error:
        raise BackupError(f"the folder cannot be written: {error.strerror}") from error
    try:
        if engine.dialect.name == "sqlite":
            row_counts, marks = _copy_sqlite(engine, unfinished)
        else:
            row_counts, marks = {}, _dump_postgresql(engine, unfinished)
        sha256 = file_sha256(unfinished)
        _make_durable(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return Backup(path, path.stat().st_size, sha256, row_counts, marks)


def register_verified(runtime: Runtime, backup: Backup) -> bool:
    """Let a verified backup count for what is durable; return False where the tables are older than that.

    What the two newest hold, devices may purge: never delete a backup before two newer ones are verified.
    """
    with runtime.transactions.reading() as connection:
        if not inspect(connection).has_table("verified_backup"):
            return False
    made_ms = runtime.clock.now_ms()
    registered = BackupView(runtime.ids.new_id(), made_ms, str(backup.path.resolve()), backup.sha256)
    run_change(
        runtime.transactions,
        Actor("job:backup"),
        made_ms,
        lambda change: register_backup(change, registered, backup.marks),
    )
    return True


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_sqlite(engine: Engine, target_path: Path) -> tuple[dict[str, int], dict[str, int]]:
    source_path = engine.url.database
    if not source_path or source_path == ":memory:":
        raise BackupError("there is no database file")
    try:
        with closing(sqlite3.connect(source_path, isolation_level=None)) as source:
            # One open read transaction: the counts and the copy see the same snapshot.
            source.execute("BEGIN")
            counts = _count_rows(source)
            with closing(sqlite3.connect(target_path)) as target:
                source.backup(target)
                # A copy of a WAL database is marked as one; a backup is a single file.
                target.execute("PRAGMA journal_mode=DELETE")
        with closing(sqlite3.connect(f"file:{target_path}?mode=ro", uri=True)) as copy:
            if [row[0] for row in copy.execute("PRAGMA integrity_check")] != ["ok"]:
                raise BackupError("the copy fails its integrity check")
            if _count_rows(copy) != counts:
                raise BackupError("the copy does not hold the rows that the database held")
            # Read from the copy itself: what is purged on devices must be in the file, not beside it.
            marks = dict(copy.execute(_MARKS)) if "installation" in counts else {}
    except sqlite3.Error as error:
        raise BackupError(f"SQLite: {error.sqlite_errorname}") from error
    return counts, marks


def _count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    tables = [name for (name,) in names if not name.startswith("sqlite_")]
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        for name in tables
    }


def _dump_postgresql(engine: Engine, target_path: Path) -> dict[str, int]:
    """Dump with pg_dump, let pg_restore read the whole dump back, and return the marks of its snapshot."""
    for program in ("pg_dump", "pg_restore"):
        if shutil.which(program) is None:
            raise BackupError(f"{program} is not installed; PostgreSQL is backed up with it")
    address, environment = postgresql_address(engine)
    dump = ["pg_dump", "--format=custom", "--no-owner", f"--file={target_path}", f"--dbname={address}"]
    with _exported_snapshot(engine) as (snapshot, marks):
        run_program([*dump, f"--snapshot={snapshot}"], environment)
    # Reading everything back finds a damaged or shortened dump; nothing is restored anywhere.
    run_program(["pg_restore", "--file=/dev/null", str(target_path)], environment)
    return marks


def postgresql_address(engine: Engine) -> tuple[str, dict[str, str]]:
    """Return the database's address for PostgreSQL's programs, and their environment with the password."""
    environment = {**os.environ, "PGPASSWORD": str(engine.url.password or "")}
    url = engine.url.set(drivername="postgresql", password=None)
    return url.render_as_string(hide_password=False), environment


@contextmanager
def _exported_snapshot(engine: Engine) -> Iterator[tuple[str, dict[str, int]]]:
    """Give a snapshot that pg_dump can see, and the marks in it, while it is held."""
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            snapshot = str(connection.scalar(text("SELECT pg_export_snapshot()")))
            has_tables = connection.scalar(text("SELECT to_regclass('installation')")) is not None
            rows = connection.execute(text(_MARKS)).all() if has_tables else []
            yield snapshot, {installation: int(acked_seq) for installation, acked_seq in rows}
    except SQLAlchemyError as error:
        raise BackupError("the database cannot be read") from error


def run_program(command: list[str], environment: dict[str, str]) -> None:
    """Run a program to its end. Raises BackupError with the first line that it complains in."""
    try:
        done = subprocess.run(  # noqa: S603  # fixed programs, no shell
            command, env=environment, capture_output=True, timeout=_DUMP_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackupError(f"{command[0]} did not finish") from error
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BackupError(f"{command[0]}: {lines[0] if lines else 'failed'}")


def _make_durable(unfinished: Path, path: Path) -> None:
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    os.chmod(unfinished, _OWNER_ONLY)
    # A link, unlike a rename, never replaces what somebody put there meanwhile.
    os.link(unfinished, path)
    unfinished.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
