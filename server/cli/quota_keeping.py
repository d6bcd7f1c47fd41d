"""Commands about quotas: holding the stored figures against the entries' own bytes."""

from __future__ import annotations

import sys

import rich_click as click

from server.cli.office_app import configured_runtime
from server.exchange.derivation import quota_differences


@click.group()
def quotas() -> None:
    """Figures of quotas."""


@quotas.command()
def verify() -> None:
    """Derive facts, credits and progress again from the stored entries and print differences.

    Exits 1 when there is any.
    """
    runtime = configured_runtime()
    with runtime.transactions.reading() as connection:
        found = quota_differences(connection, runtime)
    for difference in found:
        click.echo(str(difference))
    if found:
        sys.exit(1)
    click.echo("No difference.")
