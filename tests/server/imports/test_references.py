"""Whatever may refer to what an import brought is looked at before it is taken back."""

from __future__ import annotations

from server.database import Base
from server.imports.references import REFERENCES, referred_to
from tests.support.funds import COMMUNES, a_fund_office
from tests.support.offices import import_all_models

# Columns by whose names a table refers to something, and to what.
NAMED = {
    "area_key": "area",
    "organisation_key": "organisation",
    "worker_id": "worker",
    "team_id": "team",
    "household_id": "household",
}
# These die with what they name, or follow from something that is looked at.
FOLLOWING = {
    ("clock_mark", "worker_id"),
    ("sheet_code", "target_id"),
}


def test_every_column_that_names_something_is_looked_at():
    """A new table that names a worker, an area, … has to be listed, or say here why it need not be."""
    import_all_models()
    found = {
        (NAMED[column.name], table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name in NAMED and (table.name, column.name) not in FOLLOWING
    }
    listed = {(what, *place) for what, places in REFERENCES.items() for place in places}
    assert found - listed == set()


def test_every_place_that_is_looked_at_is_there():
    import_all_models()
    for places in REFERENCES.values():
        for table, column in places:
            assert column in Base.metadata.tables[table].c


def test_what_money_is_restricted_to_names_its_area(sqlite_runtime):
    """A restriction is written as `area:<key>`, and keeps the area from being taken back."""
    office = a_fund_office(sqlite_runtime)
    office.cash(1_000, ("area", COMMUNES[1]))
    found = office.read(referred_to, "area", [COMMUNES[0], COMMUNES[1]])
    assert found == {COMMUNES[1]}
