"""What an import did, done again on a restored database: a desk record for each of its changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.audit.changes import Change
from server.bulk_rows import upsert
from server.exchange.desk import replay_from_sheet
from server.imports.given_codes import put_codes
from server.imports.kept import opened_step, set_run_now
from server.imports.models import ImportEffect
from server.imports.registry import SHEETS
from server.imports.undoing import take_back_records
from server.register.actions import put_lines_again, show_batch
from server.runtime import Runtime


def replay_import_step(runtime: Runtime, change: Change, content: Mapping[str, Any]) -> None:
    """Do again what one change of an import did; rows of the office and amendments have their own records.

    Raises DeskRefusedError where an entry cannot be entered again.
    """
    step = opened_step(runtime.sealer, content["sealed"])
    set_run_now(change.connection, step["run"])
    put_codes(change.connection, step["codes"])
    upsert(change.connection, ImportEffect.__table__, step["effects"], ["import_id", "position"])
    put_lines_again(change.connection, step.get("lines", ()))
    if step["entries"]:
        change.stage(content["run"])
        replay_from_sheet(runtime, change, step["entries"], content["worker"])
    if step["published"]:
        if SHEETS[step["run"]["sheet"]].is_register:
            show_batch(change, content["run"])
        change.publish(content["run"])


def replay_import_undone(runtime: Runtime, change: Change, content: Mapping[str, Any]) -> None:
    """Take an import back again; what it did to rows of the office has its own record."""
    step = opened_step(runtime.sealer, content["sealed"])
    set_run_now(change.connection, step["run"])
    take_back_records(change, content["run"])
