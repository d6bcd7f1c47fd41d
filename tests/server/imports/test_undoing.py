"""Imports taken back: all of it, or nothing and the rows that stand in the way."""

from __future__ import annotations

import pytest

from server.imports.applying import ImportRefusedError, apply_import
from server.imports.kept import FAILED, UNDONE
from server.imports.undoing import UndoRefusedError, undo_import
from tests.server.imports.builders import a_household, checked, imported, waiting
from tests.server.imports.test_applying import SHEETS_IN_ORDER, in_scope
from tests.support.office_checks import count, outcome_of, rows
from tests.support.small_office import COMMUNES

SCOPE = f"area:{COMMUNES[0]}"
OFFICE_TABLES = (
    "area",
    "organisation",
    "worker",
    "team",
    "team_membership",
    "assignment",
    "plan",
    "quota",
    "participant",
    "register_batch",
    "register_baseline",
    "renewal_window",
    "outside_figure",
)


def state_of_office(office):
    """Return every row of the office, and what travels of it."""
    held = {name: sorted(map(str, rows(office, f"SELECT * FROM {name}"))) for name in OFFICE_TABLES}
    records = "SELECT record_type, record_id, wire_json FROM record WHERE wire_json IS NOT NULL"
    return held | {"record": sorted(rows(office, records))}


def obstacles(office, author, run) -> list[tuple[int, str]]:
    with pytest.raises(UndoRefusedError) as caught:
        undo_import(office.runtime, author, run.id)
    return [(found.number, found.code) for found in caught.value.obstacles]


def test_sheets_taken_back_in_their_order_leave_the_office_as_it_was(any_office, author):
    before = state_of_office(any_office)
    done = [imported(any_office.runtime, author, name, *sheet) for name, sheet in SHEETS_IN_ORDER]
    assert state_of_office(any_office) != before
    for run in reversed(done):
        assert undo_import(any_office.runtime, author, run.id).state == UNDONE
    assert state_of_office(any_office) == before
    assert (count(any_office, "household"), count(any_office, "sheet_code")) == (0, 0)


def test_what_was_taken_back_can_be_imported_again(any_office, author):
    sheet = [a_household(n) for n in range(1, 4)]
    run = imported(any_office.runtime, author, "households", *sheet)
    undo_import(any_office.runtime, author, run.id)
    again = imported(any_office.runtime, author, "households", *sheet)
    assert again.added == 3
    assert len(in_scope(any_office, SCOPE)) == 3


def test_tablets_lose_what_is_taken_back(any_office, author):
    run = imported(any_office.runtime, author, "households", *[a_household(n) for n in range(1, 4)])
    tablet = any_office.tablet("an")
    tablet.sync()
    undo_import(any_office.runtime, author, run.id)
    tablet.sync()
    assert in_scope(any_office, SCOPE) == set()
    # Had the sums not agreed, the tablet would have fetched the scope again and told so.
    assert rows(any_office, "SELECT kind FROM incident") == []
    removed = rows(any_office, "SELECT count(*) FROM feed WHERE record_type = 'household' AND op = 'remove'")
    assert removed == [(3,)]


def test_it_is_refused_with_the_rows_that_something_refers_to_or_changed(any_office, author):
    runtime = any_office.runtime
    run = imported(runtime, author, "households", *[a_household(n) for n in range(1, 6)])
    names = dict(rows(any_office, "SELECT head_name, id FROM household"))
    tablet = any_office.tablet("an")
    tablet.sync()
    with tablet.recording() as actions:
        actions.record_visit(household=names["Trần Văn 2"], disposition="agreed")
        actions.register_person(full_name="Lê Thị Lan", household=names["Trần Văn 3"])
        actions.amend_household(names["Trần Văn 5"], hamlet="Ấp Bắc")
    tablet.sync()
    assert obstacles(any_office, author, run) == [
        (3, "row_referred_to"),
        (4, "row_referred_to"),
        (6, "row_changed_since"),
    ]
    assert len(in_scope(any_office, SCOPE)) == 5


def test_workers_with_assignments_cannot_be_taken_back_alone(office, author):
    done = [imported(office.runtime, author, name, *sheet) for name, sheet in SHEETS_IN_ORDER[:4]]
    assert obstacles(office, author, done[2]) == [(2, "row_referred_to"), (3, "row_referred_to")]
    # Areas too: one of them holds an assignment by now only where the sheet gave one.
    assert undo_import(office.runtime, author, done[0].id).state == UNDONE


def test_a_row_that_a_later_sheet_changed_stands_in_the_way(office, author):
    first = imported(office.runtime, author, "workers", {"code": "NV1", "name": "Một"})
    later = imported(office.runtime, author, "workers", {"code": "NV1", "name": "Một Hai"})
    assert obstacles(office, author, first) == [(2, "row_changed_since")]
    undo_import(office.runtime, author, later.id)
    assert undo_import(office.runtime, author, first.id).state == UNDONE


def test_a_changed_household_gets_its_old_values_back_by_an_amendment(any_office, author):
    runtime = any_office.runtime
    imported(runtime, author, "households", a_household(1), a_household(2))
    fresh = [a_household(1, phone="0911111111", members=9, address="Nơi khác"), a_household(2)]
    run = imported(runtime, author, "households", *fresh)
    undo_import(runtime, author, run.id)
    assert checked(runtime, "households", a_household(1), a_household(2)).fates["keep"] == 2
    assert rows(any_office, "SELECT count(*) FROM edit_conflict") == [(0,)]


def test_a_visit_to_a_household_that_was_taken_back_waits_and_is_not_lost(any_office, author):
    run = imported(any_office.runtime, author, "households", a_household(1))
    tablet = any_office.tablet("an")
    tablet.sync()
    [household] = in_scope(any_office, SCOPE)
    with tablet.recording() as actions:
        visit = actions.record_visit(household=household, disposition="agreed")
    undo_import(any_office.runtime, author, run.id)
    tablet.sync()
    assert outcome_of(any_office, visit) == ("held", "reference_not_seen")
    assert outcome_of(any_office, household) == ("voided", None)


def test_an_import_that_failed_half_way_is_taken_back_too(office, author, monkeypatch):
    monkeypatch.setattr("server.imports.applying.CHUNK_ROWS", 2)
    run = waiting(office.runtime, author, "households", *[a_household(n) for n in range(1, 6)])

    def close(done):
        if done.next_number == 5:
            with office.runtime.transactions.writing() as connection:
                connection.exec_driver_sql("UPDATE area SET valid_to = '2019-12-31' WHERE code = '28249'")

    assert apply_import(office.runtime, author, run.id, close).state == FAILED
    assert count(office, "household") == 4
    assert undo_import(office.runtime, author, run.id).state == UNDONE
    assert (count(office, "household"), count(office, "import_row")) == (0, 0)


def test_only_what_was_applied_is_taken_back_and_once(office, author):
    run = waiting(office.runtime, author, "workers", {"code": "NV1", "name": "Một"})
    with pytest.raises(ImportRefusedError, match="not_applied"):
        undo_import(office.runtime, author, run.id)
    apply_import(office.runtime, author, run.id)
    undo_import(office.runtime, author, run.id)
    with pytest.raises(ImportRefusedError, match="not_applied"):
        undo_import(office.runtime, author, run.id)
