"""Writes of the campaigns. Each takes the change it belongs to."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date

from server.audit.changes import Change
from server.campaigns.models import Campaign, CampaignArea, CampaignOrganisation
from server.campaigns.queries import campaigns_by_number
from server.office.queries import areas_by_key, organisations_by_key
from sync.scope import OFFICE

CAMPAIGN_KINDS = ("launch_day", "drive")
LARGEST_NUMBER = 999_999


class CampaignRuleError(Exception):
    """A rule of the campaigns was broken; the message names the rule."""


def announce_campaign(
    change: Change,
    number: int,
    name: str,
    kind: str,
    from_day: date,
    to_day: date,
    *,
    area_keys: Iterable[str] = (),
    organisation_keys: Iterable[str] = (),
) -> int:
    """Announce a campaign under its number and return it. Raises CampaignRuleError.

    A launch day lasts one day. Without areas the campaign covers the whole office.
    """
    areas, organisations = sorted(set(area_keys)), sorted(set(organisation_keys))
    _check(change, number, kind, from_day, to_day)
    unknown = set(areas) - set(areas_by_key(change.connection, areas))
    unknown |= set(organisations) - set(organisations_by_key(change.connection, organisations))
    if unknown:
        raise CampaignRuleError(f"{sorted(unknown)[0]}: no such area or organisation")
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    change.insert(Campaign.__table__, number=number, name=name, kind=kind, from_day=from_day, to_day=to_day)
    for key in areas:
        change.insert(CampaignArea.__table__, campaign=number, area_key=key)
    for key in organisations:
        change.insert(CampaignOrganisation.__table__, campaign=number, organisation_key=key)
    wire = {
        "number": number,
        "name": name,
        "kind": kind,
        "from_day": from_day.isoformat(),
        "to_day": to_day.isoformat(),
        "areas": areas,
        "organisations": organisations,
    }
    change.put_record("campaign", str(number), wire, {OFFICE})
    change.audit("campaign_announced", str(number), kind=kind)
    return number


def _check(change: Change, number: int, kind: str, from_day: date, to_day: date) -> None:
    if not 1 <= number <= LARGEST_NUMBER:
        raise CampaignRuleError(f"a campaign's number is from 1 to {LARGEST_NUMBER}")
    if kind not in CAMPAIGN_KINDS:
        raise CampaignRuleError(f"kind {kind} is unknown")
    if to_day < from_day:
        raise CampaignRuleError("a campaign cannot end before it begins")
    if kind == "launch_day" and to_day != from_day:
        raise CampaignRuleError("a launch day lasts one day")
    change.flush()
    if campaigns_by_number(change.connection, [number]):
        raise CampaignRuleError(f"{number}: the number is taken")
