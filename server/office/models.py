"""Tables of the office. Areas and organisations are keyed `<code>@<valid_from>`: codes are reused."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Area(Base):
    """A node of the administrative tree.

    `path` holds the keys from the root down to its own between slashes; `valid_to` is the last day.
    """

    __tablename__ = "area"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, index=True)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    level: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text, index=True)
    parent_key: Mapped[str | None] = mapped_column(Text, index=True)
    path: Mapped[str] = mapped_column(Text, index=True)


class Organisation(Base):
    """A node of the collecting network, dated as areas are."""

    __tablename__ = "organisation"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, index=True)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text, index=True)
    parent_key: Mapped[str | None] = mapped_column(Text, index=True)
    path: Mapped[str] = mapped_column(Text, index=True)


class Worker(Base):
    """Someone who works for the campaigns, with or without an account or a tablet."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text, index=True)
    organisation_key: Mapped[str | None] = mapped_column(Text, index=True)
    registered_ms: Mapped[int] = mapped_column(BigInteger)


class Team(Base):
    """A team, whose members may come from several organisations."""

    __tablename__ = "team"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    formed_ms: Mapped[int] = mapped_column(BigInteger)


class TeamMembership(Base):
    """A worker's days in a team: in one campaign, or (null) whenever no campaign says otherwise."""

    __tablename__ = "team_membership"
    __table_args__ = (
        Index("ix_team_membership_worker", "worker_id"),
        Index("ix_team_membership_team", "team_id"),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    team_id: Mapped[str] = mapped_column(Text)
    worker_id: Mapped[str] = mapped_column(Text)
    campaign: Mapped[int | None] = mapped_column(Integer)
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date | None] = mapped_column(Date)


class RateRow(Base):
    """A row of a dated rate table; `content` is the row as it travels (schemas.rate_tables), as JSON."""

    __tablename__ = "rate"
    table: Mapped[str] = mapped_column("rate_table", Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    content: Mapped[str] = mapped_column(Text)


class Assignment(Base):
    """A role over an area, an organisation or (both null) the office, from a time to a time."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ix_assignment_worker", "worker_id"),
        Index("ix_assignment_area", "area_key"),
        Index("ix_assignment_organisation", "organisation_key"),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    area_key: Mapped[str | None] = mapped_column(Text)
    organisation_key: Mapped[str | None] = mapped_column(Text)
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int | None] = mapped_column(BigInteger)
