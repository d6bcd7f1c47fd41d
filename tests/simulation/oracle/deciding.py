"""What the office decides at its desk, and what agents answer: «The desk» and «Merges» written again."""

from __future__ import annotations

from typing import Any

from tests.simulation.oracle.model import Entry, Ruling, read_entry, refused
from tests.simulation.oracle.office import local_day
from tests.simulation.oracle.records import People

DESK = "desk"
# What a device may write, and so what a correction can make of an entry.
_OF_DEVICES = (
    "household_registered",
    "household_amended",
    "person_registered",
    "person_amended",
    "visit_recorded",
    "vssid_installed",
    "enrolment_recorded",
    "payment_collected",
    "receipt_issued",
    "entry_voided",
    "return_answered",
)


class Deciding:
    """The part of a judgement that is about decisions."""

    entries: dict[str, Entry]
    people: People
    desk_verdicts: list[str]

    def decide(self, raw: str, worker: str, now_ms: int) -> str | None:
        """Judge an entry of the desk; return the code with which it is refused, None where it stands."""
        reading = read_entry(raw, {})
        assert reading.entry_id is not None
        assert reading.captured is not None
        wall_ms = reading.captured["wall_ms"]
        entry = Entry(
            reading.entry_id,
            raw,
            reading.sha256,
            reading.kind,
            reading.body,
            worker,
            DESK,
            reading.captured,
            wall_ms,
            wall_ms,
            local_day(wall_ms),
            now_ms,
        )
        ruling = self._rule(entry)
        if ruling.state not in {"applied", "merged"}:
            return ruling.code
        entry.state = ruling.state
        self.entries[entry.entry_id] = entry
        self.desk_verdicts.append(ruling.state)
        self._release(entry.entry_id)
        return None

    def _rule(self, entry: Entry) -> Ruling:
        raise NotImplementedError

    def _release(self, entry_id: str) -> None:
        raise NotImplementedError

    # --- what is quarantined ---

    def _entry_corrected(self, entry: Entry) -> Ruling:
        target = self.entries[entry.body["target"]]
        if target.state != "quarantined":
            return refused("not_quarantined")
        if target.kind not in _OF_DEVICES or "/" in target.entry_id:
            return refused("not_correctable")
        before, target.body = target.body, entry.body["body"]
        ruling = self._rule(target)
        if ruling.missing:
            target.waits, target.held_ms = ruling.missing, entry.received_ms
            target.become("held", "reference_not_seen")
        elif ruling.code is not None:
            target.body = before
            return ruling
        else:
            target.waits = set()
            target.become(ruling.state)
            self._release(target.entry_id)
        target.is_readable = True
        return Ruling("applied")

    def _entry_returned(self, entry: Entry) -> Ruling:
        target = self.entries[entry.body["target"]]
        if target.state != "quarantined":
            return refused("not_quarantined")
        target.reason, target.returned_ms, target.moved = entry.body["reason"], entry.received_ms, True
        return Ruling("applied")

    def _return_answered(self, entry: Entry) -> Ruling:
        target = self.entries[entry.body["target"]]
        if target.worker != entry.worker:
            return refused("not_own_entry")
        replacement = entry.body.get("replacement")
        if replacement is not None and self.entries[replacement].worker != entry.worker:
            return refused("not_own_entry")
        if target.state != "quarantined":
            return refused("not_quarantined")
        if target.returned_ms is None:
            return refused("not_returned")
        target.waits = set()
        target.become("answered")
        return Ruling("applied")

    # --- merges ---

    def _records_merged(self, entry: Entry) -> Ruling:
        body: dict[str, Any] = entry.body
        part, whole = self.people.records[body["from"]], self.people.records[body["into"]]
        if part.merged_into is not None:
            return refused("already_merged")
        if self.people.root(whole.record_id) == part.record_id:
            return refused("merge_cycle")
        if self.people.area_of(part.record_id) != self.people.area_of(whole.record_id):
            return refused("merge_across_areas")
        part.merged_into, part.merged_by = whole.record_id, entry.entry_id
        return Ruling("applied")

    def _records_unmerged(self, entry: Entry) -> Ruling:
        for record in self.people.records.values():
            if record.merged_by == entry.body["merge"]:
                record.merged_into = record.merged_by = None
                return Ruling("applied")
        return refused("not_merged")
