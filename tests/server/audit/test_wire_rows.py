"""Rows of feeds travel as they were spelled when they were stamped, or when the office was migrated."""

from __future__ import annotations

import json

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from server import migrations
from server.audit.changes import Actor, Change, run_change
from server.audit.queries import feed_rows, feeds_that_disagree
from server.database import prepare_engine
from tests.support.offices import BUSY_TIMEOUT_MS

SCOPE = 'area:"Xã" 1'
RECORD_ID = 'a"b\\c é'


def stamped(runtime, record_id: str, *scopes: str) -> None:
    def work(change: Change) -> None:
        change.put_record("thing", record_id, {"name": 'Lê "Tám" \\ 8', "note": None}, set(scopes))
        change.audit("thing_put", "thing")

    run_change(runtime.transactions, Actor("job:x"), 1, work)


def test_a_row_travels_whole_and_is_json_whatever_its_names_hold(any_runtime):
    stamped(any_runtime, RECORD_ID, SCOPE)
    with any_runtime.transactions.reading() as connection:
        (row,) = map(json.loads, feed_rows(connection, SCOPE, 0, 10))
    assert len(row.pop("row_hash")) == 16
    assert row == {
        "scope": SCOPE,
        "seq": 1,
        "type": "thing",
        "id": RECORD_ID,
        "version": 1,
        "op": "put",
        "record": {"name": 'Lê "Tám" \\ 8', "note": None},
    }


@pytest.mark.parametrize(
    "spoilt", ["", '{"scope":"other"}', None], ids=["missing", "another row", "the record before"]
)
def test_a_row_that_does_not_travel_as_what_it_is_is_found(any_runtime, spoilt):
    stamped(any_runtime, "1", SCOPE)
    with any_runtime.transactions.writing() as connection:
        assert feeds_that_disagree(connection) == []
        if spoilt is None:
            connection.execute(text("UPDATE record SET wire_json = '{}'"))
        else:
            connection.execute(text("UPDATE feed SET wire_row = :spoilt"), {"spoilt": spoilt})
        assert feeds_that_disagree(connection) == [SCOPE]


def test_an_office_of_the_release_before_keeps_its_feeds(any_blank_database):
    """Migrating spells the rows that were stamped before there was a place for it."""
    engine = create_engine(any_blank_database)
    prepare_engine(engine, BUSY_TIMEOUT_MS)
    settings = migrations._settings()
    record = {"type": "thing", "id": RECORD_ID, "wire": '{"name":"Lê Văn Tám"}'}
    try:
        with engine.begin() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, "0001")
            connection.execute(text("INSERT INTO record VALUES (:type, :id, 2, :wire, 'ab')"), record)
            for scope, seq, op, row_hash in ((SCOPE, 7, "put", "ab"), ("office", 9, "remove", "")):
                connection.execute(
                    text("INSERT INTO feed VALUES (:scope, :type, :id, :seq, 2, :op, :row_hash)"),
                    {**record, "scope": scope, "seq": seq, "op": op, "row_hash": row_hash},
                )
        migrations.upgrade(engine)
        with engine.connect() as connection:
            (put,) = map(json.loads, feed_rows(connection, SCOPE, 0, 10))
            (gone,) = map(json.loads, feed_rows(connection, "office", 0, 10))
    finally:
        engine.dispose()
    shared = {"type": "thing", "id": RECORD_ID, "version": 2}
    assert put == shared | {
        "scope": SCOPE,
        "seq": 7,
        "op": "put",
        "row_hash": "ab",
        "record": {"name": "Lê Văn Tám"},
    }
    assert gone == shared | {"scope": "office", "seq": 9, "op": "remove", "row_hash": "", "record": None}
