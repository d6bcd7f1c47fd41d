"""Tables of the funds: first what doors brought, then what the office decided.

The first four come back with the tablets after a restore; the others are mirrored into the desk journal.
Rows are overwritten by nothing but the later steps of their own life. Names and numbers of people are sealed.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base

_LIVE = text("ended_ms IS NULL")


class Donation(Base):
    """A donation taken at a door, once its entry is in effect. `sealed` is the donor as JSON."""

    __tablename__ = "donation"
    __table_args__ = (Index("ix_donation_fund", "fund", "business_day"),)
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[str] = mapped_column(Text)
    fund: Mapped[int] = mapped_column(Integer)
    bucket: Mapped[str] = mapped_column(Text)
    donor_class: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str | None] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    pledge_id: Mapped[str | None] = mapped_column(Text)
    area_key: Mapped[str] = mapped_column(Text)
    upper_ms: Mapped[int] = mapped_column(BigInteger)
    business_day: Mapped[date] = mapped_column(Date)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str | None] = mapped_column(Text)
    voided_on: Mapped[date | None] = mapped_column(Date)


class Remittance(Base):
    """Cash that an agent says was carried to the account or to the office."""

    __tablename__ = "remittance"
    __table_args__ = (Index("ix_remittance_fund", "fund", "worker_id"),)
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[str] = mapped_column(Text)
    fund: Mapped[int] = mapped_column(Integer)
    destination: Mapped[str] = mapped_column(Text)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str | None] = mapped_column(Text)
    upper_ms: Mapped[int] = mapped_column(BigInteger)
    business_day: Mapped[date] = mapped_column(Date)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str | None] = mapped_column(Text)
    voided_on: Mapped[date | None] = mapped_column(Date)


class Nomination(Base):
    """A person named at a door for a card. `sealed` is JSON: the evidence's number and the note."""

    __tablename__ = "nomination"
    __table_args__ = (Index("ix_nomination_fund", "fund"), Index("ix_nomination_person", "person_id"))
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[str] = mapped_column(Text)
    fund: Mapped[int] = mapped_column(Integer)
    pool: Mapped[str] = mapped_column(Text)
    person_id: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str | None] = mapped_column(Text)
    consent_id: Mapped[str] = mapped_column(Text)
    member: Mapped[int | None] = mapped_column(Integer)
    area_key: Mapped[str] = mapped_column(Text)
    upper_ms: Mapped[int] = mapped_column(BigInteger)
    business_day: Mapped[date] = mapped_column(Date)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str | None] = mapped_column(Text)
    voided_on: Mapped[date | None] = mapped_column(Date)


class Handover(Base):
    """A card given into a hand; `sealed` is the proof as JSON.

    Of an allocation's handovers that are not voided the lowest (upper time, id) stands.
    """

    __tablename__ = "handover"
    __table_args__ = (Index("ix_handover_allocation", "allocation_id"),)
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[str] = mapped_column(Text)
    allocation_id: Mapped[str] = mapped_column(Text)
    person_id: Mapped[str] = mapped_column(Text)
    proof: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str | None] = mapped_column(Text)
    upper_ms: Mapped[int] = mapped_column(BigInteger)
    business_day: Mapped[date] = mapped_column(Date)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str | None] = mapped_column(Text)
    voided_on: Mapped[date | None] = mapped_column(Date)


class Fund(Base):
    """A fund for cards: its purpose, target and account. `number` stands in receipts."""

    __tablename__ = "fund"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    purpose_en: Mapped[str] = mapped_column(Text)
    target_cards: Mapped[int] = mapped_column(Integer)
    months: Mapped[int] = mapped_column(Integer)
    opens_on: Mapped[date] = mapped_column(Date)
    closes_on: Mapped[date | None] = mapped_column(Date)
    distribution_ended_on: Mapped[date | None] = mapped_column(Date)
    bank_bin: Mapped[str] = mapped_column(Text)
    bank_account: Mapped[str] = mapped_column(Text)
    bank_holder: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class FundPublication(Base):
    """That something due by law was published: the call, what was received, what was given out."""

    __tablename__ = "fund_publication"
    fund: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class Pool(Base):
    """A group of people in hardship that funds give to."""

    __tablename__ = "pool"
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class EligibilityRule(Base):
    """Who belongs to a pool from a day on; `conditions` is JSON (server.funds.eligibility)."""

    __tablename__ = "eligibility_rule"
    pool: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    conditions: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    is_assumption: Mapped[bool] = mapped_column(Boolean)


class Pledge(Base):
    """Money that somebody promised; it is never counted as money. `sealed` is the donor as JSON."""

    __tablename__ = "pledge"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    fund: Mapped[int] = mapped_column(Integer, index=True)
    bucket: Mapped[str] = mapped_column(Text)
    donor_class: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str | None] = mapped_column(Text)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    made_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    cancelled_by: Mapped[str | None] = mapped_column(Text)
    cancelled_ms: Mapped[int | None] = mapped_column(BigInteger)


class OfficeDonation(Base):
    """A donation that the office took down: cash at the office, or a transfer that a statement shows.

    A transfer posts with the match of its line. `corrects` names the row that this one takes the place
    of; that row then says so in `reversed_by`.
    """

    __tablename__ = "office_donation"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    fund: Mapped[int] = mapped_column(Integer, index=True)
    bucket: Mapped[str] = mapped_column(Text)
    donor_class: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[date] = mapped_column(Date)
    pledge_id: Mapped[str | None] = mapped_column(Text)
    corrects: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    reversed_by: Mapped[str | None] = mapped_column(Text)
    reversed_ms: Mapped[int | None] = mapped_column(BigInteger)


class RemittanceConfirmation(Base):
    """That cash which an agent brought to the office is there."""

    __tablename__ = "remittance_confirmation"
    entry_id: Mapped[str] = mapped_column(Text, primary_key=True)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class NominationDecision(Base):
    """That a nomination is excluded or rejected, and why; the latest of a nomination stands."""

    __tablename__ = "nomination_decision"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    nomination_id: Mapped[str] = mapped_column(Text, index=True)
    decision: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class Allocation(Base):
    """A card for one person: proposed, approved by another person, issued, and how it ended.

    `price_vnd` is of the rate tables of `priced_on` and reserved at approval; `member` the household
    step. `card_sealed` is the card's number. `ended` is `cancelled` (before issue) or `returned`.
    """

    __tablename__ = "allocation"
    __table_args__ = (
        Index(
            "ux_allocation_nomination",
            "nomination_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_allocation_person", "person_id"),
        Index("ix_allocation_fund", "fund"),
    )
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    nomination_id: Mapped[str] = mapped_column(Text)
    person_id: Mapped[str] = mapped_column(Text)
    fund: Mapped[int] = mapped_column(Integer)
    bucket: Mapped[str] = mapped_column(Text)
    pool: Mapped[str] = mapped_column(Text)
    area_key: Mapped[str] = mapped_column(Text)
    months: Mapped[int] = mapped_column(Integer)
    member: Mapped[int] = mapped_column(Integer)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_ms: Mapped[int] = mapped_column(BigInteger)
    price_vnd: Mapped[int | None] = mapped_column(BigInteger)
    priced_on: Mapped[date | None] = mapped_column(Date)
    approved_by: Mapped[str | None] = mapped_column(Text)
    approved_ms: Mapped[int | None] = mapped_column(BigInteger)
    issued_price_vnd: Mapped[int | None] = mapped_column(BigInteger)
    issued_on: Mapped[date | None] = mapped_column(Date)
    issued_by: Mapped[str | None] = mapped_column(Text)
    issued_ms: Mapped[int | None] = mapped_column(BigInteger)
    card_sealed: Mapped[str | None] = mapped_column(Text)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    payout_id: Mapped[str | None] = mapped_column(Text)
    ended: Mapped[str | None] = mapped_column(Text)
    ended_reason: Mapped[str | None] = mapped_column(Text)
    ended_by: Mapped[str | None] = mapped_column(Text)
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)


class Payout(Base):
    """Money to leave the account: premiums for issued cards (`premium`), or a donor's (`refund`).

    A second person approves it; the statement shows when it was paid.
    """

    __tablename__ = "payout"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    fund: Mapped[int] = mapped_column(Integer, index=True)
    kind: Mapped[str] = mapped_column(Text)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    donation_id: Mapped[str | None] = mapped_column(Text)
    bucket: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_ms: Mapped[int] = mapped_column(BigInteger)
    approved_by: Mapped[str | None] = mapped_column(Text)
    approved_ms: Mapped[int | None] = mapped_column(BigInteger)
    cancelled_by: Mapped[str | None] = mapped_column(Text)
    cancelled_ms: Mapped[int | None] = mapped_column(BigInteger)
