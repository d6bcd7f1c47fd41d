"""Rule 8: device clocks are evidence. Applied and flagged, never refused."""

from __future__ import annotations

import json
from datetime import date

import pytest

from server.office.actions import assign_worker, end_assignment
from sync.clock import DAY_MS
from tests.support.office_checks import rows
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import COMMUNES, LAUNCH_DAY

HOUR_MS = 3_600_000


def interval(office, tablet: RawTablet, seq: int) -> tuple[int, int, str]:
    """Return the corrected interval and the business day of an entry."""
    lower_ms, upper_ms, day = rows(
        office,
        "SELECT lower_ms, upper_ms, business_day FROM entry WHERE installation_id = :id AND seq = :seq",
        id=tablet.installation,
        seq=seq,
    )[0]
    return lower_ms, upper_ms, str(day)


def test_within_one_boot_the_corrected_time_is_exact_whatever_the_wall_clock_says(office, tablet):
    """[R8.1] Same boot: between mark + Δ and the next sync − Δ."""
    tablet.sync()
    office.clock.advance(hours=5)
    tablet.clocks.wall_off_ms = -1000 * DAY_MS
    captured_ms = office.clock.now_ms()
    tablet.household()
    office.clock.advance(days=9)
    tablet.sync()
    assert interval(office, tablet, 1) == (captured_ms, captured_ms, "2020-05-12")


def test_after_a_reboot_the_capture_lies_between_the_last_mark_and_arrival(office, tablet):
    """[R8.1] Otherwise between the last mark and arrival.

    [R8.3] The business day is the claimed day clamped to it.
    """
    office.clock.advance(hours=1)
    tablet.sync()
    marked_ms = office.clock.now_ms()
    tablet.reboot()
    tablet.clocks.wall_off_ms = -30 * DAY_MS
    office.clock.advance(days=2)
    tablet.household()
    tablet.reboot("boot-3")
    office.clock.advance(days=2)
    tablet.sync()
    assert interval(office, tablet, 1) == (marked_ms, office.clock.now_ms(), "2020-05-12")


def test_a_long_journal_that_takes_several_pushes_keeps_the_days_of_its_captures(office, tablet):
    """The syncs between the parts of one long journal prove nothing about the later parts.

    [R8.1] Narrowed by position: after each mark whose head did not reach the entry.
    """
    tablet.household()
    tablet.sync()
    tablet.reboot()
    for _ in range(3):
        office.clock.advance(days=1)
        tablet.household()
    tablet.reboot("boot-3")
    office.clock.advance(days=7)
    sync_ms = office.clock.now_ms()
    for _ in range(3):
        tablet.sync(most=1)
        office.clock.advance(seconds=5)
    days = [interval(office, tablet, seq)[2] for seq in (2, 3, 4)]
    assert days == ["2020-05-13", "2020-05-14", "2020-05-15"]
    assert interval(office, tablet, 4)[1] <= sync_ms


def test_a_clock_ahead_is_flagged_and_the_day_clamped_to_arrival(office, tablet):
    """[R8.3] [R8.4] A claimed time after the upper end is flagged `clock_ahead` and clamped."""
    tablet.clocks.wall_off_ms = 40 * DAY_MS
    tablet.household()
    verdict = tablet.sync().verdicts[0]
    assert (verdict["verdict"], verdict["flags"]) == ("applied", ["clock_ahead"])
    assert interval(office, tablet, 1)[2] == "2020-05-12"


def test_a_clock_five_minutes_ahead_is_nobodys_business(tablet):
    """[R8.4] Only more than 5 minutes after the upper end are flagged."""
    tablet.clocks.wall_off_ms = 5 * 60 * 1000
    tablet.household()
    assert tablet.sync().verdicts[0]["flags"] == []


def test_a_capture_before_the_previous_one_is_flagged(office, tablet):
    """[R8.4] One before the claimed time of the entry before it: `clock_before_previous`."""
    tablet.household()
    tablet.clocks.wall_off_ms = -HOUR_MS
    tablet.household()
    tablet.household()
    assert [verdict["flags"] for verdict in tablet.sync().verdicts] == [[], ["clock_before_previous"], []]
    tablet.clocks.wall_off_ms = -2 * HOUR_MS
    tablet.household()
    assert tablet.sync().verdicts[0]["flags"] == ["clock_before_previous"]


@pytest.mark.parametrize("is_split", [False, True])
def test_what_stands_behind_an_unreadable_entry_is_not_before_it(office, tablet, is_split):
    """[R8.4] When that was captured nobody can read, however the journal is cut into pushes."""
    tablet.household()
    tablet.journal.append("no entry at all")
    if is_split:
        tablet.sync()
    tablet.clocks.wall_off_ms = -HOUR_MS
    tablet.household()
    assert tablet.sync().verdicts[-1]["flags"] == []


def test_what_stands_behind_a_hole_is_not_before_it(office, tablet):
    """[R8.4] When the last entry of a hole was captured nobody knows any more."""
    tablet.household()
    tablet.sync()
    tablet.household()
    tablet.clocks.wall_off_ms = -HOUR_MS
    tablet.household()
    hole = {"from_seq": 2, "floor_seq": 2, "floor_digest": tablet.head_at(2)["digest"]}
    answer = tablet.post(tablet.request(first_seq=3, hole=hole))
    assert (answer.decisions, answer.verdicts[0]["flags"]) == (["applied"], [])


@pytest.mark.parametrize("wall_ms", [0, -(2**53) + 1, 2**53 - 1, -62_135_596_800_001])
def test_no_wall_clock_is_too_far_off(office, tablet, wall_ms):
    captured = tablet.clock_shown() | {"wall_ms": wall_ms}
    tablet.append(
        "household_registered",
        json.loads(tablet.entry("x", {})[1])["body"]
        | {
            "area": COMMUNES[1],
            "head_name": "Lê Văn Tám",
            "address": "12 Hùng Vương",
        },
        captured=captured,
    )
    assert tablet.sync(clock=captured).decisions == ["applied"]
    assert interval(office, tablet, 1)[2] == "2020-05-12"


def test_a_monotonic_clock_that_goes_back_cannot_turn_the_interval_round(office, tablet):
    tablet.sync()
    office.clock.advance(hours=2)
    tablet.household()
    shown = tablet.clock_shown() | {"monotonic_ms": 0}
    assert tablet.sync(clock=shown).decisions == ["applied"]
    lower_ms, upper_ms, _ = interval(office, tablet, 1)
    assert lower_ms <= upper_ms <= office.clock.now_ms()


def test_the_interval_is_frozen_at_first_judgement(office, tablet):
    """[R7.5] [R8.2] A held entry keeps the corrected time and business day of its first judgement."""
    household = tablet.ids.new_id()
    tablet.visit(household)
    tablet.sync()
    frozen = interval(office, tablet, 1)
    office.clock.advance(days=3)
    tablet.append("household_registered", {"area": COMMUNES[1], "head_name": "T", "address": "1"}, household)
    tablet.sync()
    assert interval(office, tablet, 1) == frozen
    assert rows(office, "SELECT business_day FROM visit") in ([("2020-05-12",)], [(date(2020, 5, 12),)])


def test_a_carried_over_entry_keeps_its_predecessors_clock_marks(office, tablet):
    """[R3.7] Clock marks of the predecessor go on counting for carried entries."""
    tablet.sync()
    office.clock.advance(days=1)
    captured_ms = office.clock.now_ms()
    tablet.household()
    office.clock.advance(days=20)
    fresh = tablet.enrolled_again()
    fresh.reboot()
    fresh.sync()
    assert interval(office, fresh, 1)[0] == captured_ms
    assert interval(office, fresh, 1)[2] == "2020-05-13"


def test_the_clock_marks_of_every_predecessor_count_for_a_carried_entry(office, tablet):
    """[R3.7] Clock marks of all predecessors go on counting for carried entries."""
    tablet.sync()
    office.clock.advance(days=1)
    captured_ms = office.clock.now_ms()
    tablet.household()
    tablet.reboot()
    office.clock.advance(days=20)
    last = tablet.enrolled_again().enrolled_again()
    last.sync()
    assert interval(office, last, 1)[0] == captured_ms
    assert interval(office, last, 1)[2] == "2020-05-13"


def test_a_late_arrival_is_flagged(office, tablet):
    """[R6.1] Late (more than 15 days between capture and arrival): flagged."""
    tablet.household()
    office.clock.advance(days=16)
    assert tablet.sync().verdicts[0]["flags"] == ["late_arrival"]


def test_a_fact_outside_its_campaigns_days_is_flagged_and_counted_nowhere_else(office, tablet):
    """[R6.1] Outside the campaign's days: applied and flagged."""
    office.clock.advance(days=1)
    tablet.visit(tablet.household(), campaign=LAUNCH_DAY)
    assert tablet.sync().verdicts[1]["flags"] == ["out_of_campaign"]


def test_a_fact_out_of_the_agents_area_is_applied_and_flagged(office):
    """[R6.1] Out of area: applied and flagged, never refused."""
    binh = a_tablet(office, "binh")
    household = binh.household(COMMUNES[0])
    binh.visit(household, area=COMMUNES[0])
    assert [verdict["flags"] for verdict in binh.sync().verdicts] == [["out_of_area"], ["out_of_area"]]


def test_rights_are_judged_by_the_assignments_at_capture_with_a_grace_period(office):
    """[R6.1] Judged by the assignments at capture, with 15 days of grace (`in_grace`)."""
    binh = a_tablet(office, "binh")
    assignment = rows(office, "SELECT id FROM assignment WHERE worker_id = :id", id=office.agents["binh"])[0][
        0
    ]
    ends_ms = office.clock.now_ms() + HOUR_MS
    office.change(lambda change: end_assignment(change, assignment, ends_ms))
    binh.household()
    office.clock.advance(days=10)
    binh.household()
    office.clock.advance(days=10)
    binh.household()
    flags = [set(verdict["flags"]) - {"late_arrival"} for verdict in binh.sync().verdicts]
    assert flags == [set(), {"in_grace"}, {"no_assignment"}]


def test_going_over_a_quota_changes_nothing(office, tablet):
    """[R6.2] Going over a quota changes nothing."""
    for number in range(12):
        person = tablet.person(national_id=f"0001900000{number:02d}")
        tablet.enrolment(person, campaign=LAUNCH_DAY)
    assert {tuple(verdict["flags"]) for verdict in tablet.sync().verdicts} == {()}
    counted = rows(office, "SELECT count(*) FROM credit WHERE indicator = 'voluntary_enrolled'")
    assert counted == [(12,)]


def test_a_new_assignment_counts_from_its_day(office):
    binh = a_tablet(office, "binh")
    binh.household(COMMUNES[2])
    binh.sync()
    office.clock.advance(hours=1)
    ids, worker, now_ms = office.runtime.ids, office.agents["binh"], office.clock.now_ms()
    office.change(
        lambda change: assign_worker(change, ids, worker, "agent", area_key=COMMUNES[2], from_ms=now_ms)
    )
    office.clock.advance(hours=1)
    binh.household(COMMUNES[2])
    assert binh.sync().verdicts[0]["flags"] == []
