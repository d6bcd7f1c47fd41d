"""Dated tables of rates and rules, as they travel and as they are computed with.

A row holds from its first day until the next row of its table begins, or to its own last day. Each
says where it was published, and whether it is an assumption that no source confirms.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from marshmallow import ValidationError, fields, validate

from schemas.base import RequestSchema, boolean, choice, day, integer, json_object, list_of, load_fault, text
from sync.entry import Fault

PUBLISHED = Path(__file__).parent / "published_rates.json"
_AMOUNT = 1_000_000_000
_V_co = TypeVar("_V_co", covariant=True)


class RateTableError(Exception):
    """Rows are no rate tables; the message names the row's number, the code and the field."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount a month in đồng: the base salary, the rural poverty line."""

    amount_vnd: int


@dataclass(frozen=True, slots=True)
class VoluntaryRule:
    """Voluntary insurance: the rate, the ceiling, the step above the floor, the periods in months."""

    contribution_percent: int
    ceiling_base_salaries: int
    step_vnd: int
    months: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VoluntarySupport:
    """The state's share by category, in percent, for at most so many months in a life."""

    percents: Mapping[str, int]
    most_months: int


@dataclass(frozen=True, slots=True)
class HouseholdPremium:
    """Health insurance of households: the first member's ‰ of the base salary, then steps in percent."""

    first_permille: int
    step_percents: tuple[int, ...]
    months: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HealthSupport:
    """The share of a member's premium that the budget pays, by category, in percent."""

    percents: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CardRule:
    """A first card, or one after a gap of so many days, is good only after a waiting time."""

    waiting_days: int
    gap_days: int


@dataclass(frozen=True, slots=True)
class Dated(Generic[_V_co]):
    """A row: `valid_to` is its last day, None until the next row begins."""

    valid_from: date
    valid_to: date | None
    values: _V_co
    source: str
    is_assumption: bool


@dataclass(frozen=True, slots=True)
class RateTables:
    """Every table, its rows by their first day."""

    base_salary: tuple[Dated[Amount], ...] = ()
    poverty_line: tuple[Dated[Amount], ...] = ()
    voluntary: tuple[Dated[VoluntaryRule], ...] = ()
    voluntary_support: tuple[Dated[VoluntarySupport], ...] = ()
    household_premium: tuple[Dated[HouseholdPremium], ...] = ()
    health_support: tuple[Dated[HealthSupport], ...] = ()
    card_validity: tuple[Dated[CardRule], ...] = ()


def row_on(rows: tuple[Dated[_V_co], ...], on: date) -> _V_co | None:
    """Return what a table says on a day; None where it says nothing."""
    row = next((row for row in reversed(rows) if row.valid_from <= on), None)
    return None if row is None or (row.valid_to is not None and on > row.valid_to) else row.values


class _Amount(RequestSchema):
    amount_vnd = integer(1, _AMOUNT)


class _VoluntaryRule(RequestSchema):
    contribution_percent = integer(1, 100)
    ceiling_base_salaries = integer(1, 100)
    step_vnd = integer(1, _AMOUNT)
    months = list_of(integer(1, 60), least=1)


def _percents() -> fields.Field[Any]:
    return fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"\A[a-z][a-z0-9_]{0,63}\Z")),
        values=integer(0, 100),
        required=True,
    )


class _VoluntarySupport(RequestSchema):
    percents = _percents()
    most_months = integer(1, 1200)


class _HouseholdPremium(RequestSchema):
    first_permille = integer(1, 1000)
    step_percents = list_of(integer(1, 100), least=1)
    months = list_of(integer(1, 60), least=1)


class _HealthSupport(RequestSchema):
    percents = _percents()


class _CardRule(RequestSchema):
    waiting_days = integer(0, 366)
    gap_days = integer(0, 3660)


_TABLES: dict[str, tuple[type[RequestSchema], type[Any]]] = {
    "base_salary": (_Amount, Amount),
    "poverty_line": (_Amount, Amount),
    "voluntary": (_VoluntaryRule, VoluntaryRule),
    "voluntary_support": (_VoluntarySupport, VoluntarySupport),
    "household_premium": (_HouseholdPremium, HouseholdPremium),
    "health_support": (_HealthSupport, HealthSupport),
    "card_validity": (_CardRule, CardRule),
}


class RateRow(RequestSchema):
    """A row as it travels: the members of `values` are its table's."""

    table = choice(tuple(_TABLES))
    valid_from = day()
    valid_to = day(allow_none=True)
    values = json_object()
    source = text(most=300)
    is_assumption = boolean()


def read_rate_tables(rows: Iterable[Mapping[str, Any]]) -> RateTables:
    """Return the tables that rows make up. Raises RateTableError.

    Of one table no two rows begin on the same day, and none ends before it begins.
    """
    found: dict[str, dict[date, Dated[Any]]] = {name: {} for name in _TABLES}
    for number, row in enumerate(rows, start=1):
        table, dated = _read_row(number, row)
        if dated.valid_from in found[table]:
            raise RateTableError(f"row {number}: {table} begins twice on {dated.valid_from}")
        found[table][dated.valid_from] = dated
    return RateTables(
        **{name: tuple(dated for _, dated in sorted(rows.items())) for name, rows in found.items()}
    )


def _read_row(number: int, row: Mapping[str, Any]) -> tuple[str, Dated[Any]]:
    try:
        loaded = RateRow().load(row)
    except ValidationError as error:
        raise RateTableError(_told(number, load_fault(error))) from error
    schema, values = _TABLES[loaded["table"]]
    try:
        members = schema().load(loaded["values"])
    except ValidationError as error:
        raise RateTableError(_told(number, load_fault(error))) from error
    if loaded["valid_to"] is not None and loaded["valid_to"] < loaded["valid_from"]:
        raise RateTableError(f"row {number}: valid_to")
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in members.items()}
    dated = Dated(
        loaded["valid_from"], loaded["valid_to"], values(**frozen), loaded["source"], loaded["is_assumption"]
    )
    return loaded["table"], dated


def _told(number: int, fault: Fault) -> str:
    return f"row {number}: {fault.code} {fault.field or ''}".rstrip()


def published_rows() -> list[dict[str, Any]]:
    """Return the rows of the published tables that come with the package, as they travel."""
    rows: list[dict[str, Any]] = json.loads(PUBLISHED.read_text(encoding="utf-8"))["rows"]
    return rows


@cache
def published_tables() -> RateTables:
    """Return the published tables that come with the package."""
    return read_rate_tables(published_rows())
