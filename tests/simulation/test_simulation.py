"""A small budget of the simulation in every test run; `make simulate` runs thousands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.architecture.sources import ROOT
from tests.simulation.__main__ import exit_status, print_tally
from tests.simulation.history import Simulation, run_seeded, shrink
from tests.simulation.planted.hunting import BUGS, histories_until_caught, planted
from tests.simulation.running import ENOUGH_HISTORIES, FAULTS, Failure, Tally, run_some
from tests.simulation.shrinking import shrunk
from tests.simulation.steps import Step, read_step

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
    assert broken.violation.startswith(("3", "8/9", "9", "10"))
    assert 1 <= len(steps) < len(broken.steps)


def test_shrinking_never_gives_more_than_it_got_and_keeps_to_its_budget():
    steps = [Step("sync", (n, 7, 7, 7, 7), n) for n in range(12)]
    tried = []

    def fails(candidate):
        tried.append(candidate)
        return len(candidate) == len(steps)

    # Only the whole history fails: there is nothing to leave out.
    assert [step.salt for step in shrunk(steps, fails, most_runs=50)] == list(range(12))
    assert len(tried) <= 50
    assert shrunk(steps, fails, most_seconds=0.0) == steps


def test_what_broke_is_printed_with_its_seed_and_its_shortest_history(capsys):
    failure = Failure(9, 4, "5 money: found 2, wanted 1", [Step("pay", (1, 0, 0, 0, 0), 77)])
    print_tally(Tally(histories=10, seconds=1.0, failures=[failure]), 9)
    said = capsys.readouterr().out
    assert "BROKEN: seed 9, history 4" in said
    assert "pay[1, 0, 0, 0, 0] #77" in said
    assert "--seed 9 --history 4" in said
    assert "NEVER" in said


def test_a_long_run_in_which_a_fault_never_struck_fails():
    struck = Counter(FAULTS)
    assert exit_status(Tally(histories=ENOUGH_HISTORIES, fired=struck)) == 0
    missing = struck - Counter([FAULTS[3]])
    assert exit_status(Tally(histories=ENOUGH_HISTORIES, fired=missing)) == 1
    assert exit_status(Tally(histories=ENOUGH_HISTORIES - 1, fired=missing)) == 0
    failure = Failure(9, 4, "5 money", [])
    assert exit_status(Tally(histories=1, fired=struck, failures=[failure])) == 1


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
    "durable is what the newest backup holds",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_caught(name):
    assert histories_until_caught(name, 6, 20)[0] is not None


@pytest.mark.parametrize("name", BUGS)
def test_every_bug_can_still_be_planted(name):
    with planted(name):
        pass


def test_there_are_many_planted_bugs():
    assert len(BUGS) >= 60
    assert set(QUICK) <= BUGS.keys()
