"""What the accounts of three provinces published is kept as it was printed, and computed with beside that."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from server.outside.queries import published_figures
from server.outside.rules import Published, growths
from tests.server.imports.builders import an_outside_figure, imported
from tests.support.desk import a_supervisor
from tests.support.registered_office import PUBLISHED
from tests.support.small_office import small_office

# An Giang's plan has four indicators; Cần Thơ lost more than it won.
OTHERS = [
    an_outside_figure("compulsory_participants", 121_642),
    an_outside_figure("voluntary_participants", 41_295),
    an_outside_figure("unemployment_participants", 111_141),
    an_outside_figure("health_participants", 1_770_193),
    an_outside_figure("health_increase", -37_404),
    an_outside_figure("voluntary_increase", -6_859),
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> list[Published]:
    """Every figure, imported and read again."""
    path = tmp_path_factory.mktemp("published") / "office.sqlite3"
    with small_office(f"sqlite:///{path}") as office:
        plain = {"denominator_name": None, "denominator_day": None}
        author = a_supervisor(office)
        imported(office.runtime, author, "outside_figures", *PUBLISHED)
        # The other provinces' accounts name no plan and no day of their own.
        others = [{**row, **plain, "day": date(2021, 12, 31)} for row in OTHERS]
        imported(office.runtime, author, "outside_figures", *others)
        with office.runtime.transactions.reading() as connection:
            found = published_figures(connection)
        office.runtime.transactions.engine.dispose()
    return found


def test_every_figure_is_kept_as_it_was_published(kept):
    values = {(each.figure, each.value) for each in kept}
    for row in (*PUBLISHED, *OTHERS):
        assert (row["figure"], row["value"]) in values
    assert {each.quoted_percent for each in kept} == {None, "113", "107", "159", "29.9", "98"}


def test_ratios_are_computed_over_their_own_denominators(kept):
    exact = {each.value: each.percent for each in kept if each.percent is not None}
    assert exact == {11_554: Decimal("159.10"), 3_284: Decimal("88.97"), 665: Decimal("108.66")}
    assert [each.value for each in kept if each.is_misquoted] == [665]


def test_denominators_known_by_a_ratio_alone_are_bounds_and_marked(kept):
    bounds = {(each.value, each.quoted_percent): each.bounds for each in kept if each.is_derived}
    assert bounds == {
        (18_816, "113"): (16_578, 16_725),
        (18_816, "107"): (17_504, 17_667),
        (281_909, "29.9"): (941_266, 944_418),
    }


def test_the_stock_is_the_earlier_one_and_the_increase(kept):
    growth = next(each for each in growths(kept) if each.day == date(2020, 12, 31))
    assert (growth.before, growth.increase, growth.value) == (7_262, 11_554, 18_816)
    assert not growth.is_contradicted
