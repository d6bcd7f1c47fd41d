"""Freshness, sync states, completeness, order and sums of the board's lines."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from server.dashboard.rules import (
    BoardLine,
    PlanFigure,
    SyncState,
    freshness_of,
    paged,
    sorted_lines,
    sync_of,
    totals_of,
    vietnamese_order,
)

DAY_MS = 24 * 60 * 60 * 1000
NOW_MS = 100 * DAY_MS


@dataclass(frozen=True)
class ATablet:
    """What the rules need of an installation."""

    state: str = "active"
    last_sync_ms: int | None = NOW_MS
    unsent: int = 0


def a_line(name: str, done: int, quota: int | None, expected: int | None) -> BoardLine:
    return BoardLine(name, name, None, None, done, (PlanFigure("initial", quota, expected),), None)


@pytest.mark.parametrize(
    ("age_ms", "freshness"),
    [
        (0, "fresh"),
        (3 * DAY_MS, "fresh"),
        (3 * DAY_MS + 1, "stale"),
        (7 * DAY_MS, "stale"),
        (7 * DAY_MS + 1, "silent"),
    ],
)
def test_an_agent_is_fresh_for_three_days_and_silent_after_seven(age_ms, freshness):
    assert freshness_of(NOW_MS - age_ms, NOW_MS) == freshness


def test_an_agent_never_heard_is_neither_fresh_nor_silent():
    assert sync_of([], NOW_MS) == SyncState(None, "never", None, None)


def test_unsent_entries_of_all_tablets_in_use_add_up_with_the_age_of_the_oldest_report():
    tablets = [ATablet(unsent=3), ATablet(unsent=4, last_sync_ms=NOW_MS - 5), ATablet("superseded", unsent=9)]
    assert sync_of(tablets, NOW_MS) == SyncState(NOW_MS, "fresh", 7, NOW_MS - 5)


def test_nobody_knows_what_a_fenced_tablet_still_holds():
    assert sync_of([ATablet("fenced")], NOW_MS).unsent is None


def test_who_lags_most_comes_first():
    lines = [a_line("Ba", 9, 10, 10), a_line("An", 10, 10, 10), a_line("Tư", 1, 10, 10)]
    assert [line.name for line in sorted_lines(lines, "behind")] == ["Tư", "Ba", "An"]


def test_names_are_sorted_by_the_given_name_in_vietnamese_order():
    names = ["Trần Văn Ý", "Lê Thị Ánh", "Phạm Đào", "Ngô Danh", "Bùi An"]
    assert sorted(names, key=vietnamese_order) == [
        "Bùi An",
        "Lê Thị Ánh",
        "Ngô Danh",
        "Phạm Đào",
        "Trần Văn Ý",
    ]


def test_sums_are_of_all_lines():
    lines = [a_line("An", 1, 10, 5), a_line("Ba", 2, None, None)]
    assert totals_of(lines) == (PlanFigure("initial", 10, 5),)


def test_a_page_of_a_list_knows_whether_there_is_more():
    shown, listing = paged([1, 2, 3], 2, 2)
    assert (shown, listing.first, listing.last, listing.has_older) == ([1, 2], 3, 4, True)
