"""Tables of persons and households. Numbers are sealed; blind indexes find them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class _Merged:
    """A record may be merged into another one: an edge, which the entry `merged_by` made.

    `cluster_id` is the record to which the edges of all its cluster lead; null where it stands alone.
    """

    merged_into: Mapped[str | None] = mapped_column(Text)
    merged_by: Mapped[str | None] = mapped_column(Text)
    cluster_id: Mapped[str | None] = mapped_column(Text)


class Household(_Merged, Base):
    """A household; its id is the id of the entry that registered it."""

    __tablename__ = "household"
    __table_args__ = (
        Index("ix_household_area_key", "area_key", "head_name_key"),
        Index("ix_household_phone_index", "phone_index"),
        Index("ix_household_cluster_id", "cluster_id"),
        Index("ix_household_merged_by", "merged_by"),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    last_entry: Mapped[str] = mapped_column(Text)
    area_key: Mapped[str] = mapped_column(Text)
    head_name: Mapped[str] = mapped_column(Text)
    head_name_key: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    hamlet: Mapped[str | None] = mapped_column(Text)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[str | None] = mapped_column(Text)
    members: Mapped[int | None] = mapped_column(Integer)


class Person(_Merged, Base):
    """A person; its id is the id of the entry that registered it.

    `consents` is JSON, null for none: purpose → [decision, upper capture time, entry id], the latest.
    """

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_household_id", "household_id"),
        Index("ix_person_national_id_index", "national_id_index"),
        Index("ix_person_insurance_number_index", "insurance_number_index"),
        Index("ix_person_cluster_id", "cluster_id"),
        Index("ix_person_merged_by", "merged_by"),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    last_entry: Mapped[str] = mapped_column(Text)
    household_id: Mapped[str | None] = mapped_column(Text)
    area_key: Mapped[str] = mapped_column(Text)
    full_name: Mapped[str] = mapped_column(Text)
    full_name_key: Mapped[str] = mapped_column(Text)
    birth_date: Mapped[date | None] = mapped_column(Date)
    sex: Mapped[str | None] = mapped_column(Text)
    national_id_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    national_id_index: Mapped[str | None] = mapped_column(Text)
    insurance_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    insurance_number_index: Mapped[str | None] = mapped_column(Text)
    consents: Mapped[str | None] = mapped_column(Text)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[str | None] = mapped_column(Text)


class FieldEdit(Base):
    """One field that an amendment set; `value_digest` compares values without opening them."""

    __tablename__ = "field_edit"
    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    field: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    value_digest: Mapped[str] = mapped_column(Text)
    rank_ms: Mapped[int] = mapped_column(BigInteger)
    depth: Mapped[int] = mapped_column(Integer)


class EditConflict(Base):
    """Two edits of one field that did not see each other; both entries are kept.

    `state` is open or resolved, then by the desk entry `resolved_by`.
    """

    __tablename__ = "edit_conflict"
    __table_args__ = (Index("ix_edit_conflict_state", "state", "found_ms"),)
    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    field: Mapped[str] = mapped_column(Text, primary_key=True)
    winner_entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    loser_entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    found_ms: Mapped[int] = mapped_column(BigInteger)
    resolved_by: Mapped[str | None] = mapped_column(Text)
    resolved_ms: Mapped[int | None] = mapped_column(BigInteger)


class DuplicateCandidate(Base):
    """Two persons that share a number (`reason` says which)."""

    __tablename__ = "duplicate_candidate"
    __table_args__ = (Index("ix_duplicate_candidate_other_id", "other_id"),)
    person_id: Mapped[str] = mapped_column(Text, primary_key=True)
    other_id: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text, primary_key=True)
    found_ms: Mapped[int] = mapped_column(BigInteger)


class DistinctPair(Base):
    """Two records that a supervisor called two persons or households, the earlier id first.

    It is about these two records and no others: what either is merged into is another record. The
    records may be missing, after a restore, until tablets bring them back.
    """

    __tablename__ = "distinct_pair"
    record_type: Mapped[str] = mapped_column(Text, primary_key=True)
    first_id: Mapped[str] = mapped_column(Text, primary_key=True)
    other_id: Mapped[str] = mapped_column(Text, primary_key=True)
    decided_by: Mapped[str] = mapped_column(Text)
    decided_ms: Mapped[int] = mapped_column(BigInteger)
