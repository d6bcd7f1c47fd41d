"""The database's tables over time: Alembic, run from code with an engine that is already prepared."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from server.database import Base, switch_on_write_ahead_log

_FOLDER = Path(__file__).parent


def _settings() -> AlembicConfig:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(_FOLDER))
    return settings


def upgrade(engine: Engine, revision: str = "head") -> str | None:
    """Bring the tables to the newest revision, or as far as told; return the newest.

    On SQLite this switches the WAL on.
    """
    switch_on_write_ahead_log(engine)
    if revision == "head" and _stands_at_newest(engine):
        # Alembic would read and compile every revision to find nothing to do.
        return newest_revision()
    settings = _settings()
    with engine.connect().execution_options(tungnha_writes=True) as connection, connection.begin():
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
    return newest_revision()


def _stands_at_newest(engine: Engine) -> bool:
    with engine.connect() as connection:
        return current_revision(connection) == newest_revision()


@cache
def newest_revision() -> str | None:
    """Return the newest revision that this code knows."""
    return ScriptDirectory.from_config(_settings()).get_current_head()


@cache
def known_revisions() -> frozenset[str]:
    """Return every revision that this code can bring to the newest."""
    return frozenset(each.revision for each in ScriptDirectory.from_config(_settings()).walk_revisions())


def current_revision(connection: Connection) -> str | None:
    """Return the revision that the database stands at; None before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def differences(connection: Connection) -> list[Any]:
    """Return what the models have and the database lacks, or the other way round."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found: list[Any] = compare_metadata(context, Base.metadata)
    return found


def write_revision(engine: Engine, message: str, revision_id: str) -> None:
    """Write a revision from the differences, at development time."""
    settings = _settings()
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.revision(settings, message=message, autogenerate=True, rev_id=revision_id)
