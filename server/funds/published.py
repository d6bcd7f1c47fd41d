"""Reads of funds for the public: what the office set up, and cards by place. No person is in any of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, case, exists, func, select

from server.funds.models import Allocation, Fund, FundPublication, Handover, Pool
from server.funds.publications import FundDays


@dataclass(frozen=True, slots=True)
class PublishedFund:
    """A fund as it presents itself."""

    number: int
    name: str
    name_en: str
    purpose: str
    purpose_en: str
    target_cards: int
    months: int
    opens_on: date
    closes_on: date | None
    distribution_ended_on: date | None
    bank_bin: str
    bank_account: str
    bank_holder: str

    @property
    def days(self) -> FundDays:
        """Return the days that publications follow."""
        return FundDays(self.opens_on, self.closes_on, self.distribution_ended_on)


@dataclass(frozen=True, slots=True)
class PlacedCards:
    """How many cards of one pool and area stand at one stage."""

    pool: str
    area_key: str
    stage: str
    cards: int


def published_funds(connection: Connection) -> list[PublishedFund]:
    """Return every fund, the newest first."""
    column = Fund.__table__.c
    statement = select(*(column[name] for name in PublishedFund.__dataclass_fields__))
    return [
        PublishedFund(*row)
        for row in connection.execute(statement.order_by(column.opens_on.desc(), column.number.desc()))
    ]


def published_at(connection: Connection, fund: int) -> dict[str, int]:
    """Return what a fund has published by law, and when, in Unix milliseconds."""
    column = FundPublication.__table__.c
    rows = connection.execute(select(column.kind, column.at_ms).where(column.fund == fund))
    return {row.kind: row.at_ms for row in rows}


def pool_names(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return the pools' names, Vietnamese and English, by code."""
    column = Pool.__table__.c
    rows = connection.execute(select(column.code, column.name, column.name_en))
    return {code: (name, name_en) for code, name, name_en in rows}


def placed_cards(connection: Connection, fund: int) -> list[PlacedCards]:
    """Return a fund's cards by pool, area and stage, those that the ledger counts."""
    allocation, handover = Allocation.__table__.c, Handover.__table__.c
    is_handed = exists().where(and_(handover.allocation_id == allocation.id, handover.voided_by.is_(None)))
    stage = case(
        (allocation.ended == "returned", "returned"),
        (and_(allocation.issued_ms.is_not(None), is_handed), "handed"),
        (allocation.issued_ms.is_not(None), "issued"),
        else_="committed",
    )
    placed = (
        select(allocation.pool, allocation.area_key, stage.label("stage"))
        .where(
            allocation.fund == fund,
            allocation.approved_ms.is_not(None),
            func.coalesce(allocation.ended, "") != "cancelled",
        )
        .subquery()
    )
    names = (placed.c.pool, placed.c.area_key, placed.c.stage)
    return [PlacedCards(*row) for row in connection.execute(select(*names, func.count()).group_by(*names))]
