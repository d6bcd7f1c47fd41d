"""The desk journal's file follows the database, tells when it cannot, and brings back what was forgotten."""

from __future__ import annotations

import json
import threading

import pytest

from server.audit.changes import Actor, run_change
from server.audit.desk_journal import (
    DeskJournalAheadError,
    DeskJournalError,
    adopt_desk_lines,
    desk_head,
    desk_lines,
    mirror_desk_journal,
    read_desk_file,
)
from server.database import DatabaseBusyError, StorageFullError
from tests.support.offices import create_schema, open_runtime

ACTOR = Actor("account:supervisor")


def note(runtime, *numbers, fails=False):
    """Make one change with a desk record for each number."""

    def work(change):
        change.audit("noted", "office")
        for number in numbers:
            change.desk("noted", number=number)
        if fails:
            raise LookupError

    run_change(runtime.transactions, ACTOR, runtime.clock.now_ms(), work)


def noted(runtime):
    """Return the numbers in the file, in order."""
    return [line.members["number"] for line in read_desk_file(runtime.transactions.desk_journal)]


def test_records_are_in_the_file_before_the_change_returns(any_runtime):
    note(any_runtime, 1)
    note(any_runtime, 2, 3)
    assert noted(any_runtime) == [1, 2, 3]
    with any_runtime.transactions.reading() as connection:
        stored = desk_lines(connection, 0)
        assert stored == list(read_desk_file(any_runtime.transactions.desk_journal))
        assert desk_head(connection) == (3, stored[-1].digest)
    assert {line.actor for line in stored} == {ACTOR.chain}


def test_only_the_owner_can_read_the_file(any_runtime):
    note(any_runtime, 1)
    assert any_runtime.transactions.desk_journal.stat().st_mode & 0o777 == 0o600


def test_what_is_rolled_back_never_reaches_the_file(any_runtime):
    note(any_runtime, 1)
    with pytest.raises(LookupError):
        note(any_runtime, 2, fails=True)
    note(any_runtime, 3)
    assert noted(any_runtime) == [1, 3]


def test_a_crash_between_the_commit_and_the_file_is_made_good(any_runtime):
    note(any_runtime, 1)
    path = any_runtime.transactions.desk_journal
    kept = path.read_bytes()
    note(any_runtime, 2)
    path.write_bytes(kept)
    mirror_desk_journal(any_runtime.transactions)
    assert noted(any_runtime) == [1, 2]


def test_a_line_torn_by_a_crash_is_written_again(any_runtime):
    note(any_runtime, 1)
    note(any_runtime, 2)
    path = any_runtime.transactions.desk_journal
    path.write_bytes(path.read_bytes()[:-7])
    assert noted(any_runtime) == [1]
    note(any_runtime, 3)
    assert noted(any_runtime) == [1, 2, 3]


def test_a_long_last_line_is_still_found(any_runtime):
    def work(change):
        change.audit("noted", "office")
        change.desk("noted", number="n" * 200_000)

    run_change(any_runtime.transactions, ACTOR, 0, work)
    note(any_runtime, 2)
    assert [len(str(number)) for number in noted(any_runtime)] == [200_000, 1]


def test_many_threads_write_one_chain(any_runtime):
    threads = [threading.Thread(target=note, args=(any_runtime, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(noted(any_runtime)) == list(range(8))


def test_a_file_that_knows_more_than_the_database_is_told_apart_and_adopted(sqlite_runtime, tmp_path):
    note(sqlite_runtime, 1, 2, 3)
    path = sqlite_runtime.transactions.desk_journal
    older = f"sqlite:///{tmp_path / 'older.sqlite3'}"
    create_schema(older)
    with open_runtime(older) as restored:
        note(restored, 1)
        (tmp_path / "older.sqlite3.desk").write_bytes(path.read_bytes())
        with pytest.raises(DeskJournalError):
            mirror_desk_journal(restored.transactions)
    create_schema(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    with open_runtime(f"sqlite:///{tmp_path / 'empty.sqlite3'}") as restored:
        (tmp_path / "empty.sqlite3.desk").write_bytes(path.read_bytes())
        with pytest.raises(DeskJournalAheadError):
            mirror_desk_journal(restored.transactions)
        lines = list(read_desk_file(path))
        with restored.transactions.writing() as connection:
            adopt_desk_lines(connection, lines[:2])
            adopt_desk_lines(connection, lines[2:])
        mirror_desk_journal(restored.transactions)
        note(restored, 4)
        assert noted(restored) == [1, 2, 3, 4]


@pytest.mark.parametrize("damage", ["digest", "number", "missing", "no JSON"])
def test_a_damaged_file_is_found_out(any_runtime, damage):
    for number in range(3):
        note(any_runtime, number)
    path = any_runtime.transactions.desk_journal
    lines = path.read_text("utf-8").splitlines()
    second = json.loads(lines[1])
    match damage:
        case "digest":
            second["digest"] = "0" * 64
        case "number":
            second["content"] = json.dumps({"number": 7})
    lines[1] = "?" if damage == "no JSON" else json.dumps(second)
    if damage == "missing":
        del lines[1]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    with pytest.raises(DeskJournalError):
        list(read_desk_file(path))


def test_a_file_that_cannot_be_written_is_told_and_made_good_later(sqlite_runtime):
    path = sqlite_runtime.transactions.desk_journal
    path.mkdir()
    with pytest.raises((DatabaseBusyError, StorageFullError)):
        note(sqlite_runtime, 1)
    path.rmdir()
    note(sqlite_runtime, 2)
    assert noted(sqlite_runtime) == [1, 2]
