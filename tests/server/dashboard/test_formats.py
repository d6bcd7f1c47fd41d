"""How pages write numbers, days and ages."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from server.dashboard import formats

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MINUTE_MS = 60_000
NOON_MS = 1_589_259_600_000  # 12 May 2020 12:00 in Việt Nam


@pytest.mark.parametrize(
    ("done", "quota", "vietnamese", "english"),
    [
        (665, 612, "108,66 %", "108.66%"),
        (18_816, 16_651, "113,00 %", "113.00%"),
        (1, 3, "33,33 %", "33.33%"),
        (2, 3, "66,67 %", "66.67%"),
        (12_345, 1, "1.234.500,00 %", "1,234,500.00%"),
        (5, 0, "–", "–"),
        (5, None, "–", "–"),
    ],
)
def test_a_percentage_is_computed_from_its_two_numbers(done, quota, vietnamese, english):
    assert formats.percent(done, quota, "vi").replace("\u00a0", " ") == vietnamese
    assert formats.percent(done, quota, "en") == english


@pytest.mark.parametrize(("text", "shown"), [("107", "107 %"), ("26,9 %", "26,9 %"), ("108.5", "108,5 %")])
def test_a_published_percentage_keeps_its_own_decimals(text, shown):
    assert formats.given_percent(text, "vi").replace("\u00a0", " ") == shown


@pytest.mark.parametrize(("done", "quota", "filled"), [(0, 9, 0), (1, 2, 500), (3, 2, 1000), (9, 0, 0)])
def test_a_bar_never_goes_over_its_end(done, quota, filled):
    assert formats.share(done, quota) == filled


def test_numbers_are_grouped_as_the_language_does():
    assert formats.number(12_345_678, "vi") == "12.345.678"
    assert formats.number(-1_234, "en") == "−1,234"


@pytest.mark.parametrize(
    ("minutes", "vietnamese", "english"),
    [
        (0, "vừa xong", "just now"),
        (1, "1 phút trước", "1 minute ago"),
        (59, "59 phút trước", "59 minutes ago"),
        (60, "1 giờ trước", "1 hour ago"),
        (3 * 24 * 60, "3 ngày trước", "3 days ago"),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(minutes, vietnamese, english):
    at_ms = NOON_MS - minutes * MINUTE_MS
    assert formats.age(at_ms, NOON_MS, "vi") == vietnamese
    assert formats.age(at_ms, NOON_MS, "en") == english


def test_moments_are_the_offices_own():
    assert formats.moment(NOON_MS, ZONE, "vi").replace("\u00a0", " ") == "12:00 12/05/2020"
    assert formats.day(date(2020, 5, 3), "en") == "3 May 2020"


@pytest.mark.parametrize("claimed_ms", [-(2**53), 2**53])
def test_a_time_that_no_calendar_holds_is_shown_all_the_same(claimed_ms):
    assert formats.moment(claimed_ms, ZoneInfo("UTC"), "vi")


def test_control_characters_of_original_bytes_become_visible():
    assert formats.visible_text("a\x00b\x1b\nc\x7f") == "a␀b␛\nc␡"
