"""Two records called two, on each kind of database: a decision that outlives a restore, and a race."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from server.access.permissions import Permission, roles_with
from server.audit.changes import run_change
from server.audit.office_rows import OFFICE_CHANGED
from server.dashboard.queries import sight_of
from server.exchange.desk import DeskRefusedError
from server.imports.undoing import undo_import
from server.people.actions import DistinctionRefusedError
from server.people.duplicates import duplicate_pairs
from server.recovery.actions import end_recovery
from server.recovery.drill import drill
from server.recovery.replay import replay_backlog
from server.workbench.actions import distinguish_records, merge_records, undo_distinction
from server.workbench.queries import distinct_list
from tests.server.exchange.test_concurrency import at_once
from tests.server.imports.builders import a_household, imported
from tests.support.desk import a_supervisor, decide
from tests.support.office_checks import count, rows
from tests.support.raw_tablet import a_tablet
from tests.support.restoring import backed_up, restored


def a_pair(tablet, digits=1, **more):
    """Register two persons with one number; return their ids in order."""
    numbers = {"national_id": f"9991900003{digits:02}"}
    pair = tablet.person(**numbers, **more), tablet.person(full_name="Lê Thị Bưởi B", **numbers)
    tablet.sync()
    return min(pair), max(pair)


def sent_again(tablet):
    """Have a tablet push what the restored office asks for: all of it."""
    tablet.acked = 0
    assert set(tablet.sync().decisions) == {"applied"}


def decided(office, author, work):
    """Let `author` do something on the workbench, of whose areas `work` is told."""
    runtime = office.runtime

    def change(change):
        roles = roles_with(Permission.MERGE_RECORDS)
        return work(change, sight_of(change.connection, author.worker_id, roles, change.now_ms))

    return run_change(runtime.transactions, author, runtime.clock.now_ms(), change)


def mark(office, author, pair):
    return decided(office, author, lambda change, sight: distinguish_records(change, sight, *pair))


def unmark(office, author, pair):
    return decided(office, author, lambda change, sight: undo_distinction(change, sight, *pair))


def merge(office, author, pair):
    runtime = office.runtime
    return decided(office, author, lambda change, sight: merge_records(runtime, change, sight, *pair))


def listed(office):
    """Return the pairs that may be one, as (first, other)."""
    with office.runtime.transactions.reading() as connection:
        return [(pair.first_id, pair.other_id) for pair in duplicate_pairs(connection, None, limit=100)]


def called_two(office, author):
    """Return the pairs that were called two, with who did and when."""
    with office.runtime.transactions.reading() as connection:
        roles = roles_with(Permission.SEE_DUPLICATES)
        sight = sight_of(connection, author.worker_id, roles, office.clock.now_ms())
        found = distinct_list(connection, sight, 1)
    return [
        (line.first_id, line.other_id, found.people.get(line.decided_by), line.decided_ms, line.are_one)
        for line in found.lines
    ]


def test_a_decision_is_kept_before_the_tablet_brings_the_records_back(office):
    """[R11.6] The backup knows neither record: the mark is there at once, and the pair is never listed."""
    tablet, author = a_tablet(office), a_supervisor(office)
    backup = backed_up(office, "backup")
    pair = a_pair(tablet)
    assert listed(office) == [pair]
    assert mark(office, author, pair)
    office.clock.advance(hours=1)
    kept = rows(office, "SELECT * FROM distinct_pair")
    seen = called_two(office, author)
    assert [line[:3] for line in seen] == [(*pair, "Đặng Văn Giám Sát")]
    done = restored(office, backup)
    assert (done.replayed[OFFICE_CHANGED], done.waiting) == (1, 0)
    assert count(office, "person") == 0
    assert rows(office, "SELECT * FROM distinct_pair") == kept
    # Nothing is shown of records that are not there.
    assert called_two(office, author) == []
    sent_again(tablet)
    assert count(office, "person") == 2
    assert (listed(office), called_two(office, author)) == ([], seen)
    end_recovery(office.runtime, anyway=False)


def test_what_was_undone_is_undone_after_a_restore_and_replayed_twice(office):
    """[R11.6] A mark from before the backup that was undone after it; and one made, undone, made again."""
    tablet, author = a_tablet(office), a_supervisor(office)
    gone, back = a_pair(tablet, 2), a_pair(tablet, 3)
    mark(office, author, gone)
    backup = backed_up(office, "backup")
    unmark(office, author, gone)
    for decide_so in (mark, unmark, mark):
        office.clock.advance(seconds=60)
        assert decide_so(office, author, back)
    kept = rows(office, "SELECT * FROM distinct_pair")
    for _ in range(2):
        done = restored(office, backup)
        assert done.replayed[OFFICE_CHANGED] == 4
        assert (rows(office, "SELECT * FROM distinct_pair"), listed(office)) == (kept, [gone])


def test_a_drill_compares_what_was_called_two(office):
    """A mark from after the backup is replayed; one that the desk journal lacks is found to be lost."""
    tablet, author = a_tablet(office), a_supervisor(office)
    backup = backed_up(office, "backup")
    first, other = a_pair(tablet, 6)
    mark(office, author, (first, other))
    assert drill(office.runtime, backup).findings == []
    with office.runtime.transactions.writing() as connection:
        values = {"first": first, "other": other}
        moved = "UPDATE distinct_pair SET first_id = :other, other_id = :first WHERE first_id = :first"
        connection.execute(text(moved), values)
    assert drill(office.runtime, backup).findings == [
        f"pair called two person {first} {other} is new",
        f"pair called two person {other} {first} is lost",
    ]


def test_the_desk_journal_does_not_say_whom_a_decision_is_about(office):
    """What names people is sealed there."""
    tablet, author = a_tablet(office), a_supervisor(office)
    pair = a_pair(tablet, 4)
    mark(office, author, pair)
    last = office.runtime.transactions.desk_journal.read_text().splitlines()[-1]
    assert OFFICE_CHANGED in last
    assert pair[0] not in last
    assert pair[1] not in last


def test_a_merge_that_waits_after_a_restore_is_not_stopped_by_a_mark_that_came_after_it(office):
    """[R11.6] Merged, taken apart, then marked: the mark is back before the merge is."""
    tablet, author = a_tablet(office), a_supervisor(office)
    backup = backed_up(office, "backup")
    pair = a_pair(tablet, 5)
    merge(office, author, pair)
    [merged] = rows(office, "SELECT merged_by FROM person WHERE merged_by IS NOT NULL")
    decide(office, author, "records_unmerged", merge=merged[0])
    office.clock.advance(seconds=60)
    mark(office, author, pair)
    done = restored(office, backup)
    assert (done.waiting, count(office, "distinct_pair")) == (2, 1)
    sent_again(tablet)
    assert replay_backlog(office.runtime) == 0
    end_recovery(office.runtime, anyway=False)
    assert [line[:2] for line in called_two(office, author)] == [pair]
    assert rows(office, "SELECT merged_by FROM person WHERE merged_by IS NOT NULL") == []


def test_a_mark_does_not_keep_an_import_from_being_taken_back(office):
    """It is about records that are gone then, and nothing shows it any more."""
    author = a_supervisor(office)
    twice = [a_household(number, phone="0900000007") for number in (1, 2)]
    run = imported(office.runtime, author, "households", *twice)
    [pair] = listed(office)
    mark(office, author, pair)
    assert len(called_two(office, author)) == 1
    undo_import(office.runtime, author, run.id)
    assert (listed(office), called_two(office, author)) == ([], [])
    # Imported again they are other records, about which nothing was decided.
    imported(office.runtime, author, "households", *twice)
    assert len(listed(office)) == 1


@pytest.mark.parametrize("round_", range(4))
def test_two_supervisors_at_once_never_leave_a_pair_merged_and_marked(office, round_):
    """Whoever is second is refused, and told why."""
    tablet, one, another = a_tablet(office), a_supervisor(office), a_supervisor(office)
    pair = a_pair(tablet, 10 + round_)

    def tried(work, author):
        try:
            return work(office, author, pair)
        except (DistinctionRefusedError, DeskRefusedError) as refused:
            return getattr(refused, "code", str(refused))

    done = at_once([lambda: tried(merge, one), lambda: tried(mark, another)])
    merged = rows(office, "SELECT id FROM person WHERE merged_into IS NOT NULL")
    assert len(merged) + count(office, "distinct_pair") == 1
    assert done in ([True, "are_merged"], ["marked_distinct", True])


def test_two_supervisors_at_once_mark_a_pair_once(office):
    tablet, one, another = a_tablet(office), a_supervisor(office), a_supervisor(office)
    pair = a_pair(tablet, 20)
    assert at_once([lambda: mark(office, one, pair), lambda: mark(office, another, pair)]) == [True, True]
    assert count(office, "distinct_pair") == 1
