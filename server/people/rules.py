"""Pure rules about persons and households."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sync.merge import LATEST, OFFICE

# The numbers of a record that are sealed, by the name of their field.
PERSON_NUMBERS = ("national_id", "insurance_number", "phone")
HOUSEHOLD_NUMBERS = ("phone",)
# Numbers that name one person: two persons that share one may be the same.
IDENTIFYING_NUMBERS = ("national_id", "insurance_number")


class PairCode(StrEnum):
    """Why a supervisor's decision about two records is not taken; it never travels to a device."""

    MARKED_DISTINCT = "marked_distinct"
    ARE_MERGED = "are_merged"


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
    "merged_into": OFFICE,
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
    "merged_into": OFFICE,
}


def identity(person_id: str, national_id_index: str | None, insurance_number_index: str | None) -> str:
    """Return what makes a person one person for credits: a number's blind index, or the record."""
    if national_id_index is not None:
        return f"national_id:{national_id_index}"
    if insurance_number_index is not None:
        return f"insurance_number:{insurance_number_index}"
    return f"person:{person_id}"


@dataclass(frozen=True, slots=True)
class Identified:
    """A person's id with the blind indexes of the numbers that name one person."""

    id: str
    national_id_index: str | None
    insurance_number_index: str | None


def cluster_identity(root_id: str, members: Iterable[Identified]) -> str:
    """Return what makes merged persons one person for credits.

    The root's own number comes first, then those of the others by id; a national id of any of them
    comes before every insurance number.
    """
    ordered = sorted(members, key=lambda each: (each.id != root_id, each.id))
    national = next((each.national_id_index for each in ordered if each.national_id_index), None)
    insurance = next((each.insurance_number_index for each in ordered if each.insurance_number_index), None)
    return identity(root_id, national, insurance)


def root_of(record_id: str, edges: Mapping[str, str]) -> str:
    """Return where the edges lead from a record; they never lead in a circle."""
    while record_id in edges:
        record_id = edges[record_id]
    return record_id


def clusters_of(record_ids: Iterable[str], edges: Mapping[str, str]) -> dict[str, str | None]:
    """Return each record's cluster, by its root; None for one that stands alone."""
    roots = {record_id: root_of(record_id, edges) for record_id in record_ids}
    sizes = Counter(roots.values())
    return {record_id: root if sizes[root] > 1 else None for record_id, root in roots.items()}


def is_born_later(birth_date: date | None, day: date) -> bool:
    """Return whether the birth date lies after `day`."""
    return birth_date is not None and birth_date > day


def edited_text(value: Any) -> str:
    """Return a field's value as the text whose digest stands in the record's log."""
    return "" if value is None else str(value)
