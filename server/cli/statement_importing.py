"""Commands about the statements of a fund's bank account: reading one in, another layout's columns."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from server.audit.changes import run_change
from server.bank.actions import MappingRefusedError, save_mapping
from server.bank.codes import StatementFault, statement_text
from server.bank.layouts import FIELDS
from server.bank.queries import statement_checks
from server.cli.office_app import configured_runtime
from server.cli.setting_up import COMMAND_ACTOR
from server.funds.desk import FundDesk
from server.funds.statements import Imported, MatchRefusedError, import_statement
from server.funds.wording import MATCH_WORDS

_FAULTS_SHOWN = 50
_FUND = click.option("--fund", type=click.IntRange(1, 999_999), required=True, help="The fund's number.")


@click.group()
def bank() -> None:
    """Statements of the funds' bank accounts."""


@bank.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_FUND
@click.option("--mapping", help="A saved column mapping, for a layout that is not known.")
@click.option("--dry-run", is_flag=True, help="Say what is new or wrong, and write nothing.")
def import_command(file: Path, fund: int, mapping: str | None, dry_run: bool) -> None:
    """Read a statement (XLSX or CSV) into a fund's books, and match what is beyond doubt.

    All of it or nothing. The same statement again, or one that overlaps it, brings no line twice.
    """
    runtime, content = configured_runtime(), file.read_bytes()
    desk = FundDesk.of(runtime)
    try:
        done = run_change(
            runtime.transactions,
            COMMAND_ACTOR,
            runtime.clock.now_ms(),
            lambda change: import_statement(change, desk, fund, content, mapping=mapping, dry_run=dry_run),
        )
    except MatchRefusedError as error:
        vi, en = MATCH_WORDS[error.code]
        raise click.ClickException(f"{error.code}: {vi} · {en}") from error
    if done.faults:
        for fault in done.faults[:_FAULTS_SHOWN]:
            click.echo(_told(fault), err=True)
        raise click.ClickException(f"{len(done.faults)} faults; nothing was read in.")
    click.echo(_summary(done, is_dry=dry_run))


@bank.command("check")
@_FUND
def check_command(fund: int) -> None:
    """Hold a fund's books against the balances of its statements; fails where they differ."""
    runtime = configured_runtime()
    with runtime.transactions.reading() as connection:
        checks = statement_checks(connection, fund)
    differs = False
    for check in checks:
        period, gap = check.period, check.gap
        line = f"{period.from_day.isoformat()} – {period.to_day.isoformat()}"
        if gap is not None:
            line += f"; no statement covers {gap[0].isoformat()} – {gap[1].isoformat()}"
        if check.opening_difference_vnd:
            line += f"; opens {check.opening_difference_vnd:+,} đồng beside the books"
        if check.closing_difference_vnd:
            line += f"; closes {check.closing_difference_vnd:+,} đồng beside the books"
        differs = differs or bool(check.opening_difference_vnd or check.closing_difference_vnd)
        click.echo(line)
    if differs:
        raise click.ClickException("The books differ from the statements.")
    click.echo("No difference." if checks else "No statement.")


@bank.command("mapping")
@click.argument("name")
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=TITLE", help=f"Fields: {', '.join(FIELDS)}."
)
def mapping_command(name: str, columns: tuple[str, ...]) -> None:
    """Save the columns of another bank's layout: for each field the title above its column."""
    given = dict(column.partition("=")[::2] for column in columns)
    runtime = configured_runtime()
    try:
        run_change(
            runtime.transactions,
            COMMAND_ACTOR,
            runtime.clock.now_ms(),
            lambda change: save_mapping(change, name, given),
        )
    except MappingRefusedError as error:
        raise click.ClickException(
            "A mapping needs a name, a day, a description, and an amount or both debit and credit, "
            "each with a title of its own."
        ) from error
    click.echo(f"Mapping {name} is saved.")


def _told(fault: StatementFault) -> str:
    where = "" if fault.row is None else f"{fault.column or ''}{fault.row}: "
    title = "" if fault.title is None else f"«{fault.title}»: "
    return f"{where}{title}{statement_text(fault.code)} · {statement_text(fault.code, 'en')} ({fault.code})"


def _summary(done: Imported, *, is_dry: bool) -> str:
    if is_dry:
        return f"{done.lines} lines, {done.new} of them new; nothing was written."
    return f"{done.lines} lines, {done.new} of them new; {done.matched} matched."
