"""The command that replays Tiền Giang 2020 on this machine."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import rich_click as click

from server.demo.figures import SCALES
from server.demo.processes import SERVER_COMMAND, DemoFailedError
from server.demo.running import PREFERRED_PORT, DemoAsked, run_demo


@click.command()
@click.option("--once", is_flag=True, help="Exit when done: 0 only if every figure and the recount agree.")
@click.option("--seed", default=2020, show_default=True, help="Of everything invented.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the office and the tablets in this new folder.",
)
@click.option("--port", default=PREFERRED_PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option("--scale", default="full", type=click.Choice(sorted(SCALES)), hidden=True)
@click.option("--part", default="all", type=click.Choice(["all", "campaigns", "fund"]), hidden=True)
@click.option("--server-command", hidden=True, help="What to start instead of `tungnha`, for tests.")
def demo(
    *, once: bool, seed: int, keep: Path | None, port: int, scale: str, part: str, server_command: str | None
) -> None:
    """Replay Tiền Giang 2020 and a year of a fund with real tablets and a real server, then serve it."""
    command = SERVER_COMMAND if server_command is None else tuple(shlex.split(server_command))
    try:
        is_right = run_demo(DemoAsked(once, seed, scale, keep, port, command, part))
    except DemoFailedError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Đã dừng; không còn tiến trình nào. · Stopped; no process is left.", err=True)
        sys.exit(130)
    if not is_right:
        sys.exit(1)
