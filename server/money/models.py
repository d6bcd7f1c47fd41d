"""Tables of the ledger. Lines are only ever added; what is wrong is reversed by further lines."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base

_OF_A_FUND = text("fund IS NOT NULL")


class LedgerLine(Base):
    """One side of a posting, in đồng or in cards. The key makes every step post once, whoever asks.

    `entry_id` is the entry, or the row of the office, that the money or the cards are of. `fund` and
    `bucket` say whose and restricted to what, where it is a fund's.
    """

    __tablename__ = "ledger_line"
    __table_args__ = (
        Index("ix_ledger_line_account", "account"),
        Index("ix_ledger_line_fund", "fund", "account", "bucket"),
        # Of funds alone, so that it costs a contribution's lines nothing.
        Index(
            "ix_ledger_line_posted",
            "fund",
            "posted_ms",
            sqlite_where=_OF_A_FUND,
            postgresql_where=_OF_A_FUND,
        ),
    )
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    step: Mapped[str] = mapped_column(Text, primary_key=True)
    line_number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    account: Mapped[str] = mapped_column(Text)
    fund: Mapped[int | None] = mapped_column(Integer)
    bucket: Mapped[str | None] = mapped_column(Text)
    debit_vnd: Mapped[int] = mapped_column(BigInteger)
    credit_vnd: Mapped[int] = mapped_column(BigInteger)
    debit_cards: Mapped[int] = mapped_column(Integer)
    credit_cards: Mapped[int] = mapped_column(Integer)
    business_day: Mapped[date] = mapped_column(Date)
    posted_ms: Mapped[int] = mapped_column(BigInteger)
    caused_by: Mapped[str] = mapped_column(Text)


class PaymentRow(Base):
    """Money that was taken, one row per `payment_collected` entry whatever its verdict.

    `scheme`, `allocations_json` and `payer_person_id` are known once it is settled.
    """

    __tablename__ = "payment"
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[str] = mapped_column(Text, index=True)
    installation_id: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str | None] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    allocations_json: Mapped[str] = mapped_column(Text)
    payer_person_id: Mapped[str | None] = mapped_column(Text)
    business_day: Mapped[date] = mapped_column(Date)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str | None] = mapped_column(Text)


class MoneyCase(Base):
    """Something about money that a person has to settle."""

    __tablename__ = "money_case"
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[str] = mapped_column(Text, index=True)
    opened_ms: Mapped[int] = mapped_column(BigInteger)
    closed_ms: Mapped[int | None] = mapped_column(BigInteger)
