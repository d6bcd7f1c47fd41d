"""Opening who gave or promised: kept sealed, and every look is a row of the audit."""

from __future__ import annotations

import json
from dataclasses import dataclass

from schemas.signatures import from_base64url
from server.audit.changes import Change
from server.funds.incoming import door_donation_by_id
from server.funds.office_queries import office_donation_by_id, pledge_by_id
from server.sealing import Sealer


@dataclass(frozen=True, slots=True)
class DonorShown:
    """Who gives, opened. All None where the donor is anonymous."""

    name: str | None = None
    phone: str | None = None
    tax_code: str | None = None


def open_donor(change: Change, sealer: Sealer, fund: int, row_id: str) -> DonorShown | None:
    """Return who gave a donation or made a pledge of a fund, and take the look down.

    None where the fund has no such row.
    """
    for place, found in (
        ("office_donation.sealed", office_donation_by_id(change.connection, row_id)),
        ("pledge.sealed", pledge_by_id(change.connection, row_id)),
        ("donation.sealed", door_donation_by_id(change.connection, row_id)),
    ):
        if found is not None and found.fund == fund:
            change.audit("donor_opened", row_id, fund=fund, kind=place.partition(".")[0])
            return _opened(sealer, place, row_id, found.sealed)
    change.audit("donor_refused", row_id, fund=fund)
    return None


def _opened(sealer: Sealer, place: str, row_id: str, sealed: str | None) -> DonorShown:
    if sealed is None:
        return DonorShown()
    said = json.loads(sealer.open(from_base64url(sealed), place, row_id))
    return DonorShown(said.get("name"), said.get("phone"), said.get("tax_code"))
