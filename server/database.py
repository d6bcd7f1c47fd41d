"""The database: one engine, two kinds of transaction, SQLite and PostgreSQL alike.

A writing transaction on SQLite waits in one fair queue and takes the write lock at BEGIN; a
reading one sees one snapshot on both databases. Nothing else in the server opens a transaction.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import structlog
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    MetaData,
    event,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase

from server.prepared import run_text

_FULL_DISK_STATES = {"53100", "53200"}
_DEADLOCK_STATES = {"40001", "40P01"}
# Lock not had in time, out of memory, too many connections, a disk that fails, damaged files, read only,
# cancelled, shutting down, starting up: of the machine, never of what was to be written.
_BUSY_STATES = ("55P03", "53", "58", "XX001", "XX002", "25006", "57", "08")
_BUSY_NAMES = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
    "SQLITE_NOMEM",
    "SQLITE_PROTOCOL",
    "SQLITE_CORRUPT",
    "SQLITE_NOTADB",
)
# What every busy office knows; anything else that keeps the database from its work is worth a line.
_USUAL = ("55P03", "SQLITE_BUSY", "SQLITE_LOCKED")
_log = structlog.get_logger("tungnha.database")
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table's class."""

    metadata = MetaData(naming_convention=_NAMING)


db = SQLAlchemy(metadata=Base.metadata)


class DatabaseBusyError(Exception):
    """The database could not take the write within the bounded wait; trying again is safe."""


class StorageFullError(Exception):
    """The server's disk is full; nothing was stored."""


class DeadlockError(Exception):
    """The transaction lost a deadlock; deciding again is safe."""


class FairQueue:
    """A lock that serves its waiters in the order in which they came."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._held = False

    def acquire(self, timeout_s: float) -> bool:
        """Wait for the turn; return False when it did not come in time."""
        with self._guard:
            if not self._held and not self._waiting:
                self._held = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(timeout_s):
            return True
        with self._guard:
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Hand the lock to the longest waiter, or set it free."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False


def prepare_engine(engine: Engine, busy_timeout_ms: int) -> None:
    """Install what every connection needs; call once per engine, before its first connection."""

    @event.listens_for(engine, "handle_error")
    def _on_error(context: ExceptionContext) -> None:
        # Let go of what cannot even be asked whether it lives, and of what SQLite opened for reading
        # alone since opening it for writing failed once. (Other faults leave a connection that rolls back;
        # let go of in the middle of a transaction, it would hold the write lock until it is collected.)
        name = getattr(context.original_exception, "sqlite_errorname", "")
        if context.is_pre_ping or name.startswith("SQLITE_READONLY"):
            context.is_disconnect = True
        if name.startswith("SQLITE_READONLY"):
            # So may be the index of the log, which all connections of this process share for as long as
            # any of them is open: the idle ones are closed with this one, which is not before its cursor is.
            if context.execution_context is not None:
                context.execution_context.cursor.close()
            engine.dispose()

    if engine.dialect.name == "postgresql":

        @event.listens_for(engine, "connect")
        def _bound_waits(connection: Any, _record: Any) -> None:
            # Outside a transaction, or the first rollback would undo it.
            connection.autocommit = True
            connection.execute(f"SET lock_timeout = {busy_timeout_ms}")
            connection.autocommit = False

    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # SQLAlchemy emits BEGIN itself (below); the driver's own implicit BEGIN would come too late.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={busy_timeout_ms}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        is_write = connection.get_execution_options().get("tungnha_writes", False)
        run_text(connection, "BEGIN IMMEDIATE" if is_write else "BEGIN")


def switch_on_write_ahead_log(engine: Engine) -> None:
    """Let an SQLite file be read while it is written; the file remembers it. Not inside a transaction."""
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode=WAL")
    finally:
        raw.close()


class Seals(Protocol):
    """What seals and opens text; `server.sealing` does."""

    def seal(self, value: str, place: str, row: str) -> bytes:
        """Return `value` sealed for `place` and `row`."""

    def open(self, sealed: bytes, place: str, row: str) -> str:
        """Return the value sealed for `place` and `row`."""


class Transactions:
    """Opens the transactions of one engine.

    `desk_journal` is the file beside it, if it has one; `sealer` seals what goes in there of people.
    """

    def __init__(
        self,
        engine: Engine,
        busy_timeout_ms: int,
        desk_journal: Path | None = None,
        sealer: Seals | None = None,
    ) -> None:
        self.engine = engine
        self.desk_journal = desk_journal
        self.sealer = sealer
        self._busy_timeout_s = busy_timeout_ms / 1000
        self._queue = FairQueue() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a writing transaction, committed at the end and rolled back on any exception.

        Raises DatabaseBusyError, StorageFullError or DeadlockError; each means nothing was stored.
        """
        if self._queue is not None and not self._queue.acquire(self._busy_timeout_s):
            raise DatabaseBusyError
        try:
            with self.engine.connect() as connection:
                connection.execution_options(tungnha_writes=True)
                with connection.begin():
                    yield connection
        except DBAPIError as error:
            raise _narrowed(error) from error
        except PoolTimeoutError as error:
            raise DatabaseBusyError from error
        finally:
            if self._queue is not None:
                self._queue.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one snapshot and writes nothing."""
        try:
            with self.engine.connect() as connection:
                if self.engine.dialect.name == "postgresql":
                    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                with connection.begin():
                    yield connection
        except DBAPIError as error:
            raise _narrowed(error) from error
        except PoolTimeoutError as error:
            raise DatabaseBusyError from error


def _narrowed(error: DBAPIError) -> Exception:
    """Return the narrow error that a driver's error stands for, or the error itself."""
    state = getattr(error.orig, "sqlstate", None)
    name = getattr(error.orig, "sqlite_errorname", "")
    if state in _DEADLOCK_STATES:
        return DeadlockError()
    if state in _FULL_DISK_STATES or name.startswith("SQLITE_FULL"):
        return StorageFullError()
    if name.startswith(_BUSY_NAMES) or (state or "").startswith(_BUSY_STATES):
        if not (state or name).startswith(_USUAL):
            _log.error("database_fault", state=state, name=name)
        return DatabaseBusyError()
    # A server that cannot be reached, or is gone in the middle, has no state to tell.
    is_unreachable = isinstance(error, OperationalError) and state is None and not name
    if error.connection_invalidated or is_unreachable:
        return DatabaseBusyError()
    return error
