"""Which records an entry is about: what the view of a record is folded from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# kind → (record type of its own, members that name other records and the list they belong to)
_OWN_RECORD = {
    "household_registered": "household",
    "person_registered": "person",
    "visit_recorded": "visit",
    "vssid_installed": "install",
    "enrolment_recorded": "enrolment",
    "payment_collected": "payment",
    "donation_received": "donation",
    "cash_remitted": "remittance",
    "beneficiary_nominated": "nomination",
    "card_handed_over": "handover",
}
_NAMED = {
    "household_amended": (("household", "household"),),
    "person_amended": (("person", "person"),),
    "person_registered": (("household", "persons_of"),),
    "visit_recorded": (("household", "visits_of"),),
    "vssid_installed": (("person", "installs_of"),),
    "enrolment_recorded": (("person", "enrolments_of"),),
    "consent_recorded": (("person", "consents_of"),),
    "beneficiary_nominated": (("person", "nominations_of"),),
    "card_handed_over": (("allocation", "handovers_of"),),
    "receipt_issued": (("payment", "receipts_of"),),
    "entry_voided": (("target", "voids_of"),),
}


def touched_records(kind: str, entry_id: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (record type, record id) for everything that an entry says something about.

    The body may be anything at all: a planted fault is captured too.
    """
    if kind in _OWN_RECORD:
        yield _OWN_RECORD[kind], entry_id
    for member, record_type in _NAMED.get(kind, ()):
        named = body.get(member)
        if isinstance(named, str):
            yield record_type, named
