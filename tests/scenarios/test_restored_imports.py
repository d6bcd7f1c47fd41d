"""Imports outlive a restore from before them: the desk journal holds what they did."""

from __future__ import annotations

from datetime import date

import pytest

from server.imports import applying
from server.imports.applying import apply_import
from server.imports.kept import APPLYING
from server.imports.undoing import undo_import
from server.recovery.actions import end_recovery
from server.register.verification import register_differences
from tests.server.imports.builders import a_household, a_participant, checked, imported, run_now, waiting
from tests.server.imports.test_applying import SHEETS_IN_ORDER, in_scope
from tests.support.desk import a_supervisor
from tests.support.office_checks import count, rows
from tests.support.restoring import backed_up, restored
from tests.support.small_office import COMMUNES

SCOPE = f"area:{COMMUNES[0]}"
HOLDINGS = "SELECT record_type, record_id, wire_json FROM record WHERE wire_json IS NOT NULL"


def test_every_sheet_is_there_again_and_known_to_be(office):
    """[R11.6] What sheets brought no tablet can bring back: it is replayed, and not added twice."""
    author = a_supervisor(office)
    backup = backed_up(office, "backup")
    for name, sheet in SHEETS_IN_ORDER:
        imported(office.runtime, author, name, *sheet)
    changed = [a_household(1, members=9), *SHEETS_IN_ORDER[-1][1][1:]]
    last = imported(office.runtime, author, "households", *changed)
    before = sorted(rows(office, HOLDINGS))
    restored(office, backup)
    assert sorted(rows(office, HOLDINGS)) == before
    assert len(in_scope(office, SCOPE)) == 5
    for name, sheet in [*SHEETS_IN_ORDER[:-1], ("households", changed)]:
        assert checked(office.runtime, name, *sheet).fates["keep"] == len(sheet), name
    # It is known well enough to be taken back.
    undo_import(office.runtime, author, last.id)
    assert checked(office.runtime, "households", *SHEETS_IN_ORDER[-1][1]).fates["keep"] == 5
    end_recovery(office.runtime, anyway=False)


def test_an_import_that_was_taken_back_stays_taken_back(office):
    author = a_supervisor(office)
    backup = backed_up(office, "backup")
    run = imported(office.runtime, author, "households", *[a_household(n) for n in range(1, 4)])
    undo_import(office.runtime, author, run.id)
    restored(office, backup)
    assert (in_scope(office, SCOPE), count(office, "household")) == (set(), 0)
    assert run_now(office.runtime, run.id).state == "undone"


def test_an_import_that_was_cut_off_is_as_hidden_after_a_restore(office, monkeypatch):
    monkeypatch.setattr(applying, "CHUNK_ROWS", 2)
    author = a_supervisor(office)
    run = waiting(office.runtime, author, "households", *[a_household(n) for n in range(1, 6)])
    backup = backed_up(office, "backup")

    def die(_run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_import(office.runtime, author, run.id, die)
    restored(office, backup)
    assert (in_scope(office, SCOPE), count(office, "household")) == (set(), 2)
    assert run_now(office.runtime, run.id).state == APPLYING
    # The backup held the waiting rows, so that it goes on to its end.
    assert (
        applying.continue_import(office.runtime, run_now(office.runtime, run.id), author).state == "applied"
    )
    assert len(in_scope(office, SCOPE)) == 5


def test_lines_of_the_register_stand_in_their_places_again(office):
    """Which line counts is decided by the order of imports, corrections and what was taken back."""
    author = a_supervisor(office)
    backup = backed_up(office, "backup")
    lines = [a_participant(n) for n in range(1, 4)]
    imported(office.runtime, author, "participants", *lines)
    later = imported(office.runtime, author, "participants", a_participant(1, valid_to=date(2020, 1, 31)))
    gone = imported(office.runtime, author, "participants", a_participant(9))
    undo_import(office.runtime, author, gone.id)
    places = "SELECT import_id, number, key_number, sealed, superseded_by FROM participant"
    before = sorted(map(str, rows(office, places)))
    restored(office, backup)
    assert sorted(map(str, rows(office, places))) == before
    with office.runtime.transactions.reading() as connection:
        assert register_differences(connection, office.runtime.sealer) == []
    undo_import(office.runtime, author, later.id)
    assert checked(office.runtime, "participants", *lines).fates["keep"] == 3
