"""`make torture CYCLES=n SEED=s DATABASE=both`: run every part and print the table."""

from __future__ import annotations

import argparse
import sys

from tests.torture.parts import PARTS, run_part
from tests.torture.report import shown_failures, table
from tests.torture.stage import DATABASES


def main() -> int:
    """Return 1 where anything was lost, doubled, answered wrongly, or did not happen."""
    asked = argparse.ArgumentParser(prog="make torture")
    asked.add_argument("--cycles", type=int, default=20)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--database", choices=("both", *DATABASES), default="both")
    asked.add_argument("--parts", default=",".join(PARTS), help="some of them, with commas")
    options = asked.parse_args()
    databases = DATABASES if options.database == "both" else (options.database,)
    print(f"seed {options.seed}, {options.cycles} cycles", flush=True)  # noqa: T201
    rows = []
    for name in options.parts.split(","):
        for database in databases:
            if name == "tablet" and database != databases[0]:
                continue
            row = run_part(name, database, options.cycles, options.seed)
            rows.append(row)
            print(table([row]).splitlines()[1], flush=True)  # noqa: T201
            for line in shown_failures(row):
                print(line, flush=True)  # noqa: T201
    print(f"\n{table(rows)}", flush=True)  # noqa: T201
    is_clean = not any(row.failures for row in rows)
    print("Nothing lost, nothing doubled." if is_clean else f"FAILED (seed {options.seed})")  # noqa: T201
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
