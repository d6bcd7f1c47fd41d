"""The table of figures from outside."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Boolean, Date, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class OutsideFigure(Base):
    """A figure as somebody published it; see rules.Published.

    A denominator is kept as bounds, which are one number where it is known. `is_derived`: it is known by
    the published ratio alone. `quoted_percent` is what was printed, as text, and never computed with.
    """

    __tablename__ = "outside_figure"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    figure: Mapped[str] = mapped_column(Text)
    area_key: Mapped[str | None] = mapped_column(Text)
    day: Mapped[date] = mapped_column(Date)
    value: Mapped[int | None] = mapped_column(BigInteger)
    denominator_name: Mapped[str | None] = mapped_column(Text)
    denominator_day: Mapped[date | None] = mapped_column(Date)
    denominator_low: Mapped[int | None] = mapped_column(BigInteger)
    denominator_high: Mapped[int | None] = mapped_column(BigInteger)
    is_derived: Mapped[bool] = mapped_column(Boolean)
    quoted_percent: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    source_day: Mapped[date] = mapped_column(Date)
