"""Percentages and pace."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.quotas.holidays import HOLIDAYS
from server.quotas.pace import WorkingDays, is_misquoted, percent_of, rounded

VIETNAM = WorkingDays({holiday.day: holiday.is_worked for holiday in HOLIDAYS})


def test_665_of_612_is_108_66_and_the_published_107_is_flagged() -> None:
    assert percent_of(665, 612) == Decimal("108.66")
    assert is_misquoted("107", 665, 612)
    assert not is_misquoted("109", 665, 612)
    assert not is_misquoted("108,7 %", 665, 612)
    assert not is_misquoted("107", 665, 621)
    assert not is_misquoted(None, 665, 612)


def test_a_ratio_that_cannot_be_checked_is_flagged() -> None:
    assert is_misquoted("about all", 1, 1)
    assert is_misquoted("100", 1, None)


def test_without_a_quota_there_is_no_percentage() -> None:
    assert percent_of(5, None) is None
    assert percent_of(5, 0) is None


@pytest.mark.parametrize(
    ("value", "expected"), [((1, 8), "0.13"), ((1, 3), "0.33"), ((2, 3), "0.67"), ((5, 1), "5.00")]
)
def test_rounding_is_half_up(value: tuple[int, int], expected: str) -> None:
    assert str(rounded(Fraction(*value))) == expected


def test_may_2020_had_twenty_working_days() -> None:
    # 21 weekdays less 1 May; 30 April was off in the month before.
    assert VIETNAM.count(date(2020, 5, 1), date(2020, 5, 31)) == 20


def test_new_year_and_exchanged_days_are_counted_as_announced() -> None:
    assert VIETNAM.count(date(2020, 1, 22), date(2020, 1, 30)) == 2
    assert VIETNAM.is_working(date(2025, 4, 26))
    assert not VIETNAM.is_working(date(2025, 5, 2))
    # Wednesday to Friday, and the Saturday worked in exchange.
    assert VIETNAM.count(date(2026, 8, 19), date(2026, 8, 23)) == 4


def test_expected_by_today_follows_the_working_days_elapsed() -> None:
    # Monday 4 to Friday 15 May 2020: ten working days.
    first, last = date(2020, 5, 4), date(2020, 5, 15)
    assert VIETNAM.expected(30, first, last, date(2020, 5, 3)) == 0
    assert VIETNAM.expected(30, first, last, first) == 3
    assert VIETNAM.expected(30, first, last, date(2020, 5, 10)) == 15
    assert VIETNAM.expected(30, first, last, date(2020, 6, 1)) == 30
    assert VIETNAM.expected(1, first, last, date(2020, 5, 6)) == Fraction(3, 10)


def test_a_quota_over_a_weekend_alone_is_expected_whole() -> None:
    assert VIETNAM.expected(3, date(2020, 5, 23), date(2020, 5, 23), date(2020, 5, 23)) == 3


@given(st.dates(date(2019, 12, 1), date(2027, 1, 31)), st.integers(-3, 500))
def test_counting_equals_walking_through_the_days(start: date, length_days: int) -> None:
    end = start + timedelta(days=length_days)
    days = (start + timedelta(days=number) for number in range(length_days + 1))
    assert VIETNAM.count(start, end) == sum(VIETNAM.is_working(day) for day in days)


def test_every_exception_of_the_calendar_breaks_the_rule_of_the_week_and_has_a_source() -> None:
    assert len({holiday.day for holiday in HOLIDAYS}) == len(HOLIDAYS)
    for holiday in HOLIDAYS:
        assert holiday.is_worked == (holiday.day.weekday() >= 5), holiday
        assert holiday.source
        assert holiday.name_vi
        assert holiday.name_en
