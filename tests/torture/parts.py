"""The parts of a torture by name, in the order in which they run."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.torture.calls import fail_calls
from tests.torture.disks import fill_disk, fill_tablet
from tests.torture.kills import kill_processes
from tests.torture.lines import mistreat_lines
from tests.torture.report import Row
from tests.torture.writers import write_at_once

Part = Callable[[str, int, int], Row]
PARTS: dict[str, Part] = {
    "kills": kill_processes,
    "calls": fail_calls,
    "disk": fill_disk,
    "tablet": fill_tablet,
    "lines": mistreat_lines,
    "writers": write_at_once,
}


def run_part(name: str, database: str, cycles: int, seed: int) -> Row:
    """Run one part on one database and time it."""
    started = time.monotonic()
    row = PARTS[name](database, cycles, seed)
    row.seconds = time.monotonic() - started
    return row
