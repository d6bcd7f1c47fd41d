"""Rows that are written in bulk, past SQLAlchemy's parameters, are the rows that were given."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.bulk_rows import among, insert_missing, insert_rows, rows_among, upsert
from server.campaigns.models import CampaignArea
from server.people.models import Household, Person
from server.quotas.models import FactRow

FACTS, PERSONS = FactRow.__table__, Person.__table__
HOSTILE = ["\\N", "a\tb", "a\nb", 'say "mai"', "\\", "'; --", "Lê Thị Bưởi", "", "NULL", "%s", "{1,2}"]


def a_fact(number: int, **members):
    return {
        "fact_id": f"{number:04}",
        "kind": "visit",
        "scheme": None,
        "status": HOSTILE[number % len(HOSTILE)],
        "subject": f"household:{number}",
        "agent_id": "agent",
        "team_id": None,
        "organisation_key": None,
        "promoter": None,
        "area_key": "1@2004-01-01",
        "in_area": number % 2 == 0,
        "campaign": None if number % 3 else 2**53 - 1,
        "business_day": date(2020, 5, 1 + number % 28),
        "upper_ms": -number,
        "paid": False,
        "voided": True,
    } | members


def a_person(number: int):
    names = [column.name for column in PERSONS.c]
    row = dict.fromkeys(names) | {"id": f"{number:04}", "version": 1, "last_entry": "e", "area_key": "a"}
    return row | {
        "full_name": HOSTILE[number % len(HOSTILE)],
        "full_name_key": "k",
        "birth_date": date(1, 1, 1) if number % 2 else None,
        "phone_sealed": bytes(range(256)) if number % 2 else None,
    }


def stored(connection: Connection, table) -> list[dict]:
    rows = connection.execute(select(table).order_by(*table.primary_key)).mappings()
    return [dict(row) for row in rows]


# Below and above the number from which PostgreSQL gets them by COPY.
@pytest.mark.parametrize("number", [0, 1, 19, 20, 700])
def test_rows_are_stored_as_they_are(any_runtime, number):
    facts, persons = [a_fact(n) for n in range(number)], [a_person(n) for n in range(number)]
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, facts)
        insert_rows(connection, PERSONS, persons)
        assert stored(connection, FACTS) == facts
        assert stored(connection, PERSONS) == persons


@pytest.mark.parametrize("number", [1, 50])
def test_a_key_that_is_taken_is_told_as_such_and_nothing_is_stored(any_runtime, number):
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, [a_fact(0)])
    with pytest.raises(IntegrityError), any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, [a_fact(n) for n in reversed(range(number))])
    with any_runtime.transactions.reading() as connection:
        assert len(stored(connection, FACTS)) == 1


@pytest.mark.parametrize("odd", [{"subject": None}, {"upper_ms": 2**63}, {"subject": "\ud800"}])
@pytest.mark.parametrize("number", [1, 50])
def test_a_value_that_the_database_refuses_is_an_error_and_nothing_is_stored(any_runtime, number, odd):
    rows = [a_fact(n) for n in range(number - 1)] + [a_fact(number, **odd)]
    refusals = (DBAPIError, OverflowError, UnicodeEncodeError)
    with pytest.raises(refusals), any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, rows)
    with any_runtime.transactions.reading() as connection:
        assert stored(connection, FACTS) == []


def test_rows_with_a_taken_key_are_changed_or_left_as_asked(any_runtime):
    first, second = a_fact(1), a_fact(1, subject="another", in_area=True, business_day=date(2021, 1, 1))
    with any_runtime.transactions.writing() as connection:
        insert_missing(connection, FACTS, [first], ["fact_id"])
        insert_missing(connection, FACTS, [second], ["fact_id"])
        assert stored(connection, FACTS) == [first]
        upsert(connection, FACTS, [second, a_fact(2)], ["fact_id"])
        assert stored(connection, FACTS) == [second, a_fact(2)]


def test_a_row_that_is_all_key_may_be_put_again(any_runtime):
    """A restore puts every row of the office again, the areas of a campaign too."""
    table = CampaignArea.__table__
    row = {"campaign": 1, "area_key": "28249@2004-01-01"}
    with any_runtime.transactions.writing() as connection:
        for _time in range(2):
            upsert(connection, table, [row], ["campaign", "area_key"])
        assert stored(connection, table) == [row]


def test_a_row_that_leaves_out_a_column_is_an_error(any_runtime):
    broken = a_fact(2)
    del broken["subject"]
    with pytest.raises(Exception, match="subject"), any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, [a_fact(1), broken])


@pytest.mark.parametrize("number", [0, 1, 2, 3000])
def test_keys_are_found_however_many_there_are(any_runtime, number):
    rows = [a_fact(n) for n in range(3000)]
    statement = select(FACTS.c.fact_id).where(among(FACTS.c.fact_id))
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, rows)
        wanted = [*(f"{n:04}" for n in range(number)), *HOSTILE] if number else []
        found = [fact_id for (fact_id,) in rows_among(connection, statement, [*wanted, *wanted])]
    assert sorted(found) == [f"{n:04}" for n in range(number)]


def test_keys_may_be_numbers_and_may_be_of_two_columns(any_runtime):
    statement = select(FACTS.c.fact_id).where(
        among(FACTS.c.campaign), among(FACTS.c.kind, "kinds"), FACTS.c.fact_id != Household.__tablename__
    )
    rows = [a_fact(1, campaign=7), a_fact(2, campaign=8), a_fact(3, campaign=7, kind="install")]
    with any_runtime.transactions.writing() as connection:
        insert_rows(connection, FACTS, rows)
        found = rows_among(connection, statement, [7, 9, 2**53], kinds=["visit"])
    assert [row.fact_id for row in found] == ["0001"]


def test_keys_are_looked_up_and_not_held_against_every_row_of_the_table(sqlite_runtime):
    statement = select(FACTS.c.fact_id).where(FACTS.c.kind == "visit", among(FACTS.c.fact_id))
    with sqlite_runtime.transactions.reading() as connection:
        text = str(statement.compile(connection, compile_kwargs={"render_postcompile": True}))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("visit", "[]")).all()
    assert any("SEARCH fact" in row[-1] and "fact_id=?" in row[-1] for row in plan)
