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

    def names(self, entry_id: str) -> bool:
        return any(edit.entry_id == entry_id for edit in self.log)

    def amend(self, entry: Entry) -> bool:
        """Take in an edit; return whether it conflicts with one that its author had not seen."""
        values = entry.body["set"]
        position = next(n for n, edit in enumerate(self.log) if edit.entry_id == entry.body["base"])
        base = self.log[position].order
        unseen = self.log[position + 1 :]
        latest = {name: edit.values[name] for edit in unseen for name in values if name in edit.values}
        order = (max(entry.upper_ms, base[0]), base[1] + 1, entry.entry_id)
        self.log.append(Edit(entry.entry_id, dict(values), order))
        return any(latest[name] != values[name] for name in latest)

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

    def area_of(self, record_id: str) -> str:
        record = self.records[record_id]
        if record.record_type == "household":
            return str(record.value("area"))
        household = record.value("household")
        return str(record.value("area")) if household is None else self.area_of(household)

    def identity(self, person: str) -> str:
        """Return what makes a person one person for figures."""
        record = self.records[person]
        for name in ("national_id", "insurance_number"):
            if record.value(name):
                return f"{name}:{record.value(name)}"
        return f"person:{person}"

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
        return shown | {"area": self.area_of(record_id), "last_entry": record.last_entry}
