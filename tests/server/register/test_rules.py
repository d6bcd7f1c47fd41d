"""New, renewal, repeat or pending, and net change: whatever the order in which anything arrived."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.register.queries import last_day
from server.register.rules import KEPT, LAPSED, NEW, UNMATCHED, Fate, Register, Window, net_change
from tests.server.register.builders import (
    WINDOW,
    YEAR_END,
    a_baseline,
    a_joining,
    a_listing,
    a_register,
)

DAY = date(2020, 5, 12)
TODAY = date(2020, 12, 31)


def standing(register: Register, fact_id: str = "f") -> tuple[str, str]:
    found = register.standings()[fact_id]
    return found.standing, found.reason


def test_validity_within_the_window_before_the_enrolment_makes_it_a_renewal():
    joining = a_joining("f", "i1", day=DAY)
    for last, expected in ((DAY - timedelta(days=90), "renewal"), (DAY - timedelta(days=91), "new")):
        register = a_register([a_listing("i1", valid_to=last)], [joining], [a_baseline(1)])
        assert register.standings()["f"].standing == expected


def test_a_person_who_lapsed_longer_ago_returns_as_new():
    register = a_register([a_listing("i1", valid_to=date(2019, 1, 31))], [a_joining("f", "i1")])
    assert standing(register) == ("new", "returned")


def test_a_person_not_in_a_whole_register_of_before_is_new():
    register = a_register([a_listing("i2")], [a_joining("f", "i1")], [a_baseline(1)])
    assert standing(register) == ("new", "not_listed")


def test_a_person_who_cannot_be_looked_up_is_pending_and_not_new():
    listed = [a_listing("i2")]
    assert standing(a_register(listed, [a_joining("f")], [a_baseline(1)])) == ("pending", "no_number")
    assert standing(a_register(listed, [a_joining("f", "i1")], [])) == ("pending", "no_register")
    # A register that lists fewer than its source says may lack just this one.
    assert standing(a_register(listed, [a_joining("f", "i1")], [a_baseline(2)])) == ("pending", "no_register")
    # The register knows insurance numbers alone, the tablet a personal id alone.
    assert standing(a_register(listed, [a_joining("f", "n1")], [a_baseline(1)])) == (
        "pending",
        "not_comparable",
    )


def test_without_a_rule_for_the_day_nothing_is_decided():
    later = Window("voluntary", DAY + timedelta(days=1), 90)
    register = a_register([a_listing("i1")], [a_joining("f", "i1")], [a_baseline(1)], [later])
    assert standing(register) == ("pending", "no_window")


def test_the_rule_of_the_enrolments_own_day_counts():
    windows = [WINDOW, Window("voluntary", DAY, 10)]
    register = a_register(
        [a_listing("i1", valid_to=DAY - timedelta(days=30))],
        [a_joining("before", "i1", day=DAY - timedelta(days=1)), a_joining("after", "i2", day=DAY)],
        [a_baseline(0)],
        windows,
    )
    assert register.window_on(DAY - timedelta(days=1)) == WINDOW
    assert standing(register, "before") == ("renewal", "valid_before")


def test_a_register_of_after_the_enrolment_says_nothing_about_it():
    """It would list the very enrolment, and make everybody a renewal."""
    later = a_listing("i1", as_of=date(2020, 6, 30), valid_to=date(2020, 7, 31))
    register = a_register([later], [a_joining("f", "i1")], [a_baseline(0)])
    assert standing(register) == ("new", "not_listed")


def test_an_own_enrolment_that_has_just_ended_makes_the_next_one_a_renewal():
    first = a_joining("first", "i1", day=date(2020, 1, 15), months=3)
    second = a_joining("second", "i1", day=date(2020, 5, 2), months=3)
    register = a_register([], [second, first], [a_baseline(0)])
    assert standing(register, "first") == ("new", "not_listed")
    assert standing(register, "second") == ("renewal", "valid_before")


def test_the_same_period_once_more_is_a_repeat_and_neither_new_nor_renewal():
    first = a_joining("first", "i1", day=DAY)
    second = a_joining("second", "i1", day=DAY + timedelta(days=3), from_day=DAY.replace(day=1))
    register = a_register([], [first, second], [a_baseline(0)])
    assert standing(register, "second") == ("repeat", "same_period")


def test_numbers_join_lines_and_records_through_others():
    listings = [a_listing("i1", "n1", as_of=date(2019, 6, 30), valid_to=date(2019, 7, 31)), a_listing("i1")]
    assert standing(a_register(listings, [a_joining("f", "n1")])) == ("renewal", "valid_before")


def changed(register: Register, baseline=None, day: date = TODAY):
    baseline = baseline or a_baseline(2)
    return net_change(baseline, day, register.listed_as_of(baseline), register.fates(baseline, day))


def test_net_change_is_new_less_lapsed_with_reasons():
    base = a_baseline(3)
    register = a_register(
        [
            a_listing("i1", valid_to=date(2021, 3, 31)),
            a_listing("i2", valid_to=date(2020, 3, 31)),
            a_listing("i3", valid_to=date(2020, 3, 31)),
            a_listing("i3", as_of=date(2020, 6, 30), valid_to=date(2020, 3, 31), lapse_reason="moved"),
        ],
        [a_joining("f", "i4", day=date(2020, 11, 2), months=6)],
        [base],
    )
    change = changed(register, base)
    assert (change.stock, change.new, dict(change.lapsed)) == (3, 1, {"moved": 1, "unstated": 1})
    assert (change.net, change.net_most, change.is_whole) == (-1, -1, True)


def test_a_lapse_that_is_renewed_is_none():
    base = a_baseline(1)
    listings = [a_listing("i1", valid_to=date(2020, 3, 31))]
    assert changed(a_register(listings, [], [base]), base).lost == 1
    renewed = a_joining("f", "i1", day=date(2020, 11, 2), months=3)
    assert changed(a_register(listings, [renewed], [base]), base).net == 0


def test_who_cannot_be_looked_up_makes_the_net_change_a_range():
    base = a_baseline(1)
    listings = [a_listing("i1", valid_to=date(2020, 3, 31))]
    unknown = a_joining("f", day=date(2020, 11, 2), months=3)
    change = changed(a_register(listings, [unknown], [base]), base)
    assert (change.net, change.unmatched, change.net_most) == (-1, 1, 0)


def test_a_newer_whole_register_is_believed_over_an_older_line():
    first, second = a_baseline(2), a_baseline(1, as_of=date(2020, 9, 30), code="q3")
    listings = [
        a_listing("i1", valid_to=date(2021, 6, 30)),
        a_listing("i2", valid_to=date(2021, 6, 30)),
        a_listing("i1", as_of=date(2020, 9, 30), valid_to=date(2021, 6, 30)),
    ]
    change = changed(a_register(listings, [], [first, second]), first)
    assert (change.new, change.lost) == (0, 1)


@pytest.mark.parametrize(
    ("from_day", "months", "last"),
    [
        (date(2020, 5, 1), 3, date(2020, 7, 31)),
        (date(2020, 12, 1), 1, date(2020, 12, 31)),
        (date(2020, 11, 1), 12, date(2021, 10, 31)),
        (date(2019, 11, 30), 3, date(2020, 2, 28)),
    ],
)
def test_so_many_months_end_on_the_day_before(from_day, months, last):
    assert last_day(from_day, months) == last


_NUMBERS = st.tuples(
    st.sampled_from([None, "i1", "i2", "i3", "i4"]), st.sampled_from([None, "n1", "n2", "n3"])
).map(lambda both: [each for each in both if each])
_DAYS = st.dates(date(2019, 10, 1), date(2020, 12, 31))
_LISTINGS = st.lists(
    st.builds(
        lambda numbers, as_of, last, area: a_listing(*numbers, as_of=as_of, valid_to=last, area_key=area),
        _NUMBERS.filter(bool),
        st.sampled_from([YEAR_END, date(2020, 6, 30)]),
        _DAYS,
        st.sampled_from([None, "A", "B"]),
    ),
    max_size=8,
)
_JOININGS = st.lists(st.tuples(_NUMBERS, _DAYS, st.sampled_from([1, 3, 12])), max_size=8).map(
    lambda each: [
        a_joining(f"f{number}", *numbers, day=day, months=months)
        for number, (numbers, day, months) in enumerate(each)
    ]
)
_BASELINES = st.lists(st.integers(0, 4), min_size=1, max_size=1).map(lambda counts: [a_baseline(counts[0])])


@given(_LISTINGS, _JOININGS, _BASELINES, st.integers(0, 1000))
def test_no_order_of_arrival_changes_anything(listings, joinings, baselines, seed):
    before = a_register(listings, joinings, baselines)
    random = Random(seed)
    random.shuffle(listings)
    random.shuffle(joinings)
    after = a_register(listings, joinings, baselines)
    assert after.standings() == before.standings()
    assert changed(after, baselines[0]) == changed(before, baselines[0])
    assert after.insured_on(TODAY) == before.insured_on(TODAY)

    def sorted_fates(register: Register) -> list[Fate]:
        return sorted(register.fates(baselines[0], TODAY), key=str)

    assert sorted_fates(after) == sorted_fates(before)


@given(_LISTINGS, _JOININGS, _BASELINES)
def test_the_stock_moves_by_exactly_what_is_told(listings, joinings, baselines):
    register = a_register(listings, joinings, baselines)
    fates = [each.fate for each in register.fates(baselines[0], TODAY)]
    change = changed(register, baselines[0])
    insured = sum(each in {KEPT, NEW, UNMATCHED} for each in fates)
    assert change.stock == sum(each in {KEPT, LAPSED} for each in fates)
    assert change.stock + change.net + change.unmatched == insured
    assert register.insured_on(TODAY) in {None, insured}


@given(_LISTINGS, _JOININGS, _BASELINES, st.data())
def test_finding_out_who_somebody_is_keeps_the_net_change_within_its_range(
    listings, joinings, baselines, data
):
    """Whatever number an unmatched person turns out to have, the range that was told holds."""
    unknown = [each for each in joinings if not each.numbers and each.from_day <= TODAY <= each.until]
    if not unknown:
        return
    before = changed(a_register(listings, joinings, baselines), baselines[0])
    found = data.draw(st.sampled_from(["i1", "i2", "i3", "i9"]))
    numbers = frozenset({f"insurance_number:{found[1:]}"})
    known = [replace(each, numbers=numbers) if each is unknown[0] else each for each in joinings]
    after = changed(a_register(listings, known, baselines), baselines[0])
    assert before.net <= after.net
    assert after.net <= before.net_most
    assert after.net_most <= before.net_most
