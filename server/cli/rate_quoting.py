"""Commands that say what a contribution or a premium comes to, by the published tables or a file's."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click

from schemas.kinds import CATEGORIES
from schemas.messages import message
from schemas.rate_tables import RateTableError, RateTables, published_tables, read_rate_tables
from schemas.rates import (
    HouseholdTerms,
    Quote,
    RateFault,
    VoluntaryTerms,
    card_validity,
    household_quote,
    voluntary_quote,
)

_Day = click.DateTime(["%Y-%m-%d"])
_ON = click.option("--on", "on", type=_Day, required=True, help="The day of payment, YYYY-MM-DD.")
_MONTHS = click.option("--months", type=click.IntRange(1, 60), required=True, help="The period in months.")
_LOCAL = click.option(
    "--local-support", type=click.IntRange(0), default=0, help="What the local budget adds, in đồng."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_TABLES = click.option(
    "--tables",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of rate tables instead of the published ones (docs/rates.md).",
)


@click.group()
def rates() -> None:
    """Contributions and premiums by dated tables, in whole đồng. What no table covers exits with 2."""


@rates.command()
@click.option("--income", type=click.IntRange(1), required=True, help="The chosen monthly income, in đồng.")
@click.option("--category", type=click.Choice(CATEGORIES), required=True)
@_MONTHS
@_ON
@click.option("--supported-months", type=click.IntRange(0), default=0, help="Months supported before.")
@_LOCAL
@_TABLES
@_JSON
def voluntary(
    income: int,
    category: str,
    months: int,
    on: datetime,
    supported_months: int,
    local_support: int,
    path: Path | None,
    as_json: bool,
) -> None:
    """A contribution to voluntary social insurance."""
    terms = VoluntaryTerms(income, category, months, on.date(), local_support, supported_months)
    _tell(voluntary_quote(_tables(path), terms), as_json=as_json)


@rates.command()
@click.option("--member", type=click.IntRange(1, 60), required=True, help="1 for the household's first.")
@_MONTHS
@_ON
@click.option("--support", metavar="CODE", help="The supported category; without it nothing is supported.")
@_LOCAL
@_TABLES
@_JSON
def household(
    member: int,
    months: int,
    on: datetime,
    support: str | None,
    local_support: int,
    path: Path | None,
    as_json: bool,
) -> None:
    """A member's premium of household health insurance."""
    terms = HouseholdTerms(member, months, on.date(), support, local_support)
    _tell(household_quote(_tables(path), terms), as_json=as_json)


@rates.command()
@click.option("--paid-on", type=_Day, required=True, help="The day of full payment.")
@_MONTHS
@click.option("--previous-to", type=_Day, help="The last day of the card before; none for a first card.")
@_TABLES
@_JSON
def card(
    paid_on: datetime, months: int, previous_to: datetime | None, path: Path | None, as_json: bool
) -> None:
    """The days on which a health-insurance card is good."""
    before = None if previous_to is None else previous_to.date()
    found = card_validity(_tables(path), paid_on.date(), months, before)
    if isinstance(found, RateFault):
        _refuse(found, as_json=as_json)
    _print({"from_day": _iso(found.from_day), "to_day": _iso(found.to_day)}, as_json=as_json)


def _tables(path: Path | None) -> RateTables:
    if path is None:
        return published_tables()
    try:
        return read_rate_tables(json.loads(path.read_text(encoding="utf-8"))["rows"])
    except (RateTableError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.BadParameter(f"no rate tables: {error}", param_hint="--tables") from error


def _tell(quote: Quote | RateFault, *, as_json: bool) -> None:
    if isinstance(quote, RateFault):
        _refuse(quote, as_json=as_json)
    shown = {
        "gross_vnd": quote.gross_vnd,
        "support_vnd": quote.support_vnd,
        "due_vnd": quote.due_vnd,
        "warnings": [str(code) for code in quote.warnings],
    }
    _print(shown, as_json=as_json)


def _print(shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(shown))
        return
    for name, value in shown.items():
        told = value
        if isinstance(value, list):
            told = "; ".join(f"{message(code)} / {message(code, 'en')}" for code in value) or "–"
        elif isinstance(value, int):
            told = f"{value:,}".replace(",", ".")
        click.echo(f"{name:<12} {told}")


def _refuse(fault: RateFault, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"code": str(fault.code), "field": fault.field}))
    code, field = str(fault.code), fault.field
    click.echo(f"{code} ({field}): {message(code)} / {message(code, 'en')}", err=True)
    sys.exit(2)


def _iso(day: date) -> str:
    return day.isoformat()
