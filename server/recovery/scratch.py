"""A scratch office for a drill: its own database and desk journal, gone when the drill is over."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from server.audit.desk_journal import DeskLine
from server.database import Transactions, prepare_engine
from server.recovery.placing import RestoreError
from server.runtime import Runtime


@contextmanager
def scratch_office(live: Runtime, folder: Path, lines: Sequence[DeskLine]) -> Iterator[Runtime]:
    """Give a runtime over an empty database in `folder`, with a desk journal that holds `lines`.

    On PostgreSQL the database is a new one beside the office's, dropped in the end.
    """
    desk_journal = folder / "scratch.desk"
    with os.fdopen(os.open(desk_journal, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.writelines(line.as_text().encode() + b"\n" for line in lines)
    with _scratch_engine(live.transactions.engine, folder, live.clock.now_ms()) as engine:
        prepare_engine(engine, live.config.busy_timeout_ms)
        transactions = Transactions(engine, live.config.busy_timeout_ms, desk_journal, live.sealer)
        try:
            yield replace(live, transactions=transactions)
        finally:
            engine.dispose()


@contextmanager
def _scratch_engine(live: Engine, folder: Path, now_ms: int) -> Iterator[Engine]:
    if live.dialect.name == "sqlite":
        yield create_engine(f"sqlite:///{folder / 'scratch.sqlite3'}", hide_parameters=True)
        return
    name = f"{live.url.database}_drill_{now_ms}"
    _administer(live, f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        yield create_engine(live.url.set(database=name), hide_parameters=True)
    finally:
        _administer(live, f'DROP DATABASE "{name}" WITH (FORCE)')


def _administer(live: Engine, statement: str) -> None:
    try:
        with live.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))
    except SQLAlchemyError as error:
        raise RestoreError("the drill may not create a database of its own (CREATEDB)") from error
