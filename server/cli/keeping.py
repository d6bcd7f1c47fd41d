"""Commands that keep an office: backups."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from server.cli.office_app import configured_runtime
from server.operations import BackupError, make_backup, register_verified


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def backup(path: Path) -> None:
    """Write a consistent copy of the database to PATH while the server runs, and check it.

    What the two newest backups hold, devices may purge: keep both until two newer ones are made.
    """
    runtime = configured_runtime()
    try:
        made = make_backup(runtime.transactions.engine, path)
        is_registered = register_verified(runtime, made)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    rows = f", {sum(made.row_counts.values()):,} rows counted again" if made.row_counts else ""
    click.echo(f"{made.path}: {made.byte_count:,} bytes, checked{rows}.")
    if not is_registered:
        click.echo("It makes nothing durable yet: the tables are not the newest (`tungnha migrate`).")
