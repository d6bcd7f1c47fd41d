"""A database that cannot serve now is told apart from a fault of ours: trying again is safe."""

from __future__ import annotations

import json
import logging
import resource
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from server.database import (
    DatabaseBusyError,
    StorageFullError,
    Transactions,
    prepare_engine,
    switch_on_write_ahead_log,
)
from server.journals.actions import lock_names
from server.migrations import upgrade
from server.request_log import configure_logging
from tests.support.office_checks import count
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import small_office

WAIT_MS = 300


def transactions_of(url: str, **options) -> Transactions:
    engine = create_engine(url, **options)
    prepare_engine(engine, WAIT_MS)
    return Transactions(engine, WAIT_MS)


def test_waiting_for_what_another_change_locked_is_bounded(any_database):
    transactions = transactions_of(any_database)
    found = []

    def wait():
        try:
            with transactions.writing() as connection:
                lock_names(connection, ["entry:1"])
        except Exception as error:  # noqa: BLE001 - shown by the test
            found.append(type(error))

    with transactions.writing() as connection:
        lock_names(connection, ["entry:1"])
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(10)
    transactions.engine.dispose()
    assert found == [DatabaseBusyError]


@pytest.mark.parametrize("opening", ["reading", "writing"])
def test_a_server_that_cannot_be_reached_is_busy(opening):
    transactions = transactions_of("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseBusyError), getattr(transactions, opening)():
        pass


def test_a_server_that_goes_away_in_the_middle_is_busy(postgres_url):
    transactions = transactions_of(postgres_url)

    def work():
        with transactions.writing() as connection:
            own = connection.scalar(text("SELECT pg_backend_pid()"))
            with transactions.writing() as other:
                other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
            connection.execute(text("SELECT 1"))

    with pytest.raises(DatabaseBusyError):
        work()
    transactions.engine.dispose()


def test_a_pool_without_a_free_connection_is_busy(any_database):
    transactions = transactions_of(any_database, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with transactions.reading(), pytest.raises(DatabaseBusyError), transactions.reading():
        pass
    transactions.engine.dispose()


def test_a_commit_on_sqlite_is_on_disk(tmp_path):
    """[R1.2] The commit is on disk (SQLite: WAL, `synchronous=FULL`)."""
    transactions = transactions_of(f"sqlite:///{tmp_path / 'office.sqlite3'}")
    upgrade(transactions.engine)
    with transactions.writing() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
    transactions.engine.dispose()


@contextmanager
def a_disk_that_fails_at(file_bytes: int) -> Iterator[None]:
    """Let every write of this process past that size of a file fail, as a broken disk's would."""
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, allowed[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)


def test_a_disk_that_fails_during_a_push_quarantines_none_of_its_entries(sqlite_url):
    """[R5.3] Only faults of infrastructure are answered with «try again» (503 or 507, `Retry-After`)."""
    with small_office(sqlite_url) as office:
        tablet = a_tablet(office)
        for _ in range(5):
            tablet.household()
        log = Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal")
        with a_disk_that_fails_at(log.stat().st_size + 8192):
            answer = tablet.sync()
        assert (answer.status, answer.code) == (503, "database_busy")
        assert answer.headers["Retry-After"]
        assert count(office, "entry") == 0
        answer = tablet.sync()
        assert [verdict["verdict"] for verdict in answer.verdicts] == ["applied"] * 5
        office.runtime.transactions.engine.dispose()


def test_a_database_server_that_cannot_read_or_write_its_files_is_busy(postgres_url):
    transactions = transactions_of(postgres_url)
    for state in ("58030", "58P01", "53000", "53400", "08006", "57014", "25006", "XX001"):
        with pytest.raises(DatabaseBusyError), transactions.writing() as connection:
            connection.execute(text(f"DO $$ BEGIN RAISE 'no disk' USING ERRCODE = '{state}'; END $$"))
    with pytest.raises(StorageFullError), transactions.writing() as connection:
        connection.execute(text("DO $$ BEGIN RAISE 'full' USING ERRCODE = '53100'; END $$"))
    with pytest.raises(DBAPIError), transactions.writing() as connection:
        connection.execute(text("SELECT 1 / 0"))
    transactions.engine.dispose()


def test_a_connection_that_sqlite_could_open_for_reading_alone_is_not_kept(sqlite_url):
    """SQLite opens a file read-only where opening it for writing fails once, and tells nobody."""
    path = sqlite_url.removeprefix("sqlite:///")
    modes = []

    def connect():
        mode = modes.pop() if modes else "rw"
        return sqlite3.connect(f"file:{path}?mode={mode}", uri=True, check_same_thread=False)

    transactions = transactions_of(sqlite_url, creator=connect)
    modes.append("ro")
    with pytest.raises(DatabaseBusyError), transactions.writing() as connection:
        connection.execute(text("INSERT INTO lock_key VALUES ('entry:1')"))
    with transactions.writing() as connection:
        connection.execute(text("INSERT INTO lock_key VALUES ('entry:1')"))
    transactions.engine.dispose()


def test_a_shared_index_that_sqlite_could_open_for_reading_alone_is_not_kept(sqlite_url, tmp_path):
    """All connections of a process share it, and it stays while any of them is open, idle ones too."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    engine = create_engine(sqlite_url)
    upgrade(engine)
    switch_on_write_ahead_log(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO lock_key VALUES ('entry:0')"))
        # As a process leaves them that was killed.
        for end in ("", "-wal", "-shm"):
            shutil.copyfile(f"{path}{end}", tmp_path / f"killed.sqlite3{end}")
    engine.dispose()
    extras = ["&readonly_shm=1"]

    def connect():
        extra = extras.pop() if extras else ""
        address = f"file:{tmp_path / 'killed.sqlite3'}?mode=rw{extra}"
        return sqlite3.connect(address, uri=True, check_same_thread=False)

    transactions = transactions_of(sqlite_url, creator=connect, poolclass=QueuePool)
    with ExitStack() as crowd:
        for _ in range(3):
            reader = crowd.enter_context(transactions.reading())
            reader.execute(text("SELECT count(*) FROM lock_key"))

    def is_written() -> bool:
        try:
            with transactions.writing() as connection:
                connection.execute(text("INSERT INTO lock_key VALUES ('entry:1')"))
        except DatabaseBusyError:
            return False
        return True

    assert [is_written() for _ in range(2)] == [False, True]
    transactions.engine.dispose()


def test_a_pooled_connection_that_cannot_even_be_asked_is_replaced(postgres_url):
    transactions = transactions_of(postgres_url, pool_pre_ping=True)
    with transactions.reading() as connection:
        raw = connection.connection.dbapi_connection
        stuck = connection.scalar(text("SELECT pg_backend_pid()"))
    raw.pgconn.send_query(b"SELECT 1")
    with transactions.reading() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != stuck
    transactions.engine.dispose()


def test_a_line_to_the_database_that_went_dead_is_given_up(postgres_url):
    """Without these a thread waits for as long as the system's own patience: about a quarter of an hour."""
    with small_office(postgres_url) as office, office.runtime.transactions.reading() as connection:
        parameters = connection.connection.driver_connection.info.get_parameters()
        assert parameters["tcp_user_timeout"] == "20000"
        assert parameters["keepalives_idle"] == "10"
        assert parameters["connect_timeout"] == "10"
    office.runtime.transactions.engine.dispose()


def test_what_the_address_of_the_database_says_itself_stands(postgres_url):
    with (
        small_office(f"{postgres_url}&tcp_user_timeout=1234") as office,
        office.runtime.transactions.reading() as connection,
    ):
        assert connection.connection.driver_connection.info.get_parameters()["tcp_user_timeout"] == "1234"
    office.runtime.transactions.engine.dispose()


def test_the_pool_tells_of_a_lost_connection_in_one_line_without_values(capsys):
    """SQLAlchemy's own message comes with a traceback, whose last line the database wrote."""
    configure_logging()
    try:
        _ = {}["Bưởi"]
    except KeyError:
        # As sqlalchemy.pool.base does when a connection cannot be reset.
        logger = logging.getLogger("sqlalchemy.pool.impl.QueuePool")
        logger.exception("Exception during reset or similar of %s", "Bưởi")
        logger.info("a connection of %s", "Bưởi")
    (line,) = capsys.readouterr().err.splitlines()
    assert "Bưởi" not in line
    told = json.loads(line)
    assert (told["event"], told["level"]) == ("database_driver", "error")
    assert told["what"] == "Exception during reset or similar of %s"
