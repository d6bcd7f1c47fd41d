"""`tungnha` that stops for ever at one place of a push, so that a test can kill it exactly there.

Run as a program: a file's path, then `tungnha`'s own arguments. While the file names a place, the
next push that comes there empties the file and waits to be killed.
"""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path

PLACES = ("judged", "written", "committed")


def stop_at(place: str, order: Path) -> None:
    """Wait for ever when `order` names this place, and say so by emptying it."""
    if order.exists() and order.read_text(encoding="ascii") == place:
        order.write_text("", encoding="ascii")
        threading.Event().wait()


def arrange_stops(order: Path) -> None:
    """Put the places into the push: two inside the open transaction, one after it."""
    changes = importlib.import_module("server.audit.changes")
    routes = importlib.import_module("server.exchange.routes")
    finish, receive = changes.Change.finish, routes.receive_sync

    def finish_or_stop(change):
        stop_at("judged", order)
        finish(change)
        stop_at("written", order)

    def receive_or_stop(*arguments):
        done = receive(*arguments)
        stop_at("committed", order)
        return done

    changes.Change.finish, routes.receive_sync = finish_or_stop, receive_or_stop


if __name__ == "__main__":
    arrange_stops(Path(sys.argv.pop(1)))
    importlib.import_module("server.cli").main()
