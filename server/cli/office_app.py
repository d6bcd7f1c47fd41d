"""The app that a command works on, with configuration errors told as messages."""

from __future__ import annotations

import ctypes
import gc
from wsgiref.types import WSGIApplication

import rich_click as click

from server.app import create_app
from server.audit.desk_journal import DeskJournalError
from server.config import ConfigurationError
from server.database import DatabaseBusyError, StorageFullError
from server.operations import readiness
from server.recovery.starting import catch_up_desk_journal
from server.runtime import Runtime, runtime_of

# mallopt's names in glibc's malloc.h, and what each is set to.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MALLOC = ((_M_ARENA_MAX, 2), (_M_MMAP_THRESHOLD, 512 * 1024), (_M_TRIM_THRESHOLD, 4 * 1024 * 1024))


def configured_app() -> WSGIApplication:
    """Return the app that the environment describes, or end the command with what is wrong."""
    try:
        return create_app()
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


def share_freed_memory() -> bool:
    """Let what one thread has freed serve the next, and large pieces go back to the system at once.

    glibc gives every thread an arena of its own, in which the memory of the largest push that the
    thread ever met stays for good: `make hostile` took 80 MiB more. Call before threads start.
    Returns False where the C library knows no such settings; then nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(name, value) == 1 for name, value in _MALLOC)


def calm_collector() -> None:
    """Let the garbage collector of a serving process look seldom, and never at what stays for good.

    A push makes tens of thousands of objects that all live until it ends. At Python's default of
    700 the collector walks them again and again: a third of a push, by `make bench`. A push of 500
    entries leaves some 20,000 alive, so at 50,000 it rarely walks any of them.

    The older generations must not wait much longer: a request leaves up to a hundred objects that only
    the collector can free, and whatever was in use when it last looked waits for the next older one.
    At 50 rounds of 50,000 that was 80 MiB after 25,000 requests of `make hostile`, and still growing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 5, 5)


def serving_runtime() -> Runtime:
    """Return the runtime of an app that is about to serve, its desk journal caught up.

    Ends the command where the database has none, or where the two tell different histories.
    """
    runtime = configured_runtime()
    if runtime.transactions.desk_journal is None:
        raise click.ClickException("TUNGNHA_DESK_JOURNAL is not set: a file outside the database")
    if not readiness(runtime.transactions).is_ready:
        # Served all the same, and /readyz says what to do; the first change catches up.
        return runtime
    try:
        catch_up_desk_journal(runtime)
    except DeskJournalError as error:
        raise click.ClickException(str(error)) from error
    except (DatabaseBusyError, StorageFullError) as error:
        raise click.ClickException("the desk journal's file cannot be written") from error
    return runtime


def configured_runtime() -> Runtime:
    """Return the runtime of the app that the environment describes."""
    return runtime_of(configured_app())
