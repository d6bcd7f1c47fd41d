"""Bodies of the kinds about donated cards, good and bad, as `bodies` has those of the other kinds."""

from __future__ import annotations

from typing import Any

from sync.limits import LIMITS

_PERSON, _CONSENT = (f"01720000-0000-7000-8000-00000000000{number}" for number in (2, 7))
_PLEDGE, _ALLOCATION = (f"01720000-0000-7000-8000-0000000000{number}" for number in ("f1", "f2"))
_AREA = "99001@2004-01-01"
_DONOR = {"name": "Công ty Thử", "phone": "99900000003", "tax_code": "9990000001-001"}
_SCANNED = {"method": "id_scanned", "national_id": "999000000001"}
_WITNESSED = {"method": "witness", "witness_name": "Trần Văn Thử", "witness_phone": "99900000004"}

# One sound body of each kind, with every member.
FUND_WHOLE: dict[str, dict[str, Any]] = {
    "donation_received": {
        "area": _AREA,
        "fund": 1,
        "donor_class": "company",
        "donor": _DONOR,
        "method": "cash",
        "amount_vnd": 5_000_000,
        "restriction": {"kind": "area", "key": _AREA},
        "pledge": _PLEDGE,
        "note": "Tặng người trong xã",
    },
    "cash_remitted": {
        "fund": 1,
        "amount_vnd": 7_500_000,
        "destination": "bank_account",
        "reference": "FT20144000001",
        "note": "Nộp tại quầy",
    },
    "beneficiary_nominated": {
        "person": _PERSON,
        "fund": 1,
        "pool": "near_poor",
        "evidence": "near_poor_book",
        "evidence_number": "CN-2020/17",
        "consent": _CONSENT,
        "member": 2,
        "note": "Mất việc từ tháng tư",
    },
    "card_handed_over": {
        "allocation": _ALLOCATION,
        "person": _PERSON,
        "proof": _WITNESSED | {"national_id": None},
        "note": "Trao tại nhà",
    },
}

# Sound bodies that leave out what may be left out, or stand at an edge.
FUND_SOUND: list[tuple[str, str, dict[str, Any]]] = [
    (
        "anonymous, no optional member",
        "donation_received",
        {"area": _AREA, "fund": 999_999, "donor_class": "anonymous", "method": "transfer", "amount_vnd": 1},
    ),
    (
        "anonymous, null as a donor",
        "donation_received",
        FUND_WHOLE["donation_received"] | {"donor_class": "anonymous", "donor": None},
    ),
    (
        "a person who gives no number",
        "donation_received",
        FUND_WHOLE["donation_received"] | {"donor_class": "benefactor", "donor": {"name": "Bà Thử"}},
    ),
    (
        "for a pool",
        "donation_received",
        FUND_WHOLE["donation_received"]
        | {"donor_class": "staff", "restriction": {"kind": "pool", "key": "near_poor"}},
    ),
    (
        "a tax code without a branch",
        "donation_received",
        FUND_WHOLE["donation_received"] | {"donor": _DONOR | {"tax_code": "9990000001"}},
    ),
    (
        "no optional member",
        "cash_remitted",
        {"fund": 1, "amount_vnd": LIMITS.amount_vnd, "destination": "office"},
    ),
    (
        "no optional member",
        "beneficiary_nominated",
        {"person": _PERSON, "fund": 1, "pool": "a", "evidence": "other", "consent": _CONSENT},
    ),
    (
        "a scanned identity card",
        "card_handed_over",
        {"allocation": _ALLOCATION, "person": _PERSON, "proof": _SCANNED},
    ),
    (
        "a witness without a phone",
        "card_handed_over",
        {
            "allocation": _ALLOCATION,
            "person": _PERSON,
            "proof": {"method": "witness", "witness_name": "Trần Văn Thử"},
        },
    ),
]

_GIVEN, _CARRIED = "donation_received", "cash_remitted"
_NAMED, _HANDED = "beneficiary_nominated", "card_handed_over"
# (what, kind, the members that differ from the whole body, code, field); ... takes a member away.
FUND_FAULTS: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("no area", _GIVEN, {"area": ...}, "field_missing", "area"),
    ("no fund", _GIVEN, {"fund": ...}, "field_missing", "fund"),
    ("fund 0", _GIVEN, {"fund": 0}, "field_invalid", "fund"),
    ("fund 1,000,000", _GIVEN, {"fund": 1_000_000}, "field_invalid", "fund"),
    ("a fund as text", _GIVEN, {"fund": "1"}, "field_wrong_type", "fund"),
    ("another class of donors", _GIVEN, {"donor_class": "friend"}, "field_invalid", "donor_class"),
    ("a donor without a name", _GIVEN, {"donor": None}, "field_missing", "donor"),
    ("no donor", _GIVEN, {"donor": ...}, "field_missing", "donor"),
    ("anonymous, and named", _GIVEN, {"donor_class": "anonymous"}, "field_invalid", "donor"),
    ("an empty donor", _GIVEN, {"donor": {}}, "field_missing", "donor.name"),
    ("too long a donor", _GIVEN, {"donor": {"name": "x" * 121}}, "text_too_long", "donor.name"),
    ("an unknown member of it", _GIVEN, {"donor": _DONOR | {"x": 1}}, "field_unknown", "donor.x"),
    (
        "letters in its phone",
        _GIVEN,
        {"donor": _DONOR | {"phone": "99900000x"}},
        "field_invalid",
        "donor.phone",
    ),
    (
        "a tax code of nine digits",
        _GIVEN,
        {"donor": _DONOR | {"tax_code": "999000000"}},
        "field_invalid",
        "donor.tax_code",
    ),
    (
        "a branch of two digits",
        _GIVEN,
        {"donor": _DONOR | {"tax_code": "9990000001-01"}},
        "field_invalid",
        "donor.tax_code",
    ),
    ("another method", _GIVEN, {"method": "card"}, "field_invalid", "method"),
    ("nothing given", _GIVEN, {"amount_vnd": 0}, "amount_invalid", "amount_vnd"),
    ("more than the limit", _GIVEN, {"amount_vnd": LIMITS.amount_vnd + 1}, "amount_invalid", "amount_vnd"),
    (
        "a pool's code as an area",
        _GIVEN,
        {"restriction": {"kind": "area", "key": "near_poor"}},
        "field_invalid",
        "restriction.key",
    ),
    (
        "an area's key as a pool",
        _GIVEN,
        {"restriction": {"kind": "pool", "key": _AREA}},
        "field_invalid",
        "restriction.key",
    ),
    (
        "a code in capitals",
        _GIVEN,
        {"restriction": {"kind": "pool", "key": "Poor"}},
        "field_invalid",
        "restriction.key",
    ),
    (
        "another kind of restriction",
        _GIVEN,
        {"restriction": {"kind": "person", "key": "near_poor"}},
        "field_invalid",
        "restriction.kind",
    ),
    (
        "a restriction to nothing",
        _GIVEN,
        {"restriction": {"kind": "pool"}},
        "field_missing",
        "restriction.key",
    ),
    ("a pledge of its own numbering", _GIVEN, {"pledge": "17"}, "field_invalid", "pledge"),
    ("too long a note", _GIVEN, {"note": "x" * 501}, "text_too_long", "note"),
    ("another place", _CARRIED, {"destination": "at_home"}, "field_invalid", "destination"),
    ("nothing carried", _CARRIED, {"amount_vnd": 0}, "amount_invalid", "amount_vnd"),
    ("no amount", _CARRIED, {"amount_vnd": ...}, "field_missing", "amount_vnd"),
    ("too long a reference", _CARRIED, {"reference": "x" * 61}, "text_too_long", "reference"),
    ("no person", _NAMED, {"person": ...}, "field_missing", "person"),
    ("no consent", _NAMED, {"consent": ...}, "field_missing", "consent"),
    ("null as a consent", _NAMED, {"consent": None}, "field_wrong_type", "consent"),
    ("a pool with a space", _NAMED, {"pool": "near poor"}, "field_invalid", "pool"),
    ("too long a pool", _NAMED, {"pool": "p" * 65}, "field_invalid", "pool"),
    ("other evidence", _NAMED, {"evidence": "hearsay"}, "field_invalid", "evidence"),
    (
        "too long a number of it",
        _NAMED,
        {"evidence_number": "x" * 61},
        "text_too_long",
        "evidence_number",
    ),
    ("member 61", _NAMED, {"member": 61}, "field_invalid", "member"),
    ("no allocation", _HANDED, {"allocation": ...}, "field_missing", "allocation"),
    ("an allocation as a number", _HANDED, {"allocation": 7}, "field_wrong_type", "allocation"),
    ("no proof", _HANDED, {"proof": None}, "field_wrong_type", "proof"),
    ("another proof", _HANDED, {"proof": {"method": "photo"}}, "field_invalid", "proof.method"),
    (
        "scanned without a number",
        _HANDED,
        {"proof": {"method": "id_scanned"}},
        "field_missing",
        "proof.national_id",
    ),
    (
        "a number of eleven digits",
        _HANDED,
        {"proof": _SCANNED | {"national_id": "99900000001"}},
        "field_invalid",
        "proof.national_id",
    ),
    (
        "scanned, with a witness",
        _HANDED,
        {"proof": _SCANNED | {"witness_name": "Trần Văn Thử"}},
        "field_invalid",
        "proof.witness_name",
    ),
    (
        "scanned, with a witness's phone",
        _HANDED,
        {"proof": _SCANNED | {"witness_phone": "99900000004"}},
        "field_invalid",
        "proof.witness_phone",
    ),
    (
        "a witness without a name",
        _HANDED,
        {"proof": {"method": "witness", "witness_phone": "99900000004"}},
        "field_missing",
        "proof.witness_name",
    ),
    (
        "a witness, and a number",
        _HANDED,
        {"proof": _WITNESSED | {"national_id": "999000000001"}},
        "field_invalid",
        "proof.national_id",
    ),
]
