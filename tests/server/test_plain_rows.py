"""Queries that are read from the driver give what SQLAlchemy gives, and fail as it does."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import bindparam, or_, select, text
from sqlalchemy.exc import DBAPIError

from server.bulk_rows import among, insert_rows
from server.office.models import Area
from server.plain_rows import PlainQuery

AREA = Area.__table__.c
LEVELS = ("commune", "province")
VALUES = {"on_day": date(2020, 5, 1), "most": 2}


def an_area(number: int) -> dict[str, object]:
    return {
        "key": f"{number}@2004-01-01",
        "code": str(number),
        "valid_from": date(2004 + number * 5, 1, 1),
        "valid_to": None,
        "level": ("province", "district", "commune")[number % 3],
        "name": 'Xã "Mỹ" \\ Phước',
        "name_key": "xa",
        "parent_key": None,
        "path": f"/{number}@2004-01-01/",
    }


@pytest.fixture
def areas(any_runtime):
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, Area.__table__, [an_area(number) for number in range(6)])
    return any_runtime


def test_the_rows_are_those_of_sqlalchemy(areas):
    plain = PlainQuery(select(AREA.key, AREA.name).where(among(AREA.key), AREA.level == "commune"))
    keys = ["2@2004-01-01", "5@2004-01-01", "1@2004-01-01", "2@2004-01-01", "'; --"]
    with areas.transactions.reading() as connection:
        assert list(plain.rows_among(connection, keys)) == [
            ("2@2004-01-01", 'Xã "Mỹ" \\ Phước'),
            ("5@2004-01-01", 'Xã "Mỹ" \\ Phước'),
        ]
        assert plain.rows_among(connection, []) == []


def test_values_are_bound_as_their_columns_are_stored(areas):
    statement = (
        select(AREA.key)
        .where(
            among(AREA.key),
            or_(*(AREA.level == level for level in LEVELS)),
            AREA.valid_from <= bindparam("on_day"),
        )
        .order_by(AREA.key.desc())
        .limit(bindparam("most"))
    )
    keys, plain = sorted(f"{number}@2004-01-01" for number in range(6)), PlainQuery(statement)
    with areas.transactions.reading() as connection:
        expected = connection.execute(statement, {"keys": keys, **VALUES}).all()
        assert expected == [("3@2004-01-01",), ("2@2004-01-01",)]
        assert list(plain.rows_among(connection, keys, **VALUES)) == expected


def test_a_query_sees_what_its_own_transaction_wrote_and_others_do_not(areas):
    plain = PlainQuery(select(AREA.key).where(AREA.level == "hamlet"))
    with areas.transactions.writing() as connection:
        insert_rows(connection, Area.__table__, [an_area(9) | {"level": "hamlet"}])
        assert list(plain.rows(connection)) == [("9@2004-01-01",)]
        with areas.transactions.reading() as other:
            assert list(plain.rows(other)) == []


def test_outside_a_transaction_the_query_begins_one(areas):
    plain = PlainQuery(select(AREA.key).where(AREA.level == "district").order_by(AREA.key))
    with areas.transactions.engine.connect() as connection:
        assert not connection.in_transaction()
        assert list(plain.rows(connection)) == [("1@2004-01-01",), ("4@2004-01-01",)]
        assert connection.in_transaction()


def test_what_the_driver_raises_is_raised_as_sqlalchemy_would(areas):
    plain = PlainQuery(select(AREA.key))
    with areas.transactions.engine.connect() as connection, connection.begin():
        connection.execute(text("DROP TABLE area"))
        with pytest.raises(DBAPIError) as raised:
            plain.rows(connection)
        connection.rollback()
    assert "area" in str(raised.value.orig)


def test_a_column_that_the_driver_does_not_give_as_it_is_is_refused(any_runtime):
    with any_runtime.transactions.reading() as connection:
        if connection.dialect.name == "sqlite":
            with pytest.raises(AssertionError, match="valid_from"):
                PlainQuery(select(AREA.valid_from)).rows(connection)
        else:
            assert list(PlainQuery(select(AREA.valid_from)).rows(connection)) == []
