"""The one list of kinds: kind → schema, and what a body of that kind refers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema
from msgspec import Struct

from schemas import fund_kinds, kinds
from schemas.derived import DerivedSchema, derived
from schemas.earlier import EARLIER_BODIES, EarlierBody
from sync.entry import Fault


@dataclass(frozen=True, slots=True)
class Reference:
    """A member of a body that names something a device created, and the kinds that may create it.

    No kinds: any, read or not. `in_effect` False: it is enough that the server has received it,
    whatever became of it.
    """

    field: str
    kinds: tuple[str, ...]
    in_effect: bool = True


DEVICES = frozenset({"device"})
OFFICE = frozenset({"desk"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entry, and who may write it: devices, the office at its desk, or both."""

    name: str
    schema: Schema
    references: tuple[Reference, ...] = ()
    origins: frozenset[str] = DEVICES


_HOUSEHOLD = Reference("household", ("household_registered",))
_PERSON = Reference("person", ("person_registered",))
# What was received, whatever it is and whatever became of it.
_RECEIVED = Reference("target", (), in_effect=False)
_REGISTRATIONS = ("person_registered", "household_registered")
# Money taken at a door, which gets a receipt there.
_RECEIPTED = ("payment_collected", "donation_received")
_VOIDABLE = (
    "visit_recorded",
    "vssid_installed",
    "enrolment_recorded",
    "payment_collected",
    "donation_received",
    "cash_remitted",
    "beneficiary_nominated",
    "card_handed_over",
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("household_registered", kinds.HouseholdRegistered()),
        Kind(
            "household_amended",
            kinds.HouseholdAmended(),
            (_HOUSEHOLD, Reference("base", ("household_registered", "household_amended"))),
            DEVICES | OFFICE,
        ),
        Kind("person_registered", kinds.PersonRegistered(), (_HOUSEHOLD,)),
        Kind(
            "person_amended",
            kinds.PersonAmended(),
            (
                _PERSON,
                Reference("base", ("person_registered", "person_amended")),
                Reference("set.household", ("household_registered",)),
            ),
            DEVICES | OFFICE,
        ),
        Kind("visit_recorded", kinds.VisitRecorded(), (_HOUSEHOLD,)),
        Kind("vssid_installed", kinds.VssidInstalled(), (_PERSON,)),
        Kind(
            "enrolment_recorded",
            kinds.EnrolmentRecorded(),
            (_PERSON, Reference("visit", ("visit_recorded",))),
        ),
        Kind("consent_recorded", kinds.ConsentRecorded(), (_PERSON,)),
        Kind(
            "payment_collected",
            kinds.PaymentCollected(),
            (Reference("allocations.enrolment", ("enrolment_recorded",)),),
        ),
        Kind(
            "receipt_issued",
            kinds.ReceiptIssued(),
            (Reference("payment", _RECEIPTED, in_effect=False),),
        ),
        Kind("donation_received", fund_kinds.DonationReceived()),
        Kind("cash_remitted", fund_kinds.CashRemitted()),
        Kind(
            "beneficiary_nominated",
            fund_kinds.BeneficiaryNominated(),
            (_PERSON, Reference("consent", ("consent_recorded",))),
        ),
        Kind("card_handed_over", fund_kinds.CardHandedOver(), (_PERSON,)),
        Kind("entry_voided", kinds.EntryVoided(), (Reference("target", _VOIDABLE),)),
        Kind(
            "return_answered",
            kinds.ReturnAnswered(),
            (_RECEIVED, Reference("replacement", (), in_effect=False)),
        ),
        Kind("entry_corrected", kinds.EntryCorrected(), (_RECEIVED,), OFFICE),
        Kind("entry_returned", kinds.EntryReturned(), (_RECEIVED,), OFFICE),
        Kind(
            "records_merged",
            kinds.RecordsMerged(),
            (Reference("from", _REGISTRATIONS), Reference("into", _REGISTRATIONS)),
            OFFICE,
        ),
        Kind("records_unmerged", kinds.RecordsUnmerged(), (Reference("merge", ("records_merged",)),), OFFICE),
    )
}


PROMOTER_REFERENCES = {
    "household": Reference("promoter.id", ("household_registered",)),
    "contest_entrant": Reference("promoter.id", ("person_registered",)),
}


class Referral(Struct, frozen=True, gc=False):
    """One id that a body refers to: where it stands and what may have created it."""

    field: str
    entry_id: str
    kinds: tuple[str, ...]
    in_effect: bool = True


def referrals(kind: Kind, body: dict[str, Any]) -> list[Referral]:
    """Return everything a loaded body refers to that devices create."""
    found = []
    for reference in kind.references:
        name = reference.field
        # Most references are a member of the body itself.
        if name in body:
            if body[name] is not None:
                found.append(Referral(name, body[name], reference.kinds, reference.in_effect))
        elif "." in name:
            found += [
                Referral(name, entry_id, reference.kinds, reference.in_effect)
                for entry_id in _ids_at(body, name)
            ]
    promoter = body.get("promoter")
    if promoter is not None and promoter["kind"] in PROMOTER_REFERENCES:
        reference = PROMOTER_REFERENCES[promoter["kind"]]
        found.append(Referral(reference.field, promoter["id"], reference.kinds))
    return found


def _ids_at(body: dict[str, Any], field: str) -> list[str]:
    nodes: list[Any] = [body]
    for name in field.split("."):
        nodes = [
            child
            for node in nodes
            if isinstance(node, dict) and node.get(name) is not None
            for child in (node[name] if isinstance(node[name], list) else [node[name]])
        ]
    return nodes


def load_body(kind: Kind, body: dict[str, Any]) -> dict[str, Any] | Fault:
    """Return the body as the kind's schema reads it, or its first fault.

    A body of an earlier release is read by that release's schema and lifted to today's.
    """
    schema, earlier = _shape_of(kind, body)
    loaded = schema.load(body)
    return loaded if earlier is None or isinstance(loaded, Fault) else earlier.lift(loaded)


def accepted_body(kind: Kind, body: dict[str, Any], most_depth: int) -> dict[str, Any] | None:
    """Return what `load_body` does, where that needs no explanation and nests no deeper; else None."""
    schema, earlier = _shape_of(kind, body)
    accepted = schema.accepted(body) if schema.depth <= most_depth else None
    return accepted if earlier is None or accepted is None else earlier.lift(accepted)


def _shape_of(kind: Kind, body: dict[str, Any]) -> tuple[DerivedSchema, EarlierBody | None]:
    earlier = EARLIER_BODIES.get(kind.name)
    if earlier is not None and earlier.is_shape_of(body):
        return derived(type(earlier.schema)), earlier
    return derived(type(kind.schema)), None
