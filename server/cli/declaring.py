"""Commands for the insurer: a list of a period and an organisation, and the insurer's receipt numbers."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import rich_click as click
from sqlalchemy import Connection

from server.access.actions import account_actor
from server.access.queries import account_of_login
from server.audit.changes import Actor, Change, run_change
from server.cli.office_app import configured_runtime
from server.cli.setting_up import COMMAND_ACTOR
from server.declarations.forms import REFUSAL_WORDS, form_table, lack_text, refusal_text
from server.declarations.numbers import NumbersRefusedError, give_numbers, numbers_in
from server.declarations.queries import ListAsked, ListTooLongError, declared_list
from server.declarations.rules import LISTS, Declared, totals_of
from server.exports.table import FORMATS
from server.office.queries import all_organisations
from server.receipts.actions import (
    OfficialGiven,
    OfficialRefusedError,
    give_official_number,
    receipt_of_number,
)
from server.runtime import Runtime
from server.spreadsheets import FILE_BYTES_MOST

_REFUSED = "{} / {} [{}]"
_Day = click.DateTime(["%Y-%m-%d"])


@click.command("declare")
@click.argument("name", metavar="LIST", type=click.Choice(list(LISTS)))
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "from_day", type=_Day, required=True, help="The first day, YYYY-MM-DD.")
@click.option("--to", "to_day", type=_Day, required=True, help="The last day, YYYY-MM-DD.")
@click.option("--organisation", "code", help="An organisation's code: its own lines and all below it.")
@click.option("--by", "login", help="The log-in name of who takes the list, for the audit.")
def declare(
    name: str, path: Path, from_day: datetime, to_day: datetime, code: str | None, login: str | None
) -> None:
    """Write LIST (d05: voluntary, d03: household health) to FILE, an .xlsx or .csv, as the insurer's form.

    Lines that lack something are in it too, with the reason. The file holds ids and addresses in the
    clear; that it was written is a row of the audit.
    """
    file_format = path.suffix.lstrip(".").lower()
    if file_format not in FORMATS:
        raise click.BadParameter("the file's name has to end in .xlsx or .csv", param_hint="FILE")
    runtime = configured_runtime()
    with runtime.transactions.reading() as connection:
        key = None if code is None else _organisation_key(connection, code, to_day.date())
        actor = _actor(connection, login)
        asked = ListAsked(LISTS[name], from_day.date(), to_day.date(), key)
        try:
            lines = declared_list(connection, runtime.sealer, runtime.config.time_zone, asked, None)
        except ListTooLongError as error:
            raise click.ClickException("too many enrolments: ask for a shorter period") from error
    # The audit knows of it before there is a file.
    _note(runtime, actor, name, asked, lines)
    path.write_bytes(form_table(name, lines).written(file_format, "vi"))
    _tell(path, lines)


def _organisation_key(connection: Connection, code: str, on: date) -> str:
    """Return the organisation that had a code last before a day ended; codes are used again."""
    keys = [node.key for node in all_organisations(connection) if node.key.rpartition("@")[0] == code]
    begun = [key for key in keys if key.rpartition("@")[2] <= on.isoformat()]
    if not begun:
        raise click.BadParameter("no such organisation on that day", param_hint="--organisation")
    return max(begun, key=lambda key: key.rpartition("@")[2])


def _actor(connection: Connection, login: str | None) -> Actor:
    if login is None:
        return COMMAND_ACTOR
    account = account_of_login(connection, login)
    if account is None:
        raise click.ClickException("no such account")
    return account_actor(*account)


def _note(runtime: Runtime, actor: Actor, name: str, asked: ListAsked, lines: list[Declared]) -> None:
    def note(change: Change) -> None:
        days = {"from_day": asked.from_day.isoformat(), "to_day": asked.to_day.isoformat()}
        change.audit(
            "declaration_exported", name, rows=len(lines), organisation=asked.organisation_key, **days
        )

    run_change(runtime.transactions, actor, runtime.clock.now_ms(), note)


def _tell(path: Path, lines: list[Declared]) -> None:
    totals = totals_of(lines)
    click.echo(f"{path}: {totals.whole:,} whole lines, {totals.lacking:,} that lack something.")
    for lack, count in sorted(Counter(lack for line in lines for lack in line.lacks).items()):
        click.echo(f"  {count:>7,}  {lack_text(lack)} / {lack_text(lack, 'en')}")
    click.echo(
        f"Due from participants {totals.participant_vnd:,} đ, collected {totals.paid_vnd:,} đ,"
        f" difference {totals.difference_vnd:+,} đ."
    )


@click.command("official-number")
@click.argument("receipt")
@click.argument("series", default="")
@click.argument("number", default="")
@click.option("--correct", "reason", metavar="REASON", help="Correct what stands there, and say why.")
@click.option("--by", "login", required=True, help="The log-in name of who says so, for the audit.")
def official_number(receipt: str, series: str, number: str, reason: str | None, login: str) -> None:
    """Take down SERIES and NUMBER of the insurer's own receipt beside RECEIPT, our printed number.

    A second number is refused but with --correct; then no SERIES and NUMBER say that there is none.
    """
    runtime = configured_runtime()
    with runtime.transactions.reading() as connection:
        actor = _actor(connection, login)

    def work(change: Change) -> None:
        found = receipt_of_number(change, receipt)
        give_official_number(change, runtime.ids, found, OfficialGiven(receipt, series, number, reason))

    try:
        run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)
    except OfficialRefusedError as refused:
        raise click.ClickException(_REFUSED.format(*REFUSAL_WORDS[refused.code], refused.code)) from refused
    click.echo(f"{receipt}: {f'{series} {number}'.strip() or 'no number'}.")


@click.command("official-numbers")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", "login", required=True, help="The log-in name of who says so, for the audit.")
def official_numbers(path: Path, login: str) -> None:
    """Take down the numbers of FILE, a receipt book as the page gives it, filled in: all of them, or none."""
    runtime = configured_runtime()
    with runtime.transactions.reading() as connection:
        actor = _actor(connection, login)
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MOST + 1)
    try:
        rows = numbers_in(content)

        def work(change: Change) -> int:
            count = give_numbers(change, runtime.ids, rows, lambda _worker_id: True)
            change.audit("official_numbers_file", "receipts", rows=len(rows), given=count)
            return count

        count = run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)
    except NumbersRefusedError as refused:
        for fault in refused.faults:
            place = f"{fault.row}: " if fault.row else ""
            click.echo(f"{place}{refusal_text(fault.code)} / {refusal_text(fault.code, 'en')} [{fault.code}]")
        raise SystemExit(1) from refused
    click.echo(f"{count:,} numbers taken down, {len(rows) - count:,} there already.")
