"""Phases: beside or inside each other, and what they ask for by a day."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.quotas.holidays import HOLIDAYS
from server.quotas.pace import WorkingDays
from server.quotas.phases import Expectations, Phase, PhaseShare, PhasesOverlapError, overfull, unphased

VIETNAM = WorkingDays({holiday.day: holiday.is_worked for holiday in HOLIDAYS})
YEAR = (date(2020, 1, 1), date(2020, 12, 31))
MAY = Phase("m05", "month", "Tháng 5", date(2020, 5, 1), date(2020, 5, 31))
JUNE = Phase("m06", "month", "Tháng 6", date(2020, 6, 1), date(2020, 6, 30))
WEEK = Phase("w20", "week", "Tuần 20", date(2020, 5, 11), date(2020, 5, 17))
LAUNCH = Phase("rq", "launch_day", "Ra quân", date(2020, 5, 23), date(2020, 5, 23))


def by(day: date, amount: int, *shares: PhaseShare) -> Fraction:
    return Expectations(VIETNAM, day).of(amount, YEAR, shares)


def test_without_phases_a_quota_is_spread_over_its_own_working_days() -> None:
    assert by(date(2020, 6, 30), 251) == VIETNAM.expected(251, *YEAR, date(2020, 6, 30))


def test_a_launch_day_asks_for_its_whole_amount_on_that_saturday() -> None:
    whole = PhaseShare(LAUNCH, 50)
    assert by(date(2020, 5, 22), 50, whole) == 0
    assert by(date(2020, 5, 23), 50, whole) == 50
    assert by(date(2020, 12, 31), 50, whole) == 50


def test_a_month_holds_its_week_and_its_launch_day() -> None:
    shares = (PhaseShare(MAY, 100), PhaseShare(WEEK, 20), PhaseShare(LAUNCH, 50))
    # What May leaves to neither, 30, lies on its twenty working days (1 May is off), of which the 15th is
    # the tenth.
    assert by(date(2020, 5, 15), 100, *shares) == Fraction(30 * 10, 20) + 20
    assert by(date(2020, 5, 23), 100, *shares) == Fraction(30 * 15, 20) + 20 + 50
    assert by(date(2020, 5, 31), 100, *shares) == 100


def test_months_stand_beside_each_other_and_the_rest_lies_on_the_year() -> None:
    shares = (PhaseShare(JUNE, 30), PhaseShare(MAY, 40))
    assert unphased(100, YEAR, shares) == 30
    rest = VIETNAM.expected(30, *YEAR, date(2020, 5, 31))
    assert by(date(2020, 5, 31), 100, *shares) == 40 + rest
    assert by(date(2020, 12, 31), 100, *shares) == 100


@pytest.mark.parametrize(
    "phase",
    [
        Phase("half", "week", "Nửa", date(2020, 5, 28), date(2020, 6, 3)),
        Phase("out", "month", "Ngoài", date(2020, 12, 1), date(2021, 1, 31)),
        Phase("before", "month", "Trước", date(2019, 12, 1), date(2019, 12, 31)),
        Phase("twin", "month", "Trùng", MAY.from_day, MAY.to_day),
    ],
)
def test_phases_half_over_each_other_or_outside_are_refused_by_code(phase) -> None:
    with pytest.raises(PhasesOverlapError, match=phase.code):
        overfull(100, YEAR, [PhaseShare(MAY, 1), PhaseShare(phase, 1)])


def test_a_launch_day_may_be_all_of_a_day_that_is_a_phase_of_another_kind() -> None:
    day = Phase("d", "week", "Một ngày", LAUNCH.from_day, LAUNCH.to_day)
    shares = [PhaseShare(LAUNCH, 5), PhaseShare(day, 5)]
    assert Expectations(VIETNAM, LAUNCH.from_day).of(5, (LAUNCH.from_day, LAUNCH.to_day), shares) == 5


def test_phases_that_ask_for_more_than_they_lie_in_are_overfull() -> None:
    assert overfull(100, YEAR, [PhaseShare(MAY, 60), PhaseShare(JUNE, 41)])
    assert overfull(100, YEAR, [PhaseShare(MAY, 60), PhaseShare(WEEK, 61)])
    assert not overfull(100, YEAR, [PhaseShare(MAY, 60), PhaseShare(WEEK, 60), PhaseShare(JUNE, 40)])


@given(st.lists(st.integers(0, 40), min_size=12, max_size=12), st.integers(0, 200))
def test_what_is_expected_never_falls_and_ends_at_the_whole(amounts, rest) -> None:
    starts = [date(2020, month, 1) for month in range(1, 13)] + [date(2021, 1, 1)]
    shares = [
        PhaseShare(Phase(f"m{n}", "month", "x", starts[n], starts[n + 1] - timedelta(days=1)), amount)
        for n, amount in enumerate(amounts)
    ]
    amount = sum(amounts) + rest
    days = [YEAR[0] + timedelta(days=7 * n) for n in range(53)] + [YEAR[1]]
    expected = [by(day, amount, *shares) for day in days]
    assert expected == sorted(expected)
    assert expected[-1] == amount
