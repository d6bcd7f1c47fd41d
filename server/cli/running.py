"""Commands that run an office: the web server, with the jobs inside it, or the jobs alone."""

from __future__ import annotations

import signal
import sys
import threading

import rich_click as click
import waitress

from server.cli.office_app import calm_collector, configured_app, serving_runtime, share_freed_memory
from server.request_log import configure_logging
from server.runtime import runtime_of
from server.scheduler import start_jobs

_THREADS = 32


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; more than one needs PostgreSQL, and `tungnha worker` for the jobs.",
)
@click.option(
    "--quiet-seconds",
    default=20,
    show_default=True,
    type=click.IntRange(1, 3600),
    help="A connection that is silent for longer in the middle of a request is closed.",
)
@click.option("--with-waitress", is_flag=True, help="Serve with waitress, as where gunicorn cannot run.")
def serve(host: str, port: int, workers: int, quiet_seconds: int, with_waitress: bool) -> None:
    """Serve devices and pages until stopped."""
    runtime = serving_runtime()
    if workers > 1 and runtime.transactions.engine.dialect.name == "sqlite":
        raise click.ClickException("SQLite is served by one process; use --workers 1 or PostgreSQL")
    runtime.transactions.engine.dispose()
    if with_waitress or sys.platform == "win32":
        _serve_with_waitress(host, port)
    else:
        # gunicorn cannot even be imported on Windows.
        from server.cli.gunicorn_server import serve_with_gunicorn  # noqa: PLC0415

        serve_with_gunicorn(host, port, workers, _THREADS, quiet_seconds, announce)


def _serve_with_waitress(host: str, port: int) -> None:
    share_freed_memory()
    app = configured_app()
    scheduler = start_jobs(runtime_of(app))
    calm_collector()
    server = waitress.create_server(app, host=host, port=port, threads=_THREADS, ident=None)
    signal.signal(signal.SIGTERM, _stop)
    announce(host, int(getattr(server, "effective_port", port)))
    try:
        server.run()
    except (KeyboardInterrupt, SystemExit):
        server.close()
    finally:
        scheduler.shutdown(wait=True)


def _stop(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def announce(host: str, port: int) -> None:
    """Print where the server listens, once it does."""
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Listening on http://{shown}:{port}", err=False)
    sys.stdout.flush()


@click.command()
def worker() -> None:
    """Run the scheduled jobs until stopped, beside several web processes."""
    configure_logging()
    scheduler = start_jobs(serving_runtime())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    click.echo("Jobs are scheduled.")
    sys.stdout.flush()
    stop.wait()
    scheduler.shutdown(wait=True)
