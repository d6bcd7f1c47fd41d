"""The app that a command works on, with configuration errors told as messages."""

from __future__ import annotations

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


def configured_runtime() -> Runtime:
    """Return the runtime of the app that the environment describes."""
    return runtime_of(configured_app())
