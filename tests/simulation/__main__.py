"""`make simulate`: run histories of a seed; exits with 1 when an invariant is broken.

A run of 2,000 histories or more exits with 1 as well when a fault never struck: then it proves nothing of it.
"""

from __future__ import annotations

import argparse
import os
import sys

from tests.simulation.history import Simulation, run_seeded
from tests.simulation.running import ENOUGH_HISTORIES, FAULTS, Tally, run_many
from tests.simulation.steps import read_step


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first history")
    parser.add_argument("--go-on", action="store_true", help="go on after a violation, and show them all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 2))
    parser.add_argument("--history", type=int, help="run this one history of the seed and print its trace")
    parser.add_argument("--steps", help="run the steps in this file, one a line, and print the trace")
    parser.add_argument(
        "--planted", action="store_true", help="plant every bug and count histories until caught"
    )
    parser.add_argument("--bug", default="", help="plant only bugs whose name has this in it")
    parser.add_argument("--seeds", default="1,2,3", help="seeds for --planted, separated by commas")
    return parser.parse_args()


def print_tally(tally: Tally, seed: int) -> None:
    rate = tally.histories / tally.seconds
    _say(f"seed {seed}: {tally.histories} histories in {tally.seconds:.0f} s, {rate:.1f} histories/s")
    _say(f"{tally.steps} steps, {tally.requests} requests, {tally.checks} checks of the whole office")
    _say("verdicts: " + ", ".join(f"{count} {name}" for name, count in sorted(tally.verdicts.items())))
    _say("\nfault                     struck")
    for fault in FAULTS:
        _say(f"{fault:<25} {tally.fired[fault]:>6}{'' if tally.fired[fault] else '   NEVER'}")
    for failure in tally.failures:
        _say(f"\nBROKEN: seed {failure.seed}, history {failure.number}\n{failure.violation}")
        _say(f"the shortest history found, {len(failure.shrunk)} steps (run it with --steps FILE):")
        for step in failure.shrunk:
            _say(step)
        _say(f"again: python -m tests.simulation --seed {failure.seed} --history {failure.number}")


def exit_status(tally: Tally) -> int:
    """Return 1 where an invariant is broken, or where a fault never struck in a run that is long enough."""
    if tally.histories >= ENOUGH_HISTORIES and tally.never_struck():
        return 1
    return 1 if tally.failures else 0


def _show_one(arguments: argparse.Namespace) -> int:
    with Simulation() as simulation:
        if arguments.steps:
            with open(arguments.steps, encoding="ascii") as file:
                outcome = simulation.run([read_step(line) for line in file.read().splitlines() if line])
        else:
            outcome = run_seeded(simulation, arguments.seed, arguments.history)
    _say("\n".join(outcome.trace))
    _say(outcome.violation or "every invariant holds")
    return 1 if outcome.violation else 0


def main() -> int:
    """Run what is asked for; return the exit status."""
    arguments = _arguments()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets are walked in one order in every process, or a seed would not be one history.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            os.environ | {"PYTHONHASHSEED": "0"},
        )
    if arguments.planted:
        from tests.simulation.planted.hunting import print_table

        seeds = [int(seed) for seed in arguments.seeds.split(",")]
        return print_table(seeds, arguments.workers, arguments.bug)
    if arguments.history is not None or arguments.steps:
        return _show_one(arguments)
    tally = run_many(
        arguments.seed,
        arguments.histories,
        arguments.workers,
        first=arguments.first,
        stops_at_first=not arguments.go_on,
    )
    print_tally(tally, arguments.seed)
    return exit_status(tally)


if __name__ == "__main__":
    sys.exit(main())
