"""Tables of bank statements. Descriptions name people, so they are sealed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base

_STANDING = text("undone_ms IS NULL")


class BankImport(Base):
    """A statement that was read. `opening_vnd` and `closing_vnd` are what it says, where it does."""

    __tablename__ = "bank_import"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    fund: Mapped[int] = mapped_column(Integer)
    layout: Mapped[str] = mapped_column(Text)
    file_sha256: Mapped[str] = mapped_column(Text)
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date] = mapped_column(Date)
    opening_vnd: Mapped[int | None] = mapped_column(BigInteger)
    closing_vnd: Mapped[int | None] = mapped_column(BigInteger)
    line_count: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class BankLine(Base):
    """One line: what came in (positive) or went out (negative).

    `id` is a digest of what the line says and of how many like it stand before it in the account, so
    a statement that is read again, or overlaps another, brings no line twice. `sealed` is JSON:
    description, counterparty.
    """

    __tablename__ = "bank_line"
    __table_args__ = (Index("ix_bank_line_fund", "fund", "day"),)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    import_id: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(Integer)
    fund: Mapped[int] = mapped_column(Integer)
    day: Mapped[date] = mapped_column(Date)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    balance_vnd: Mapped[int | None] = mapped_column(BigInteger)
    reference: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[str] = mapped_column(Text)


class BankMatch(Base):
    """What a line is: of `kind`, and of which row (`target_id`). A line has one standing match at most.

    So has a target of each kind. An undone match stays, with who undid it and why.
    """

    __tablename__ = "bank_match"
    __table_args__ = (
        Index(
            "ux_bank_match_line",
            "line_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index(
            "ux_bank_match_target",
            "kind",
            "target_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    line_id: Mapped[str] = mapped_column(Text)
    fund: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    target_id: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    undone_by: Mapped[str | None] = mapped_column(Text)
    undone_ms: Mapped[int | None] = mapped_column(BigInteger)
    undone_reason: Mapped[str | None] = mapped_column(Text)


class BankMapping(Base):
    """A column mapping that the office saved for statements of another layout; `columns` is JSON."""

    __tablename__ = "bank_mapping"
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    columns: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)
