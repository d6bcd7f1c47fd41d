"""Corrected time: what the marks prove, for any clocks."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.clock import (
    ClockMark,
    ClockReading,
    CorrectedTime,
    VirtualClock,
    business_day,
    correct_time,
    local_day,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY_MS = 86_400_000
ANY = st.integers(-(2**53) + 1, 2**53 - 1)
POSITIVE = st.integers(0, 2**53 - 1)
boots = st.sampled_from(("a", "b", "c"))
marks = st.lists(st.builds(ClockMark, POSITIVE, boots, POSITIVE, st.none() | st.integers(0, 9)), max_size=5)


@given(
    st.builds(ClockReading, ANY, boots, POSITIVE),
    st.integers(1, 9),
    marks,
    POSITIVE,
    boots,
    POSITIVE,
    POSITIVE,
)
def test_the_interval_is_never_turned_round_whatever_the_clocks_say(
    captured, seq, earlier, server_ms, boot, monotonic_ms, enrolled_ms
):
    earlier = sorted(earlier, key=lambda mark: mark.server_ms)
    found = correct_time(captured, seq, earlier, ClockMark(server_ms, boot, monotonic_ms), enrolled_ms)
    assert found.lower_ms <= found.upper_ms
    day = business_day(captured, found, ZONE)
    assert local_day(found.lower_ms, ZONE) <= day <= local_day(found.upper_ms, ZONE)


@given(st.data())
def test_the_interval_of_an_honest_tablet_holds_the_true_moment(data):
    """An honest tablet: true times, any boots, any wall clock, pushes of any length."""
    now_ms, boot, boot_at_ms = 1_000_000, 0, 900_000
    captures: list[tuple[int, ClockReading]] = []
    sent, done_marks = 0, []
    for step in data.draw(st.lists(st.sampled_from(("capture", "reboot", "sync", "part")), max_size=25)):
        now_ms += data.draw(st.integers(1, 5_000))
        if step == "reboot":
            boot, boot_at_ms = boot + 1, now_ms
        elif step == "capture":
            wall_ms = data.draw(ANY)
            captures.append((now_ms, ClockReading(wall_ms, str(boot), now_ms - boot_at_ms)))
        else:
            mark = ClockMark(now_ms, str(boot), now_ms - boot_at_ms, len(captures))
            upto = min(sent + 1, len(captures)) if step == "part" else len(captures)
            for seq in range(sent + 1, upto + 1):
                true_ms, reading = captures[seq - 1]
                found = correct_time(reading, seq, done_marks, mark, 800_000)
                assert found.lower_ms <= true_ms <= found.upper_ms, (seq, done_marks, mark)
            sent = upto
            done_marks.append(mark)


def test_the_same_boot_gives_the_exact_moment():
    mark, sync = ClockMark(1_000, "a", 100, 0), ClockMark(9_000, "a", 8_100, 1)
    found = correct_time(ClockReading(0, "a", 500), 1, [mark], sync, 0)
    assert found == CorrectedTime(lower_ms=1_400, upper_ms=1_400)


def test_another_boot_lies_between_the_last_mark_and_arrival():
    found = correct_time(
        ClockReading(0, "b", 5), 1, [ClockMark(1_000, "a", 100, 0)], ClockMark(9_000, "c", 0), 10
    )
    assert found == CorrectedTime(lower_ms=1_000, upper_ms=9_000)


def test_a_sync_that_showed_the_entry_bounds_it_from_above():
    """[R8.1] Narrowed by position: before each mark whose head reached the entry."""
    mark = ClockMark(5_000, "c", 10, 3)
    found = correct_time(ClockReading(0, "b", 5), 2, [mark], ClockMark(9_000, "c", 4_010), 10)
    assert found == CorrectedTime(lower_ms=10, upper_ms=5_000)


def test_without_any_mark_the_enrolment_bounds_from_below():
    """[R8.1] From the enrolment of the first installation to arrival."""
    found = correct_time(ClockReading(0, "b", 5), 1, [], ClockMark(9_000, "c", 0), 700)
    assert found == CorrectedTime(lower_ms=700, upper_ms=9_000)


@pytest.mark.parametrize(
    ("wall_ms", "day"), [(0, 10), (12 * DAY_MS, 13), (15 * DAY_MS, 16), (99 * DAY_MS, 21), (-(2**52), 10)]
)
def test_the_business_day_is_the_claimed_day_clamped_to_the_interval(wall_ms, day):
    """[R8.3] The business day is the claimed day clamped to the interval."""
    corrected = CorrectedTime(lower_ms=9 * DAY_MS, upper_ms=20 * DAY_MS)
    assert business_day(ClockReading(wall_ms, "a", 0), corrected, ZONE) == date(1970, 1, day)


def test_the_day_is_the_offices_and_not_greenwichs():
    """[R8.3] The business day is in the office's time zone."""
    midnight_ms = 1_589_216_400_000
    assert local_day(midnight_ms, ZONE) == date(2020, 5, 12)
    assert local_day(midnight_ms - 1, ZONE) == date(2020, 5, 11)


@given(ANY)
def test_every_moment_has_a_day(moment_ms):
    assert date.min <= local_day(moment_ms, ZONE) <= date.max


def test_a_virtual_clock_is_shared_through_its_file(tmp_path):
    path = tmp_path / "clock"
    mine = VirtualClock(path)
    mine.set(1_589_248_800_000, 0)
    assert VirtualClock(path).now_ms() == mine.now_ms() == mine.monotonic_ms() == 1_589_248_800_000
    VirtualClock(path).set(1_600_000_000_000, 0)
    assert mine.now_ms() == 1_600_000_000_000
