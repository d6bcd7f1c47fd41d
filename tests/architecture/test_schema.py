"""The migrations end at the tables that the models describe, on both databases."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from server.database import Base, prepare_engine
from server.migrations import current_revision, differences, newest_revision, upgrade
from tests.support.offices import BUSY_TIMEOUT_MS, import_all_models


def test_migrating_a_blank_database_gives_the_models_tables(any_blank_database):
    import_all_models()
    engine = create_engine(any_blank_database)
    prepare_engine(engine, BUSY_TIMEOUT_MS)
    try:
        assert upgrade(engine) == newest_revision() is not None
        with engine.connect() as connection:
            assert current_revision(connection) == newest_revision()
            assert differences(connection) == []
        # A second run has nothing left to do.
        assert upgrade(engine) == newest_revision()
    finally:
        engine.dispose()


def test_a_plan_from_before_trees_is_on_tablets_already(any_blank_database):
    """Else the job that shows plans would go through every plan that there ever was."""
    engine = create_engine(any_blank_database)
    prepare_engine(engine, BUSY_TIMEOUT_MS)
    try:
        upgrade(engine, "0002")
        with engine.connect().execution_options(tungnha_writes=True) as connection, connection.begin():
            values = "('p', 1, 'initial', 1, 7)"
            connection.execute(
                text(f"INSERT INTO plan (id, campaign, kind, version, created_ms) VALUES {values}")
            )
        upgrade(engine)
        with engine.connect() as connection:
            kept = connection.execute(text("SELECT shown_ms, effective_from FROM plan")).all()
        assert [tuple(row) for row in kept] == [(7, None)]
    finally:
        engine.dispose()


def test_no_table_has_a_foreign_key():
    """Devices bring facts in any order, so references are rules of the judgement, not of tables."""
    import_all_models()
    assert [key for table in Base.metadata.sorted_tables for key in table.foreign_keys] == []


def test_every_index_and_table_has_a_name_that_fits_postgresql():
    import_all_models()
    names = [index.name for table in Base.metadata.sorted_tables for index in table.indexes]
    names += [table.name for table in Base.metadata.sorted_tables]
    assert [name for name in names if name is None or len(name) > 63] == []
