"""Contributions and premiums: the published worked figures, the limits, and rules for all inputs."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.kinds import CATEGORIES
from schemas.rate_tables import RateTableError, published_rows, published_tables, read_rate_tables, row_on
from schemas.rates import (
    HouseholdTerms,
    Quote,
    RateFault,
    Validity,
    VoluntaryTerms,
    card_validity,
    household_quote,
    income_fault,
    months_after,
    voluntary_quote,
)
from schemas.vectors.make_vectors import FOLDER
from schemas.vectors.rate_cases import shown_quote
from sync.codes import RateCode

TABLES = published_tables()
IN_2022, IN_2025 = date(2022, 3, 1), date(2025, 7, 1)
VECTORS = json.loads((FOLDER / "rates.json").read_text(encoding="ascii"))


def voluntary(income=1_500_000, category="other", months=1, on=IN_2022, **more):
    return voluntary_quote(TABLES, VoluntaryTerms(income, category, months, on, **more))


def household(member=1, months=3, on=IN_2025, **more):
    return household_quote(TABLES, HouseholdTerms(member, months, on, **more))


def code_of(found):
    assert isinstance(found, RateFault)
    return found.code, found.field


def test_the_worked_voluntary_contributions_come_out():
    assert voluntary() == Quote(330_000, 33_000, 0, 297_000)
    assert voluntary(on=IN_2025) == Quote(330_000, 66_000, 0, 264_000)
    assert voluntary(months=12) == Quote(3_960_000, 396_000, 0, 3_564_000)


@pytest.mark.parametrize(
    ("category", "in_2022", "in_2025"),
    [
        ("poor", 99_000, 165_000),
        ("near_poor", 82_500, 132_000),
        ("ethnic_minority", 33_000, 99_000),
        ("other", 33_000, 66_000),
    ],
)
def test_the_state_supports_a_share_of_the_poverty_line_whatever_the_income(category, in_2022, in_2025):
    for income in (1_500_000, 5_000_000):
        assert voluntary(income, category).state_support_vnd == in_2022
        assert voluntary(income, category, on=IN_2025).state_support_vnd == in_2025


@pytest.mark.parametrize(
    ("on", "premiums"),
    [
        (date(2023, 7, 1), (81_000, 56_700, 48_600, 40_500, 32_400, 32_400)),
        (date(2024, 7, 1), (105_300, 73_710, 63_180, 52_650, 42_120, 42_120)),
    ],
)
def test_the_worked_household_premiums_come_out(on, premiums):
    assert tuple(household(member, on=on).due_vnd // 3 for member in range(1, 7)) == premiums


def test_the_fifth_and_every_later_member_pay_alike():
    assert household(5) == household(60)


def test_support_of_a_premium_is_rounded_down_to_the_dong():
    # A base salary of 1,390,000: 62,550 a month, half of it for the fourth, three months; 30 % of 93,825.
    found = household(4, on=date(2018, 7, 1), support="student")
    assert found == Quote(93_825, 28_147, 0, 65_678)


@pytest.mark.parametrize(
    ("income", "on", "code"),
    [
        (1_450_000, IN_2022, "income_below_floor"),
        (700_000, date(2021, 12, 31), None),
        (650_000, date(2021, 12, 31), "income_below_floor"),
        (1_525_000, IN_2022, "income_off_step"),
        (1_550_000, IN_2022, None),
        (29_800_000, IN_2022, None),
        (29_850_000, IN_2022, "income_above_ceiling"),
        (46_800_000, IN_2025, None),
        (50_600_000, date(2026, 7, 1), None),
    ],
)
def test_an_income_is_between_floor_and_ceiling_and_on_a_step(income, on, code):
    found = income_fault(TABLES, income, on)
    assert (found and str(found.code)) == code


def test_the_ceiling_can_be_chosen_where_it_is_off_the_steps():
    rows = [row for row in published_rows() if row["table"] != "base_salary"]
    odd = {**published_rows()[0], "values": {"amount_vnd": 1_391_111}}
    tables = read_rate_tables([*rows, odd])
    assert income_fault(tables, 20 * 1_391_111, IN_2022) is None
    assert income_fault(tables, 20 * 1_391_111 - 1, IN_2022).code is RateCode.INCOME_OFF_STEP


@pytest.mark.parametrize("months", [2, 24, 60])
def test_a_period_without_a_table_has_no_amount(months):
    assert code_of(voluntary(months=months)) == ("rate_table_missing", "months")
    assert code_of(household(months=months)) == ("rate_table_missing", "months")


def test_a_day_before_the_tables_has_no_amount():
    assert code_of(voluntary(on=date(2017, 12, 31))) == ("rate_table_missing", "voluntary")
    assert code_of(voluntary(on=date(2018, 6, 30))) == ("rate_table_missing", "base_salary")
    assert code_of(household(on=date(2018, 6, 30))) == ("rate_table_missing", "household_premium")
    assert code_of(card_validity(TABLES, date(2025, 6, 30), 12, None)) == (
        "rate_table_missing",
        "card_validity",
    )


def test_a_support_that_came_later_is_missing_and_one_never_heard_of_unknown():
    assert code_of(household(on=date(2024, 7, 1), support="near_poor")) == ("rate_table_missing", "support")
    assert code_of(household(support="royal")) == ("support_unknown", "support")


def test_the_state_supports_120_months_of_a_life():
    found = voluntary(months=12, supported_months=114)
    assert found == Quote(3_960_000, 6 * 33_000, 0, 3_960_000 - 6 * 33_000, (RateCode.SUPPORT_USED_UP,))
    assert voluntary(months=12, supported_months=120).state_support_vnd == 0


def test_local_support_lowers_what_is_due_and_never_below_nothing():
    assert voluntary(local_support_vnd=33_000) == Quote(330_000, 33_000, 33_000, 264_000)
    assert voluntary(local_support_vnd=297_000).due_vnd == 0
    assert code_of(voluntary(local_support_vnd=297_001)) == ("local_support_invalid", "local_support")
    assert code_of(household(local_support_vnd=-1)) == ("local_support_invalid", "local_support")


@pytest.mark.parametrize(
    ("paid_on", "previous_to", "from_day", "to_day"),
    [
        (date(2025, 8, 1), None, date(2025, 8, 31), date(2026, 2, 28)),
        (date(2025, 8, 1), date(2025, 8, 31), date(2025, 9, 1), date(2026, 2, 28)),
        (date(2025, 8, 1), date(2025, 5, 4), date(2025, 8, 1), date(2026, 1, 31)),
        (date(2025, 8, 1), date(2025, 5, 3), date(2025, 8, 31), date(2026, 2, 28)),
    ],
)
def test_a_card_waits_only_when_it_is_the_first_or_after_ninety_days(paid_on, previous_to, from_day, to_day):
    assert card_validity(TABLES, paid_on, 6, previous_to) == Validity(from_day, to_day)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"table": "base_salary"}], "row 1: field_missing"),
        ([{**published_rows()[0], "values": {"amount_vnd": 0}}], "row 1: field_invalid amount_vnd"),
        ([{**published_rows()[0], "valid_to": "2018-06-30"}], "row 1: valid_to"),
        ([published_rows()[0], published_rows()[0]], "row 2: base_salary begins twice on 2018-07-01"),
        ([{**published_rows()[0], "values": {"amount_vnd": 1, "x": 2}}], "row 1: field_unknown x"),
    ],
)
def test_rows_that_are_no_tables_are_refused_by_row_and_field(rows, told):
    with pytest.raises(RateTableError) as caught:
        read_rate_tables(rows)
    assert str(caught.value).startswith(told)


def test_a_row_holds_until_its_own_last_day_or_the_next_row():
    first, second = published_rows()[0], published_rows()[1]
    tables = read_rate_tables([{**first, "valid_to": "2019-01-31"}, second])
    assert row_on(tables.base_salary, date(2019, 1, 31)).amount_vnd == 1_390_000
    assert row_on(tables.base_salary, date(2019, 2, 1)) is None
    assert row_on(tables.base_salary, date(2019, 7, 1)).amount_vnd == 1_490_000


_DAYS = st.dates(date(2016, 1, 1), date(2030, 12, 31))


@given(
    st.integers(1, 60_000_000),
    st.sampled_from(CATEGORIES),
    st.integers(1, 60),
    _DAYS,
    st.integers(0, 200),
    st.integers(0, 10_000_000),
)
def test_every_voluntary_quote_adds_up_and_no_input_raises(income, category, months, on, before, local):
    found = voluntary(income, category, months, on, supported_months=before, local_support_vnd=local)
    if isinstance(found, Quote):
        assert found.gross_vnd == found.support_vnd + found.due_vnd
        assert min(found.state_support_vnd, found.local_support_vnd, found.due_vnd) >= 0
        assert income_fault(TABLES, income, on) is None


@given(st.integers(1, 28), st.sampled_from([1, 3, 6, 12]), st.sampled_from(CATEGORIES))
def test_a_period_costs_what_its_months_cost(steps, months, category):
    income = 1_500_000 + steps * 50_000
    if months == 1:
        return
    assert voluntary(income, category, months).due_vnd == months * voluntary(income, category).due_vnd


@given(_DAYS, st.integers(1, 60))
def test_a_card_of_some_months_ends_in_the_month_before_it_would_begin_again(day, months):
    after = months_after(day, months)
    assert (after.year - day.year) * 12 + after.month - day.month in {months, months + 1}
    assert after.day in {day.day, 1}
    assert after - timedelta(days=1) > day - timedelta(days=1)


@pytest.mark.parametrize("position", range(len(VECTORS["voluntary"])))
def test_a_voluntary_vector_gives_its_result(position):
    case = VECTORS["voluntary"][position]
    terms = {**case["terms"], "on": date.fromisoformat(case["terms"]["on"])}
    found = shown_quote(voluntary_quote(read_rate_tables(VECTORS["rows"]), VoluntaryTerms(**terms)))
    assert found == {name: case[name] for name in found}
