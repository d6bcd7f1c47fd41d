"""Reads of facts, indicators and credits, as the rules' own types."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, FromClause, Select, select

from server.bulk_rows import among, chunks, rows_among
from server.prepared import rows_of
from server.quotas.holidays import Holiday
from server.quotas.models import CreditRow, FactRow, HolidayRow, IndicatorRow
from server.quotas.rules import FACT_KINDS, Credit, Fact, Indicator

FACT_FIELDS, CREDIT_FIELDS = Fact.__struct_fields__, Credit.__struct_fields__


@dataclass(frozen=True, slots=True)
class NamedIndicator:
    """An indicator with its names in Vietnamese and English."""

    indicator: Indicator
    name_vi: str
    name_en: str


class EnrolmentInEffect(Struct, frozen=True, gc=False):
    """What the participant register needs of a fact."""

    fact_id: str
    business_day: date
    upper_ms: int
    status: str | None
    agent_id: str
    area_key: str
    campaign: int | None


def _columns(table: FromClause, names: Iterable[str]) -> Select[Any]:
    return select(*(table.c[name] for name in names))


# Statements of every push are built once: to build one costs more than to run it.
_FACTS = _columns(FactRow.__table__, FACT_FIELDS).where(among(FactRow.__table__.c.fact_id))
_FACTS_OF_SUBJECTS = _columns(FactRow.__table__, FACT_FIELDS).where(
    among(FactRow.__table__.c.subject), among(FactRow.__table__.c.kind, "kinds")
)
_SUBJECTS = select(FactRow.fact_id, FactRow.subject).where(among(FactRow.__table__.c.fact_id))
_INDICATORS = select(IndicatorRow.__table__).order_by(IndicatorRow.code)
_CREDITS = _columns(CreditRow.__table__, CREDIT_FIELDS).where(among(CreditRow.__table__.c.fact_id))


def facts_by_id(connection: Connection, fact_ids: Iterable[str]) -> dict[str, Fact]:
    """Return the facts of these entries that there are."""
    return {row[0]: Fact(*row) for row in rows_among(connection, _FACTS, fact_ids)}


def facts_of_subjects(
    connection: Connection, subjects: Iterable[str], kinds: Collection[str] = FACT_KINDS
) -> dict[str, Fact]:
    """Return every fact of these subjects, of these kinds, by its id."""
    if not kinds:
        return {}
    rows = rows_among(connection, _FACTS_OF_SUBJECTS, subjects, kinds=sorted(kinds))
    return {row[0]: Fact(*row) for row in rows}


def facts_of_worker(connection: Connection, worker_id: str, campaign: int | None = None) -> list[Fact]:
    """Return the facts that a worker recorded, in one campaign or in all."""
    fact = FactRow.__table__
    statement = _columns(fact, FACT_FIELDS).where(fact.c.agent_id == worker_id)
    if campaign is not None:
        statement = statement.where(fact.c.campaign == campaign)
    return [Fact(*row) for row in connection.execute(statement)]


def facts_of_kind(connection: Connection, kind: str) -> list[Fact]:
    """Return all facts of one kind."""
    fact = FactRow.__table__
    return [Fact(*row) for row in connection.execute(_columns(fact, FACT_FIELDS).where(fact.c.kind == kind))]


def enrolments_in_effect(connection: Connection, scheme: str) -> list[EnrolmentInEffect]:
    """Return the enrolments of a scheme that are paid for and not voided."""
    fact = FactRow.__table__
    statement = _columns(fact, EnrolmentInEffect.__struct_fields__).where(
        fact.c.kind == "enrolment",
        fact.c.scheme == scheme,
        fact.c.paid.is_(True),
        fact.c.voided.is_(False),
    )
    return [EnrolmentInEffect(*row) for row in connection.execute(statement).all()]


def facts_of_campaign(connection: Connection, campaign: int) -> list[Fact]:
    """Return all facts that name one campaign."""
    fact = FactRow.__table__
    statement = _columns(fact, FACT_FIELDS).where(fact.c.campaign == campaign)
    return [Fact(*row) for row in connection.execute(statement)]


def all_facts(connection: Connection) -> dict[str, Fact]:
    """Return every stored fact by its id."""
    return {row[0]: Fact(*row) for row in connection.execute(_columns(FactRow.__table__, FACT_FIELDS))}


def subjects_of_facts(connection: Connection, fact_ids: Iterable[str]) -> dict[str, str]:
    """Return the subject of each of these facts: what a push must lock before it pays or voids one."""
    return {row[0]: row[1] for row in rows_among(connection, _SUBJECTS, fact_ids)}


def indicators(connection: Connection) -> list[NamedIndicator]:
    """Return all indicators by code."""
    return [_indicator(row) for row in rows_of(connection, _INDICATORS, {})]


def holidays(connection: Connection) -> list[Holiday]:
    """Return the days of the calendar that break the rule of Monday to Friday, in order."""
    holiday = HolidayRow.__table__.c
    statement = select(*(holiday[name] for name in Holiday._fields)).order_by(holiday.day)
    return [Holiday(*row) for row in connection.execute(statement)]


def _indicator(row: Any) -> NamedIndicator:
    indicator = Indicator(
        code=row.code,
        fact_kind=row.fact_kind,
        scheme=row.scheme,
        statuses=frozenset(row.statuses.split(",")) - {""},
        credits=row.credits,
        credited_when=row.credited_when,
        counts_in=row.counts_in,
        campaign=row.campaign,
        is_unique=row.is_unique,
        unique_within=row.unique_within,
        cap=row.cap,
        cap_per=row.cap_per,
    )
    return NamedIndicator(indicator, row.name_vi, row.name_en)


def credits_of_facts(connection: Connection, fact_ids: Iterable[str]) -> dict[tuple[str, str], Credit]:
    """Return the stored credits of these facts by (fact, indicator)."""
    return {(row[0], row[1]): Credit(*row) for row in rows_among(connection, _CREDITS, fact_ids)}


def all_credits(connection: Connection) -> dict[tuple[str, str], Credit]:
    """Return every stored credit by (fact, indicator)."""
    rows = connection.execute(_columns(CreditRow.__table__, CREDIT_FIELDS))
    return {(row[0], row[1]): Credit(*row) for row in rows}


def capped_credits(
    connection: Connection, campaign: int, indicator: str, holders: Iterable[str]
) -> list[Credit]:
    """Return the stored credits of these holders that a cap decides on."""
    credit = CreditRow.__table__
    found: list[Credit] = []
    statement = _columns(credit, CREDIT_FIELDS).where(
        credit.c.campaign == campaign,
        credit.c.indicator == indicator,
        credit.c.state.in_(("counted", "over_limit")),
    )
    for part in chunks(sorted(set(holders))):
        found += [Credit(*row) for row in connection.execute(statement.where(credit.c.holder.in_(part)))]
    return found


def credits_of_agent(connection: Connection, agent_id: str, campaign: int | None = None) -> list[Credit]:
    """Return the credits of what an agent recorded, newest first: why a figure is what it is.

    `campaign` None: of all campaigns and none.
    """
    fact, credit = FactRow.__table__, CreditRow.__table__
    statement = (
        _columns(credit, CREDIT_FIELDS)
        .select_from(fact.join(credit, credit.c.fact_id == fact.c.fact_id))
        .where(fact.c.agent_id == agent_id)
        .order_by(credit.c.upper_ms.desc(), credit.c.fact_id.desc(), credit.c.indicator)
    )
    if campaign is not None:
        statement = statement.where(fact.c.campaign == campaign)
    return [Credit(*row) for row in connection.execute(statement)]


def credits_of_holder(connection: Connection, campaign: int, indicator: str, holder: str) -> list[Credit]:
    """Return what makes up one figure, newest first; for a promoter "<kind>:<id>", a team its id."""
    credit = CreditRow.__table__
    statement = (
        _columns(credit, CREDIT_FIELDS)
        .where(credit.c.campaign == campaign, credit.c.indicator == indicator, credit.c.holder == holder)
        .order_by(credit.c.upper_ms.desc(), credit.c.fact_id.desc())
    )
    return [Credit(*row) for row in connection.execute(statement)]
