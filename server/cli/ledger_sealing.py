"""Commands about the daily roots of the funds' ledger."""

from __future__ import annotations

import sys

import rich_click as click

from server.cli.office_app import configured_runtime
from server.public_ledger.jobs import check_roots
from server.public_ledger.roots import latest_root, seal_days

_SHOWN = 20


@click.group("ledger-roots")
def ledger_roots() -> None:
    """Sign and check the daily roots of the funds' ledger (docs/public-ledger.md)."""


@ledger_roots.command()
def verify() -> None:
    """Compare the ledger with every root that was signed; the first day that does not match comes first.

    Exits 1 when anything differs.
    """
    runtime = configured_runtime()
    findings = check_roots(runtime)
    for finding in findings[:_SHOWN]:
        click.echo(finding)
    with runtime.transactions.reading() as connection:
        root = latest_root(connection)
    last = "none is signed yet" if root is None else f"the latest is of {root.day.isoformat()}"
    click.echo(f"{len(findings)} findings; {last}.")
    sys.exit(1 if findings else 0)


@ledger_roots.command()
def seal() -> None:
    """Sign a root for every day that is over and has none, as the nightly job does."""
    click.echo(f"{seal_days(configured_runtime())} roots signed.")
