"""Published figures: ratios over named denominators, the printed ratio apart. Figures of the accounts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from server.outside.rules import Published, growths
from server.quotas.pace import denominators_of

END = date(2020, 12, 31)


def a_figure(
    figure: str, value: int | None, denominator: int | None = None, quoted: str | None = None, **more
):
    bounds = (denominator, denominator)
    is_derived = denominator is None and value is not None and quoted is not None
    if is_derived:
        bounds = denominators_of(value, quoted)
    return Published(
        figure=figure,
        area_key=None,
        day=more.pop("day", END),
        value=value,
        denominator_name="Mẫu số",
        denominator_day=END,
        denominator_low=bounds[0],
        denominator_high=bounds[1],
        is_derived=is_derived,
        quoted_percent=quoted,
        source="Báo cáo",
        source_day=END,
    )


@pytest.mark.parametrize(
    ("value", "denominator", "quoted", "percent", "is_misquoted"),
    [
        (3_284, 3_691, None, "88.97", False),
        # 665 of 612 is printed as 107 %, which would be 655 or 621 people.
        (665, 612, "107", "108.66", True),
        (11_554, 7_262, "159", "159.10", False),
    ],
)
def test_a_ratio_is_computed_and_the_printed_one_compared(value, denominator, quoted, percent, is_misquoted):
    figure = a_figure("other", value, denominator, quoted)
    assert (figure.percent, figure.is_misquoted) == (Decimal(percent), is_misquoted)


@pytest.mark.parametrize(
    ("value", "quoted", "bounds"),
    [
        (18_816, "113", (16_578, 16_725)),
        (18_816, "107", (17_504, 17_667)),
        (281_909, "29.9", (941_266, 944_418)),
        (184_829, "26.9", (685_822, 688_376)),
    ],
)
def test_a_denominator_known_by_its_ratio_is_bounds_that_give_the_ratio_at_both_ends(value, quoted, bounds):
    figure = a_figure("insurance_coverage", value, None, quoted)
    assert (figure.bounds, figure.percent, figure.is_misquoted) == (bounds, None, False)
    low, high = figure.percent_bounds
    half = Decimal("0.5") if "." not in quoted else Decimal("0.05")
    assert Decimal(quoted) - half <= low <= high <= Decimal(quoted) + half


def test_a_satisfaction_of_98_per_cent_is_kept_without_any_number_of_people():
    figure = a_figure("satisfaction", None, None, "98")
    assert (figure.percent, figure.percent_bounds, figure.is_misquoted) == (None, None, False)


def test_a_stock_is_its_earlier_one_and_the_increase():
    """18,816 = 7,262 + 11,554."""
    stocks = [
        a_figure("voluntary_participants", 18_816),
        a_figure("voluntary_participants", 7_262, day=date(2019, 12, 31)),
        a_figure("voluntary_increase", 11_554, 7_262, "159"),
    ]
    (growth,) = growths(stocks)
    assert (growth.increase, growth.published, growth.is_contradicted) == (11_554, 11_554, False)
    assert growth.percent == Decimal("159.10")


def test_an_increase_that_the_stocks_do_not_give_is_told():
    stocks = [
        a_figure("voluntary_participants", 18_816),
        a_figure("voluntary_participants", 7_262, day=date(2019, 12, 31)),
        a_figure("voluntary_increase", 11_555),
    ]
    (growth,) = growths(stocks)
    assert growth.is_contradicted


def test_a_stock_that_shrank_has_no_growth_in_per_cent():
    stocks = [a_figure("health_participants", 90), a_figure("health_participants", 100, day=date(2019, 1, 1))]
    (growth,) = growths(stocks)
    assert (growth.increase, growth.percent) == (-10, None)


def test_a_decrease_has_no_ratio():
    """Cần Thơ: 37,404 health participants fewer."""
    figure = a_figure("health_increase", -37_404, 1_000_000, "3.7")
    assert (figure.percent, figure.percent_bounds, figure.is_misquoted) == (None, None, False)
