"""The register of a real office: imported in parts, corrected, taken back; beside enrolments at doors."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from server.exchange.derivation import quota_differences
from server.imports import applying
from server.imports.applying import apply_import
from server.imports.jobs import continue_cut_off_imports
from server.imports.kept import FAILED
from server.imports.undoing import UndoRefusedError, undo_import
from server.people.queries import numbers_of_persons
from server.register.actions import seed_windows
from server.register.queries import (
    baselines_of,
    current_lines,
    joinings_of,
    listings_of,
    register_of,
)
from server.register.rules import net_change
from server.register.sealed import opened_line
from tests.server.imports.builders import (
    a_participant,
    a_stated_baseline,
    checked,
    faults,
    imported,
    waiting,
)
from tests.support.desk import a_supervisor
from tests.support.office_checks import count, rows
from tests.support.small_office import COMMUNES, DRIVE, SmallOffice, small_office

TODAY = date(2020, 5, 12)
LAPSED = {"valid_to": date(2020, 3, 31)}
LONG_AGO = {"valid_to": date(2020, 1, 31)}


def enrol(office: SmallOffice, tablet: Any, numbers: list[dict[str, str]], *, batch: int = 100) -> list[str]:
    """Enrol and collect for people with these numbers, a sync after every so many of them."""
    found = []
    for place, number in enumerate(numbers):
        with tablet.recording() as actions:
            person = actions.register_person(full_name="Người", area=COMMUNES[0], **number)
            enrolment = actions.record_enrolment(
                person=person,
                scheme="voluntary",
                status="new",
                from_month="2020-05",
                months=3,
                amount_due_vnd=891_000,
                campaign=DRIVE,
            )
            actions.collect_payment([(enrolment, 891_000)])
        found.append(enrolment)
        if place % batch == batch - 1:
            tablet.sync()
    tablet.sync()
    return found


def insured(number: int) -> dict[str, str]:
    return {"insurance_number": f"79{number:08}"}


def standings(office: SmallOffice) -> Counter[tuple[str, str]]:
    with office.runtime.transactions.reading() as connection:
        found = register_of(connection, "voluntary").standings().values()
    return Counter((each.standing, each.reason) for each in found)


def change_of(office: SmallOffice, code: str = "2019") -> tuple[Any, ...]:
    """Return stock, new, lapsed by reason, and unmatched."""
    with office.runtime.transactions.reading() as connection:
        register = register_of(connection, "voluntary")
        baseline = next(each for each in baselines_of(connection) if each.code == code)
    change = net_change(baseline, TODAY, register.listed_as_of(baseline), register.fates(baseline, TODAY))
    return change.stock, change.new, dict(change.lapsed), change.unmatched


def differences(office: SmallOffice) -> list[str]:
    with office.runtime.transactions.reading() as connection:
        return [str(each) for each in quota_differences(connection, office.runtime)]


def test_enrolments_are_told_apart_by_the_register(any_office, author):
    any_office.change(seed_windows)
    lines = [a_participant(1), a_participant(2, **LAPSED), a_participant(3, **LONG_AGO)]
    imported(any_office.runtime, author, "participants", *lines)
    imported(any_office.runtime, author, "baselines", a_stated_baseline(persons=3))
    enrol(any_office, any_office.tablet("an"), [insured(1), insured(2), insured(3), insured(9), {}])
    assert standings(any_office) == {
        ("renewal", "valid_before"): 2,
        ("new", "returned"): 1,
        ("new", "not_listed"): 1,
        ("pending", "no_number"): 1,
    }
    assert change_of(any_office) == (3, 1, {}, 1)


def test_only_what_is_paid_for_and_not_voided_counts(any_office, author):
    any_office.change(seed_windows)
    imported(any_office.runtime, author, "baselines", a_stated_baseline(persons=0))
    tablet = any_office.tablet("an")
    [enrolment] = enrol(any_office, tablet, [insured(1)])
    assert standings(any_office) == {("new", "not_listed"): 1}
    with tablet.recording() as actions:
        actions.void_entry(enrolment, "Nhầm")
        person = actions.register_person(full_name="Chưa đóng", area=COMMUNES[0], **insured(2))
        actions.record_enrolment(
            person=person,
            scheme="voluntary",
            status="new",
            from_month="2020-05",
            months=3,
            amount_due_vnd=891_000,
            campaign=DRIVE,
        )
    tablet.sync()
    assert standings(any_office) == {}


def test_merged_records_are_looked_up_by_the_numbers_of_all_of_them(any_office, author):
    any_office.change(seed_windows)
    imported(any_office.runtime, author, "participants", a_participant(1))
    tablet = any_office.tablet("an")
    enrol(any_office, tablet, [{"national_id": "082100000001"}])
    with any_office.runtime.transactions.reading() as connection:
        [(cluster, numbers)] = numbers_of_persons(connection).values()
        [joining] = joinings_of(connection, "voluntary")
        [listing] = listings_of(connection, "voluntary")
    assert joining.person == cluster
    assert joining.numbers == numbers
    # Persons and register have one index of one number, or nobody would ever be found.
    assert numbers < listing.numbers


def test_numbers_and_names_are_sealed(tmp_path):
    with small_office(f"sqlite:///{tmp_path / 'sealed.sqlite3'}") as office:
        imported(office.runtime, a_supervisor(office), "participants", a_participant(77))
        database = Path(office.runtime.transactions.engine.url.database)
        held = database.read_bytes() + database.with_name(f"{database.name}-wal").read_bytes()
        for value in ("7900000077", "082100000077", "Lê Thị 77"):
            assert value.encode() not in held
        office.runtime.transactions.engine.dispose()


def test_a_correction_takes_the_place_of_a_line_and_gives_it_back(any_office, author):
    runtime = any_office.runtime
    imported(runtime, author, "participants", a_participant(1), a_participant(2))
    later = imported(runtime, author, "participants", a_participant(1, valid_to=date(2020, 1, 31)))
    assert (later.added, later.changed) == (0, 1)
    assert checked(runtime, "participants", a_participant(2)).fates["keep"] == 1
    assert differences(any_office) == []
    ends = "SELECT valid_to FROM participant WHERE superseded_by IS NULL ORDER BY valid_to"
    assert [str(row[0]) for row in rows(any_office, ends)] == ["2020-01-31", "2020-06-30"]
    undo_import(runtime, author, later.id)
    assert [str(row[0]) for row in rows(any_office, ends)] == ["2020-06-30", "2020-06-30"]


def test_a_column_that_the_sheet_has_not_stays_and_a_blank_number_is_kept(any_office, author):
    runtime = any_office.runtime
    imported(runtime, author, "participants", a_participant(1))
    short = {
        name: value
        for name, value in a_participant(1, national_id=None).items()
        if name not in {"birth_date", "area_code", "valid_from"}
    }
    assert checked(runtime, "participants", short).fates["keep"] == 1
    imported(runtime, author, "participants", {**short, "valid_to": date(2020, 9, 30)})
    assert checked(runtime, "participants", a_participant(1, valid_to=date(2020, 9, 30))).fates["keep"] == 1


def test_a_line_that_a_later_sheet_corrected_stands_in_the_way_of_undoing(any_office, author):
    runtime = any_office.runtime
    first = imported(runtime, author, "participants", a_participant(1), a_participant(2))
    imported(runtime, author, "participants", a_participant(2, valid_to=date(2020, 1, 31)))
    with pytest.raises(UndoRefusedError) as caught:
        undo_import(runtime, author, first.id)
    assert [(each.number, each.code) for each in caught.value.obstacles] == [(3, "row_changed_since")]


def test_one_person_twice_in_a_sheet_is_named(any_office):
    row = a_participant(1)
    once_more = a_participant(1, national_id=None)
    assert faults(any_office.runtime, "participants", row, row, once_more) == [
        ("A3", "key_repeated"),
        ("A4", "key_repeated"),
    ]
    another = a_participant(2, national_id=row["national_id"])
    assert faults(any_office.runtime, "participants", row, another) == [("B3", "number_of_another")]


def test_nothing_of_the_register_counts_before_the_last_change(any_office, author, monkeypatch):
    monkeypatch.setattr(applying, "CHUNK_ROWS", 10)
    seen = []

    def look(_run: Any) -> None:
        with any_office.runtime.transactions.reading() as connection:
            seen.append((len(listings_of(connection, "voluntary")), count(any_office, "participant")))

    run = waiting(any_office.runtime, author, "participants", *[a_participant(n) for n in range(25)])
    apply_import(any_office.runtime, author, run.id, look)
    assert seen == [(0, 10), (0, 20), (0, 25)]
    with any_office.runtime.transactions.reading() as connection:
        assert len(listings_of(connection, "voluntary")) == 25


def test_verification_sees_what_somebody_changed_in_the_register(any_office, author):
    imported(any_office.runtime, author, "participants", a_participant(1))
    imported(any_office.runtime, author, "participants", a_participant(1, valid_to=date(2020, 1, 31)))
    assert differences(any_office) == []
    with any_office.runtime.transactions.writing() as connection:
        connection.exec_driver_sql("UPDATE participant SET superseded_by = NULL")
    assert [each.split(": ")[1].split(" is ")[0] for each in differences(any_office)] == ["superseded_by"]
    with any_office.runtime.transactions.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE participant SET superseded_by = (SELECT import_id FROM register_batch WHERE seq = 2) "
            "WHERE import_id = (SELECT import_id FROM register_batch WHERE seq = 1)"
        )
        connection.exec_driver_sql("UPDATE participant SET national_index = 'x'")
    assert len(differences(any_office)) == 2
    with any_office.runtime.transactions.writing() as connection:
        index = any_office.runtime.sealer.blind_index("national_id", "082100000001")
        connection.exec_driver_sql(f"UPDATE participant SET national_index = '{index}'")


def test_an_import_of_lines_that_was_cut_off_goes_on_where_it_stopped(any_office, author, monkeypatch):
    monkeypatch.setattr(applying, "CHUNK_ROWS", 10)
    run = waiting(any_office.runtime, author, "participants", *[a_participant(n) for n in range(25)])

    def die(_run: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_import(any_office.runtime, author, run.id, die)
    assert current(any_office) == {}
    any_office.clock.advance(seconds=61)
    assert continue_cut_off_imports(any_office.runtime) == 1
    assert len(current(any_office)) == 25


def test_lines_that_failed_half_way_are_taken_back(any_office, author, monkeypatch):
    monkeypatch.setattr(applying, "CHUNK_ROWS", 10)
    run = waiting(any_office.runtime, author, "participants", *[a_participant(n) for n in range(25)])

    def close(_run: Any) -> None:
        with any_office.runtime.transactions.writing() as connection:
            connection.exec_driver_sql("UPDATE area SET valid_to = '2019-12-30' WHERE code = '28249'")

    assert apply_import(any_office.runtime, author, run.id, close).state == FAILED
    assert (current(any_office), count(any_office, "participant")) == ({}, 10)
    undo_import(any_office.runtime, author, run.id)
    assert count(any_office, "participant") == 0


def current(office: SmallOffice) -> dict[tuple[str, date], date]:
    """Return until when the current lines say that somebody is insured, by number and day."""
    with office.runtime.transactions.reading() as connection:
        lines = current_lines(connection, None, most=1000)
    found = {}
    for line in lines:
        values = opened_line(office.runtime.sealer, line.import_id, line.number, line.sealed)
        found[str(values.insurance_number), line.as_of] = line.valid_to
    return found


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_imports_corrections_and_undos_leaves_what_a_plain_list_says(tmp_path, seed):
    """Which line counts is kept step by step; a list laid anew from the imports that stand says the same."""
    random = Random(seed)
    with small_office(f"sqlite:///{tmp_path / 'sequence.sqlite3'}") as office:
        author, standing = a_supervisor(office), []
        for step in range(8):
            if standing and random.random() < 0.35:
                place = random.randrange(len(standing))
                run, sheet = standing[place]
                later = {key for _run, other in standing[place + 1 :] for key in other}
                if later & sheet.keys():
                    with pytest.raises(UndoRefusedError):
                        undo_import(office.runtime, author, run.id)
                else:
                    undo_import(office.runtime, author, run.id)
                    del standing[place]
            else:
                sheet = {
                    (f"79{number:08}", day): date(2020, 3, 1 + step)
                    for number in random.sample(range(6), 3)
                    for day in random.sample([date(2019, 12, 31), date(2020, 4, 30)], random.randint(1, 2))
                }
                lines = [
                    a_participant(int(number[2:]), as_of=day, valid_to=last)
                    for (number, day), last in sheet.items()
                ]
                standing.append((imported(office.runtime, author, "participants", *lines), sheet))
            wanted: dict[tuple[str, date], date] = {}
            for _run, sheet in standing:
                wanted |= sheet
            assert current(office) == wanted
            assert differences(office) == []
        office.runtime.transactions.engine.dispose()


LINES = [
    a_participant(1),
    a_participant(2, **LAPSED),
    a_participant(3, **LAPSED),
    a_participant(4),
    a_participant(5, **LAPSED),
    a_participant(6, insurance_number=None),
]
PEOPLE: list[dict[str, str]] = [
    insured(2),
    insured(8),
    {},
    {"national_id": "082100000006"},
    {"national_id": "082100000099"},
]


def whole_story(path: Path, seed: int) -> tuple[Any, ...]:
    """Let one register and five enrolments arrive in some order and some split; return all that is told."""
    random = Random(seed)
    with small_office(f"sqlite:///{path}") as office:
        author = a_supervisor(office)
        an, binh = office.tablet("an"), office.tablet("binh")
        lines = random.sample(LINES, len(LINES))
        cut = random.randint(1, len(lines) - 1)
        steps: list[Any] = [
            lambda: imported(office.runtime, author, "participants", *lines[:cut]),
            lambda: imported(office.runtime, author, "participants", *lines[cut:]),
            lambda: imported(office.runtime, author, "baselines", a_stated_baseline(persons=len(LINES))),
            lambda: office.change(seed_windows),
            lambda: enrol(office, an, PEOPLE[:3], batch=random.choice([1, 2, 100])),
            lambda: enrol(office, binh, PEOPLE[3:], batch=random.choice([1, 100])),
        ]
        random.shuffle(steps)
        for step in steps:
            step()
        # A correction comes after what it corrects, whenever that was.
        imported(
            office.runtime,
            author,
            "participants",
            a_participant(3, **LAPSED, lapse_reason=None, area_code="28252"),
        )
        told = (
            sorted(standings(office).items()),
            change_of(office),
            sorted(rows(office, "SELECT indicator, state, reason, value FROM credit")),
        )
        assert differences(office) == []
        office.runtime.transactions.engine.dispose()
        return told


def test_any_order_of_arrival_and_any_split_gives_the_same_credits_and_stock(tmp_path):
    told = {seed: whole_story(tmp_path / f"{seed}.sqlite3", seed) for seed in range(6)}
    assert all(each == told[0] for each in told.values())
    # And it is something: a renewal, a new person, pending ones, lapses.
    assert told[0][1] == (6, 1, {"unstated": 2}, 2)
