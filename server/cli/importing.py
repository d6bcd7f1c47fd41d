"""The command that imports a sheet: a dry run if asked, else all of it or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import rich_click as click

from server.access.actions import account_actor
from server.access.queries import account_of_login
from server.audit.changes import Actor
from server.cli.office_app import calm_collector, configured_runtime, share_freed_memory
from server.cli.setting_up import COMMAND_ACTOR
from server.imports.applying import ImportRefusedError, apply_import
from server.imports.checking import Checked, check_sheet, stage_sheet
from server.imports.codes import import_message
from server.imports.registry import SHEETS
from server.imports.report import shown_faults
from server.imports.sheet import ADD, CHANGE, KEEP
from server.runtime import Runtime
from server.spreadsheets import FILE_BYTES_MOST

_SHOWN = 50


@click.command("import")
@click.argument("sheet_name", metavar="SHEET", type=click.Choice(list(SHEETS)))
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what is wrong and what would be done, and do nothing.")
@click.option("--by", "login", help="The log-in name of who decides this; households need one.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, texts in both languages.")
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
def import_sheet(
    sheet_name: str, path: Path, dry_run: bool, login: str | None, as_json: bool, language: str
) -> None:
    """Import FILE, an XLSX or CSV sheet of SHEET, into the office: all of it, or nothing.

    With anything wrong in it nothing is done, every cell is named, and the exit status is 1. Rows that
    are not in the sheet stay as they are; the same sheet once more changes nothing.
    """
    share_freed_memory()
    runtime = configured_runtime()
    # A large sheet lives to the end: a collector that looks often walks it again and again.
    calm_collector()
    actor = _actor(runtime, login)
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MOST + 1)
    found = check_sheet(runtime, SHEETS[sheet_name], content)
    answer = _answer(found, language)
    if not dry_run and not found.fault_count and found.fates[ADD] + found.fates[CHANGE]:
        _apply(runtime, actor, found, path.name, content, answer)
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        _show(found, answer, language, dry_run=dry_run)
    if answer["fault_count"] or answer["code"]:
        raise SystemExit(1)


def _actor(runtime: Runtime, login: str | None) -> Actor:
    if login is None:
        return COMMAND_ACTOR
    with runtime.transactions.reading() as connection:
        account = account_of_login(connection, login)
    if account is None:
        raise click.ClickException("no such account")
    return account_actor(*account)


def _answer(found: Checked, language: str) -> dict[str, Any]:
    english = shown_faults(found.sheet.name, found.faults, "en")
    vietnamese = shown_faults(found.sheet.name, found.faults, "vi")
    return {
        "sheet": found.sheet.name,
        "rows": found.row_count,
        "added": found.fates[ADD],
        "changed": found.fates[CHANGE],
        "unchanged": found.fates[KEEP],
        "fault_count": found.fault_count,
        "faults": [
            {
                "cell": vi.cell,
                "row": vi.number,
                "column": vi.column,
                "code": vi.code,
                "text_vi": vi.text,
                "text_en": en.text,
            }
            for vi, en in zip(vietnamese, english, strict=True)
        ],
        "import": None,
        "state": None,
        "code": None,
        "language": language,
    }


def _apply(
    runtime: Runtime, actor: Actor, found: Checked, file_name: str, content: bytes, answer: dict[str, Any]
) -> None:
    """Apply what was checked; put into the answer what became of it."""
    if found.sheet.needs_worker and actor.worker_id is None:
        raise click.ClickException("households are somebody's decision: say whose with --by LOGIN")
    run = stage_sheet(runtime, actor, found, file_name, content)
    answer["import"] = run.id
    try:
        done = apply_import(runtime, actor, run.id)
    except ImportRefusedError as refused:
        answer["code"] = str(refused.code)
        return
    answer["state"], answer["code"] = done.state, done.code


def _show(found: Checked, answer: dict[str, Any], language: str, *, dry_run: bool) -> None:
    for fault in shown_faults(found.sheet.name, found.faults[:_SHOWN], language):
        place = " ".join(filter(None, (fault.cell, f"({fault.title})" if fault.title else "")))
        click.echo(f"{place}: {fault.text} [{fault.code}]" if place else f"{fault.text} [{fault.code}]")
    if found.fault_count > _SHOWN:
        click.echo(f"… {found.fault_count - _SHOWN:,} more")
    if answer["code"]:
        click.echo(f"{import_message(answer['code'], language)} [{answer['code']}]")
    verb = "Would import" if dry_run else "Imported" if answer["state"] == "applied" else "Not imported"
    if not found.fault_count and not answer["added"] + answer["changed"]:
        verb = "Nothing to import"
    click.echo(
        f"{verb}: {answer['rows']:,} rows, {answer['added']:,} to add, {answer['changed']:,} to change,"
        f" {answer['unchanged']:,} unchanged, {answer['fault_count']:,} errors."
    )
