"""Tables of the audit chains, of records as they travel, and of the feeds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class AuditRow(Base):
    """One change: who, what, when; its digest covers the row before it in the same chain."""

    __tablename__ = "audit_row"
    chain: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)


class AuditHead(Base):
    """The last row of each chain."""

    __tablename__ = "audit_head"
    chain: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(Text)


class Record(Base):
    """The latest state of a replicated record as it travels; null once it is gone."""

    __tablename__ = "record"
    record_type: Mapped[str] = mapped_column(Text, primary_key=True)
    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    wire_json: Mapped[str | None] = mapped_column(Text)
    row_hash: Mapped[str] = mapped_column(Text)


class ScopeHead(Base):
    """A scope's last sequence number, and the count and sum of the rows that live in it."""

    __tablename__ = "scope_head"
    scope: Mapped[str] = mapped_column(Text, primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    row_count: Mapped[int] = mapped_column(BigInteger)
    row_sum: Mapped[str] = mapped_column(Text)


class FeedRow(Base):
    """One live row per record and scope, re-stamped on change; `op` is put or remove.

    `wire_row` is the whole row as it travels, record included, so that a pull reads and joins.
    """

    __tablename__ = "feed"
    __table_args__ = (
        Index("ix_feed_scope_seq", "scope", "seq", unique=True),
        Index("ix_feed_record", "record_type", "record_id"),
    )
    scope: Mapped[str] = mapped_column(Text, primary_key=True)
    record_type: Mapped[str] = mapped_column(Text, primary_key=True)
    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)
    op: Mapped[str] = mapped_column(Text)
    row_hash: Mapped[str] = mapped_column(Text)
    wire_row: Mapped[str] = mapped_column(Text)


class StagedRecord(Base):
    """A record that came in a batch: written down, and in no feed until the batch is published.

    `scope` is the feed that it is for. The rows stay, so that a batch can be withdrawn as a whole.
    """

    __tablename__ = "staged_record"
    __table_args__ = (Index("ix_staged_record_batch", "batch", "scope"),)
    record_type: Mapped[str] = mapped_column(Text, primary_key=True)
    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    batch: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)


class OfficeState(Base):
    """Single values of the office, such as its epoch."""

    __tablename__ = "office_state"
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class DeskRecord(Base):
    """One record of the desk journal, which a file outside the database repeats line by line."""

    __tablename__ = "desk_record"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)


class JobRun(Base):
    """One run of a scheduled job; the key makes it run once, whoever starts it."""

    __tablename__ = "job_run"
    job: Mapped[str] = mapped_column(Text, primary_key=True)
    scheduled_for: Mapped[str] = mapped_column(Text, primary_key=True)
    started_ms: Mapped[int] = mapped_column(BigInteger)
    finished_ms: Mapped[int | None] = mapped_column(BigInteger)
    result: Mapped[str | None] = mapped_column(Text)
    findings: Mapped[int] = mapped_column(Integer, default=0)
