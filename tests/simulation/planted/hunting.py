"""Plants a bug and counts the histories until it is caught."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.simulation.history import Simulation, run_seeded
from tests.simulation.planted import client_bugs, desk_bugs, journal_bugs, office_bugs, restore_bugs
from tests.simulation.planted.registry import BUGS

# Importing them registers their bugs.
SOURCES = (journal_bugs, office_bugs, client_bugs, restore_bugs, desk_bugs)
MOST_HISTORIES = 500


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Let the bug `name` be in production code."""
    with BUGS[name]():
        yield


def histories_until_caught(name: str, seed: int, most: int = MOST_HISTORIES) -> tuple[int | None, str]:
    """Return after how many histories of `seed` the bug is caught, and by which invariant."""
    with Simulation() as simulation, planted(name):
        for number in range(most):
            violation = run_seeded(simulation, seed, number).violation
            if violation is not None:
                return number + 1, violation.split("\n")[0][:90]
    return None, "NOT CAUGHT"


def _caught(work: tuple[str, int, int]) -> tuple[str, int, int | None, str]:
    return (work[0], work[1], *histories_until_caught(*work))


def print_table(seeds: Sequence[int], workers: int, part: str = "", most: int = MOST_HISTORIES) -> int:
    """Print after how many histories each bug is caught with each seed; return the exit status.

    `part` is in the names of the bugs that are planted.
    """
    names = [name for name in BUGS if part in name]
    works = [(name, seed, most) for name in names for seed in seeds]
    found: dict[tuple[str, int], tuple[int | None, str]] = {}
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool:
        for name, seed, count, violation in pool.imap(_caught, works):
            found[name, seed] = (count, violation)
            if seed == seeds[-1]:
                counts = [found[name, each][0] for each in seeds]
                shown = " ".join(f"{'NEVER' if count is None else count:>6}" for count in counts)
                sys.stdout.write(f"{name:<55} {shown}  {found[name, seeds[0]][1]}\n")
                sys.stdout.flush()
    missed = sum(count is None for count, _ in found.values())
    sys.stdout.write(f"{len(names)} bugs, {len(works)} hunts, {missed} not caught within {most} histories\n")
    return 1 if missed else 0
