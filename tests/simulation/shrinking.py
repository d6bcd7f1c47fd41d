"""Makes a failing history short with Hypothesis: which steps stay, and how small their numbers are.

A draw says for each step whether it stays and for each of its numbers whether it becomes 0 or 1. The
simplest draw leaves everything out, so what Hypothesis calls smaller is a shorter history; most draws
leave most of it as it was, so that one which fails is found at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable

from tests.simulation.steps import NUMBERS, Step

MOST_RUNS = 600
MOST_SECONDS = 120.0
# One draw in so many leaves a step out, or makes a number small.
_STAYS = 12
_SMALL_NUMBERS = 2
_LEFT = 40


class _BudgetSpentError(BaseException):
    """Ends a search. Any `Exception` Hypothesis would take for a failure, and make short as well."""


@dataclass
class _Search:
    """The shortest failing history so far, and what is left of the budget."""

    best: list[Step]
    ends: float
    runs: int = 0


def shrunk(
    steps: Sequence[Step],
    fails: Callable[[list[Step]], bool],
    most_runs: int = MOST_RUNS,
    most_seconds: float = MOST_SECONDS,
) -> list[Step]:
    """Return a short history that still fails; at worst the one given."""
    search = _Search(list(steps), time.monotonic() + most_seconds)
    known: dict[tuple[Step, ...], bool] = {}

    def still_fails(candidate: list[Step]) -> bool:
        key = tuple(candidate)
        if key not in known:
            if search.runs >= most_runs or time.monotonic() > search.ends:
                raise _BudgetSpentError
            search.runs += 1
            known[key] = fails(candidate)
            if known[key] and _size(candidate) < _size(search.best):
                search.best = candidate
        return known[key]

    while True:
        before = search.best
        try:
            find(
                _shorter(before),
                still_fails,
                settings=settings(
                    database=None,
                    deadline=None,
                    max_examples=most_runs,
                    phases=(Phase.generate, Phase.shrink),
                    suppress_health_check=list(HealthCheck),
                ),
                random=random.Random(0),
            )
        except (NoSuchExample, Unsatisfiable, _BudgetSpentError):
            break
        # What is left is simplified as a history of its own until that changes nothing.
        if search.best == before:
            break
    return search.best


def _size(steps: Sequence[Step]) -> tuple[int, int]:
    return len(steps), sum(sum(step.numbers) for step in steps)


def _shorter(steps: Sequence[Step]) -> st.SearchStrategy[list[Step]]:
    """Return histories that have some of these steps, in their order."""

    @st.composite
    def history(draw: Callable[[st.SearchStrategy[int]], int]) -> list[Step]:
        kept = []
        for step in steps:
            if draw(st.integers(0, _STAYS)) == 0:
                continue
            numbers = [
                small if (small := draw(st.integers(0, _LEFT))) < min(_SMALL_NUMBERS, number) else number
                for number in step.numbers
            ]
            kept.append(replace(step, numbers=tuple(numbers)))
        return kept

    assert all(len(step.numbers) == NUMBERS for step in steps)
    return history()
