"""The content of the workbench's pages, within what the viewer may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from server.audit.queries import wire_records
from server.dashboard.queries import EntryLine, Sight, names_of, quarantine_page
from server.dashboard.rules import LIST_LINES, Listing, paged, vietnamese_order
from server.journals.views import QuarantineFilter, quarantine_counts
from server.office.queries import area_keys_under, areas_by_key
from server.people.duplicates import (
    DistinctMark,
    DistinctRecords,
    DuplicatePair,
    MergedRecord,
    are_one,
    distinct_mark,
    distinct_records,
    duplicate_pairs,
    merged_records,
)
from server.people.queries import DisputedRecord, disputed_records, households_by_id, record_of
from server.workbench.rules import QuarantineChoice, shown_value
from sync.clock import DAY_MS

_Line = TypeVar("_Line")
# A value as a page shows it; consents are {purpose: decision}. None: left empty.
Shown = str | Mapping[str, str] | None
# Of a record as it travels: what says nothing to people.
_HIDDEN = {"area", "last_entry", "merged_into"}


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


@dataclass(frozen=True, slots=True)
class PairsPage(Generic[_Line]):
    """One page of a list of records, with the names of their areas and of who decided, by key and id."""

    lines: list[_Line]
    listing: Listing
    areas: dict[str, str]
    people: dict[str, str]


def duplicate_list(connection: Connection, sight: Sight, page: int) -> PairsPage[DuplicatePair]:
    """Return a page of the pairs that may be one, and that nobody has decided about."""
    keys, start = area_keys_in(connection, sight), (page - 1) * LIST_LINES
    found = duplicate_pairs(connection, keys, limit=LIST_LINES + 1, offset=start)
    lines, listing = paged(found, page, LIST_LINES)
    return PairsPage(lines, listing, _areas_of_pairs(connection, lines), {})


def merged_list(connection: Connection, sight: Sight, page: int) -> PairsPage[MergedRecord]:
    """Return a page of what was merged."""
    keys, start = area_keys_in(connection, sight), (page - 1) * LIST_LINES
    found = merged_records(connection, keys, limit=LIST_LINES + 1, offset=start)
    lines, listing = paged(found, page, LIST_LINES)
    return PairsPage(lines, listing, _area_names(connection, {record.area_key for record in lines}), {})


def distinct_list(connection: Connection, sight: Sight, page: int) -> PairsPage[DistinctRecords]:
    """Return a page of the pairs that were called two, both in sight."""
    keys, start = area_keys_in(connection, sight), (page - 1) * LIST_LINES
    found = distinct_records(connection, keys, limit=LIST_LINES + 1, offset=start)
    lines, listing = paged(found, page, LIST_LINES)
    people = names_of(connection, {each.decided_by for each in lines})
    return PairsPage(lines, listing, _areas_of_pairs(connection, lines), people)


def _areas_of_pairs(
    connection: Connection, pairs: Sequence[DuplicatePair | DistinctRecords]
) -> dict[str, str]:
    return _area_names(connection, {key for each in pairs for key in (each.first_area, each.other_area)})


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two records side by side: (field, value of the first, of the other), numbers masked.

    `are_one`: merges have made one of them. `mark`, `marked_by`: who called them two, with the name.
    """

    record_type: str
    ids: tuple[str, str]
    names: tuple[str, str]
    area_names: tuple[str, str]
    lines: list[tuple[str, Shown, Shown]]
    are_one: bool
    mark: DistinctMark | None
    marked_by: str | None


def comparison_of(connection: Connection, sight: Sight, first_id: str, other_id: str) -> Comparison | None:
    """Return two records of one type to compare, or None where one is not there or not in sight."""
    keys, ids = area_keys_in(connection, sight), (first_id, other_id)
    record = record_of(connection, first_id)
    if record is None:
        return None
    record_type = record.record_type
    found = wire_records(connection, record_type, ids)
    if len(found) < 2 or not all(keys is None or found[each]["area"] in keys for each in ids):
        return None
    areas = _area_names(connection, {record["area"] for record in found.values()})
    households = households_by_id(
        connection, {record["household"] for record in found.values() if record.get("household")}
    )
    words = {each.id: f"{each.head_name}, {each.address}" for each in households.values()}
    lines = [
        (
            name,
            _shown(name, found[first_id][name], words),
            _shown(name, found[other_id][name], words),
        )
        for name in found[first_id]
        if name not in _HIDDEN
    ]
    name = "full_name" if record_type == "person" else "head_name"
    mark = distinct_mark(connection, record_type, *ids)
    return Comparison(
        record_type,
        ids,
        (found[first_id][name], found[other_id][name]),
        (areas[found[first_id]["area"]], areas[found[other_id]["area"]]),
        lines,
        are_one(connection, record_type, *ids),
        mark,
        None if mark is None else names_of(connection, {mark.decided_by}).get(mark.decided_by, "–"),
    )


def _shown(field: str, value: Any, words: Mapping[str, str]) -> Shown:
    return (value or None) if field == "consents" else shown_value(field, value, words)


def _area_names(connection: Connection, keys: set[str]) -> dict[str, str]:
    areas = areas_by_key(connection, keys)
    return {key: areas[key].name if key in areas else key for key in keys}


def quarantine_filter(choice: QuarantineChoice, now_ms: int) -> QuarantineFilter:
    """Return which entries a choice means at a moment."""
    before_ms = None if choice.older_days is None else now_ms - choice.older_days * DAY_MS
    return QuarantineFilter(choice.code, choice.worker_id, before_ms, choice.is_returned)


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
    lines, listing = quarantine_page(connection, sight, page, quarantine_filter(choice, now_ms))
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
