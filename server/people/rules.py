"""Pure rules about persons and households."""

from __future__ import annotations

from datetime import date
from typing import Any

from sync.merge import LATEST, OFFICE

# The numbers of a record that are sealed, by the name of their field.
PERSON_NUMBERS = ("national_id", "insurance_number", "phone")
HOUSEHOLD_NUMBERS = ("phone",)
# Numbers that name one person: two persons that share one may be the same.
IDENTIFYING_NUMBERS = ("national_id", "insurance_number")


# How each field of a record is settled when edits did not see each other (decision 0018). What stands
# beside the fields that an amendment can set is the office's own.
HOUSEHOLD_POLICIES = {
    "area": LATEST,
    "head_name": LATEST,
    "address": LATEST,
    "hamlet": LATEST,
    "phone": LATEST,
    "members": LATEST,
    "last_entry": OFFICE,
}
PERSON_POLICIES = {
    "household": LATEST,
    "area": OFFICE,
    "full_name": LATEST,
    "birth_date": LATEST,
    "sex": LATEST,
    "national_id": LATEST,
    "insurance_number": LATEST,
    "phone": LATEST,
    "last_entry": OFFICE,
}


def identity(person_id: str, national_id_index: str | None, insurance_number_index: str | None) -> str:
    """Return what makes a person one person for credits: a number's blind index, or the record."""
    if national_id_index is not None:
        return f"national_id:{national_id_index}"
    if insurance_number_index is not None:
        return f"insurance_number:{insurance_number_index}"
    return f"person:{person_id}"


def is_born_later(birth_date: date | None, day: date) -> bool:
    """Return whether the birth date lies after `day`."""
    return birth_date is not None and birth_date > day


def edited_text(value: Any) -> str:
    """Return a field's value as the text whose digest stands in the record's log."""
    return "" if value is None else str(value)
