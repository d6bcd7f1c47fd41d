"""The command `tungnha`: setting the office up, running it, keeping it."""

from __future__ import annotations

import rich_click as click

from server.cli.declaring import declare, official_number, official_numbers
from server.cli.demonstrating import demo
from server.cli.fund_keeping import funds
from server.cli.importing import import_sheet
from server.cli.installations import enrolment_code, revoke
from server.cli.keeping import backup
from server.cli.ledger_sealing import ledger_roots
from server.cli.moving import move_households_command
from server.cli.planning import plans
from server.cli.quota_keeping import quotas
from server.cli.rate_quoting import rates
from server.cli.recovering import drill, recovery, restore
from server.cli.running import serve, worker
from server.cli.setting_up import create_admin, load_areas, load_rates_command, migrate, new_keys
from server.cli.statement_importing import bank


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Từng Nhà – the office's server. Configuration is TUNGNHA_* in the environment."""


for _command in (
    new_keys,
    migrate,
    create_admin,
    load_areas,
    load_rates_command,
    import_sheet,
    declare,
    official_number,
    official_numbers,
    serve,
    worker,
    backup,
    restore,
    recovery,
    drill,
    ledger_roots,
    quotas,
    funds,
    bank,
    plans,
    rates,
    enrolment_code,
    revoke,
    move_households_command,
    demo,
):
    main.add_command(_command)
