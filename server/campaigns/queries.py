"""Reads of the campaigns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from server.bulk_rows import among, rows_among
from server.campaigns.models import Campaign, CampaignArea


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign; `kind` is launch_day or drive, both days are included."""

    number: int
    name: str
    kind: str
    from_day: date
    to_day: date


_BY_NUMBER = select(Campaign.__table__).where(among(Campaign.__table__.c.number))


def campaigns_by_number(connection: Connection, numbers: Iterable[int]) -> dict[int, CampaignView]:
    """Return the campaigns that exist among `numbers`."""
    return {row.number: _view(row) for row in rows_among(connection, _BY_NUMBER, numbers)}


def all_campaigns(connection: Connection) -> list[CampaignView]:
    """Return every campaign, the latest first."""
    table = Campaign.__table__
    query = select(table).order_by(table.c.from_day.desc(), table.c.number.desc())
    return [_view(row) for row in connection.execute(query)]


def area_keys_of(connection: Connection, number: int) -> list[str]:
    """Return the areas that a campaign covers, sorted; none means the whole office."""
    table = CampaignArea.__table__.c
    return sorted(connection.scalars(select(table.area_key).where(table.campaign == number)))


def _view(row: Any) -> CampaignView:
    return CampaignView(row.number, row.name, row.kind, row.from_day, row.to_day)
