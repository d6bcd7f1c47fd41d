"""The office of every history: areas, workers, campaigns and indicators, as plain values."""

from __future__ import annotations

from typing import Any

COMMUNES = ("28249@2004-01-01", "28252@2004-01-01", "28255@2004-01-01")
DISTRICT, PROVINCE = "815@2004-01-01", "82@2004-01-01"
PARENTS: dict[str, str | None] = {PROVINCE: None, DISTRICT: PROVINCE} | dict.fromkeys(COMMUNES, DISTRICT)
# Workers and where each begins: An everywhere, the others in one commune each.
WORKERS = {"an": DISTRICT, "binh": COMMUNES[1], "chi": COMMUNES[2]}
LAUNCH_DAY, DRIVE = 1, 2
# number → first and last day, ISO.
CAMPAIGNS = {LAUNCH_DAY: ("2020-05-12", "2020-05-12"), DRIVE: ("2020-01-01", "2020-06-10")}
_PLAIN: dict[str, Any] = {
    "scheme": None,
    "statuses": [],
    "credits": "agent",
    "credited_when": "recorded",
    "counts_in": "campaign",
    "campaign": None,
    "is_unique": True,
    "unique_within": "campaign",
    "cap": None,
    "cap_per": None,
}
INDICATORS: list[dict[str, Any]] = [
    _PLAIN | {"code": "voluntary_enrolled", "fact_kind": "enrolment", "scheme": "voluntary"},
    _PLAIN
    | {"code": "paid", "fact_kind": "enrolment", "credited_when": "paid", "counts_in": "office"}
    | {"unique_within": "office"},
    _PLAIN
    | {"code": "persuaded", "fact_kind": "enrolment", "credits": "promoter", "credited_when": "paid"}
    | {"campaign": DRIVE},
    _PLAIN | {"code": "doors", "fact_kind": "visit"},
    _PLAIN | {"code": "first_doors", "fact_kind": "visit", "cap": 2, "cap_per": "holder"},
    _PLAIN
    | {"code": "installed", "fact_kind": "install", "statuses": ["activated", "in_use"]}
    | {"is_unique": False, "cap": 1, "cap_per": "subject"},
]
