"""Splitting by largest remainder."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.quotas.splitting import SplitError, equal_weights, split_amount

WEIGHTS = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(0, 50), min_size=1).filter(
    lambda weights: sum(weights.values()) > 0
)
AMOUNTS = st.integers(0, 100_000)


def test_an_equal_split_gives_what_is_left_to_the_smallest_codes() -> None:
    assert split_amount(8, equal_weights(["c", "a", "b"])) == {"a": 3, "b": 3, "c": 2}


def test_a_split_by_weight_gives_what_is_left_to_the_largest_remainders() -> None:
    # 10 × 5/9 = 5.56, 10 × 3/9 = 3.33, 10 × 1/9 = 1.11: the one that is left goes to the first.
    assert split_amount(10, {"x": 1, "y": 3, "z": 5}) == {"x": 1, "y": 3, "z": 6}
    assert split_amount(7, {"x": 0, "y": 1}) == {"x": 0, "y": 7}


def test_nothing_can_be_split_by_nothing() -> None:
    for amount, weights in ((1, {}), (1, {"a": 0}), (-1, {"a": 1}), (1, {"a": 2, "b": -1})):
        with pytest.raises(SplitError):
            split_amount(amount, weights)


@given(AMOUNTS, WEIGHTS)
def test_the_parts_add_up_and_are_whole_numbers_within_one_of_the_exact_share(amount, weights) -> None:
    parts = split_amount(amount, weights)
    assert sum(parts.values()) == amount
    assert parts.keys() == weights.keys()
    total = sum(weights.values())
    for code, part in parts.items():
        assert abs(part * total - amount * weights[code]) < total


@given(AMOUNTS, WEIGHTS)
def test_whoever_weighs_more_never_gets_less(amount, weights) -> None:
    parts = split_amount(amount, weights)
    in_order = sorted(weights, key=lambda code: weights[code])
    for lighter, heavier in pairwise(in_order):
        if weights[lighter] < weights[heavier]:
            assert parts[lighter] <= parts[heavier]
        else:
            assert abs(parts[lighter] - parts[heavier]) <= 1


@given(AMOUNTS, WEIGHTS, st.data())
def test_with_a_larger_weight_of_its_own_a_part_never_shrinks(amount, weights, data) -> None:
    code = data.draw(st.sampled_from(sorted(weights)))
    more = weights | {code: weights[code] + data.draw(st.integers(1, 20))}
    assert split_amount(amount, more)[code] >= split_amount(amount, weights)[code]


@given(AMOUNTS, WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_the_weights_changes_nothing(amount, weights, random) -> None:
    shuffled = list(weights.items())
    random.shuffle(shuffled)
    assert split_amount(amount, dict(shuffled)) == split_amount(amount, weights)


def test_a_larger_amount_may_take_one_from_a_part() -> None:
    """The method's known price, told in the decision; a test, so that nobody relies on the opposite."""
    weights = {"a": 6, "b": 6, "c": 2}
    assert split_amount(10, weights)["c"] == 2
    assert split_amount(11, weights)["c"] == 1
