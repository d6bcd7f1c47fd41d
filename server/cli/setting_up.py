"""Commands that set an office up: keys, tables, the first administrator, the area list."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import rich_click as click

from schemas.rate_tables import PUBLISHED
from schemas.signatures import PrivateKey, to_base64url
from server.access.actions import AccountRuleError, hash_password, open_account
from server.audit.changes import Actor, Change, run_change
from server.cli.office_app import configured_runtime
from server.migrations import upgrade
from server.office.actions import (
    OfficeRuleError,
    assign_worker,
    load_rates,
    register_areas,
    register_worker,
)
from server.office.area_list import TIEN_GIANG_2025, AreaListError, read_area_list

COMMAND_ACTOR = Actor("job:command_line")


@click.command("new-keys")
def new_keys() -> None:
    """Print fresh keys as TUNGNHA_* lines for the environment. Keep them: without them the data is lost."""
    click.echo(f"TUNGNHA_DATA_KEYS=k1:{to_base64url(secrets.token_bytes(32))}")
    click.echo(f"TUNGNHA_INDEX_KEY={to_base64url(secrets.token_bytes(32))}")
    click.echo(f"TUNGNHA_OFFICE_KEY={to_base64url(PrivateKey.generate().scalar)}")
    click.echo(f"TUNGNHA_SECRET_KEY={to_base64url(secrets.token_bytes(32))}")


@click.command()
def migrate() -> None:
    """Bring the database's tables to the newest version."""
    revision = upgrade(configured_runtime().transactions.engine)
    click.echo(f"Tables at version {revision}.")


@click.command("create-admin")
@click.argument("login")
@click.option("--name", default="Quản trị viên", help="The person's name, as pages show it.")
@click.option("--generate", is_flag=True, help="Make a random password and print it once.")
def create_admin(login: str, name: str, generate: bool) -> None:
    """Create a worker with the role of administrator over the whole office, and an account."""
    runtime = configured_runtime()
    password = secrets.token_urlsafe(12) if generate else _prompted_password()
    try:
        password_hash = hash_password(password)

        def work(change: Change) -> None:
            worker_id = register_worker(change, runtime.ids, name)
            assign_worker(change, runtime.ids, worker_id, "administrator")
            open_account(change, runtime.ids, worker_id, login, password_hash)

        run_change(runtime.transactions, COMMAND_ACTOR, runtime.clock.now_ms(), work)
    except (AccountRuleError, OfficeRuleError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Account {login} can log in.")
    if generate:
        click.echo(f"Password, shown this once: {password}")


def _prompted_password() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


@click.command("load-areas")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=TIEN_GIANG_2025)
def load_areas(path: Path) -> None:
    """Register the areas in a CSV list (Tiền Giang's of early 2025 unless told)."""
    runtime = configured_runtime()
    try:
        areas = read_area_list(path)
        keys = run_change(
            runtime.transactions,
            COMMAND_ACTOR,
            runtime.clock.now_ms(),
            lambda change: register_areas(change, areas),
        )
    except (AreaListError, OfficeRuleError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(keys)} areas registered.")


@click.command("load-rates")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=PUBLISHED)
def load_rates_command(path: Path) -> None:
    """Put rate tables in force (the published ones unless told); they reach every tablet."""
    runtime = configured_runtime()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        count = run_change(
            runtime.transactions,
            COMMAND_ACTOR,
            runtime.clock.now_ms(),
            lambda change: load_rates(change, rows),
        )
    except (OfficeRuleError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"no rate tables: {error}") from error
    click.echo(f"{count} rows of rate tables in force.")
