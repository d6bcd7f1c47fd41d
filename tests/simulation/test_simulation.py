"""A small budget of the simulation in every test run; `make simulate` runs thousands."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT
from tests.simulation.history import Simulation, run_seeded, shrink
from tests.simulation.planted.hunting import BUGS, histories_until_caught
from tests.simulation.running import FAULTS, run_some
from tests.simulation.steps import Step, read_step, shrunk

HISTORIES = int(os.environ.get("TUNGNHA_SIMULATED_HISTORIES", "40"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_invariant_holds_in_every_history():
    """[R8.1] The corrected time of a capture holds its true moment; and all that oracle/ says."""
    tally = run_some(20, list(range(HISTORIES)))
    assert [failure.violation for failure in tally.failures] == []
    assert tally.histories == HISTORIES
    assert tally.checks > 3 * HISTORIES
    assert set(tally.verdicts) == {"applied", "merged", "duplicate", "held", "quarantined"}
    assert len([fault for fault in FAULTS if tally.fired[fault]]) > len(FAULTS) // 2


def test_the_same_seed_gives_the_same_trace_byte_for_byte():
    with Simulation() as simulation:
        first = [run_seeded(simulation, 7, number).trace for number in range(3)]
    with Simulation() as simulation:
        second = [run_seeded(simulation, 7, number).trace for number in (2, 0, 1)]
    assert first == [second[1], second[2], second[0]]
    assert sum(map(len, first)) > 60
    assert first[0] != first[1]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_history_run_by_hand_prints_the_same_trace_in_every_process():
    command = [sys.executable, "-m", "tests.simulation", "--seed", "7", "--history", "1"]
    runs = [subprocess.run(command, cwd=ROOT, capture_output=True, timeout=140, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    assert b"every invariant holds" in runs[0].stdout


def test_a_step_reads_as_it_is_written():
    step = Step("sync", (3, 14, 15, 9, 2), 6535)
    assert read_step(str(step)) == step


def test_a_failing_history_shrinks_to_the_steps_that_matter():
    steps = [Step("wait" if n % 5 else "sync", (n, n, n, n, n), n) for n in range(40)]

    def fails(candidate):
        return sum(step.kind == "sync" for step in candidate) >= 2

    assert [(step.kind, step.numbers) for step in shrunk(steps, fails)] == [("sync", (0,) * 5)] * 2


def test_a_broken_invariant_is_found_and_shrunk(monkeypatch):
    """Any change that lets the last to arrive win is broken by two agents who edit one household."""
    monkeypatch.setattr("server.people.edits.standing_fields", lambda _log, edit: set(edit.fields))
    with Simulation() as simulation:
        outcomes = (run_seeded(simulation, 3, number) for number in range(300))
        broken = next(outcome for outcome in outcomes if outcome.violation)
        steps = shrink(simulation, broken)
    assert broken.violation.startswith(("3", "8/9"))
    assert 1 <= len(steps) < len(broken.steps)


# Each is caught by the first histories of this seed; the whole table is `--planted`.
QUICK = (
    "a replay gets no stored verdicts",
    "the scope filter is gone",
    "a revoked tablet may read",
    "the cursor skips a row",
    "sums are not kept",
    "numbers of persons travel in the clear",
    "outcomes are not replicated",
    "audit rows are not chained",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_caught(name):
    assert histories_until_caught(name, 6, 20)[0] is not None


def test_there_are_many_planted_bugs():
    assert len(BUGS) >= 20
    assert set(QUICK) <= BUGS.keys()
