"""Tables of delivered entries. The bytes of every entry are kept, sealed, as evidence."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Entry(Base):
    """One position of a journal. The verdict columns never change within an epoch.

    `entry_id` is what the entry calls itself, or installation/seq where that cannot be read or
    is taken. Several positions may hold one entry id: a carry-over sends the same entry again.
    """

    __tablename__ = "entry"
    __table_args__ = (Index("ix_entry_entry_id", "entry_id"),)
    installation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(Text)
    shown_id: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    wall_ms: Mapped[int | None] = mapped_column(BigInteger)
    lower_ms: Mapped[int] = mapped_column(BigInteger)
    upper_ms: Mapped[int] = mapped_column(BigInteger)
    business_day: Mapped[date] = mapped_column(Date)
    verdict: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    field: Mapped[str | None] = mapped_column(Text)
    flags: Mapped[str] = mapped_column(Text)


class Outcome(Base):
    """What has become of an entry by now; one row an entry id, so that it has one effect.

    `flags` (a JSON list) are of a judgement after the first one, whose flags are the verdict's.
    `reason` and `returned_ms` say that it was sent back; `corrected_by` names the desk entry whose
    body stands for its own.
    """

    __tablename__ = "outcome"
    __table_args__ = (
        Index("ix_outcome_worker_id_seq", "worker_id", "installation_id", "seq"),
        Index("ix_outcome_state", "state", "changed_ms"),
    )
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    installation_id: Mapped[str] = mapped_column(Text)
    seq: Mapped[int] = mapped_column(BigInteger)
    worker_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    field: Mapped[str | None] = mapped_column(Text)
    changed_ms: Mapped[int] = mapped_column(BigInteger)
    flags: Mapped[str] = mapped_column(Text, server_default="[]")
    reason: Mapped[str | None] = mapped_column(Text)
    returned_ms: Mapped[int | None] = mapped_column(BigInteger)
    corrected_by: Mapped[str | None] = mapped_column(Text)


class HeldWait(Base):
    """A held entry waits for an entry id that the server has not seen in effect."""

    __tablename__ = "held_wait"
    __table_args__ = (Index("ix_held_wait_waits_for", "waits_for"),)
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    waits_for: Mapped[str] = mapped_column(Text, primary_key=True)


class ContestedEntry(Base):
    """An entry of a push that contradicted the stored journal: kept as evidence."""

    __tablename__ = "contested_entry"
    installation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(Text, primary_key=True)
    sha256: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    received_ms: Mapped[int] = mapped_column(BigInteger)


class Incident(Base):
    """Something that a person has to look at: a fork, a reused id, a forgotten acknowledgement.

    `detail` says more without a word about anybody, such as the scope that differed.
    """

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_at_ms", "at_ms"),)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    installation_id: Mapped[str] = mapped_column(Text)
    worker_id: Mapped[str] = mapped_column(Text)
    seq: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class JournalHole(Base):
    """Entries that a device had purged and the server lacked, declared lost, both ends included.

    A restored backup that is older than what devices were told is durable makes one.
    """

    __tablename__ = "journal_hole"
    installation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    from_seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    floor_seq: Mapped[int] = mapped_column(BigInteger)
    floor_digest: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class LockKey(Base):
    """Names that concurrent pushes lock, also of things that do not exist yet (rule 1)."""

    __tablename__ = "lock_key"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
