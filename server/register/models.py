"""Tables of the participant register. Numbers and names are sealed; blind indexes find them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Participant(Base):
    """A line of the register: a person, insured under a scheme until a day, as of another day.

    A line never changes: an import's line of the same `key_number`, scheme and day takes the place of
    an earlier one, which then says so (`superseded_by`). Lines count once their batch is shown.
    """

    __tablename__ = "participant"
    __table_args__ = (
        Index("ix_participant_key", "key_number", "scheme", "as_of"),
        Index("ix_participant_national_index", "national_index"),
        Index("ix_participant_scheme", "scheme", "as_of"),
    )
    import_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    key_number: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str] = mapped_column(Text)
    as_of: Mapped[date] = mapped_column(Date)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date] = mapped_column(Date)
    area_key: Mapped[str | None] = mapped_column(Text)
    insurance_index: Mapped[str | None] = mapped_column(Text)
    national_index: Mapped[str | None] = mapped_column(Text)
    lapse_reason: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[str] = mapped_column(Text)
    superseded_by: Mapped[str | None] = mapped_column(Text)


class RegisterBatch(Base):
    """An import whose lines are shown: the flag that flips at its end. `seq` orders those that were."""

    __tablename__ = "register_batch"
    import_id: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    shown_ms: Mapped[int] = mapped_column(BigInteger)


class RegisterBaseline(Base):
    """A named stock: so many `persons` were insured under a scheme as of a day, as its source says.

    The register is whole as of that day where it lists as many.
    """

    __tablename__ = "register_baseline"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    scheme: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    as_of: Mapped[date] = mapped_column(Date)
    persons: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)


class RenewalWindow(Base):
    """From a day on, an enrolment within so many `days` of the end of validity is a renewal."""

    __tablename__ = "renewal_window"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    scheme: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(Date)
    days: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    is_assumption: Mapped[bool] = mapped_column(Boolean)
