"""A restore rehearsed aside: on the real backups, with every tablet pushing again."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import text

from server.devices.actions import revoke_installation
from server.recovery.drill import drill, newest_backups
from server.recovery.jobs import gather_heads_nightly
from server.recovery.placing import RestoreError
from server.recovery.restore import restore
from tests.support.at_the_door import a_household, a_paid_enrolment
from tests.support.office_checks import rows
from tests.support.restoring import backed_up
from tests.support.small_office import COMMUNES, small_office


def a_busy_office(office):
    """Two tablets at work before, between and after two backups; one enrols again, one is revoked."""
    an, binh = office.tablet("an"), office.tablet("binh")
    a_paid_enrolment(an)
    household = a_household(binh)
    for client in (an, binh):
        client.sync()
    first = backed_up(office, "first")
    visit = an.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    an.enrol_again(office.enrolment_code("an"))
    a_paid_enrolment(an, "000190000002")
    an.sync()
    second = backed_up(office, "second")
    lost = office.tablet("binh")
    a_household(lost, "Ba")
    lost.sync()
    office.change(lambda change: revoke_installation(change, lost.identities.current().installation))
    a_household(lost, "Bốn")
    lost.sync()
    an.actions.void_entry(visit, "Nhầm hộ")
    an.sync()
    binh.sync()
    gather_heads_nightly(office.runtime)
    return first, second


def test_a_drill_restores_both_backups_aside_and_misses_nothing(office):
    """The real backups, the real desk journal, every tablet pushing again; the office is untouched."""
    backups = a_busy_office(office)
    assert newest_backups(office.runtime) == [backups[1], backups[0]]
    before = rows(office, "SELECT count(*) FROM audit_row")
    lines = office.runtime.transactions.desk_journal.read_bytes()
    pushed = []
    for backup in backups:
        done = drill(office.runtime, backup)
        assert done.findings == []
        pushed.append(done.pushed)
    assert pushed[0] > pushed[1] > 0
    assert rows(office, "SELECT count(*) FROM audit_row") == before
    assert office.runtime.transactions.desk_journal.read_bytes() == lines


def test_a_drill_finds_what_a_restore_would_lose(office):
    """Something that lives in the database alone, and that no tablet can bring back."""
    _, backup = a_busy_office(office)
    with office.runtime.transactions.writing() as connection:
        connection.execute(
            text("INSERT INTO worker VALUES (:id, 'Không ai', 'khong ai', NULL, 1)"), {"id": "w"}
        )
        connection.execute(
            text("INSERT INTO record VALUES ('worker', 'w', 1, :wire, 'x')"), {"wire": '{"name":"Không ai"}'}
        )
    try:
        assert drill(office.runtime, backup).findings == ["office setting worker w is lost"]
    finally:
        with office.runtime.transactions.writing() as connection:
            connection.execute(text("DELETE FROM record WHERE record_id = 'w'"))


def test_a_drill_finds_a_damaged_backup(office):
    backups = a_busy_office(office)
    content = backups[1].read_bytes()
    backups[1].write_bytes(content[: len(content) // 2])
    with pytest.raises(RestoreError):
        drill(office.runtime, backups[1])


# A dump of PostgreSQL can only be told apart once it is restored, into the empty database.
@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
def test_a_restore_of_another_offices_backup_is_refused(office, sqlite_template, tmp_path):
    """The backup's last desk record must be the one that the desk journal has under that number."""
    other_url = f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'other.sqlite3')}"
    with small_office(other_url) as other:
        backup = backed_up(other, "other")
        a_household(office.tablet("an"))
        with pytest.raises(RestoreError, match="not of one office"):
            restore(office.runtime, backup)
        other.runtime.transactions.engine.dispose()
