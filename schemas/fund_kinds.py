"""The bodies of the four kinds of entries about donated cards: giving, carrying, naming, handing over."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from schemas.base import (
    RequestSchema,
    amount_vnd,
    choice,
    entry_id,
    integer,
    nested,
    optional,
    pattern,
    text,
)
from schemas.kinds import AREA_KEY, NATIONAL_ID, OFFICE_ROW, PAYMENT_METHODS, PHONE
from sync.codes import EntryCode

POOL_CODE = r"[a-z][a-z0-9_]{0,63}"
TAX_CODE = r"[0-9]{10}(?:-[0-9]{3})?"

DONOR_CLASSES = ("staff", "company", "benefactor", "anonymous")
RESTRICTION_KINDS = ("area", "pool")
REMITTANCE_DESTINATIONS = ("bank_account", "office")
NOMINATION_EVIDENCE = (
    "poor_book",
    "near_poor_book",
    "subsidy_decision",
    "return_paper",
    "id_card",
    "commune_confirmation",
    "other",
)
PROOF_METHODS = ("id_scanned", "witness")


def _needs(data: dict[str, Any], member: str, *, is_needed: bool) -> None:
    """Raise where a member is missing although another asks for it, or is there although it may not."""
    is_there = data.get(member) is not None
    if is_needed and not is_there:
        raise ValidationError(EntryCode.FIELD_MISSING, member)
    if is_there and not is_needed:
        raise ValidationError(EntryCode.FIELD_INVALID, member)


def _fund() -> Any:
    """Return the number of a fund of the office."""
    return integer(1, 999_999)


class Donor(RequestSchema):
    """Who gave, where they say so."""

    name = text(most=120)
    phone = optional(pattern(PHONE))
    tax_code = optional(pattern(TAX_CODE))


class Restriction(RequestSchema):
    """What a donation may be spent for: an area, by its key, or a pool, by its code."""

    kind = choice(RESTRICTION_KINDS)
    key = pattern(rf"{AREA_KEY}|{POOL_CODE}")

    @validates_schema
    def names_one_of_its_kind(self, data: dict[str, Any], **_: Any) -> None:
        """Only an area's key says since when, so that the two are never taken for each other."""
        if ("@" in data.get("key", "")) != (data.get("kind") == "area"):
            raise ValidationError(EntryCode.FIELD_INVALID, "key")


class DonationReceived(RequestSchema):
    """Somebody gave for cards at a door; its receipt refers to the entry's id.

    A transfer is one that the donor has made or makes: it counts when a statement shows it.
    `pledge` is the row of the office that this donation keeps.
    """

    area = pattern(AREA_KEY)
    fund = _fund()
    donor_class = choice(DONOR_CLASSES)
    donor = optional(nested(Donor))
    method = choice(PAYMENT_METHODS)
    amount_vnd = amount_vnd()
    restriction = optional(nested(Restriction))
    pledge = optional(pattern(OFFICE_ROW))
    note = optional(text())

    @validates_schema
    def names_its_donor(self, data: dict[str, Any], **_: Any) -> None:
        """An anonymous donor stays without a name, and nobody else does."""
        _needs(data, "donor", is_needed=data.get("donor_class") != "anonymous")


class CashRemitted(RequestSchema):
    """An agent carried cash of a fund to its account or to the office; `reference` is of the slip."""

    fund = _fund()
    amount_vnd = amount_vnd()
    destination = choice(REMITTANCE_DESTINATIONS)
    reference = optional(text(most=60))
    note = optional(text())


class BeneficiaryNominated(RequestSchema):
    """A person was named for a card, with what shows their hardship and their consent.

    `member` is the number among those of the household that join in the same financial year, which
    the card's price depends on.
    """

    person = entry_id()
    fund = _fund()
    pool = pattern(POOL_CODE)
    evidence = choice(NOMINATION_EVIDENCE)
    evidence_number = optional(text(most=60))
    consent = entry_id()
    member = optional(integer(1, 60))
    note = optional(text())


class Proof(RequestSchema):
    """What shows that the right person got the card: their identity card, or somebody who saw it."""

    method = choice(PROOF_METHODS)
    national_id = optional(pattern(NATIONAL_ID))
    witness_name = optional(text(most=120))
    witness_phone = optional(pattern(PHONE))

    @validates_schema
    def names_what_it_rests_on(self, data: dict[str, Any], **_: Any) -> None:
        """A scanned card has its number, a witness has a name, and neither has the other's."""
        is_witnessed = data.get("method") == "witness"
        _needs(data, "national_id", is_needed=not is_witnessed)
        _needs(data, "witness_name", is_needed=is_witnessed)
        if data.get("witness_phone") is not None and not is_witnessed:
            raise ValidationError(EntryCode.FIELD_INVALID, "witness_phone")


class CardHandedOver(RequestSchema):
    """A card was given into the beneficiary's hand; `allocation` is the row of the office that gave it."""

    allocation = pattern(OFFICE_ROW)
    person = entry_id()
    proof = nested(Proof)
    note = optional(text())
