"""`make torture CYCLES=n SEED=s DATABASE=both`: run every part and print the table.

Parts wait most of their time, each on an office of its own, so several run at once (`--jobs`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.torture.parts import PARTS, run_part
from tests.torture.report import Row, shown_failures, table
from tests.torture.stage import DATABASES

_JOBS = 3


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="make torture")
    asked.add_argument("--cycles", type=int, default=20)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--database", choices=("both", *DATABASES), default="both")
    asked.add_argument("--parts", default=",".join(PARTS), help="some of them, with commas")
    asked.add_argument("--jobs", type=int, default=_JOBS, help="how many parts run at once")
    return asked.parse_args()


def _chosen(names: list[str], database: str) -> list[tuple[str, str]]:
    """Return the parts and the database of each; a tablet has but one kind."""
    databases = DATABASES if database == "both" else (database,)
    return [(name, each) for name in names for each in (databases[:1] if name == "tablet" else databases)]


def _run(chosen: list[tuple[str, str]], cycles: int, seed: int, jobs: int) -> list[Row]:
    """Run the parts, each in a fresh process, and tell of each as it ends; rows in the order chosen."""
    rows: dict[tuple[str, str], Row] = {}
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawning, max_tasks_per_child=1) as pool:
        running = {
            pool.submit(run_part, name, database, cycles, seed): (name, database) for name, database in chosen
        }
        for ended in as_completed(running):
            row = rows[running[ended]] = ended.result()
            print(table([row]).splitlines()[1], flush=True)  # noqa: T201
            for line in shown_failures(row):
                print(line, flush=True)  # noqa: T201
    return [rows[each] for each in chosen]


def main() -> int:
    """Return 1 where anything was lost, doubled, answered wrongly, or did not happen."""
    options = _asked()
    print(f"seed {options.seed}, {options.cycles} cycles", flush=True)  # noqa: T201
    chosen = _chosen(options.parts.split(","), options.database)
    rows = _run(chosen, options.cycles, options.seed, options.jobs)
    print(f"\n{table(rows)}", flush=True)  # noqa: T201
    is_clean = not any(row.failures for row in rows)
    print("Nothing lost, nothing doubled." if is_clean else f"FAILED (seed {options.seed})")  # noqa: T201
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
