"""The content of the workbench's pages, within what the viewer may see."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection

from server.dashboard.queries import EntryLine, Sight, names_of, quarantine_page
from server.dashboard.rules import LIST_LINES, Listing, paged, vietnamese_order
from server.journals.views import QuarantineFilter, quarantine_counts
from server.office.queries import area_keys_under, areas_by_key
from server.people.queries import DisputedRecord, disputed_records
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


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """A record in dispute, with the name of its area."""

    record: DisputedRecord
    area_name: str


def area_keys_in(connection: Connection, sight: Sight) -> set[str] | None:
    """Return the keys of the areas that somebody may see; None: all of them."""
    return None if sight.areas.office_wide else area_keys_under(connection, sight.areas.area_keys)


def dispute_list(connection: Connection, sight: Sight, page: int) -> tuple[list[DisputeLine], Listing]:
    """Return a page of the records in dispute, the longest waiting first."""
    keys = area_keys_in(connection, sight)
    found = disputed_records(connection, keys, limit=LIST_LINES + 1, offset=(page - 1) * LIST_LINES)
    shown, listing = paged(found, page, LIST_LINES)
    areas = areas_by_key(connection, {record.area_key for record in shown})
    lines = [
        DisputeLine(record, areas[record.area_key].name if record.area_key in areas else record.area_key)
        for record in shown
    ]
    return lines, listing


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
