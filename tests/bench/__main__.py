"""`make bench`: every goal of docs/performance.md, measured beside its references in one run.

Rounds are shuffled, so that a machine that slows down slows everything down alike; medians are
printed, and ratios are what to quote. Peers are installed once, outside this repository.
"""

from __future__ import annotations

import argparse
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from tests.bench import (
    first_syncs,
    five_o_clock,
    importing,
    on_postgres,
    public_page,
    pushing,
    receipt_making,
    usual_sync,
    worker_memory,
)
from tests.bench.parts import Part, Scale
from tests.bench.peers import kinto, pouch, rxdb
from tests.bench.processes import NotRunError
from tests.bench.reporting import Run, as_json, as_lines, machine, shown

PARTS = (
    pushing.PUSH,
    pushing.PUSH_SMALL,
    on_postgres.PART,
    kinto.MEMORY,
    kinto.POSTGRES,
    pouch.SERVER,
    pouch.EXPRESS,
    rxdb.PART,
    first_syncs.PART,
    usual_sync.PART,
    worker_memory.PART,
    receipt_making.PART,
    importing.PART,
    public_page.PART,
    five_o_clock.PART,
)
PEERS = (kinto.MEMORY, kinto.POSTGRES, pouch.SERVER, pouch.EXPRESS, rxdb.PART)
_GROUPS = {part.name: (part,) for part in PARTS} | {
    "pull": (pushing.PUSH,),
    "peers": PEERS,
    "kinto": (kinto.MEMORY, kinto.POSTGRES),
    "all": PARTS,
}
# Takes minutes that say nothing to whoever changes the code of a push.
_ONLY_WHEN_ASKED = {five_o_clock.PART.name}


def chosen_parts(only: str | None) -> list[Part]:
    """Return the parts that a list of names stands for. Raises KeyError with a name that none has."""
    if only is None:
        return [part for part in PARTS if part.name not in _ONLY_WHEN_ASKED]
    wanted = {part.name for name in only.split(",") for part in _GROUPS[name.strip()]}
    return [part for part in PARTS if part.name in wanted]


def run_parts(
    parts: Sequence[Part], scale: Scale, rounds: int, seed: int, tell: Callable[[str], None]
) -> Run:
    """Measure the parts in shuffled rounds; one that cannot run, or fails, is not tried again."""
    run, order = Run(scale, rounds, seed), random.Random(seed)
    for number in range(rounds):
        due = [part for part in parts if part.repeats or number == 0]
        order.shuffle(due)
        for part in due:
            if part.name in run.not_run or part.name in run.failed:
                continue
            try:
                measures = part.measure(scale)
            except NotRunError as error:
                run.not_run[part.name] = str(error)
                tell(f"round {number + 1}: {part.name} NOT RUN: {error}")
                continue
            except Exception as error:  # noqa: BLE001 - the other parts go on; the exit code tells
                run.failed[part.name] = f"{type(error).__name__}: {error}"
                tell(f"round {number + 1}: {part.name} FAILED: {run.failed[part.name]}")
                continue
            run.samples.setdefault(part.name, []).append(measures)
            tell(
                f"round {number + 1}: {part.name} "
                + ", ".join(f"{name} {shown(value)}" for name, value in measures.items())
            )
    return run


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", epilog=f"names: {', '.join(_GROUPS)}")
    parser.add_argument("--only", help="names of parts, with commas; without it, all but load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, help="of the load that memory is watched under")
    parser.add_argument("--seed", type=int, help="of the order of the parts")
    parser.add_argument("--json", type=Path, help="a file to write everything to")
    parser.add_argument("--strict", action="store_true", help="end with 1 where a part is NOT RUN")
    defaults = Scale()
    for size in fields(Scale):
        if size.name == "memory_minutes":
            continue
        value = getattr(defaults, size.name)
        parser.add_argument(f"--{size.name.replace('_', '-')}", type=type(value), default=value)
    options = parser.parse_args(arguments)
    options.memory_minutes = options.minutes or defaults.memory_minutes
    unknown = {name.strip() for name in (options.only or "").split(",") if name.strip()} - _GROUPS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(arguments)
    scale = Scale(**{size.name: getattr(options, size.name) for size in fields(Scale)})
    parts = chosen_parts(options.only)
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    found = machine()
    run = run_parts(parts, scale, options.rounds, seed, lambda line: print(line, flush=True))  # noqa: T201
    print()  # noqa: T201
    for line in as_lines(run, parts, found):
        print(line)  # noqa: T201
    if options.json is not None:
        options.json.write_text(as_json(run, parts, found), encoding="utf-8")
    return 1 if run.failed or (options.strict and run.not_run) else 0


if __name__ == "__main__":
    raise SystemExit(main())
