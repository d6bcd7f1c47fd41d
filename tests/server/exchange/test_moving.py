"""Moving households to another commune: few changes, few statements, and rows that tablets can bear."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import event

from server.access.actions import hash_password, open_account
from server.audit.changes import Actor
from server.cli import main
from server.exchange.moving import Moved, MoveRefusedError, move_households
from server.office.actions import assign_worker, register_worker
from tests.support.desk import a_supervisor
from tests.support.office_checks import count, problems_of, rows
from tests.support.offices import office_environment
from tests.support.small_office import COMMUNES, small_office
from tests.support.staff import PASSWORD

OLD, NEW, ELSEWHERE = COMMUNES[1], COMMUNES[2], COMMUNES[0]


def settle_people(client, households: int, persons: int) -> list[str]:
    """Register households in the old commune, the first of them with a person each, and deliver them."""
    with client.recording() as actions:
        ids = [
            actions.register_household(area=OLD, head_name=f"Chủ hộ {number}", address=f"Số {number}")
            for number in range(households)
        ]
        for household in ids[:persons]:
            actions.register_person(full_name="Lê Thị Bưởi", household=household)
    assert client.sync().is_clean
    return ids


def an_agent_of(office, name: str, commune: str):
    """Return a tablet of a new agent."""

    def work(change) -> str:
        worker = register_worker(change, office.runtime.ids, name)
        change.flush()
        assign_worker(change, office.runtime.ids, worker, "agent", area_key=commune)
        return worker

    office.agents[name] = office.change(work)
    return office.tablet(name)


@contextmanager
def statements_of(office):
    """Give the list of statements that the block sends to the database."""
    engine, sent = office.runtime.transactions.engine, []

    def note(_connection, _cursor, statement, *_rest) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_500_households_move_in_two_changes_and_cost_each_tablet_its_own_rows(office):
    """Chunks and no storm: rows of the two communes alone, one a record, nothing twice."""
    an, binh = office.tablet("an"), office.tablet("binh")
    near, far = an_agent_of(office, "cuc", NEW), an_agent_of(office, "dung", ELSEWHERE)
    settle_people(an, 500, 60)
    author = a_supervisor(office)
    tablets = {"an": an, "binh": binh, "cuc": near, "dung": far}
    for tablet in tablets.values():
        tablet.sync()
    assert len(binh.replica.records("household")) == 500
    with statements_of(office) as sent:
        moved = move_households(office.runtime, author, OLD, NEW)
    assert moved == Moved(households=500, persons=60, changes=2)
    assert len(sent) < 120, "a statement a household would be a storm"
    assert rows(office, "SELECT count(*) FROM audit_row WHERE action = 'households_moved'") == [(3,)]
    reports = {name: tablet.sync() for name, tablet in tablets.items()}
    assert all(report.is_clean for report in reports.values())
    # Of both communes a removal and an arrival; of one of them either.
    assert {name: report.received for name, report in reports.items()} == {
        "an": 1120,
        "binh": 560,
        "cuc": 560,
        "dung": 0,
    }
    assert binh.replica.records("household") == binh.replica.records("person") == {}
    assert len(near.replica.records("household")) == 500
    assert len(an.replica.records("person")) == 60
    assert rows(office, "SELECT DISTINCT area_key FROM household") == [(NEW,)]
    assert count(office, "edit_conflict") == 0


def test_a_dry_run_moves_nothing_and_says_what_would(office):
    an = office.tablet("an")
    settle_people(an, 3, 2)
    moved = move_households(office.runtime, a_supervisor(office), OLD, NEW, is_dry_run=True)
    assert moved == Moved(households=3, persons=2, changes=1)
    assert rows(office, "SELECT DISTINCT area_key FROM household") == [(OLD,)]


def test_moving_again_moves_what_came_since_and_nothing_twice(office):
    an, author = office.tablet("an"), a_supervisor(office)
    settle_people(an, 2, 0)
    assert move_households(office.runtime, author, OLD, NEW).households == 2
    assert move_households(office.runtime, author, OLD, NEW) == Moved(0, 0, 0)
    settle_people(an, 1, 1)
    assert move_households(office.runtime, author, OLD, NEW) == Moved(1, 1, 1)
    assert count(office, "household") == 3


def test_a_tablet_that_moved_a_household_elsewhere_later_keeps_its_word(office):
    """A move is an edit like any other: the latest capture stands, and both are kept."""
    an = office.tablet("an")
    [household] = settle_people(an, 1, 0)
    move_households(office.runtime, a_supervisor(office), OLD, NEW)
    office.clock.advance(hours=1)
    an.actions.amend_household(household, area=ELSEWHERE)
    an.sync()
    assert rows(office, "SELECT area_key FROM household") == [(ELSEWHERE,)]
    assert count(office, "edit_conflict") == 1


@pytest.mark.parametrize(
    ("from_area", "to_area"),
    [
        (OLD, OLD),
        ("99@2004-01-01", NEW),
        (OLD, "99@2004-01-01"),
        ("815@2004-01-01", NEW),
        (OLD, "815@2004-01-01"),
    ],
)
def test_only_from_a_commune_to_a_commune_of_today(office, from_area, to_area):
    with pytest.raises(MoveRefusedError):
        move_households(office.runtime, a_supervisor(office), from_area, to_area)


@pytest.mark.parametrize(
    ("role", "area", "may"),
    [
        ("agent", "815@2004-01-01", False),
        ("auditor", None, False),
        ("supervisor", OLD, False),
        ("supervisor", "815@2004-01-01", True),
        ("administrator", None, True),
    ],
)
def test_only_who_watches_over_both_communes_moves_households(office, role, area, may):
    settle_people(office.tablet("an"), 1, 0)

    def work(change) -> str:
        worker = register_worker(change, office.runtime.ids, "Ai đó")
        change.flush()
        assign_worker(change, office.runtime.ids, worker, role, area_key=area)
        return worker

    worker = office.change(work)
    author = Actor(f"account:{worker}", worker)
    for is_dry_run in (True, False):
        if may:
            moved = move_households(office.runtime, author, OLD, NEW, is_dry_run=is_dry_run)
            assert moved.households == 1
        else:
            with pytest.raises(MoveRefusedError, match="may not"):
                move_households(office.runtime, author, OLD, NEW, is_dry_run=is_dry_run)
    assert rows(office, "SELECT area_key FROM household") == [(NEW if may else OLD,)]


def test_the_command_moves_after_a_dry_run(sqlite_url, monkeypatch):
    for name, value in office_environment(sqlite_url).items():
        monkeypatch.setenv(name, value)
    with small_office(sqlite_url) as office:
        settle_people(office.tablet("an"), 2, 1)
        worker = a_supervisor(office).worker_id
        ids, password_hash = office.runtime.ids, hash_password(PASSWORD)
        office.change(lambda change: open_account(change, ids, worker, "giamsat", password_hash))
        arguments = ["move-households", "--from", OLD, "--to", NEW, "--by", "giamsat"]
        dry = CliRunner().invoke(main, [*arguments, "--dry-run"])
        assert "Would move 2 households and 1 persons in 1 changes." in dry.output
        assert "Moved 2 households and 1 persons in 1 changes." in CliRunner().invoke(main, arguments).output
        assert CliRunner().invoke(main, [*arguments[:-1], "nobody"]).exit_code == 1
        assert (
            CliRunner()
            .invoke(main, ["move-households", "--from", OLD, "--to", OLD, "--by", "giamsat"])
            .exit_code
        )
        assert rows(office, "SELECT DISTINCT area_key FROM household") == [(NEW,)]
        assert problems_of(office) == []
        office.runtime.transactions.engine.dispose()
