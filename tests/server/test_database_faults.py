"""A database that cannot serve now is told apart from a fault of ours: trying again is safe."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, text

from server.database import DatabaseBusyError, Transactions, prepare_engine
from server.journals.actions import lock_names
from server.migrations import upgrade

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
