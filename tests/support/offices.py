"""Offices for tests: a fixed configuration, a schema, and a runtime over any database."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text

import server
from schemas.signatures import to_base64url
from server.config import read_config
from server.database import Base, Transactions, prepare_engine, switch_on_write_ahead_log
from server.migrations import newest_revision
from server.runtime import Runtime
from server.sealing import Sealer
from tests.support.clocks import CountingIds, FakeClock

BUSY_TIMEOUT_MS = 10_000


def _fixed_key(name: str) -> str:
    """Return 32 bytes that are the same in every run; base64url."""
    return to_base64url(hashlib.sha256(f"tungnha test {name}".encode()).digest())


def office_environment(database_url: str) -> dict[str, str]:
    """Return the `TUNGNHA_*` variables of a test's office. The keys are worth nothing elsewhere.

    The desk journal of a PostgreSQL office lies in the cluster's folder, and goes with it.
    """
    url = make_url(database_url)
    folder = url.query.get("host")
    return {
        **({"TUNGNHA_DESK_JOURNAL": f"{folder}/{url.database}.desk"} if folder else {}),
        "TUNGNHA_DATABASE_URL": database_url,
        "TUNGNHA_DATA_KEYS": f"t1:{_fixed_key('data')}",
        "TUNGNHA_INDEX_KEY": _fixed_key("index"),
        "TUNGNHA_OFFICE_KEY": _fixed_key("office"),
        "TUNGNHA_SECRET_KEY": _fixed_key("secret"),
        "TUNGNHA_PUBLIC_URL": "http://localhost:8000",
        "TUNGNHA_TIME_ZONE": "Asia/Ho_Chi_Minh",
        "TUNGNHA_BUSY_TIMEOUT_MS": str(BUSY_TIMEOUT_MS),
    }


def import_all_models() -> None:
    """Import every module of models, so that `Base.metadata` knows every table."""
    for module in pkgutil.walk_packages(server.__path__, "server."):
        if module.name.rpartition(".")[2] == "models":
            importlib.import_module(module.name)


def create_schema(database_url: str) -> None:
    """Create every table in an empty database, as the models have it.

    tests/architecture/test_schema.py proves that the migrations end at the same tables.
    """
    import_all_models()
    engine = create_engine(database_url)
    switch_on_write_ahead_log(engine)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        table = "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) PRIMARY KEY)"
        connection.execute(text(table))
        stamp = "INSERT INTO alembic_version VALUES (:head) ON CONFLICT DO NOTHING"
        connection.execute(text(stamp), {"head": newest_revision()})
    engine.dispose()


@contextmanager
def open_runtime(database_url: str, clock: FakeClock | None = None) -> Iterator[Runtime]:
    """Give a runtime over a database that has its tables; a test that restarts opens it again."""
    config = read_config(office_environment(database_url))
    engine = create_engine(database_url)
    prepare_engine(engine, config.busy_timeout_ms)
    sealer = Sealer(config.data_keys, config.current_data_key, config.index_key)
    try:
        yield Runtime(
            config=config,
            clock=clock or FakeClock(),
            ids=CountingIds(),
            sealer=sealer,
            transactions=Transactions(engine, config.busy_timeout_ms, config.desk_journal, sealer),
        )
    finally:
        engine.dispose()
