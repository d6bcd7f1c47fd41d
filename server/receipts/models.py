"""Tables of receipts. Nothing is deleted: a second content under one number is kept beside the first."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Receipt(Base):
    """A receipt whose signature is true. What identifies it is what was signed, not the token.

    `state` is pending, reconciled, voided, replaced or quarantined; `code` says why it is
    quarantined; `closed_by` is the entry that voided it.
    """

    __tablename__ = "receipt"
    __table_args__ = (Index("ix_receipt_payment", "payment_id"), Index("ix_receipt_worker", "worker_id"))
    installation: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    counter: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    content_digest: Mapped[str] = mapped_column(Text, primary_key=True)
    entry_id: Mapped[str] = mapped_column(Text, index=True)
    payment_id: Mapped[str] = mapped_column(Text)
    worker_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[int] = mapped_column(Integer)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    issued_at_s: Mapped[int] = mapped_column(BigInteger)
    token: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    closed_by: Mapped[str | None] = mapped_column(Text)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    changed_ms: Mapped[int] = mapped_column(BigInteger)


class ReceiptIncident(Base):
    """Two signed contents under one number: proof that a device was cloned."""

    __tablename__ = "receipt_incident"
    installation: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    counter: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    content_digest: Mapped[str] = mapped_column(Text, primary_key=True)
    kept_digest: Mapped[str] = mapped_column(Text)
    entry_id: Mapped[str] = mapped_column(Text)
    worker_id: Mapped[str] = mapped_column(Text)
    opened_ms: Mapped[int] = mapped_column(BigInteger)
    closed_ms: Mapped[int | None] = mapped_column(BigInteger)


class OfficeReceipt(Base):
    """A receipt of the office's own key (installation 0), numbered without a gap.

    `donation_id` is the row that it is about; `refers` the counter of the receipt that a correction or a
    void is about. Rows are the office's own, so the desk journal brings them back.
    """

    __tablename__ = "office_receipt"
    counter: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    donation_id: Mapped[str] = mapped_column(Text, index=True)
    kind: Mapped[int] = mapped_column(Integer)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    refers: Mapped[int | None] = mapped_column(BigInteger, index=True)
    issued_at_s: Mapped[int] = mapped_column(BigInteger)
    token: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(Text)
    content_digest: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


_STANDING = text("superseded_by IS NULL")


class OfficialNumber(Base):
    """The number that the insurer's own receipt has, beside one of ours; the office says so.

    Rows are never changed but for `superseded_by`, the row that corrects this one: of a receipt, and of a
    series and number, one row at most stands. `series` and `number` null: a correction found that there is
    none. `number_value` is the number without its zeros, so that 123 and 0000123 are one.
    """

    __tablename__ = "official_number"
    __table_args__ = (
        Index(
            "ux_official_number_receipt",
            "installation",
            "counter",
            "content_digest",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index(
            "ux_official_number_value",
            "series",
            "number_value",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    installation: Mapped[int] = mapped_column(BigInteger)
    counter: Mapped[int] = mapped_column(BigInteger)
    content_digest: Mapped[str] = mapped_column(Text)
    series: Mapped[str | None] = mapped_column(Text)
    number: Mapped[str | None] = mapped_column(Text)
    number_value: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    superseded_by: Mapped[str | None] = mapped_column(Text)
