"""Tables of facts, indicators, plans, credits and progress, private to this feature.

Credits, progress and figures are folds of the facts: nothing but `settling` writes them, and
`tungnha quotas verify` derives them again.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class FactRow(Base):
    """What quotas need to know of one entry that counts; see rules.Fact."""

    __tablename__ = "fact"
    # The second index also serves the office's recount of one worker's facts.
    __table_args__ = (Index("ix_fact_subject", "subject"), Index("ix_fact_agent", "agent_id", "campaign"))
    fact_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[str] = mapped_column(Text)
    team_id: Mapped[str | None] = mapped_column(Text)
    organisation_key: Mapped[str | None] = mapped_column(Text)
    promoter: Mapped[str | None] = mapped_column(Text)
    area_key: Mapped[str] = mapped_column(Text)
    in_area: Mapped[bool] = mapped_column(Boolean)
    campaign: Mapped[int | None] = mapped_column(BigInteger)
    business_day: Mapped[date] = mapped_column(Date)
    upper_ms: Mapped[int] = mapped_column(BigInteger)
    paid: Mapped[bool] = mapped_column(Boolean)
    voided: Mapped[bool] = mapped_column(Boolean)


class IndicatorRow(Base):
    """What is counted; see rules.Indicator. `statuses` is a sorted list joined by commas."""

    __tablename__ = "indicator"
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name_vi: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    fact_kind: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str | None] = mapped_column(Text)
    statuses: Mapped[str] = mapped_column(Text)
    credits: Mapped[str] = mapped_column(Text)
    credited_when: Mapped[str] = mapped_column(Text)
    counts_in: Mapped[str] = mapped_column(Text)
    campaign: Mapped[int | None] = mapped_column(BigInteger)
    is_unique: Mapped[bool] = mapped_column(Boolean)
    unique_within: Mapped[str] = mapped_column(Text)
    cap: Mapped[int | None] = mapped_column(BigInteger)
    cap_per: Mapped[str | None] = mapped_column(Text)


class PlanRow(Base):
    """One version of a campaign's initial or supplementary plan; campaign 0 is the office's own.

    `effective_from` None: in force from the beginning; `effective_ms` is that day's midnight.
    `shown_ms`: when agents' tablets were given its quotas, None while it is not in force yet.
    """

    __tablename__ = "plan"
    __table_args__ = (Index("ix_plan_campaign_version", "campaign", "kind", "version", unique=True),)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    campaign: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    decision_number: Mapped[str | None] = mapped_column(Text)
    decision_day: Mapped[date | None] = mapped_column(Date)
    effective_from: Mapped[date | None] = mapped_column(Date)
    effective_ms: Mapped[int | None] = mapped_column(BigInteger)
    may_over_assign: Mapped[bool | None] = mapped_column(Boolean)
    shown_ms: Mapped[int | None] = mapped_column(BigInteger)


class QuotaRow(Base):
    """The number one holder is asked for; the parent is the holder above it in the plan's tree.

    `phases` says how much of it falls into which phase: a JSON object, {code: amount}. A table of its
    own would hold twelve rows for every quota. `quoted_percent` is what somebody published, never used.
    """

    __tablename__ = "quota"
    plan_id: Mapped[str] = mapped_column(Text, primary_key=True)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    holder_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text, primary_key=True)
    from_day: Mapped[date] = mapped_column(Date, primary_key=True)
    to_day: Mapped[date] = mapped_column(Date)
    amount: Mapped[int] = mapped_column(BigInteger)
    quoted_percent: Mapped[str | None] = mapped_column(Text)
    parent_kind: Mapped[str | None] = mapped_column(Text)
    parent: Mapped[str | None] = mapped_column(Text)
    phases: Mapped[str | None] = mapped_column(Text)


class PlanPhaseRow(Base):
    """A named run of days of a plan; see phases.Phase."""

    __tablename__ = "plan_phase"
    plan_id: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date] = mapped_column(Date)


class PlanMinimumRow(Base):
    """A minimum per person over several indicators, met whole or not at all."""

    __tablename__ = "plan_minimum"
    plan_id: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name_vi: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)


class PlanMinimumPartRow(Base):
    """What a minimum asks of one indicator."""

    __tablename__ = "plan_minimum_part"
    plan_id: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    at_least: Mapped[int] = mapped_column(BigInteger)


class PlanMinimumHolderRow(Base):
    """Of whom a minimum is asked."""

    __tablename__ = "plan_minimum_holder"
    plan_id: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    holder_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text, primary_key=True)


class QuotedRatioRow(Base):
    """What somebody published for a whole plan and one indicator; never used to compute.

    `quota_low` and `quota_high` bound a plan that is known by the published ratio alone, `quoted_done`
    is what the ratio was published for.
    """

    __tablename__ = "quoted_ratio"
    plan_id: Mapped[str] = mapped_column(Text, primary_key=True)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    quoted_percent: Mapped[str] = mapped_column(Text)
    quota_low: Mapped[int | None] = mapped_column(BigInteger)
    quota_high: Mapped[int | None] = mapped_column(BigInteger)
    quoted_done: Mapped[int | None] = mapped_column(BigInteger)


class CreditRow(Base):
    """What one fact counts for one indicator, and why; see rules.Credit."""

    __tablename__ = "credit"
    __table_args__ = (Index("ix_credit_campaign", "campaign", "indicator", "holder"),)
    fact_id: Mapped[str] = mapped_column(Text, primary_key=True)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    agent_id: Mapped[str] = mapped_column(Text)
    promoter: Mapped[str | None] = mapped_column(Text)
    team_id: Mapped[str | None] = mapped_column(Text)
    organisation_key: Mapped[str | None] = mapped_column(Text)
    area_key: Mapped[str] = mapped_column(Text)
    campaign: Mapped[int] = mapped_column(BigInteger)
    business_day: Mapped[date] = mapped_column(Date)
    upper_ms: Mapped[int] = mapped_column(BigInteger)
    holder_kind: Mapped[str] = mapped_column(Text)
    holder: Mapped[str] = mapped_column(Text)
    value: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    winner: Mapped[str | None] = mapped_column(Text)


class _States:
    """One sum of values for each state of a credit."""

    counted: Mapped[int] = mapped_column(BigInteger, default=0)
    pending: Mapped[int] = mapped_column(BigInteger, default=0)
    duplicate: Mapped[int] = mapped_column(BigInteger, default=0)
    over_limit: Mapped[int] = mapped_column(BigInteger, default=0)
    out_of_area: Mapped[int] = mapped_column(BigInteger, default=0)
    voided: Mapped[int] = mapped_column(BigInteger, default=0)
    late: Mapped[int] = mapped_column(BigInteger, default=0)


class FigureRow(_States, Base):
    """A holder's sums over all days. Whoever changes a holder's progress locks this row first."""

    __tablename__ = "figure"
    campaign: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    holder_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text, primary_key=True)


class ProgressRow(_States, Base):
    """A holder's sums of one business day; campaign 0 where an indicator counts for the office."""

    __tablename__ = "progress"
    campaign: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    holder_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text, primary_key=True)
    business_day: Mapped[date] = mapped_column(Date, primary_key=True)


class StatementRow(Base):
    """An accepted period (nghiệm thu): what counted then, frozen under a number. Never changes.

    `digest` covers all of it and its lines; `is_complete` says whether anything could still arrive.
    """

    __tablename__ = "statement"
    __table_args__ = (Index("ix_statement_campaign_to_day", "campaign", "to_day", unique=True),)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    campaign: Mapped[int] = mapped_column(BigInteger)
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date] = mapped_column(Date)
    is_first: Mapped[bool] = mapped_column(Boolean)
    accepted_ms: Mapped[int] = mapped_column(BigInteger)
    accepted_by: Mapped[str] = mapped_column(Text)
    worker_id: Mapped[str | None] = mapped_column(Text)
    is_complete: Mapped[bool] = mapped_column(Boolean)
    override_reason: Mapped[str | None] = mapped_column(Text)
    installations: Mapped[int] = mapped_column(BigInteger)
    outstanding: Mapped[int] = mapped_column(BigInteger)
    unsettled: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(Text)


class StatementLineRow(Base):
    """One holder and indicator of a statement. `carried`: adjustments of earlier ones, paid with it.

    `fingerprint` is the SHA-256 of the credits that counted, so that another set of the same size shows.
    """

    __tablename__ = "statement_line"
    statement: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    holder_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text, primary_key=True)
    counted: Mapped[int] = mapped_column(BigInteger)
    carried: Mapped[int] = mapped_column(BigInteger)
    quota_initial: Mapped[int | None] = mapped_column(BigInteger)
    quota_supplementary: Mapped[int | None] = mapped_column(BigInteger)
    fingerprint: Mapped[str] = mapped_column(Text)


class AdjustmentRow(Base):
    """What an accepted line has moved by since; `carried_in`: the later statement that it is paid with."""

    __tablename__ = "adjustment"
    statement: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    holder_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text, primary_key=True)
    posting: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    campaign: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    dated_day: Mapped[date] = mapped_column(Date)
    posted_ms: Mapped[int] = mapped_column(BigInteger)
    posted_by: Mapped[str] = mapped_column(Text)
    carried_in: Mapped[int | None] = mapped_column(BigInteger)


class HolidayRow(Base):
    """A day that breaks the rule of Monday to Friday: off, or a Saturday worked instead."""

    __tablename__ = "holiday"
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    name_vi: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    is_worked: Mapped[bool] = mapped_column(Boolean)
    source: Mapped[str] = mapped_column(Text)
