"""The command that writes a list for the insurer: D05-TS or D03-TS, of a period and an organisation."""

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
from server.declarations.forms import form_table, lack_text
from server.declarations.queries import ListAsked, ListTooLongError, declared_list
from server.declarations.rules import LISTS, Declared, totals_of
from server.exports.table import FORMATS
from server.office.queries import all_organisations
from server.runtime import Runtime

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
