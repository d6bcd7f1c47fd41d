"""Commands about funds: setting one up, the pools, where it stands, and its books held against its rows."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime

import rich_click as click

from server.audit.changes import run_change
from server.cli.office_app import configured_runtime
from server.cli.setting_up import COMMAND_ACTOR
from server.funds.accounts import ANY
from server.funds.books import post_missing
from server.funds.buying import CARD_TERMS, cards_bought
from server.funds.office_queries import FundState, fund_by_number, pool_rules, pools, publications_of
from server.funds.publications import due_publications
from server.funds.queries import FundStanding, fund_standing
from server.funds.refusals import FundRefusedError
from server.funds.setting_up import FundGiven, create_fund, seed_pools
from server.funds.verification import fund_differences
from server.funds.wording import PUBLICATION_STATE_WORDS, PUBLICATION_WORDS, REFUSAL_WORDS
from server.office.queries import rate_tables
from sync.clock import local_day

_Day = click.DateTime(["%Y-%m-%d"])


@click.group()
def funds() -> None:
    """Funds for donated health-insurance cards."""


@funds.command()
@click.argument("number", type=click.IntRange(1, 999_999))
@click.option("--name", required=True, help="Vietnamese, as it is published.")
@click.option("--name-en", required=True)
@click.option("--purpose", required=True)
@click.option("--purpose-en", required=True)
@click.option("--target-cards", type=click.IntRange(1), required=True)
@click.option("--months", type=click.Choice([str(term) for term in CARD_TERMS]), default="12")
@click.option("--opens-on", type=_Day, required=True, help="YYYY-MM-DD.")
@click.option("--closes-on", type=_Day, help="YYYY-MM-DD; without it the fund stays open.")
@click.option("--bank-bin", required=True, help="The bank's 6 digits, as in VietQR.")
@click.option("--bank-account", required=True)
@click.option("--bank-holder", required=True)
def create(
    number: int,
    name: str,
    name_en: str,
    purpose: str,
    purpose_en: str,
    target_cards: int,
    months: str,
    opens_on: datetime,
    closes_on: datetime | None,
    bank_bin: str,
    bank_account: str,
    bank_holder: str,
) -> None:
    """Set a fund up, with the account that its money goes to."""
    given = FundGiven(
        name=name,
        name_en=name_en,
        purpose=purpose,
        purpose_en=purpose_en,
        target_cards=target_cards,
        months=int(months),
        opens_on=opens_on.date(),
        closes_on=None if closes_on is None else closes_on.date(),
        bank_bin=bank_bin,
        bank_account=bank_account,
        bank_holder=bank_holder,
    )
    runtime = configured_runtime()
    try:
        run_change(
            runtime.transactions,
            COMMAND_ACTOR,
            runtime.clock.now_ms(),
            lambda change: create_fund(change, number, given),
        )
    except FundRefusedError as error:
        raise click.ClickException(_told(error)) from error
    click.echo(f"Fund {number} is set up.")


@funds.command("pools")
@click.option("--seed", is_flag=True, help="Define the usual pools that are missing, with assumed rules.")
def pools_command(seed: bool) -> None:
    """Show the pools and the dated rules of each, or define the usual ones first."""
    runtime = configured_runtime()
    if seed:
        run_change(runtime.transactions, COMMAND_ACTOR, runtime.clock.now_ms(), seed_pools)
    with runtime.transactions.reading() as connection:
        known, rules = pools(connection), pool_rules(connection)
    if not known:
        click.echo("No pool. --seed defines the usual ones.")
    for pool in known:
        click.echo(f"{pool.code:<20} {pool.name} · {pool.name_en}")
        for rule in (each for each in rules if each.pool == pool.code):
            mark = " (assumed)" if rule.is_assumption else ""
            click.echo(f"  from {rule.valid_from.isoformat()}{mark}: {rule.conditions.as_json()}")
            click.echo(f"    {rule.source}")


@funds.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--json", "is_json", is_flag=True, help="As JSON, in đồng.")
def standing(number: int, is_json: bool) -> None:
    """Show where a fund stands: money by account and bucket, cards, what it buys, what is to be published."""
    runtime = configured_runtime()
    zone = runtime.config.time_zone
    today = local_day(runtime.clock.now_ms(), zone)
    with runtime.transactions.reading() as connection:
        fund = fund_by_number(connection, number)
        if fund is None:
            raise click.ClickException("there is no such fund")
        found = fund_standing(connection, number)
        tables = rate_tables(connection)
        published = {
            kind: local_day(at_ms, zone) for kind, at_ms in publications_of(connection, number).items()
        }
    if is_json:
        members = {name: getattr(found, name) for name in FundStanding.__dataclass_fields__}
        click.echo(json.dumps(members, ensure_ascii=False, indent=2))
        return
    click.echo(f"{fund.number}  {fund.name} · {fund.name_en}")
    _show_money(found)
    for account, cards in found.cards.items():
        click.echo(f"{account:<22} {cards:>15,}".replace(",", "."))
    for buys in cards_bought(sum(found.spendable_vnd.values()), tables, today):
        price, left = _vnd(buys.price_vnd), _vnd(buys.left_vnd)
        click.echo(f"buys {buys.cards} cards for {buys.months} months at {price}, {left} left")
    _show_publications(fund, published, today)


def _show_money(found: FundStanding) -> None:
    whole = {
        "bank": found.bank_vnd,
        "office cash": found.office_cash_vnd,
        "in transit": found.in_transit_vnd,
        "unidentified": found.unidentified_vnd,
        "due to the insurer": found.due_insurer_vnd,
        "due to donors": found.refund_due_vnd,
    }
    for name, amount_vnd in whole.items():
        click.echo(f"{name:<22} {_vnd(amount_vnd):>15}")
    columns = {
        "free": found.free_vnd,
        "reserved": found.reserved_vnd,
        "claimed": found.claimed_vnd,
        "in hands": found.in_hands_vnd,
        "spendable": found.spendable_vnd,
    }
    buckets = sorted({bucket for column in columns.values() for bucket in column} | {ANY})
    click.echo(f"{'bucket':<32}" + "".join(f"{name:>16}" for name in columns))
    for bucket in buckets:
        click.echo(f"{bucket:<32}" + "".join(f"{_vnd(one.get(bucket, 0)):>16}" for one in columns.values()))


def _show_publications(fund: FundState, published: dict[str, date], today: date) -> None:
    for each in due_publications(fund.days, published, today):
        words = PUBLICATION_WORDS[each.kind], PUBLICATION_STATE_WORDS[each.state]
        click.echo(f"{each.due_on.isoformat()}  {words[0][0]}: {words[1][0]} · {words[0][1]}: {words[1][1]}")


@funds.command()
@click.option("--post-missing", "is_posting", is_flag=True, help="Post first what office rows ask for.")
def verify(is_posting: bool) -> None:
    """Compute every fund's books anew from its rows and print differences.

    Exits 1 when there is any.
    """
    runtime = configured_runtime()
    zone = runtime.config.time_zone
    if is_posting:
        added = run_change(
            runtime.transactions,
            COMMAND_ACTOR,
            runtime.clock.now_ms(),
            lambda change: post_missing(change, zone),
        )
        click.echo(f"Posted: {added}")
    with runtime.transactions.reading() as connection:
        found = fund_differences(connection, zone)
    for difference in found:
        click.echo(str(difference))
    if found:
        sys.exit(1)
    click.echo("No difference.")


def _told(error: FundRefusedError) -> str:
    vietnamese, english = REFUSAL_WORDS[error.code]
    return f"{error.code}\n{vietnamese}. · {english}."


def _vnd(amount_vnd: int) -> str:
    return f"{amount_vnd:,}".replace(",", ".")
