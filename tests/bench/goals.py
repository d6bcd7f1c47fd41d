"""The goals, told beside what was measured. They are never asserted: a machine may be busy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tests.bench.parts import Measures


class Verdict(StrEnum):
    """How a figure stands to its goal."""

    MET = "met"
    NOT_MET = "not met"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on a figure, or on its ratio to another figure of the same run.

    `figure` and `reference` are (part, measure).
    """

    what: str
    figure: tuple[str, str]
    bound: float
    unit: str = ""
    reference: tuple[str, str] | None = None
    is_least: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """A goal with what this run says of it; no value where a part did not run."""

    goal: Goal
    value: float | None
    verdict: Verdict


_PUSH = ("push", "push_per_s")
_PUSH_SMALL = ("push50", "push_per_s")
_POSTGRES = ("postgres", "push_per_s")
_PULL = ("push", "pull_rows_per_s")

GOALS = (
    Goal("push, 500 a batch", _PUSH, 10_000, "entries/s"),
    Goal("push, 500 a batch, stretch", _PUSH, 20_000, "entries/s"),
    Goal("push ÷ bare limit", _PUSH, 0.40, reference=("push", "bare_push_per_s")),
    Goal("push ÷ Kinto in memory", _PUSH, 10, reference=("kinto-memory", "best_push_per_s")),
    Goal("push ÷ pouchdb-server", _PUSH, 1.5, reference=("pouchdb-server", "push_per_s")),
    Goal("push, 50 a batch", _PUSH_SMALL, 6_000, "entries/s"),
    Goal("push on PostgreSQL, 2 workers", _POSTGRES, 6_000, "entries/s"),
    Goal("the same ÷ Kinto on PostgreSQL", _POSTGRES, 40, reference=("kinto-postgres", "push_per_s")),
    Goal("first pull", _PULL, 200_000, "rows/s"),
    Goal("first pull ÷ rxdb-server", _PULL, 3, reference=("rxdb-server", "pull_rows_per_s")),
    Goal("100 first syncs at once, median", ("first-syncs", "median_s"), 10, "s", is_least=False),
    Goal("usual sync, round trips", ("usual", "most_round_trips"), 1, is_least=False),
    Goal("usual sync, up", ("usual", "up_bytes"), 6 * 1024, "bytes", is_least=False),
    Goal("usual sync, down", ("usual", "down_bytes"), 8 * 1024, "bytes", is_least=False),
    Goal("usual sync, p95 on the server", ("usual", "p95_server_ms"), 60, "ms", is_least=False),
    Goal("memory of a worker under load", ("memory", "most_mib"), 200, "MiB", is_least=False),
    Goal("its growth, last quarter against second", ("memory", "growth_mib"), 8, "MiB", is_least=False),
    Goal("500 tablets at 17:00", ("load", "entries_per_s"), 1_190, "entries/s"),
    Goal("the same, failed", ("load", "failed"), 0, "syncs", is_least=False),
    Goal("the same, p95", ("load", "p95_s"), 1, "s", is_least=False),
    Goal("receipt: sign, number, store", ("receipts", "together_per_s"), 5_000, "receipts/s"),
    Goal("receipt: QR code as SVG", ("receipts", "svg_ms"), 3, "ms", is_least=False),
    Goal("import of 50,000 households", ("imports", "import_s"), 30, "s", is_least=False),
    Goal("its memory", ("imports", "most_mib"), 200, "MiB", is_least=False),
    Goal("longest push meanwhile, of 20 tablets", ("imports", "longest_push_s"), 2, "s", is_least=False),
    Goal("public page of 100,000 donations, p95", ("public", "p95_ms"), 50, "ms", is_least=False),
    Goal("the same, a gift before each request", ("public", "moving_p95_ms"), 50, "ms", is_least=False),
)


def judge(figures: Mapping[str, Measures], goals: tuple[Goal, ...] = GOALS) -> list[Judged]:
    """Return how the run's medians, by part, stand to the goals."""
    return [_judged(figures, goal) for goal in goals]


def _judged(figures: Mapping[str, Measures], goal: Goal) -> Judged:
    value = _figure(figures, goal.figure)
    if goal.reference is not None:
        reference = _figure(figures, goal.reference)
        value = None if value is None or not reference else value / reference
    if value is None:
        return Judged(goal, None, Verdict.NOT_RUN)
    is_met = value >= goal.bound if goal.is_least else value <= goal.bound
    return Judged(goal, value, Verdict.MET if is_met else Verdict.NOT_MET)


def _figure(figures: Mapping[str, Measures], name: tuple[str, str]) -> float | None:
    part, measure = name
    return figures.get(part, {}).get(measure)
