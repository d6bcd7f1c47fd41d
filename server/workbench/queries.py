"""The content of the workbench's pages, within what the viewer may see."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection

from server.dashboard.queries import EntryLine, Sight, names_of, quarantine_page
from server.dashboard.rules import Listing, vietnamese_order
from server.journals.views import QuarantineFilter, quarantine_counts
from server.workbench.rules import QuarantineChoice
from sync.clock import DAY_MS


@dataclass(frozen=True, slots=True)
class QuarantinePage:
    """One page of the list, with what there is to filter by: (value, name, how many)."""

    lines: list[EntryLine]
    listing: Listing
    waiting: int
    returned: int
    codes: list[tuple[str, int]]
    agents: list[tuple[str, str, int]]


def quarantine_list(
    connection: Connection, sight: Sight, choice: QuarantineChoice, page: int, now_ms: int
) -> QuarantinePage:
    """Return the quarantined entries that the choice asks for, newest first."""
    by_code: dict[str, int] = defaultdict(int)
    by_worker: dict[str, int] = defaultdict(int)
    sums = {True: 0, False: 0}
    for code, worker_id, is_returned, count in quarantine_counts(connection, sight.worker_ids):
        sums[is_returned] += count
        if is_returned == choice.is_returned:
            by_code[code or ""] += count
            by_worker[worker_id] += count
    before_ms = None if choice.older_days is None else now_ms - choice.older_days * DAY_MS
    wanted = QuarantineFilter(choice.code, choice.worker_id, before_ms, choice.is_returned)
    lines, listing = quarantine_page(connection, sight, page, wanted)
    names = names_of(connection, by_worker)
    agents = [(worker_id, names.get(worker_id, "–"), count) for worker_id, count in by_worker.items()]
    return QuarantinePage(
        lines=lines,
        listing=listing,
        waiting=sums[False],
        returned=sums[True],
        codes=sorted(by_code.items()),
        agents=sorted(agents, key=lambda each: (vietnamese_order(each[1]), each[0])),
    )
