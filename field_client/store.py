"""The client's SQLite file: tables, transactions and sealed settings.

Acknowledged or not, what was captured must survive a power cut: WAL with `synchronous=FULL`. Every
payload and every row that says something about a person is sealed; ids, sequence numbers, verdicts
and the amounts of receipts (which the offline cap adds up) are not.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from field_client.sealing import KeyFileError, RowSealer, make_key_file, read_key_file

STORE_NAME = "field.sqlite3"
KEY_NAME = "field.key"
# Held shared by whoever has the store open, and alone by whoever puts another file in its place.
LOCK_NAME = "field.lock"
SCHEMA_VERSION = 2
# No version of this app has ever written a higher one: such a number is damage.
_VERSIONS_MOST = 10_000
_DAMAGES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY_MS = 15_000
# Below this no new form opens: what was begun, receipts of money taken and answers still fit.
RESERVED_BYTES = 8 * 1024 * 1024

_SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE installation (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,            -- pending, current, superseded
    sealed BLOB NOT NULL,           -- identity: key, certificate, worker, server, limits
    acked_seq INTEGER NOT NULL DEFAULT 0,
    durable_seq INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    rejudged_from INTEGER,          -- from here on more than one epoch may have judged
    synced_ms INTEGER,
    stopped TEXT,                   -- the code for which it must enrol again
    last_ack BLOB,                  -- sealed signed statement
    last_receipt BLOB               -- sealed token of its last receipt
) WITHOUT ROWID;
CREATE TABLE entry (
    local_id INTEGER PRIMARY KEY,
    entry_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    captured_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL,           -- the exact bytes; once purged, what is kept of them
    acked_ms INTEGER,
    purged_ms INTEGER,
    reflected INTEGER NOT NULL DEFAULT 0,
    state TEXT, code TEXT, field TEXT, flags TEXT
);
CREATE INDEX entry_by_id ON entry (entry_id);
CREATE INDEX entry_by_state ON entry (state) WHERE state IN ('held', 'quarantined');
CREATE INDEX entry_unreflected ON entry (local_id) WHERE reflected = 0;
CREATE TABLE journal (
    installation_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    local_id INTEGER NOT NULL,
    digest TEXT NOT NULL,
    verdict TEXT, code TEXT, field TEXT,
    epoch INTEGER NOT NULL DEFAULT 0,   -- of the verdict
    PRIMARY KEY (installation_id, seq)
) WITHOUT ROWID;
CREATE TABLE touch (
    record_type TEXT NOT NULL, record_id TEXT NOT NULL, local_id INTEGER NOT NULL,
    PRIMARY KEY (record_type, record_id, local_id)
) WITHOUT ROWID;
CREATE TABLE receipt (
    installation_number INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    local_id INTEGER NOT NULL,
    payment_id TEXT NOT NULL,
    kind INTEGER NOT NULL,
    amount_vnd INTEGER NOT NULL,
    issued_ms INTEGER NOT NULL,
    acked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (installation_number, counter)
) WITHOUT ROWID;
CREATE INDEX receipt_by_payment ON receipt (payment_id);
CREATE INDEX receipt_unacked ON receipt (issued_ms, amount_vnd) WHERE acked = 0;
CREATE TABLE cursor (
    scope TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    row_count INTEGER NOT NULL, row_sum TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE listed (
    scope TEXT NOT NULL, record_type TEXT NOT NULL, record_id TEXT NOT NULL, row_hash TEXT NOT NULL,
    PRIMARY KEY (scope, record_type, record_id)
) WITHOUT ROWID;
CREATE INDEX listed_record ON listed (record_type, record_id);
CREATE TABLE record (
    record_type TEXT NOT NULL, record_id TEXT NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (record_type, record_id)
) WITHOUT ROWID;
CREATE TABLE incident (
    incident_id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL
);
"""

# What a file of an earlier version lacks, by that version.
_UPGRADES = {
    1: (
        "ALTER TABLE entry ADD COLUMN purged_ms INTEGER",
        "ALTER TABLE installation ADD COLUMN rejudged_from INTEGER",
        "ALTER TABLE journal ADD COLUMN code TEXT",
        "ALTER TABLE journal ADD COLUMN field TEXT",
        "ALTER TABLE journal ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0",
        """
        UPDATE journal SET epoch = (SELECT epoch FROM installation WHERE id = journal.installation_id)
        WHERE verdict IS NOT NULL
        """,
    )
}


class StoreError(Exception):
    """The client's file cannot be used; the message says why."""


class DamagedStoreError(StoreError):
    """The client's file is damaged or gone: `field_client.damage` sets it aside and saves what it can."""


class NoSpaceError(Exception):
    """The disk is nearly full: a new form must not open. What was captured syncs all the same."""


def require_space(home: Path, reserved_bytes: int | None = None) -> None:
    """Ask before a form opens. Raises NoSpaceError."""
    while not home.exists():
        home = home.parent
    reserved_bytes = RESERVED_BYTES if reserved_bytes is None else reserved_bytes
    if shutil.disk_usage(home).free < reserved_bytes:
        raise NoSpaceError


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether SQLite says that the file is not sound. The low byte is the primary code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGES


@contextmanager
def store_lock(home: Path, *, alone: bool) -> Iterator[None]:
    """Hold the home's store, with others or alone; SQLite frees it when the process dies.

    Raises StoreError where somebody else is in the way.
    """
    connection = sqlite3.connect(
        home / LOCK_NAME, isolation_level=None, timeout=0 if alone else _BUSY_MS / 1000
    )
    try:
        try:
            if alone:
                connection.execute("BEGIN EXCLUSIVE")
            else:
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except sqlite3.Error as error:
            raise StoreError(str(error)) from error
        yield
    finally:
        connection.close()


class Store:
    """One open home directory. Use from one thread; other processes may have it open too."""

    def __init__(self, home: Path, *, name: str = STORE_NAME, is_locking: bool = True) -> None:
        """Open the store in `home`, making directory, key and tables when there are none.

        Not locking is for who holds the home alone. Raises DamagedStoreError, KeyFileError and StoreError.
        """
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home = home
        path, key_path = home / name, home / KEY_NAME
        if not key_path.exists():
            if path.exists():
                raise KeyFileError(f"{path} is here but its key file {key_path} is not")
            make_key_file(key_path)
        self.sealer: RowSealer = read_key_file(key_path)
        self._depth = 0
        with ExitStack() as opening:
            if is_locking:
                opening.enter_context(store_lock(home, alone=False))
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self.connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_MS / 1000)
            opening.callback(self.connection.close)
            self._set_up()
            self._opened = opening.pop_all()

    def _set_up(self) -> None:
        try:
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=FULL")
            self._migrate()
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise DamagedStoreError(str(error)) from error
            raise StoreError(str(error)) from error

    def _migrate(self) -> None:
        with self.transaction():
            version = self.connection.execute("PRAGMA user_version").fetchone()[0]
            tables = self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not 0 <= version <= _VERSIONS_MOST or bool(version) != bool(tables):
                raise DamagedStoreError(f"file version {version}, {tables} tables")
            if version > SCHEMA_VERSION:
                raise StoreError(f"made by a newer version of this app (file version {version})")
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    self.connection.execute(statement)
            else:
                for step in range(version, SCHEMA_VERSION):
                    for statement in _UPGRADES[step]:
                        self.connection.execute(statement)
            if version != SCHEMA_VERSION:
                self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def require_space(self, reserved_bytes: int | None = None) -> None:
        """Ask before a form opens. Raises NoSpaceError."""
        require_space(self.home, reserved_bytes)

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block in one transaction.

        Inside another one it is a savepoint, so that a block that fails leaves nothing even when
        its caller goes on.
        """
        begin, commit, undo = "BEGIN IMMEDIATE", "COMMIT", ["ROLLBACK"]
        if self._depth:
            name = f"depth_{self._depth}"
            begin, commit = f"SAVEPOINT {name}", f"RELEASE {name}"
            undo = [f"ROLLBACK TO {name}", commit]
        self._execute(begin)
        self._depth += 1
        try:
            yield self.connection
            self._execute(commit)
        except BaseException:
            if self.connection.in_transaction:
                for statement in undo:
                    self.connection.execute(statement)
            raise
        finally:
            self._depth -= 1

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Run reads that must agree with each other."""
        if self._depth:
            yield self.connection
            return
        self.connection.execute("BEGIN")
        try:
            yield self.connection
        finally:
            self.connection.execute("ROLLBACK")

    def _execute(self, statement: str) -> None:
        try:
            self.connection.execute(statement)
        except sqlite3.OperationalError as error:
            raise StoreError(str(error)) from error

    def setting(self, name: str) -> Any:
        """Return the setting `name`, or None."""
        found = self.connection.execute("SELECT sealed FROM setting WHERE name = ?", (name,)).fetchone()
        return None if found is None else json.loads(self.sealer.open(found[0], "setting.sealed", name))

    def put_setting(self, name: str, value: Any) -> None:
        """Keep `value` (JSON) as the setting `name`."""
        sealed = self.sealer.seal(json.dumps(value), "setting.sealed", name)
        self.connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, sealed))
