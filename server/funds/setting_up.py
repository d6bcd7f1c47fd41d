"""Writes that set funds up: funds, pools, who belongs to a pool from which day, what was published."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from server.audit.changes import Change
from server.funds.buying import CARD_TERMS
from server.funds.desk import FundDesk, checked_reason, locked_fund
from server.funds.eligibility import RuleMalformedError, read_conditions
from server.funds.models import EligibilityRule, Fund, FundPublication, Pool
from server.funds.office_queries import (
    FundState,
    PoolState,
    fund_by_number,
    pool_rules,
    pools,
    publications_of,
)
from server.funds.publications import PublicationKind
from server.funds.records import put_fund, put_pool
from server.funds.refusals import FundRefusal, FundRefusedError
from server.journals.actions import lock_names

LARGEST_NUMBER = 999_999
_MOST_CARDS = 10_000_000
_MOST_NAME, _MOST_PURPOSE = 120, 1000
_POOL_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BIN, _ACCOUNT = re.compile(r"[0-9]{6}"), re.compile(r"[0-9A-Za-z]{4,19}")
_SEEDED_FROM = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class FundGiven:
    """What somebody says of a fund; an amendment says all of it again."""

    name: str
    name_en: str
    purpose: str
    purpose_en: str
    target_cards: int
    months: int
    opens_on: date
    closes_on: date | None
    bank_bin: str
    bank_account: str
    bank_holder: str
    distribution_ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class SeededPool:
    """A pool to begin with, and the conditions that an office has to confirm or replace."""

    code: str
    name: str
    name_en: str
    conditions: Mapping[str, Any]
    source: str


# No published source says which papers prove these; every rule of them is an assumption, dated and marked.
SEEDED_POOLS = (
    SeededPool(
        "returned_workers",
        "Lao động trở về địa phương",
        "Returned workers",
        {"evidence": ["return_paper", "commune_confirmation"], "age_from": 15},
        "Giả định: giấy tờ trở về hoặc xác nhận của xã",
    ),
    SeededPool(
        "lost_subsidy",
        "Người không còn được ngân sách hỗ trợ BHYT",
        "People who lost a subsidy",
        {"evidence": ["subsidy_decision", "commune_confirmation"]},
        "Giả định: quyết định thôi hỗ trợ hoặc xác nhận của xã",
    ),
    SeededPool("poor", "Hộ nghèo", "Poor households", {"evidence": ["poor_book"]}, "Giả định: sổ hộ nghèo"),
    SeededPool(
        "near_poor",
        "Hộ cận nghèo",
        "Near-poor households",
        {"evidence": ["near_poor_book"]},
        "Giả định: sổ hộ cận nghèo",
    ),
    SeededPool(
        "elderly",
        "Người cao tuổi",
        "Elderly people",
        {"evidence": ["id_card", "commune_confirmation"], "age_from": 60},
        "Giả định: từ đủ 60 tuổi (Luật Người cao tuổi 2009)",
    ),
)


def create_fund(change: Change, number: int, given: FundGiven) -> FundState:
    """Set a fund up under a number that stands in receipts. Raises FundRefusedError."""
    if not 1 <= number <= LARGEST_NUMBER:
        raise FundRefusedError(FundRefusal.NUMBER_INVALID)
    change.flush()
    lock_names(change.connection, [f"fund:{number}"])
    if fund_by_number(change.connection, number) is not None:
        raise FundRefusedError(FundRefusal.FUND_EXISTS)
    fund = _checked(number, given)
    change.insert(Fund.__table__, **asdict(fund), actor=change.actor.chain, at_ms=change.now_ms)
    put_fund(change, fund)
    change.audit("fund_created", str(number), target_cards=fund.target_cards, months=fund.months)
    return fund


def amend_fund(change: Change, number: int, given: FundGiven) -> FundState:
    """Let a fund be as is said now. Raises FundRefusedError."""
    before = locked_fund(change, number)
    fund = _checked(number, given)
    values = {name: value for name, value in asdict(fund).items() if value != getattr(before, name)}
    if not values:
        return fund
    change.update(Fund.__table__, {"number": number}, **values)
    put_fund(change, fund)
    change.audit("fund_amended", str(number), fields=sorted(values))
    return fund


def _checked(number: int, given: FundGiven) -> FundState:
    names = [given.name, given.name_en, given.bank_holder]
    purposes = [given.purpose, given.purpose_en]
    name, name_en, holder = (checked_text(text, _MOST_NAME) for text in names)
    purpose, purpose_en = (checked_text(text, _MOST_PURPOSE) for text in purposes)
    if not 1 <= given.target_cards <= _MOST_CARDS:
        raise FundRefusedError(FundRefusal.AMOUNT_INVALID)
    if given.months not in CARD_TERMS:
        raise FundRefusedError(FundRefusal.MONTHS_INVALID)
    if not _BIN.fullmatch(given.bank_bin) or not _ACCOUNT.fullmatch(given.bank_account):
        raise FundRefusedError(FundRefusal.ACCOUNT_INVALID)
    ends = [day for day in (given.closes_on, given.distribution_ended_on) if day is not None]
    if any(day < given.opens_on for day in ends):
        raise FundRefusedError(FundRefusal.DAYS_INVALID)
    return FundState(
        number=number,
        name=name,
        name_en=name_en,
        purpose=purpose,
        purpose_en=purpose_en,
        target_cards=given.target_cards,
        months=given.months,
        opens_on=given.opens_on,
        closes_on=given.closes_on,
        distribution_ended_on=given.distribution_ended_on,
        bank_bin=given.bank_bin,
        bank_account=given.bank_account,
        bank_holder=holder,
    )


def checked_text(text: str, most: int) -> str:
    """Return a text in NFC without needless blanks. Raises FundRefusedError."""
    told = unicodedata.normalize("NFC", " ".join(text.split()))
    if not 1 <= len(told) <= most:
        raise FundRefusedError(FundRefusal.TEXT_INVALID)
    return told


def mark_published(change: Change, number: int, kind: PublicationKind) -> None:
    """Take down that something due by law was published. Raises FundRefusedError."""
    locked_fund(change, number)
    if kind.value in publications_of(change.connection, number):
        raise FundRefusedError(FundRefusal.PUBLISHED_ALREADY)
    change.insert(
        FundPublication.__table__,
        fund=number,
        kind=kind.value,
        actor=change.actor.chain,
        at_ms=change.now_ms,
    )
    change.audit("fund_published", str(number), kind=kind.value)


def define_pool(change: Change, code: str, name: str, name_en: str) -> PoolState:
    """Define a pool, or give it other names. Raises FundRefusedError."""
    if not _POOL_CODE.fullmatch(code):
        raise FundRefusedError(FundRefusal.CODE_INVALID)
    pool = PoolState(code, checked_text(name, _MOST_NAME), checked_text(name_en, _MOST_NAME))
    change.flush()
    known = {each.code: each for each in pools(change.connection)}
    if known.get(code) == pool:
        return pool
    if code in known:
        change.update(Pool.__table__, {"code": code}, name=pool.name, name_en=pool.name_en)
    else:
        change.insert(Pool.__table__, **asdict(pool), actor=change.actor.chain, at_ms=change.now_ms)
    put_pool(change, pool)
    change.audit("pool_defined", code)
    return pool


def set_rule(
    change: Change,
    pool: str,
    valid_from: date,
    conditions: Mapping[str, Any],
    source: str,
    *,
    is_assumption: bool,
) -> None:
    """Say who belongs to a pool from a day on; earlier days keep their rule. Raises FundRefusedError."""
    change.flush()
    if pool not in {each.code for each in pools(change.connection)}:
        raise FundRefusedError(FundRefusal.POOL_UNKNOWN)
    try:
        read = read_conditions(conditions)
    except RuleMalformedError as error:
        raise FundRefusedError(FundRefusal.RULE_MALFORMED, str(error)) from error
    values = {
        "conditions": read.as_json(),
        "source": checked_reason(source),
        "is_assumption": is_assumption,
    }
    key = {"pool": pool, "valid_from": valid_from}
    days = {each.valid_from for each in pool_rules(change.connection) if each.pool == pool}
    if valid_from in days:
        change.update(EligibilityRule.__table__, key, **values)
    else:
        change.insert(EligibilityRule.__table__, **key, **values)
    change.audit("pool_rule_set", pool, valid_from=valid_from.isoformat(), is_assumption=is_assumption)


def seed_pools(change: Change) -> list[str]:
    """Define the usual pools that are not there yet, with assumed rules; return their codes."""
    change.flush()
    known, fresh = {each.code for each in pools(change.connection)}, []
    for pool in SEEDED_POOLS:
        if pool.code in known:
            continue
        define_pool(change, pool.code, pool.name, pool.name_en)
        set_rule(change, pool.code, _SEEDED_FROM, pool.conditions, pool.source, is_assumption=True)
        fresh.append(pool.code)
    change.audit("pools_seeded", "office", pools=fresh)
    return fresh


def end_distribution(change: Change, desk: FundDesk, number: int, day: date) -> None:
    """Say on which day the last card of a fund was given out. Raises FundRefusedError."""
    fund = locked_fund(change, number)
    if day < fund.opens_on:
        raise FundRefusedError(FundRefusal.DAYS_INVALID)
    if day > desk.day(change):
        raise FundRefusedError(FundRefusal.DAY_IN_FUTURE)
    change.update(Fund.__table__, {"number": number}, distribution_ended_on=day)
    change.audit("fund_distribution_ended", str(number), day=day.isoformat())
