"""The app that a command works on, with configuration errors told as messages."""

from __future__ import annotations

import gc
from wsgiref.types import WSGIApplication

import rich_click as click

from server.app import create_app
from server.config import ConfigurationError
from server.runtime import Runtime, runtime_of


def configured_app() -> WSGIApplication:
    """Return the app that the environment describes, or end the command with what is wrong."""
    try:
        return create_app()
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


def calm_collector() -> None:
    """Let the garbage collector of a serving process look seldom, and never at what stays for good.

    A push makes tens of thousands of objects that all live until it ends. At Python's default of
    700 the collector walks them again and again: a third of a push, by `make bench`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def configured_runtime() -> Runtime:
    """Return the runtime of the app that the environment describes."""
    return runtime_of(configured_app())
