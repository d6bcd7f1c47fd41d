"""Commands about installations: a one-time code for a tablet, and revocation."""

from __future__ import annotations

import rich_click as click

from server.audit.changes import run_change
from server.cli.office_app import configured_runtime
from server.cli.setting_up import COMMAND_ACTOR
from server.devices.actions import create_enrolment_code, revoke_installation
from server.errors import ProblemError
from server.office.queries import workers_by_id


@click.command("enrolment-code")
@click.argument("worker_id")
def enrolment_code(worker_id: str) -> None:
    """Print a one-time code, good for ten minutes, for a tablet of WORKER_ID."""
    runtime = configured_runtime()
    with runtime.transactions.reading() as connection:
        if not workers_by_id(connection, [worker_id]):
            raise click.ClickException("no such worker")
    code = run_change(
        runtime.transactions,
        COMMAND_ACTOR,
        runtime.clock.now_ms(),
        lambda change: create_enrolment_code(change, worker_id, COMMAND_ACTOR.chain),
    )
    click.echo(code)


@click.command()
@click.argument("installation_id")
def revoke(installation_id: str) -> None:
    """Revoke an installation: it reads nothing more, and what it still sends is quarantined."""
    runtime = configured_runtime()
    try:
        run_change(
            runtime.transactions,
            COMMAND_ACTOR,
            runtime.clock.now_ms(),
            lambda change: revoke_installation(change, installation_id),
        )
    except ProblemError as error:
        raise click.ClickException("no such installation") from error
    click.echo(f"Revoked {installation_id}.")
