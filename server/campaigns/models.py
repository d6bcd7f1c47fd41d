"""Tables of the campaigns."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Campaign(Base):
    """One campaign; devices name it by number. Both days are included."""

    __tablename__ = "campaign"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date] = mapped_column(Date)


class CampaignArea(Base):
    """An area that a campaign covers, with everything below it."""

    __tablename__ = "campaign_area"
    campaign: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    area_key: Mapped[str] = mapped_column(Text, primary_key=True)


class CampaignOrganisation(Base):
    """An organisation that takes part in a campaign."""

    __tablename__ = "campaign_organisation"
    campaign: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    organisation_key: Mapped[str] = mapped_column(Text, primary_key=True)
