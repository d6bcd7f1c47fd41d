"""Many histories over several processes, what they met, and what went wrong."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulation.history import Simulation, run_seeded, shrink
from tests.simulation.steps import Step

FAULTS = (
    "request_lost",
    "answer_lost",
    "answer_cut",
    "request_duplicated",
    "request_delivered_late",
    "request_tampered",
    "captive_portal",
    "forged_answer",
    "server_killed",
    "server_restarted",
    "disk_full",
    "database_locked",
    "poison_entry",
    "tablet_killed_capturing",
    "tablet_killed_syncing",
    "tablet_cloned",
    "tablet_restored",
    "tablet_added",
    "tablet_rebooted",
    "tablet_revoked",
    "enrolled_again",
    "clock_set_ahead",
    "clock_set_back",
    "battery_dead",
    "agent_moved",
    "held_for_a_month",
    "office_backed_up",
    "office_restored",
    "restore_cut_off",
    "restored_without_journal",
    "restored_by_hand",
    "restored_beyond_durable",
    "epoch_begun_when_shown",
    "tablet_readmitted",
    "tablet_purged",
    "hole_declared",
    "recovery_closed",
    "entry_corrected",
    "entry_returned",
    "return_answered",
    "records_merged",
    "records_unmerged",
    "conflict_settled",
    "decision_refused",
    "decision_waited",
)


# In so many histories every fault strikes.
ENOUGH_HISTORIES = 2000


@dataclass
class Failure:
    """A history that broke an invariant, and the shortest one found that breaks it too."""

    seed: int
    number: int
    violation: str
    shrunk: list[Step]


@dataclass
class Tally:
    """What some histories came to."""

    histories: int = 0
    steps: int = 0
    checks: int = 0
    requests: int = 0
    seconds: float = 0.0
    fired: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def never_struck(self) -> list[str]:
        """Return the faults that these histories have not met."""
        return [fault for fault in FAULTS if not self.fired[fault]]

    def add(self, other: Tally) -> None:
        """Take in what other histories came to."""
        self.histories += other.histories
        self.steps += other.steps
        self.checks += other.checks
        self.requests += other.requests
        self.fired += other.fired
        self.verdicts += other.verdicts
        self.failures += other.failures


def run_some(seed: int, numbers: list[int], *, stops_at_first: bool = True, shrinks: bool = True) -> Tally:
    """Run these histories of `seed` in this process."""
    tally = Tally()
    with Simulation() as simulation:
        for number in numbers:
            outcome = run_seeded(simulation, seed, number)
            tally.histories += 1
            tally.steps += len(outcome.steps)
            tally.checks += outcome.checks
            tally.requests += len(simulation.world.requests)
            tally.fired += outcome.fired
            for installation in simulation.world.oracle.installations.values():
                tally.verdicts.update(verdict.verdict for verdict in installation.given())
            if outcome.violation is not None:
                steps = shrink(simulation, outcome) if shrinks else outcome.steps
                tally.failures.append(Failure(seed, number, outcome.violation, steps))
                if stops_at_first:
                    break
    return tally


def _some(work: tuple[int, list[int], bool]) -> Tally:
    seed, numbers, stops_at_first = work
    return run_some(seed, numbers, stops_at_first=stops_at_first)


def run_many(
    seed: int, histories: int, workers: int, *, first: int = 0, stops_at_first: bool = True
) -> Tally:
    """Run `histories` histories of `seed` from number `first` on, spread over processes."""
    started = time.monotonic()
    whole = Tally()
    for tally in _spread(seed, list(range(first, first + histories)), workers, stops_at_first):
        whole.add(tally)
    whole.seconds = time.monotonic() - started
    return whole


def _spread(seed: int, numbers: list[int], workers: int, stops_at_first: bool) -> Iterator[Tally]:
    if workers <= 1 or len(numbers) < 2 * workers:
        yield run_some(seed, numbers, stops_at_first=stops_at_first)
        return
    # Fresh interpreters: nothing of this process (patched randomness, open files) goes along.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool:
        works = [(seed, numbers[n::workers], stops_at_first) for n in range(workers)]
        yield from pool.imap_unordered(_some, works)
