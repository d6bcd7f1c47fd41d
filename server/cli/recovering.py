"""Commands for the bad day, and for rehearsing it: restore, recovery, drill."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import rich_click as click

from server.audit.desk_journal import DeskJournalError
from server.cli.office_app import configured_runtime
from server.recovery.actions import RecoveryOpenError, end_recovery
from server.recovery.drill import drill as drill_backup
from server.recovery.drill import newest_backups
from server.recovery.placing import RestoreError
from server.recovery.queries import RecoveryStatus, recovery_status
from server.recovery.replay import replay_backlog
from server.recovery.restore import restore as restore_backup
from server.runtime import Runtime

_SHOWN = 20
_BACKUP = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("backup", type=_BACKUP)
@click.option(
    "--without-desk-journal",
    is_flag=True,
    help="The desk journal is lost too: what was decided and enrolled after the backup is not replayed.",
)
def restore(backup: Path, without_desk_journal: bool) -> None:
    """Put BACKUP in the database's place and bring back what the desk journal knows beyond it.

    Stop the server first. The file that was there is set aside, never deleted; on PostgreSQL the
    database must be empty.
    """
    runtime = configured_runtime()
    try:
        done = restore_backup(runtime, backup, without_desk_journal=without_desk_journal)
    except (RestoreError, DeskJournalError) as error:
        raise click.ClickException(str(error)) from error
    if done.set_aside is not None:
        click.echo(f"Set aside: {done.set_aside}")
    if not done.is_registered:
        click.echo("The desk journal does not know this backup: it was never registered as verified.")
    click.echo(f"Restored {backup}; epoch {done.epoch} has begun.")
    for kind, count in sorted(done.replayed.items()):
        click.echo(f"  replayed {count:,} × {kind}")
    _show(runtime, done.status)
    click.echo("Start the server. Figures are provisional until `tungnha recovery close`.")


@click.group()
def recovery() -> None:
    """Look at, and close, the recovery that a restore opens."""


@recovery.command()
def status() -> None:
    """Print which tablets have not pushed again since the restore, and which decisions wait."""
    runtime = configured_runtime()
    replay_backlog(runtime)
    with runtime.transactions.reading() as connection:
        found = recovery_status(connection)
    if found.since_ms is None:
        click.echo("No recovery is open.")
    else:
        click.echo(f"Recovering since {_moment(runtime, found.since_ms)}.")
    _show(runtime, found)


@recovery.command()
@click.option("--force", is_flag=True, help="Close although tablets are outstanding or decisions wait.")
def close(force: bool) -> None:
    """Close the recovery: figures are final again, and devices may let go of what is not listed."""
    runtime = configured_runtime()
    replay_backlog(runtime)
    try:
        end_recovery(runtime, anyway=force)
    except RecoveryOpenError as error:
        _show(runtime, error.status)
        raise click.ClickException("the recovery is not over; --force closes it all the same") from error
    click.echo("The recovery is closed.")


@click.command()
@click.argument("backups", nargs=-1, type=_BACKUP)
def drill(backups: tuple[Path, ...]) -> None:
    """Rehearse a restore of BACKUPS (the two newest registered ones unless told), aside.

    Nothing of the office is touched. Exits 1 when anything would be lost or differ.
    """
    runtime = configured_runtime()
    count = 0
    try:
        for backup in backups or newest_backups(runtime):
            done = drill_backup(runtime, backup)
            count += len(done.findings)
            click.echo(
                f"{backup}: {done.replayed:,} desk records replayed, {done.pushed:,} entries pushed again, "
                f"{len(done.findings)} findings."
            )
            for finding in done.findings[:_SHOWN]:
                click.echo(f"  {finding}")
    except (RestoreError, DeskJournalError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if count else 0)


def _show(runtime: Runtime, found: RecoveryStatus) -> None:
    click.echo(f"{len(found.outstanding)} tablets outstanding, {len(found.waiting)} decisions waiting.")
    for tablet in found.outstanding[:_SHOWN]:
        last = "never" if tablet.last_sync_ms is None else _moment(runtime, tablet.last_sync_ms)
        click.echo(f"  tablet {tablet.number:05}, {tablet.worker_name}, last sync {last}")
    for seq, kind, code in found.waiting[:_SHOWN]:
        click.echo(f"  desk record {seq}, {kind}: {code}")


def _moment(runtime: Runtime, moment_ms: int) -> str:
    moment = datetime.fromtimestamp(moment_ms / 1000, tz=UTC).astimezone(runtime.config.time_zone)
    return moment.strftime("%Y-%m-%d %H:%M")
