"""Households, persons and their edits, as the protocol's «Edits» says: the latest capture stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.simulation.oracle.model import Entry

_HOUSEHOLD_FIELDS = ("area", "head_name", "address", "hamlet", "phone", "members")
_PERSON_FIELDS = (
    "household", "area", "full_name", "birth_date", "sex", "national_id", "insurance_number", "phone"
)  # fmt: skip
_MASKED = ("national_id", "insurance_number", "phone")


@dataclass
class Edit:
    """One entry of a record's log, in the order in which it took effect."""

    entry_id: str
    values: dict[str, Any]
    order: tuple[int, int, str]


@dataclass
class Record:
    """A household or a person."""

    record_type: str
    record_id: str
    log: list[Edit] = field(default_factory=list)
    # The record that it is a part of, and the decision that says so.
    merged_into: str | None = None
    merged_by: str | None = None

    def names(self, entry_id: str) -> bool:
        return any(edit.entry_id == entry_id for edit in self.log)

    def place_of(self, entry_id: str) -> int:
        """Return where an entry stands in the log."""
        return next(n for n, edit in enumerate(self.log) if edit.entry_id == entry_id)

    def amend(self, entry: Entry) -> dict[str, str]:
        """Take in an edit; return field → the latest edit that its author had not seen and contradicts."""
        values = entry.body["set"]
        position = self.place_of(entry.body["base"])
        base = self.log[position].order
        unseen = self.log[position + 1 :]
        latest = {name: edit for edit in unseen for name in values if name in edit.values}
        order = (max(entry.upper_ms, base[0]), base[1] + 1, entry.entry_id)
        self.log.append(Edit(entry.entry_id, dict(values), order))
        return {name: edit.entry_id for name, edit in latest.items() if edit.values[name] != values[name]}

    def value(self, name: str) -> Any:
        setting = [edit for edit in self.log if name in edit.values]
        return max(setting, key=lambda edit: edit.order).values[name] if setting else None

    @property
    def last_entry(self) -> str:
        return self.log[-1].entry_id


def registered(record_type: str, entry: Entry) -> Record:
    """Return the record that an entry registers."""
    fields = _HOUSEHOLD_FIELDS if record_type == "household" else _PERSON_FIELDS
    values = {name: entry.body.get(name) for name in fields}
    return Record(record_type, entry.entry_id, [Edit(entry.entry_id, values, (0, 0, entry.entry_id))])


def masked(number: str | None) -> str | None:
    """Return a number of which only the last four digits can be read."""
    return None if number is None else "•" * max(len(number) - 4, 0) + number[-4:]


class People:
    """Every household and person."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        # (record, field, both entries) → whether it is settled.
        self.conflicts: dict[tuple[str, str, frozenset[str]], bool] = {}

    def amend(self, record: Record, entry: Entry) -> bool:
        """Take in an edit; return whether it conflicts with another one."""
        rivals = record.amend(entry)
        for name, rival in rivals.items():
            self.conflicts[record.record_id, name, frozenset({entry.entry_id, rival})] = False
        return bool(rivals)

    def settle(self, record: Record, decision: Entry) -> None:
        """Close the conflicts on what the office sets whose entries are both up to its base."""
        seen = {edit.entry_id for edit in record.log[: record.place_of(decision.body["base"]) + 1]}
        for key in self.conflicts:
            if key[0] == record.record_id and key[1] in decision.body["set"] and key[2] <= seen:
                self.conflicts[key] = True

    def root(self, record_id: str) -> str:
        """Return the record that everything merged leads to."""
        into = self.records[record_id].merged_into
        return record_id if into is None else self.root(into)

    def visited(self, household: str) -> str:
        """Return what makes a household one household for figures."""
        return f"household:{self.root(household)}"

    def area_of(self, record_id: str) -> str:
        record = self.records[record_id]
        if record.record_type == "household":
            return str(record.value("area"))
        household = record.value("household")
        return str(record.value("area")) if household is None else self.area_of(household)

    def identity(self, person: str) -> str:
        """Return what makes a person one person for figures."""
        root = self.root(person)
        others = [name for name, one in self.records.items() if one.record_type == "person" and name != root]
        cluster = [root, *sorted(name for name in others if self.root(name) == root)]
        for name in ("national_id", "insurance_number"):
            for one in cluster:
                if self.records[one].value(name):
                    return f"{name}:{self.records[one].value(name)}"
        return f"person:{root}"

    def shares_a_number(self, person: str) -> bool:
        """Return whether another person has one of the identifying numbers of `person`."""
        own = self.records[person]
        for name in ("national_id", "insurance_number"):
            number = own.value(name)
            others = (one for one in self.records.values() if one is not own and one.record_type == "person")
            if number and any(other.value(name) == number for other in others):
                return True
        return False

    def wire(self, record_id: str) -> dict[str, Any]:
        """Return the record as it travels."""
        record = self.records[record_id]
        fields = _HOUSEHOLD_FIELDS if record.record_type == "household" else _PERSON_FIELDS
        shown = {name: record.value(name) for name in fields}
        shown = {name: masked(value) if name in _MASKED else value for name, value in shown.items()}
        more = {"last_entry": record.last_entry, "merged_into": record.merged_into}
        return shown | {"area": self.area_of(record_id)} | more
