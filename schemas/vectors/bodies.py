"""Bodies of every kind, good and bad. What a bad one is refused with is written here by hand."""

from __future__ import annotations

from typing import Any

from schemas.vectors.fund_bodies import FUND_FAULTS, FUND_SOUND, FUND_WHOLE
from sync.limits import LIMITS

_HOUSEHOLD, _PERSON, _VISIT, _ENROLMENT, _PAYMENT, _OTHER = (
    f"01720000-0000-7000-8000-00000000000{number}" for number in (1, 2, 3, 4, 5, 6)
)
_WORKER = "01720000-0000-7000-8000-0000000000aa"
_AREA = "99001@2004-01-01"

# What version 1 did not know of an enrolment.
NEW_IN_2 = ("category", "supported_months", "member", "support", "hospital", "local_support_vnd")

# One sound body of each kind, with every member.
WHOLE: dict[str, dict[str, Any]] = {
    "household_registered": {
        "area": _AREA,
        "head_name": "Lê Văn Thử",
        "address": "12 Đường Thử",
        "hamlet": "Ấp Thử",
        "phone": "+99900000001",
        "members": 4,
    },
    "household_amended": {
        "household": _HOUSEHOLD,
        "base": _HOUSEHOLD,
        "set": {"area": _AREA, "head_name": "Lê Thị Thử", "hamlet": None, "phone": None, "members": 5},
    },
    "person_registered": {
        "household": _HOUSEHOLD,
        "area": None,
        "full_name": "Nguyễn Thị Thử",
        "birth_date": "1970-02-28",
        "sex": "female",
        "national_id": "999000000001",
        "insurance_number": "9990000001",
        "phone": "99900000001",
    },
    "person_amended": {
        "person": _PERSON,
        "base": _PERSON,
        "set": {"full_name": "Nguyễn Thị Thử Hai", "birth_date": None, "sex": "male", "national_id": None},
    },
    "visit_recorded": {
        "area": _AREA,
        "household": _HOUSEHOLD,
        "disposition": "call_back",
        "call_back_on": "2020-05-24",
        "note": "Hẹn chiều",
        "campaign": 2,
        "promoter": {"kind": "hamlet_head", "id": _WORKER},
    },
    "vssid_installed": {
        "area": _AREA,
        "person": _PERSON,
        "state": "activated",
        "occasion": "pension_day",
        "evidence": "seen_on_screen",
        "campaign": 2,
        "promoter": {"kind": "household", "id": _HOUSEHOLD},
    },
    "enrolment_recorded": {
        "area": _AREA,
        "person": _PERSON,
        "scheme": "voluntary",
        "status": "new",
        "from_month": "2020-06",
        "months": 12,
        "income_vnd": 1_000_000,
        "category": "near_poor",
        "supported_months": 24,
        "member": None,
        "support": None,
        "hospital": None,
        "local_support_vnd": 0,
        "amount_due_vnd": 300_000,
        "visit": _VISIT,
        "campaign": 2,
        "promoter": {"kind": "contest_entrant", "id": _PERSON},
    },
    "consent_recorded": {
        "person": _PERSON,
        "purpose": "renewal_reminders",
        "decision": "given",
        "evidence": "spoken",
        "note": "Nhắc trước 30 ngày",
    },
    "payment_collected": {
        "payment": _PAYMENT,
        "scheme": "voluntary",
        "method": "cash",
        "allocations": [{"enrolment": _ENROLMENT, "amount_vnd": 300_000}],
        "note": None,
    },
    "receipt_issued": {
        "payment": _PAYMENT,
        "token": "1" + "0" * 310,
        "salt": "AAECAwQFBgcICQoLDA0ODw",
        "linked_ack": '{"acked_seq":0}',
    },
    "entry_voided": {"target": _PAYMENT, "reason": "Thu nhầm người"},
    "return_answered": {
        "target": _VISIT,
        "reply": "replaced",
        "replacement": _OTHER,
        "note": "Đã ghi lại đúng hộ",
    },
    "entry_corrected": {
        "target": _VISIT,
        "body": {"area": _AREA, "household": _HOUSEHOLD, "disposition": "agreed"},
    },
    "entry_returned": {"target": f"{_WORKER}/{'0f' * 16}", "reason": "Không đọc được, hãy ghi lại"},
    "records_merged": {"record_type": "person", "from": _PERSON, "into": _OTHER},
    "records_unmerged": {"merge": _OTHER},
    **FUND_WHOLE,
}

# Sound bodies that leave out what may be left out, or stand at an edge.
SOUND: list[tuple[str, str, dict[str, Any]]] = [
    ("no optional member", "household_registered", {"area": _AREA, "head_name": "T", "address": "1"}),
    ("one field set", "household_amended", WHOLE["household_amended"] | {"set": {"phone": "99900000002"}}),
    ("in an area, without a household", "person_registered", {"area": _AREA, "full_name": "Thử"}),
    ("a leap day", "person_registered", WHOLE["person_registered"] | {"birth_date": "2000-02-29"}),
    ("one field taken away", "person_amended", WHOLE["person_amended"] | {"set": {"birth_date": None}}),
    (
        "no optional member",
        "visit_recorded",
        {"area": _AREA, "household": _HOUSEHOLD, "disposition": "agreed"},
    ),
    ("the longest note", "visit_recorded", WHOLE["visit_recorded"] | {"note": "đ" * LIMITS.text_characters}),
    ("no optional member", "receipt_issued", {**WHOLE["receipt_issued"], "linked_ack": None}),
    (
        "the largest amount",
        "enrolment_recorded",
        WHOLE["enrolment_recorded"] | {"amount_due_vnd": LIMITS.amount_vnd},
    ),
    ("nothing is left to pay", "enrolment_recorded", WHOLE["enrolment_recorded"] | {"amount_due_vnd": 0}),
    (
        "a member of a household",
        "enrolment_recorded",
        {
            "area": _AREA,
            "person": _PERSON,
            "scheme": "health",
            "status": "renewal",
            "from_month": "2025-08",
            "months": 6,
            "member": 3,
            "support": "near_poor",
            "hospital": "Trạm Y tế xã Thử",
            "amount_due_vnd": 113_724,
        },
    ),
    ("no note", "consent_recorded", WHOLE["consent_recorded"] | {"decision": "withdrawn", "note": None}),
    ("given up", "return_answered", {"target": _VISIT, "reply": "withdrawn"}),
    (
        "as version 1 had it",
        "enrolment_recorded",
        {
            name: value
            for name, value in WHOLE["enrolment_recorded"].items()
            if name not in (*NEW_IN_2, "from_month")
        }
        | {"from_day": "2020-06-15"},
    ),
    (
        "twenty allocations",
        "payment_collected",
        WHOLE["payment_collected"] | {"allocations": [{"enrolment": _ENROLMENT, "amount_vnd": 1}] * 20},
    ),
    *FUND_SOUND,
]

# (what, kind, the members that differ from the whole body, code, field); ... takes a member away.
_FAULTS: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("no area", "household_registered", {"area": ...}, "field_missing", "area"),
    ("an area without a date", "household_registered", {"area": "99001"}, "field_invalid", "area"),
    ("a line end after it", "household_registered", {"area": _AREA + "\n"}, "field_invalid", "area"),
    ("a number as a name", "household_registered", {"head_name": 7}, "field_wrong_type", "head_name"),
    ("null as a name", "household_registered", {"head_name": None}, "field_wrong_type", "head_name"),
    ("a blank name", "household_registered", {"head_name": "  "}, "field_invalid", "head_name"),
    ("a name in NFD", "household_registered", {"head_name": "Le\u0302"}, "field_invalid", "head_name"),
    ("too long a name", "household_registered", {"head_name": "x" * 121}, "text_too_long", "head_name"),
    ("a NUL", "household_registered", {"address": "1\x002"}, "text_has_nul", "address"),
    ("true as a number", "household_registered", {"members": True}, "field_wrong_type", "members"),
    ("a fraction", "household_registered", {"members": 4.0}, "field_wrong_type", "members"),
    ("text as a number", "household_registered", {"members": "4"}, "field_wrong_type", "members"),
    ("nobody lives there", "household_registered", {"members": 0}, "field_invalid", "members"),
    ("letters in a phone", "household_registered", {"phone": "99900000x"}, "field_invalid", "phone"),
    ("digits of another script", "household_registered", {"phone": "٩٩٩٠٠٠٠٠١"}, "field_invalid", "phone"),
    ("an unknown member", "household_registered", {"colour": "red"}, "field_unknown", "colour"),
    # The answer names the member, and has to be a sound answer itself.
    ("an unknown member of an odd name", "household_registered", {"e\u0302\r": 1}, "field_unknown", "?"),
    ("an odd name inside", "household_amended", {"set": {"\r": 1}}, "field_unknown", "set.?"),
    ("nothing set", "household_amended", {"set": {}}, "field_invalid", "set"),
    ("no base", "household_amended", {"base": ...}, "field_missing", "base"),
    (
        "null where it may not be",
        "household_amended",
        {"set": {"area": None}},
        "field_wrong_type",
        "set.area",
    ),
    ("an unknown field set", "household_amended", {"set": {"x": 1}}, "field_unknown", "set.x"),
    ("a list of changes", "household_amended", {"set": []}, "field_wrong_type", "set"),
    ("neither household nor area", "person_registered", {"household": None}, "field_missing", "area"),
    ("an id in capitals", "person_registered", {"household": _WORKER.upper()}, "field_invalid", "household"),
    ("a day that is none", "person_registered", {"birth_date": "1970-02-30"}, "field_invalid", "birth_date"),
    ("a day written short", "person_registered", {"birth_date": "19700228"}, "field_invalid", "birth_date"),
    ("a week date", "person_registered", {"birth_date": "1970-W09-6"}, "field_invalid", "birth_date"),
    ("a number as a day", "person_registered", {"birth_date": 19700228}, "field_wrong_type", "birth_date"),
    ("another sex", "person_registered", {"sex": "x"}, "field_invalid", "sex"),
    ("eleven digits", "person_registered", {"national_id": "99900000001"}, "field_invalid", "national_id"),
    ("an id as a number", "person_registered", {"national_id": 1}, "field_wrong_type", "national_id"),
    ("nine digits", "person_registered", {"insurance_number": "1" * 9}, "field_invalid", "insurance_number"),
    ("nothing set", "person_amended", {"set": {}}, "field_invalid", "set"),
    ("a person moves to an area", "person_amended", {"set": {"area": _AREA}}, "field_unknown", "set.area"),
    ("no person", "person_amended", {"person": ...}, "field_missing", "person"),
    ("no area", "visit_recorded", {"area": ...}, "field_missing", "area"),
    ("another disposition", "visit_recorded", {"disposition": "maybe"}, "field_invalid", "disposition"),
    ("too long a note", "visit_recorded", {"note": "x" * 501}, "text_too_long", "note"),
    ("campaign 0", "visit_recorded", {"campaign": 0}, "field_invalid", "campaign"),
    (
        "a promoter without an id",
        "visit_recorded",
        {"promoter": {"kind": "officer"}},
        "field_missing",
        "promoter.id",
    ),
    ("a promoter as text", "visit_recorded", {"promoter": "officer"}, "field_wrong_type", "promoter"),
    (
        "another kind of promoter",
        "visit_recorded",
        {"promoter": {"kind": "agent", "id": _WORKER}},
        "field_invalid",
        "promoter.kind",
    ),
    ("another state", "vssid_installed", {"state": "removed"}, "field_invalid", "state"),
    ("no evidence named", "vssid_installed", {"evidence": ...}, "field_missing", "evidence"),
    ("a list as a word", "vssid_installed", {"occasion": ["event"]}, "field_wrong_type", "occasion"),
    ("both schemes", "enrolment_recorded", {"scheme": "both"}, "field_invalid", "scheme"),
    ("61 months", "enrolment_recorded", {"months": 61}, "field_invalid", "months"),
    ("a month as a day", "enrolment_recorded", {"from_month": "2020-06-01"}, "field_invalid", "from_month"),
    ("month 13", "enrolment_recorded", {"from_month": "2020-13"}, "field_invalid", "from_month"),
    ("both first days", "enrolment_recorded", {"from_day": "2020-06-01"}, "field_unknown", "from_day"),
    (
        "version 1 without its first day",
        "enrolment_recorded",
        dict.fromkeys((*NEW_IN_2, "from_month"), ...),
        "field_missing",
        "from_day",
    ),
    ("another category", "enrolment_recorded", {"category": "rich"}, "field_invalid", "category"),
    ("a support in capitals", "enrolment_recorded", {"support": "Poor"}, "field_invalid", "support"),
    ("member 0", "enrolment_recorded", {"member": 0}, "field_invalid", "member"),
    ("too long a hospital", "enrolment_recorded", {"hospital": "x" * 121}, "text_too_long", "hospital"),
    (
        "support that costs",
        "enrolment_recorded",
        {"local_support_vnd": -1},
        "amount_invalid",
        "local_support_vnd",
    ),
    ("another purpose", "consent_recorded", {"purpose": "anything"}, "field_invalid", "purpose"),
    ("no decision", "consent_recorded", {"decision": ...}, "field_missing", "decision"),
    ("hearsay", "consent_recorded", {"evidence": "hearsay"}, "field_invalid", "evidence"),
    ("a negative amount", "enrolment_recorded", {"amount_due_vnd": -1}, "amount_invalid", "amount_due_vnd"),
    ("half a đồng", "enrolment_recorded", {"amount_due_vnd": 0.5}, "amount_invalid", "amount_due_vnd"),
    ("an amount as text", "enrolment_recorded", {"income_vnd": "1"}, "amount_invalid", "income_vnd"),
    (
        "more than the limit",
        "enrolment_recorded",
        {"amount_due_vnd": LIMITS.amount_vnd + 1},
        "amount_invalid",
        "amount_due_vnd",
    ),
    ("no allocation", "payment_collected", {"allocations": []}, "field_invalid", "allocations"),
    (
        "21 allocations",
        "payment_collected",
        {"allocations": [{"enrolment": _ENROLMENT, "amount_vnd": 1}] * 21},
        "field_invalid",
        "allocations",
    ),
    (
        "a negative part",
        "payment_collected",
        {"allocations": [{"enrolment": _ENROLMENT, "amount_vnd": -300_000}]},
        "amount_invalid",
        "allocations.0.amount_vnd",
    ),
    (
        "a part for nothing",
        "payment_collected",
        {"allocations": [{"amount_vnd": 1}]},
        "field_missing",
        "allocations.0.enrolment",
    ),
    ("another method", "payment_collected", {"method": "card"}, "field_invalid", "method"),
    (
        "an id of version 4",
        "payment_collected",
        {"payment": "0" * 8 + "-0000-4000-8000-" + "0" * 12},
        "field_invalid",
        "payment",
    ),
    ("a token with a zero before it", "receipt_issued", {"token": "01"}, "field_invalid", "token"),
    ("a token of 401 digits", "receipt_issued", {"token": "1" * 401}, "field_invalid", "token"),
    ("a token as a number", "receipt_issued", {"token": 1}, "field_wrong_type", "token"),
    ("a salt of 15 bytes", "receipt_issued", {"salt": "AAECAwQFBgcICQoLDA0O"}, "field_invalid", "salt"),
    ("no replacement", "return_answered", {"replacement": None}, "field_missing", "replacement"),
    ("given up, and replaced", "return_answered", {"reply": "withdrawn"}, "field_invalid", "replacement"),
    ("another reply", "return_answered", {"reply": "maybe"}, "field_invalid", "reply"),
    ("a short stand-in", "return_answered", {"target": f"{_WORKER}/0f"}, "field_invalid", "target"),
    ("a list as a body", "entry_corrected", {"body": []}, "field_wrong_type", "body"),
    ("no body", "entry_corrected", {"body": ...}, "field_missing", "body"),
    ("no reason", "entry_returned", {"reason": "  "}, "field_invalid", "reason"),
    ("too long a reason", "entry_returned", {"reason": "x" * 301}, "text_too_long", "reason"),
    ("a visit is merged", "records_merged", {"record_type": "visit"}, "field_invalid", "record_type"),
    ("merged into nothing", "records_merged", {"into": None}, "field_wrong_type", "into"),
    ("no merge", "records_unmerged", {"merge": ...}, "field_missing", "merge"),
    ("no reason", "entry_voided", {"reason": ""}, "field_invalid", "reason"),
    ("no target", "entry_voided", {"target": ...}, "field_missing", "target"),
    ("too long a reason", "entry_voided", {"reason": "x" * 301}, "text_too_long", "reason"),
    *FUND_FAULTS,
]


def body_cases() -> list[dict[str, Any]]:
    """Return every case: what, kind and body; and code and field, null where the body is sound."""
    sound = [("whole", kind, body) for kind, body in WHOLE.items()] + SOUND
    cases = [
        {"name": name, "kind": kind, "body": body, "code": None, "field": None} for name, kind, body in sound
    ]
    for name, kind, changes, code, field in _FAULTS:
        changed = WHOLE[kind] | changes
        body = {key: value for key, value in changed.items() if value is not ...}
        cases.append({"name": name, "kind": kind, "body": body, "code": code, "field": field})
    return cases
