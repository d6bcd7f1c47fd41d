"""`make hostile`: shoot hostile bodies at a server process and print what it answered."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.contracts.hostile.checking import FAMILIES, GROWTH_MOST_KIB, Report
from tests.contracts.hostile.firing import run
from tests.support.postgres import PostgresCluster


def table(report: Report) -> str:
    """Return the statuses by family as lines of text."""
    statuses = sorted({status for counts in report.statuses.values() for status in counts})
    shown = ["closed" if status == 0 else str(status) for status in statuses]
    width = max(len(family.name) for family in FAMILIES)
    lines = [f"{'':{width}}" + "".join(f"{name:>8}" for name in shown)]
    for family in FAMILIES:
        counts = report.statuses[family.name]
        lines.append(f"{family.name:{width}}" + "".join(f"{counts[s] or '':>8}" for s in statuses))
    totals = [sum(counts[s] for counts in report.statuses.values()) for s in statuses]
    lines.append(f"{'all':{width}}" + "".join(f"{total:>8}" for total in totals))
    verdicts = sorted({verdict for counts in report.verdicts.values() for verdict in counts})
    totals = [sum(counts[verdict] for counts in report.verdicts.values()) for verdict in verdicts]
    lines.append("entries: " + ", ".join(f"{n:,} {v}" for v, n in zip(verdicts, totals, strict=True)))
    return "\n".join(lines)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> None:
    """Parse the arguments, run, print, and exit with 1 on any fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.hostile")
    parser.add_argument("--bodies", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    chosen = parser.parse_args()
    with ExitStack() as closing:
        url = None
        if chosen.database == "postgresql":
            cluster = PostgresCluster()
            closing.callback(cluster.close)
            url = cluster.url(cluster.new_database())
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        report = run(folder, chosen.bodies, chosen.seed, url, _tell)
    faults = report.all_faults
    lines = [
        table(report),
        f"resident KiB: {report.before_kib:,} first, {report.warm_kib:,} warm, {report.end_kib:,} in the end",
        f"grown by {report.growth_kib:,} KiB while warm, {GROWTH_MOST_KIB:,} at most",
        f"{report.shot:,} bodies of seed {chosen.seed} on {chosen.database} in {report.seconds:,.0f} s",
        *(f"FAULT: {fault}" for fault in faults[:50]),
        f"{len(faults)} faults",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
