"""What an entry of a door says, as the row of its table: pure, for keeping it and for verifying it.

`details` is what of it is personal, as JSON: it is sealed for its row before it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from server.funds.accounts import ANY, area_bucket, pool_bucket
from sync.clock import CorrectedTime

TABLE_OF_KIND = {
    "donation_received": "donation",
    "cash_remitted": "remittance",
    "beneficiary_nominated": "nomination",
    "card_handed_over": "handover",
}


class DoorEntry(Struct, frozen=True, gc=False):
    """An entry in effect: what it is, whose, when it was captured and when it came."""

    entry_id: str
    kind: str
    worker_id: str
    corrected: CorrectedTime
    business_day: date
    received_ms: int
    body: Mapping[str, Any]


def bucket_of(restriction: Mapping[str, str] | None) -> str:
    """Return the bucket of money that is restricted to an area, to a pool, or to nothing."""
    if restriction is None:
        return ANY
    of = area_bucket if restriction["kind"] == "area" else pool_bucket
    return of(restriction["key"])


def details_of(kind: str, body: Mapping[str, Any]) -> str | None:
    """Return the personal part of a body, None where there is nothing to keep."""
    match kind:
        case "donation_received":
            found = body["donor"]
        case "beneficiary_nominated":
            found = _present(number=body["evidence_number"], note=body["note"])
        case "card_handed_over":
            found = _present(**{name: value for name, value in body["proof"].items() if name != "method"})
        case _:
            found = None
    return json.dumps(found, ensure_ascii=False, sort_keys=True) if found else None


def row_of(entry: DoorEntry, area_key: str | None) -> dict[str, Any]:
    """Return the row of an entry, but for what is sealed; `area_key` is where it is judged to have been."""
    body = entry.body
    names: tuple[str, ...] = ()
    row: dict[str, Any] = {
        "entry_id": entry.entry_id,
        "worker_id": entry.worker_id,
        "upper_ms": entry.corrected.upper_ms,
        "business_day": entry.business_day,
        "received_ms": entry.received_ms,
        "voided_by": None,
        "voided_on": None,
    }
    match entry.kind:
        case "donation_received":
            names = ("fund", "donor_class", "method", "amount_vnd")
            row |= {"bucket": bucket_of(body["restriction"]), "pledge_id": body["pledge"]}
            row |= {"area_key": area_key}
        case "cash_remitted":
            names = ("fund", "destination", "amount_vnd", "reference")
        case "beneficiary_nominated":
            names = ("fund", "pool", "evidence", "member")
            row |= {"person_id": body["person"], "consent_id": body["consent"], "area_key": area_key}
        case _:
            row |= {"allocation_id": body["allocation"], "person_id": body["person"]}
            row |= {"proof": body["proof"]["method"]}
    return row | {name: body[name] for name in names}


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
