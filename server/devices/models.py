"""Tables of installations, their one-time codes and their clock marks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Installation(Base):
    """One enrolled app install with its own key; `number` is never given twice.

    `acked_seq` and `head_digest` are the end of the received journal; `journal_head_*` is what the
    device last said of its own end (the heartbeat). Whatever was captured before `delivered_ms` has
    been received; `written_off_ms` is when two people gave the tablet up. `first_received_*`: an
    acknowledgement that a restore forgot and the device showed again; everything up to that seq had
    arrived by that time.
    """

    __tablename__ = "installation"
    __table_args__ = (
        Index("ix_installation_number", "number", unique=True),
        Index("ix_installation_kid", "kid", unique=True),
        Index("ix_installation_worker_id", "worker_id"),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    worker_id: Mapped[str] = mapped_column(Text)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    kid: Mapped[str] = mapped_column(Text)
    certificate_text: Mapped[str] = mapped_column(Text)
    certificate_kid: Mapped[str] = mapped_column(Text)
    certificate_signature: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    predecessor_id: Mapped[str | None] = mapped_column(Text)
    enrolled_ms: Mapped[int] = mapped_column(BigInteger)
    acked_seq: Mapped[int] = mapped_column(BigInteger)
    head_digest: Mapped[str] = mapped_column(Text)
    last_valid_seq: Mapped[int | None] = mapped_column(BigInteger)
    last_valid_counter: Mapped[int | None] = mapped_column(BigInteger)
    journal_head_seq: Mapped[int] = mapped_column(BigInteger)
    journal_head_digest: Mapped[str] = mapped_column(Text)
    last_sync_ms: Mapped[int | None] = mapped_column(BigInteger)
    clock_offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    app_version: Mapped[str | None] = mapped_column(Text)
    delivered_ms: Mapped[int | None] = mapped_column(BigInteger)
    revoked_ms: Mapped[int | None] = mapped_column(BigInteger)
    written_off_ms: Mapped[int | None] = mapped_column(BigInteger)
    first_received_seq: Mapped[int | None] = mapped_column(BigInteger)
    first_received_ms: Mapped[int | None] = mapped_column(BigInteger)


class WriteOff(Base):
    """A lost tablet that somebody proposed to give up; another person confirms it, or nobody."""

    __tablename__ = "write_off"
    __table_args__ = (Index("ix_write_off_installation_id", "installation_id"),)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    installation_id: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_ms: Mapped[int] = mapped_column(BigInteger)
    settled_by: Mapped[str | None] = mapped_column(Text)
    settled_ms: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)


class EnrolmentCode(Base):
    """A one-time code, kept as its SHA-256; good for one worker and ten minutes."""

    __tablename__ = "enrolment_code"
    code_sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    expires_ms: Mapped[int] = mapped_column(BigInteger)
    used_by: Mapped[str | None] = mapped_column(Text)


class ClockMarkRow(Base):
    """A sync as both clocks saw it, with the journal's end as shown (docs/protocol.md, rule 8)."""

    __tablename__ = "clock_mark"
    # A push asks for the marks around its entries, by the tablet's clock and by the journal's end.
    __table_args__ = (
        Index("ix_clock_mark_boot", "installation_id", "boot", "server_ms", "id", "monotonic_ms"),
        Index("ix_clock_mark_head_seq", "installation_id", "head_seq", "server_ms", "id"),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    installation_id: Mapped[str] = mapped_column(Text)
    server_ms: Mapped[int] = mapped_column(BigInteger)
    boot: Mapped[str] = mapped_column(Text)
    monotonic_ms: Mapped[int] = mapped_column(BigInteger)
    wall_ms: Mapped[int] = mapped_column(BigInteger)
    head_seq: Mapped[int] = mapped_column(BigInteger)


class InstallationCounter(Base):
    """The last installation number given; one row."""

    __tablename__ = "installation_counter"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last_number: Mapped[int] = mapped_column(BigInteger)


class VerifiedBackup(Base):
    """A backup that passed its check; the newest two are kept (docs/protocol.md, rule 10).

    `path` and `sha256` (hex) are the file's: a drill finds it again and sees whether it is whole.
    """

    __tablename__ = "verified_backup"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    made_ms: Mapped[int] = mapped_column(BigInteger)
    path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)


class BackupMark(Base):
    """How much of each journal a verified backup holds, as read from the backup itself."""

    __tablename__ = "backup_mark"
    backup_id: Mapped[str] = mapped_column(Text, primary_key=True)
    installation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    acked_seq: Mapped[int] = mapped_column(BigInteger)
