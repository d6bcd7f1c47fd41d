"""The one list of codes: what can be wrong with a request, with an entry, or merely worth a flag.

A code is part of the contract: it is never renamed and never reused. Its text for people is in
`schemas.messages`, its page is docs/error-codes.md.
"""

from __future__ import annotations

from enum import StrEnum


class RequestCode(StrEnum):
    """The whole request is refused and nothing is stored; the sender can recover."""

    BODY_UNREADABLE = "body_unreadable"
    BODY_INVALID = "body_invalid"
    BODY_TOO_LARGE = "body_too_large"
    CONTENT_TYPE_UNSUPPORTED = "content_type_unsupported"
    PROTOCOL_UNSUPPORTED = "protocol_unsupported"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_INVALID = "signature_invalid"
    INSTALLATION_UNKNOWN = "installation_unknown"
    INSTALLATION_FENCED = "installation_fenced"
    INSTALLATION_SUPERSEDED = "installation_superseded"
    PREDECESSOR_MISMATCH = "predecessor_mismatch"
    HEAD_MISMATCH = "head_mismatch"
    JOURNAL_GAP = "journal_gap"
    JOURNAL_FORKED = "journal_forked"
    HOLE_MISMATCH = "hole_mismatch"
    ENROLMENT_CODE_INVALID = "enrolment_code_invalid"
    KEY_ID_TAKEN = "key_id_taken"
    NOT_LOGGED_IN = "not_logged_in"
    LOGIN_REFUSED = "login_refused"
    CSRF_INVALID = "csrf_invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    RATE_LIMITED = "rate_limited"
    DATABASE_BUSY = "database_busy"
    STORAGE_FULL = "storage_full"
    INTERNAL_ERROR = "internal_error"


class EntryCode(StrEnum):
    """Why one entry is held or quarantined, or why it is a duplicate; the others go on."""

    ENTRY_UNREADABLE = "entry_unreadable"
    ENTRY_TOO_LARGE = "entry_too_large"
    ENTRY_TOO_DEEP = "entry_too_deep"
    ENTRY_ID_MALFORMED = "entry_id_malformed"
    ENTRY_ID_REUSED = "entry_id_reused"
    ENTRY_ALREADY_RECEIVED = "entry_already_received"
    KIND_UNKNOWN = "kind_unknown"
    FIELD_MISSING = "field_missing"
    FIELD_UNKNOWN = "field_unknown"
    FIELD_WRONG_TYPE = "field_wrong_type"
    FIELD_INVALID = "field_invalid"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_HAS_NUL = "text_has_nul"
    BIRTH_DATE_IN_FUTURE = "birth_date_in_future"
    AMOUNT_INVALID = "amount_invalid"
    KIND_NOT_FOR_DEVICES = "kind_not_for_devices"
    AREA_UNKNOWN = "area_unknown"
    CAMPAIGN_UNKNOWN = "campaign_unknown"
    PROMOTER_UNKNOWN = "promoter_unknown"
    REFERENCE_NOT_SEEN = "reference_not_seen"
    REFERENCE_WRONG_KIND = "reference_wrong_kind"
    HELD_TOO_LONG = "held_too_long"
    NOT_OWN_ENTRY = "not_own_entry"
    ALREADY_VOIDED = "already_voided"
    NOT_QUARANTINED = "not_quarantined"
    NOT_CORRECTABLE = "not_correctable"
    NOT_RETURNED = "not_returned"
    ALREADY_MERGED = "already_merged"
    MERGE_CYCLE = "merge_cycle"
    MERGE_ACROSS_AREAS = "merge_across_areas"
    NOT_MERGED = "not_merged"
    RECEIPT_MALFORMED = "receipt_malformed"
    RECEIPT_SIGNATURE_INVALID = "receipt_signature_invalid"
    RECEIPT_NOT_OF_THIS_DEVICE = "receipt_not_of_this_device"
    RECEIPT_DIGEST_MISMATCH = "receipt_digest_mismatch"
    RECEIPT_AMOUNT_MISMATCH = "receipt_amount_mismatch"
    RECEIPT_NUMBER_REUSED = "receipt_number_reused"
    ALLOCATION_MISMATCH = "allocation_mismatch"
    INSTALLATION_REVOKED = "installation_revoked"
    JUDGEMENT_FAILED = "judgement_failed"


class Flag(StrEnum):
    """Applied all the same, with a remark that people see."""

    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEFORE_PREVIOUS = "clock_before_previous"
    OUT_OF_AREA = "out_of_area"
    OUT_OF_CAMPAIGN = "out_of_campaign"
    LATE_ARRIVAL = "late_arrival"
    NO_ASSIGNMENT = "no_assignment"
    IN_GRACE = "in_grace"
    CONFLICT = "conflict"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    RECEIPT_GAP = "receipt_gap"
    RECEIPT_LINK_BROKEN = "receipt_link_broken"
    AMOUNT_UNKNOWN = "amount_unknown"
    AMOUNT_DIFFERS = "amount_differs"
    AMOUNT_UNCHECKED = "amount_unchecked"
    INCOME_NOT_ALLOWED = "income_not_allowed"
    FIRST_MEMBER_TWICE = "first_member_twice"


class RateCode(StrEnum):
    """Why there is no amount of a contribution or premium, or what is worth knowing about one."""

    TERMS_MISSING = "terms_missing"
    RATE_TABLE_MISSING = "rate_table_missing"
    INCOME_BELOW_FLOOR = "income_below_floor"
    INCOME_ABOVE_CEILING = "income_above_ceiling"
    INCOME_OFF_STEP = "income_off_step"
    SUPPORT_UNKNOWN = "support_unknown"
    LOCAL_SUPPORT_INVALID = "local_support_invalid"
    SUPPORT_USED_UP = "support_used_up"
