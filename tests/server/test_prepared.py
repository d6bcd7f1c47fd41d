"""Statements that go past SQLAlchemy's machinery read, write and fail as those that go through it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import bindparam, event, select, update
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from server.bulk_rows import insert_rows
from server.prepared import rows_of, run_text, write_rows
from server.quotas.models import FactRow
from tests.server.test_bulk_rows import a_fact

FACTS = FactRow.__table__
BY_SUBJECT = select(FACTS).where(FACTS.c.subject == bindparam("subject")).order_by(FACTS.c.fact_id)
TWO = select(FACTS.c.fact_id, FACTS.c.business_day).order_by(FACTS.c.fact_id).limit(2)
MOVED = (
    update(FACTS)
    .where(FACTS.c.fact_id == bindparam("key"))
    .values(business_day=bindparam("day"), in_area=bindparam("is_in"), scheme=bindparam("scheme_now"))
)


def test_rows_are_read_as_sqlalchemy_reads_them_by_place_and_by_name(any_runtime):
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, [a_fact(n, subject=f"s{n % 2}") for n in range(40)])
        expected = connection.execute(BY_SUBJECT, {"subject": "s1"}).all()
        found = rows_of(connection, BY_SUBJECT, {"subject": "s1"})
        assert [tuple(row) for row in found] == [tuple(row) for row in expected]
        assert [row.business_day for row in found] == [row.business_day for row in expected]
        assert {type(row.in_area) for row in found} == {bool}
        assert rows_of(connection, BY_SUBJECT, {"subject": "nobody"}) == []
        assert [row.fact_id for row in rows_of(connection, TWO, {})] == ["0000", "0001"]


def test_rows_are_written_each_with_its_own_values(any_runtime):
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, [a_fact(n) for n in range(3)])
        moved = [
            {
                "key": f"{n:04}",
                "day": date(2021, 1, n),
                "is_in": n == 1,
                "scheme_now": None if n == 1 else "a",
            }
            for n in (1, 2)
        ]
        write_rows(connection, MOVED, moved)
        rows = connection.execute(select(FACTS).order_by(FACTS.c.fact_id)).all()
    shown = [(row.business_day, row.in_area, row.scheme) for row in rows[1:]]
    assert shown == [(date(2021, 1, 1), True, None), (date(2021, 1, 2), False, "a")]


def test_whoever_listens_to_the_statements_hears_every_one(any_runtime):
    heard: list[str] = []

    def note(_connection, _cursor, statement, *_):
        heard.append(statement.split()[0])

    engine = any_runtime.transactions.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with any_runtime.transactions.writing() as connection:
            insert_rows(connection, FACTS, [a_fact(1)])
            rows_of(connection, BY_SUBJECT, {"subject": "s"})
            values = {"key": "0001", "day": date(2021, 1, 1), "is_in": True, "scheme_now": None}
            write_rows(connection, MOVED, [values])
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert [word for word in heard if word in {"INSERT", "SELECT", "UPDATE"}] == [
        "INSERT",
        "SELECT",
        "UPDATE",
    ]


def test_an_error_of_the_driver_is_told_as_sqlalchemy_tells_it(any_runtime):
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, [a_fact(1)])
    with pytest.raises(IntegrityError), any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, [a_fact(1)])
    missing = (OperationalError, ProgrammingError)
    with pytest.raises(missing), any_runtime.transactions.writing() as connection:
        run_text(connection, "DELETE FROM no_such_table")
    with any_runtime.transactions.reading() as connection:
        assert [row.fact_id for row in rows_of(connection, TWO, {})] == ["0001"]


def test_outside_a_transaction_a_statement_begins_one(any_runtime):
    with any_runtime.transactions.engine.connect() as connection:
        assert not connection.in_transaction()
        assert rows_of(connection, TWO, {}) == []
        assert connection.in_transaction()


def test_a_statement_sees_what_its_own_transaction_wrote_and_others_do_not(any_runtime):
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, [a_fact(1)])
        assert [row.fact_id for row in rows_of(connection, TWO, {})] == ["0001"]
        with any_runtime.transactions.reading() as other:
            assert rows_of(other, TWO, {}) == []
