"""Tables of outreach facts; each row's id is the id of its entry."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class _Fact:
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    agent_id: Mapped[str] = mapped_column(Text)
    area_key: Mapped[str] = mapped_column(Text)
    campaign: Mapped[int | None] = mapped_column(BigInteger)
    promoter: Mapped[str | None] = mapped_column(Text)
    business_day: Mapped[date] = mapped_column(Date)
    voided_by: Mapped[str | None] = mapped_column(Text)


class Visit(_Fact, Base):
    """A knock at a door and what came of it."""

    __tablename__ = "visit"
    __table_args__ = (Index("ix_visit_household_id", "household_id"),)
    household_id: Mapped[str] = mapped_column(Text)
    disposition: Mapped[str] = mapped_column(Text)
    call_back_on: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Text)


class VssidInstall(_Fact, Base):
    """The VssID app on a person's phone, as far as it is known."""

    __tablename__ = "vssid_install"
    __table_args__ = (Index("ix_vssid_install_person_id", "person_id"),)
    person_id: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    occasion: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)


class Enrolment(_Fact, Base):
    """A person's enrolment in a scheme; `paid_vnd` adds up its settled payments.

    `expected_vnd` is what the rate tables said was due, null where they could not say. `member` and
    `household_id` (the person's at that time) find two first members of a household. What else the
    agent declared is sensitive and stays in the entry's sealed bytes.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        Index("ix_enrolment_person_id", "person_id"),
        Index("ix_enrolment_household_id", "household_id"),
    )
    person_id: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    from_day: Mapped[date] = mapped_column(Date)
    months: Mapped[int] = mapped_column(Integer)
    income_vnd: Mapped[int | None] = mapped_column(BigInteger)
    amount_due_vnd: Mapped[int] = mapped_column(BigInteger)
    paid_vnd: Mapped[int] = mapped_column(BigInteger)
    expected_vnd: Mapped[int | None] = mapped_column(BigInteger)
    member: Mapped[int | None] = mapped_column(Integer)
    household_id: Mapped[str | None] = mapped_column(Text)
