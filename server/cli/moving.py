"""The command that moves households to another commune, first as a dry run if asked."""

from __future__ import annotations

import rich_click as click

from server.access.actions import account_actor
from server.access.queries import account_of_login
from server.cli.office_app import configured_runtime
from server.exchange.desk import DeskRefusedError
from server.exchange.moving import Moved, MoveRefusedError, move_households


@click.command("move-households")
@click.option("--from", "from_area", required=True, metavar="AREA", help="Where they stand: CODE@FIRST-DAY.")
@click.option("--to", "to_area", required=True, metavar="AREA", help="The commune that they move to.")
@click.option("--by", "login", required=True, help="The log-in name of who decides this.")
@click.option("--dry-run", is_flag=True, help="Say what would be moved, and move nothing.")
def move_households_command(from_area: str, to_area: str, login: str, dry_run: bool) -> None:
    """Move every household of one commune, with its persons, to another one.

    Facts stay where they happened. Safe to repeat: it goes on where it stopped.
    """
    runtime = configured_runtime()
    with runtime.transactions.reading() as connection:
        account = account_of_login(connection, login)
    if account is None:
        raise click.ClickException("no such account")

    def show(moved: Moved) -> None:
        click.echo(f"{moved.households} households so far", err=True)

    try:
        moved = move_households(
            runtime, account_actor(*account), from_area, to_area, is_dry_run=dry_run, on_change=show
        )
    except MoveRefusedError as error:
        raise click.ClickException(str(error)) from error
    except DeskRefusedError as error:
        raise click.ClickException(f"refused: {error}") from error
    verb = "Would move" if dry_run else "Moved"
    click.echo(
        f"{verb} {moved.households} households and {moved.persons} persons in {moved.changes} changes."
    )
