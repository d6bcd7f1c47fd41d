"""Sheets applied: the office has what they say, once, all of it or nothing that anybody sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from server.audit.changes import Actor, run_change
from server.imports import applying
from server.imports.applying import ImportRefusedError, apply_import
from server.imports.jobs import continue_cut_off_imports, forget_waiting_imports
from server.imports.kept import APPLIED, APPLYING, CHECKED, EXPIRED, FAILED
from server.journals.queries import desk_journal_head, every_stored_entry
from sync.journal import DESK, chain, genesis_digest
from tests.server.imports.builders import (
    a_household,
    a_participant,
    a_quota,
    a_stated_baseline,
    an_outside_figure,
    checked,
    imported,
    run_now,
    waiting,
)
from tests.support.desk import decide
from tests.support.office_checks import count, outcome_of, rows
from tests.support.small_office import COMMUNES, SmallOffice

WORKERS = [
    {"code": "NV01", "name": "Lê Thị Lan", "organisation_code": "BD"},
    {"code": "NV02", "name": "Phạm Văn Đức", "organisation_code": None},
]
ASSIGNMENTS = [
    {"worker_code": "NV01", "role": "agent", "area_code": "28249", "from_day": "12/05/2020", "to_day": None},
    {
        "worker_code": "NV02",
        "role": "Giám sát viên",
        "area_code": "815",
        "from_day": "2020-05-12",
        "to_day": None,
    },
]
TEAMS = [
    {
        "team_code": "D01",
        "team_name": "Đội 1",
        "worker_code": "NV01",
        "from_day": "12/05/2020",
        "to_day": None,
    },
    {
        "team_code": "D01",
        "team_name": "Đội 1",
        "worker_code": "NV02",
        "from_day": "12/05/2020",
        "to_day": None,
    },
]
AREAS = [
    {"code": "28300", "name": "Xã Mới", "level": "Xã", "parent_code": "816", "valid_from": "01/01/2020"},
    {"code": "816", "name": "Huyện Mới", "level": "Huyện", "parent_code": "82", "valid_from": "01/01/2020"},
]
ORGANISATIONS = [
    {
        "code": "BD-1",
        "name": "Bưu cục 1",
        "kind": "Bưu điện",
        "parent_code": "BD-0",
        "valid_from": "01/01/2020",
    },
    {
        "code": "BD-0",
        "name": "Bưu điện tỉnh",
        "kind": "Bưu điện",
        "parent_code": None,
        "valid_from": "01/01/2020",
    },
]
WINDOWS = [
    {
        "scheme": "voluntary",
        "valid_from": "01/01/2020",
        "days": 30,
        "is_assumption": "Có",
        "source": "Công văn",
    },
]
SHEETS_IN_ORDER = [
    ("areas", AREAS),
    ("organisations", ORGANISATIONS),
    ("workers", WORKERS),
    ("assignments", ASSIGNMENTS),
    ("teams", TEAMS),
    ("quotas", [a_quota("28249", 5, holder_kind="area")]),
    ("participants", [a_participant(n) for n in range(1, 4)]),
    ("baselines", [a_stated_baseline()]),
    ("renewal_windows", WINDOWS),
    ("outside_figures", [an_outside_figure("voluntary_participants", 7_262)]),
    ("households", [a_household(n) for n in range(1, 6)]),
]


def in_scope(office: SmallOffice, scope: str) -> set[str]:
    """Return the ids of the households that a scope's feed lists."""
    statement = "SELECT record_id FROM feed WHERE scope = :scope AND record_type = 'household' AND op = 'put'"
    return {row[0] for row in rows(office, statement, scope=scope)}


def test_every_sheet_is_applied_and_applied_again_changes_nothing(any_office, author):
    for name, sheet in SHEETS_IN_ORDER:
        run = imported(any_office.runtime, author, name, *sheet)
        assert (run.state, run.added, run.changed) == (APPLIED, len(sheet), 0), name
    for name, sheet in SHEETS_IN_ORDER:
        again = checked(any_office.runtime, name, *sheet)
        assert (again.faults, again.fates) == ([], {"add": 0, "change": 0, "keep": len(sheet)}), name
    held = rows(any_office, "SELECT a.role, w.name FROM assignment a JOIN worker w ON w.id = a.worker_id")
    assert ("agent", "Lê Thị Lan") in held
    assert count(any_office, "team_membership") == 3
    [(path,)] = rows(any_office, "SELECT path FROM area WHERE code = '28300'")
    assert path == "/82@2004-01-01/816@2020-01-01/28300@2020-01-01/"
    shown = rows(any_office, "SELECT wire_json FROM record WHERE record_type = 'worker'")
    assert any(json.loads(wire)["name"] == "Phạm Văn Đức" for (wire,) in shown)


def test_a_changed_row_is_changed_and_rows_not_in_the_sheet_stay(any_office, author):
    runtime = any_office.runtime
    imported(runtime, author, "workers", *WORKERS)
    run = imported(runtime, author, "workers", {"code": "NV01", "name": "Lê Thị Lan Anh"})
    assert (run.added, run.changed, run.unchanged) == (0, 1, 0)
    found = rows(any_office, "SELECT name, organisation_key FROM worker WHERE name LIKE 'L_ Th_ Lan%'")
    # A column that the sheet has not stays as it was.
    assert found == [("Lê Thị Lan Anh", "BD@2004-01-01")]
    assert ("Phạm Văn Đức",) in rows(any_office, "SELECT name FROM worker")


def test_an_imported_household_reaches_a_tablet_and_takes_visits_and_edits(any_office, author):
    imported(any_office.runtime, author, "households", *[a_household(n) for n in range(1, 4)])
    tablet = any_office.tablet("an")
    tablet.sync()
    scope = f"area:{COMMUNES[0]}"
    household = sorted(in_scope(any_office, scope))[0]
    with tablet.recording() as actions:
        visit = actions.record_visit(household=household, disposition="agreed")
        amended = actions.amend_household(household, hamlet="Ấp Bắc")
    tablet.sync()
    assert outcome_of(any_office, visit) == ("applied", None)
    assert outcome_of(any_office, amended) == ("applied", None)


def test_numbers_are_sealed_and_travel_masked(office, author):
    imported(office.runtime, author, "households", a_household(7))
    [(wire,)] = rows(office, "SELECT wire_json FROM record WHERE record_type = 'household'")
    assert json.loads(wire)["phone"] == "••••••0007"
    database = Path(office.runtime.transactions.engine.url.database)
    held = database.read_bytes() + database.with_name(f"{database.name}-wal").read_bytes()
    assert b"0900000007" not in held
    # The code is found by its blind index; what is shown of it is sealed.
    assert b"H00007" not in held


def test_a_changed_household_is_amended_on_the_last_entry(any_office, author):
    runtime = any_office.runtime
    imported(runtime, author, "households", *[a_household(n) for n in (1, 2)])
    fresh = [a_household(1, area_code="28252", phone="0911111111"), a_household(2)]
    run = imported(runtime, author, "households", *fresh)
    assert (run.changed, run.unchanged) == (1, 1)
    found = rows(any_office, "SELECT area_key, version FROM household ORDER BY head_name")
    assert found == [(COMMUNES[1], 2), (COMMUNES[0], 1)]
    assert len(in_scope(any_office, f"area:{COMMUNES[1]}")) == 1
    assert checked(runtime, "households", *fresh).fates["keep"] == 2


def test_nothing_of_an_import_is_seen_before_its_last_change(any_office, author, monkeypatch):
    monkeypatch.setattr(applying, "CHUNK_ROWS", 10)
    runtime, scope = any_office.runtime, f"area:{COMMUNES[0]}"
    tablet = any_office.tablet("an")
    seen: list[tuple[int, int]] = []

    def look(run):
        tablet.sync()
        seen.append((len(in_scope(any_office, scope)), count(any_office, "household")))

    run = waiting(runtime, author, "households", *[a_household(n) for n in range(1, 36)])
    apply_import(runtime, author, run.id, look)
    assert seen == [(0, 10), (0, 20), (0, 30), (0, 35)]
    assert len(in_scope(any_office, scope)) == 35
    # The tablet's sums agree with the feed: it would fetch everything again otherwise.
    tablet.sync()
    assert rows(any_office, "SELECT kind FROM incident") == []


def test_an_import_that_was_cut_off_goes_on_where_it_stopped(any_office, author, monkeypatch):
    monkeypatch.setattr(applying, "CHUNK_ROWS", 10)
    runtime = any_office.runtime
    run = waiting(runtime, author, "households", *[a_household(n) for n in range(1, 36)])

    def die(done):
        if done.next_number > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_import(runtime, author, run.id, die)
    assert run_now(runtime, run.id).state == APPLYING
    assert continue_cut_off_imports(runtime) == 0
    any_office.clock.advance(seconds=61)
    assert continue_cut_off_imports(runtime) == 1
    assert run_now(runtime, run.id).state == APPLIED
    assert len(in_scope(any_office, f"area:{COMMUNES[0]}")) == 35
    assert count(any_office, "import_row") == 0


def test_what_the_desk_decides_while_a_chunk_is_prepared_keeps_its_place(any_office, author, monkeypatch):
    """Entries are sealed for their places before the lock is held; somebody may take those places."""
    monkeypatch.setattr(applying, "CHUNK_ROWS", 10)
    runtime = any_office.runtime
    first = a_household(99)
    imported(runtime, author, "households", first)
    household, base = rows(any_office, "SELECT id, last_entry FROM household")[0]
    run = waiting(runtime, author, "households", *[a_household(n) for n in range(1, 36)])
    decided = []

    def decide_first(*arguments):
        body = {"household": household, "base": ([base, *decided])[-1], "set": {"members": len(decided) + 1}}
        decided.append(decide(any_office, author, "household_amended", **body).entry_id)
        return run_change(*arguments)

    monkeypatch.setattr(applying, "run_change", decide_first)
    assert apply_import(runtime, author, run.id).state == APPLIED
    assert len(decided) >= 4
    with runtime.transactions.reading() as connection:
        entries = [
            entry for entry in every_stored_entry(connection, runtime.sealer) if entry.installation_id == DESK
        ]
        head = desk_journal_head(connection)
    assert [entry.seq for entry in entries] == list(range(1, head.seq + 1))
    assert chain(genesis_digest(DESK), [entry.sha256 for entry in entries])[-1] == head.digest
    assert len(in_scope(any_office, f"area:{COMMUNES[0]}")) == 36
    assert head.seq == 1 + 35 + len(decided)


def test_a_row_that_is_refused_meanwhile_leaves_nothing_in_sight(office, author):
    run = waiting(office.runtime, author, "households", *[a_household(n) for n in range(1, 4)])
    with office.runtime.transactions.writing() as connection:
        connection.execute(text("UPDATE area SET valid_to = '2019-12-31' WHERE code = '28249'"))
    done = apply_import(office.runtime, author, run.id)
    assert (done.state, done.code) == (FAILED, "office_changed_since")
    assert in_scope(office, f"area:{COMMUNES[0]}") == set()


def test_an_import_is_applied_once(office, author):
    run = imported(office.runtime, author, "workers", *WORKERS)
    with pytest.raises(ImportRefusedError, match="import_not_checked"):
        apply_import(office.runtime, author, run.id)


def test_two_checks_of_one_sheet_do_not_add_its_rows_twice(office, author):
    first = waiting(office.runtime, author, "workers", *WORKERS)
    second = waiting(office.runtime, author, "workers", *WORKERS)
    apply_import(office.runtime, author, first.id)
    with pytest.raises(ImportRefusedError, match="office_changed_since"):
        apply_import(office.runtime, author, second.id)
    assert run_now(office.runtime, second.id).state == CHECKED


def test_households_need_somebody_who_decides(office):
    nobody = Actor("job:command_line")
    run = waiting(office.runtime, nobody, "households", a_household(1))
    with pytest.raises(ImportRefusedError, match="import_needs_worker"):
        apply_import(office.runtime, nobody, run.id)


def test_rows_that_nobody_applies_are_forgotten_after_a_week(office, author):
    run = waiting(office.runtime, author, "households", a_household(1))
    office.clock.advance(days=6)
    assert forget_waiting_imports(office.runtime) == 0
    office.clock.advance(days=2)
    assert forget_waiting_imports(office.runtime) == 1
    assert (run_now(office.runtime, run.id).state, count(office, "import_row")) == (EXPIRED, 0)
