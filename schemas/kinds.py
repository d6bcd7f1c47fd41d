"""The bodies of entries, one schema a kind. A kind is a past-tense fact."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from schemas.base import (
    RequestSchema,
    amount_vnd,
    choice,
    day,
    entry_id,
    entry_name,
    integer,
    json_object,
    list_of,
    month,
    nested,
    optional,
    pattern,
    text,
)
from sync.codes import EntryCode

AREA_KEY = r"[0-9A-Za-z.-]{1,20}@[0-9]{4}-[0-9]{2}-[0-9]{2}"
NATIONAL_ID = r"[0-9]{12}"
INSURANCE_NUMBER = r"[0-9]{10}"
PHONE = r"\+?[0-9]{8,15}"
# The id of a row that the office made, a worker among them, or of an entry.
OFFICE_ROW = r"[0-9a-f-]{36}"

SEXES = ("female", "male")
DISPOSITIONS = ("agreed", "refused", "call_back", "moved_away", "nobody_home")
SCHEMES = ("voluntary", "health")
ENROLMENT_STATUSES = ("new", "renewal")
# Of several the highest counts; what each is supported with is in the rate tables.
CATEGORIES = ("poor", "near_poor", "ethnic_minority", "other")
SUPPORT_CODE = r"[a-z][a-z0-9_]{0,63}"
PAYMENT_METHODS = ("cash", "transfer")
INSTALL_STATES = ("declared", "activated", "in_use")
OCCASIONS = (
    "home_visit",
    "pension_day",
    "id_card_day",
    "at_employer",
    "at_school",
    "at_office",
    "event",
    "contest",
)
EVIDENCE_LEVELS = ("none", "seen_on_screen", "account_code", "office_record")
RETURN_REPLIES = ("replaced", "withdrawn")
CONSENT_PURPOSES = ("enrolment", "renewal_reminders", "card_donation", "sensitive_data")
CONSENT_DECISIONS = ("given", "withdrawn")
CONSENT_EVIDENCE = ("spoken", "signed_paper", "signed_on_screen")
RECORD_TYPES = ("person", "household")
PROMOTER_KINDS = ("officer", "hamlet_head", "household", "contest_entrant")


class Promoter(RequestSchema):
    """Who persuaded, when it is not the recording agent.

    `id` is the id of a worker (officer, hamlet head), of a household or of a person (contest
    entrant).
    """

    kind = choice(PROMOTER_KINDS)
    id = pattern(OFFICE_ROW)


class HouseholdFields(RequestSchema):
    """What is known of a household."""

    area = pattern(AREA_KEY)
    head_name = text(most=120)
    address = text(most=300)
    hamlet = optional(text(most=120))
    phone = optional(pattern(PHONE))
    members = optional(integer(1, 60))


class HouseholdRegistered(HouseholdFields):
    """A household was put on the list."""


class HouseholdChanges(RequestSchema):
    """The fields of a household that an amendment sets."""

    area = pattern(AREA_KEY, required=False)
    head_name = text(most=120, required=False)
    address = text(most=300, required=False)
    hamlet = text(most=120, required=False, allow_none=True)
    phone = pattern(PHONE, required=False, allow_none=True)
    members = integer(1, 60, required=False, allow_none=True)


class _Amendment(RequestSchema):
    @validates_schema
    def sets_something(self, data: dict[str, Any], **_: Any) -> None:
        """An amendment without any field says nothing."""
        if not data.get("set"):
            raise ValidationError(EntryCode.FIELD_INVALID, "set")


class HouseholdAmended(_Amendment):
    """Fields of a household were changed; `base` is the last entry in the device's view of it."""

    household = entry_id()
    base = entry_id()
    set = nested(HouseholdChanges)


class PersonFields(RequestSchema):
    """What is known of a person, who may have no household (then `area` says where)."""

    household = optional(entry_id())
    area = optional(pattern(AREA_KEY))
    full_name = text(most=120)
    birth_date = optional(day())
    sex = optional(choice(SEXES))
    national_id = optional(pattern(NATIONAL_ID))
    insurance_number = optional(pattern(INSURANCE_NUMBER))
    phone = optional(pattern(PHONE))


class PersonRegistered(PersonFields):
    """A person was put on the list."""

    @validates_schema
    def has_a_place(self, data: dict[str, Any], **_: Any) -> None:
        """Without a household a person needs an area, or belongs to no scope at all."""
        if data.get("household") is None and data.get("area") is None:
            raise ValidationError(EntryCode.FIELD_MISSING, "area")


class PersonChanges(RequestSchema):
    """The fields of a person that an amendment sets."""

    household = entry_id(required=False)
    full_name = text(most=120, required=False)
    birth_date = day(required=False, allow_none=True)
    sex = choice(SEXES, required=False, allow_none=True)
    national_id = pattern(NATIONAL_ID, required=False, allow_none=True)
    insurance_number = pattern(INSURANCE_NUMBER, required=False, allow_none=True)
    phone = pattern(PHONE, required=False, allow_none=True)


class PersonAmended(_Amendment):
    """Fields of a person were changed; `base` is the last entry in the device's view of it."""

    person = entry_id()
    base = entry_id()
    set = nested(PersonChanges)


class OutreachFact(RequestSchema):
    """What every fact of outreach names: where it happened, its campaign and who persuaded.

    `area` is the fact's own: what it counts for never changes because a household moves.
    """

    area = pattern(AREA_KEY)
    campaign = optional(integer(1, 999_999))
    promoter = optional(nested(Promoter))


class VisitRecorded(OutreachFact):
    """An agent knocked at a door; `call_back_on` is the day agreed on for another visit."""

    household = entry_id()
    disposition = choice(DISPOSITIONS)
    call_back_on = optional(day())
    note = optional(text())


class VssidInstalled(OutreachFact):
    """The VssID app: declared by the person, activated by the office, or seen in use."""

    person = entry_id()
    state = choice(INSTALL_STATES)
    occasion = choice(OCCASIONS)
    evidence = choice(EVIDENCE_LEVELS)


class EnrolmentRecorded(OutreachFact):
    """A person enrols in a scheme for `months` from `from_month` on; money comes with its own entry.

    Voluntary insurance: `income_vnd` is the chosen monthly income, `category` what the state
    supports by, `supported_months` how many months it supported before. Health insurance: `member`
    is the number among those of the household that join in the same financial year, `support` the
    supported category, `hospital` where the card is registered. `local_support_vnd` is what the
    local budget adds, for the whole period. Nothing is due where others pay all of it.
    """

    person = entry_id()
    scheme = choice(SCHEMES)
    status = choice(ENROLMENT_STATUSES)
    from_month = month()
    months = integer(1, 60)
    income_vnd = optional(amount_vnd())
    category = optional(choice(CATEGORIES))
    supported_months = optional(integer(0, 1200))
    member = optional(integer(1, 60))
    support = optional(pattern(SUPPORT_CODE))
    hospital = optional(text(most=120))
    local_support_vnd = optional(amount_vnd(least=0))
    amount_due_vnd = amount_vnd(least=0)
    visit = optional(entry_id())


class ConsentRecorded(RequestSchema):
    """A person gave or withdrew their consent to one purpose; the latest capture of each counts."""

    person = entry_id()
    purpose = choice(CONSENT_PURPOSES)
    decision = choice(CONSENT_DECISIONS)
    evidence = choice(CONSENT_EVIDENCE)
    note = optional(text())


class Allocation(RequestSchema):
    """The part of a payment that is for one enrolment."""

    enrolment = entry_id()
    amount_vnd = amount_vnd()


class PaymentCollected(RequestSchema):
    """Money was taken. `payment` is the entry's own id, which the receipt refers to."""

    payment = entry_id()
    scheme = choice(SCHEMES)
    method = choice(PAYMENT_METHODS)
    allocations = list_of(nested(Allocation), least=1, most=20)
    note = optional(text())


class ReceiptIssued(RequestSchema):
    """A receipt was handed over.

    `token` is decimal digits, `salt` the 16 bytes of its digest, `linked_ack` the signed
    acknowledgement that it links to (null before the first). `payment` is the payment or donation
    that the token's digest covers: the one receipted, or for a void the one voided.
    """

    payment = entry_id()
    token = pattern(r"[1-9][0-9]{0,399}")
    salt = pattern(r"[A-Za-z0-9_-]{22}")
    linked_ack = optional(text(most=1000))


class EntryVoided(RequestSchema):
    """An earlier entry of the same agent does not count; the void of money comes with its receipt."""

    target = entry_id()
    reason = text(most=300)


class ReturnAnswered(RequestSchema):
    """The agent settled an entry that the office sent back: by another entry, or by giving it up."""

    target = entry_name()
    reply = choice(RETURN_REPLIES)
    replacement = optional(entry_id())
    note = optional(text())

    @validates_schema
    def names_its_replacement(self, data: dict[str, Any], **_: Any) -> None:
        """What is replaced names the entry that replaces it, and nothing else does."""
        is_replaced = data.get("reply") == "replaced"
        if is_replaced and data.get("replacement") is None:
            raise ValidationError(EntryCode.FIELD_MISSING, "replacement")
        if not is_replaced and data.get("replacement") is not None:
            raise ValidationError(EntryCode.FIELD_INVALID, "replacement")


class EntryCorrected(RequestSchema):
    """The office judged a quarantined entry again, with `body` instead of its own."""

    target = entry_name()
    body = json_object()


class EntryReturned(RequestSchema):
    """The office sent a quarantined entry back to its agent."""

    target = entry_name()
    reason = text(most=300)


class RecordsMerged(RequestSchema.from_dict({"from": entry_id(), "into": entry_id()})):  # type: ignore[misc]
    """Two records are of one person or household; `from` is shown as a part of `into`."""

    record_type = choice(RECORD_TYPES)


class RecordsUnmerged(RequestSchema):
    """A merge was a mistake; `merge` is the entry that made it."""

    merge = entry_id()
