"""The supports themselves: a broken fixture would make every other test meaningless."""

from __future__ import annotations

import time

from sqlalchemy import create_engine, inspect, text

from server.audit.changes import Actor, run_change
from server.audit.models import AuditRow
from server.runtime import Runtime
from tests.support.clocks import START_MS
from tests.support.postgres import PostgresCluster


def test_each_database_is_fresh_and_has_the_tables(any_database):
    engine = create_engine(any_database)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_row")).scalar_one() == 0
        connection.execute(AuditRow.__table__.insert(), [_an_audit_row()])
    engine.dispose()


def test_each_database_is_fresh_a_second_time(any_database):
    test_each_database_is_fresh_and_has_the_tables(any_database)


def test_a_blank_database_has_no_table(any_blank_database):
    engine = create_engine(any_blank_database)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_change_is_written_through_the_runtime_of_each_database(any_runtime: Runtime):
    def work(change):
        change.audit("test_ran", "nothing", figure=1)

    run_change(any_runtime.transactions, Actor("job:test"), any_runtime.clock.now_ms(), work)
    with any_runtime.transactions.reading() as connection:
        row = connection.execute(AuditRow.__table__.select()).one()
    assert (row.seq, row.at_ms, row.action) == (1, START_MS, "test_ran")


def test_a_durable_cluster_keeps_what_was_committed_when_it_is_killed():
    started_s = time.monotonic()
    cluster = PostgresCluster(durable=True)
    try:
        url = cluster.url(cluster.new_database())
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE kept AS SELECT 7 AS value"))
        engine.dispose()
        cluster.kill()
        cluster.restart()
        engine = create_engine(url)
        with engine.begin() as connection:
            assert connection.execute(text("SELECT value FROM kept")).scalar_one() == 7
        engine.dispose()
    finally:
        cluster.close()
    assert not cluster.folder.exists()
    assert time.monotonic() - started_s < 60


def _an_audit_row() -> dict[str, object]:
    return {
        "chain": "job:test",
        "seq": 1,
        "at_ms": START_MS,
        "action": "test",
        "subject": "",
        "detail": "{}",
        "digest": "",
    }
