"""What a running server holds: its configuration, clock, ids, keys and transactions, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app

from server.config import Config
from server.database import Transactions
from server.sealing import Sealer
from sync.clock import Clock
from sync.ports import IdSource

_EXTENSION = "tungnha"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Passed to actions and jobs; holds no state that another process would need."""

    config: Config
    clock: Clock
    ids: IdSource
    sealer: Sealer
    transactions: Transactions


def install_runtime(app: Flask, runtime: Runtime) -> None:
    """Make `runtime` the one of `app`."""
    app.extensions[_EXTENSION] = runtime


def current_runtime() -> Runtime:
    """Return the runtime of the app that serves the current request or command."""
    return runtime_of(current_app)


def runtime_of(app: Any) -> Runtime:
    """Return the runtime of `app`."""
    runtime: Runtime = app.extensions[_EXTENSION]
    return runtime
