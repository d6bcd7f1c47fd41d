"""Writes of the register: lines of a batch, which nobody sees, and the flag by which all of them show.

Whoever shows or withdraws a batch holds the imports' turn, so that batches have one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from server.audit.changes import Change
from server.bulk_rows import upsert
from server.register.models import Participant, RegisterBatch, RenewalWindow
from server.register.queries import is_shown, newest_seq
from server.register.windows import WINDOWS

_LINE, _BATCH = Participant.__table__.c, RegisterBatch.__table__.c
_DAYS = ("as_of", "valid_from", "valid_to")


def put_lines(change: Change, lines: Sequence[dict[str, Any]]) -> None:
    """Keep lines of a batch that is not shown yet."""
    change.insert_all(Participant.__table__, lines)


def put_lines_again(connection: Connection, lines: Iterable[Mapping[str, Any]]) -> None:
    """Keep lines as the desk journal has them, days as texts; however often that is done."""
    rows = [
        {
            name: date.fromisoformat(value) if name in _DAYS and value is not None else value
            for name, value in line.items()
        }
        for line in lines
    ]
    upsert(connection, Participant.__table__, rows, ["import_id", "number"])


def show_batch(change: Change, import_id: str) -> None:
    """Let the lines of a batch count, in the place of those that they correct; once, however often told."""
    connection = change.connection
    if is_shown(connection, import_id):
        return
    fresh = Participant.__table__.alias("fresh").c
    is_corrected = exists().where(
        fresh.import_id == import_id,
        fresh.key_number == _LINE.key_number,
        fresh.scheme == _LINE.scheme,
        fresh.as_of == _LINE.as_of,
    )
    connection.execute(
        update(Participant)
        .where(
            _LINE.superseded_by.is_(None),
            _LINE.import_id.in_(select(_BATCH.import_id)),
            is_corrected,
        )
        .values(superseded_by=import_id)
    )
    seq = newest_seq(connection) + 1
    change.insert(RegisterBatch.__table__, import_id=import_id, seq=seq, shown_ms=change.now_ms)


def withdraw_lines(connection: Connection, import_id: str) -> None:
    """Take the lines of a batch away; those that they had taken the place of count again."""
    connection.execute(update(Participant).where(_LINE.superseded_by == import_id).values(superseded_by=None))
    connection.execute(delete(Participant).where(_LINE.import_id == import_id))
    connection.execute(delete(RegisterBatch).where(_BATCH.import_id == import_id))


def seed_windows(change: Change) -> None:
    """Put the assumed rule of renewals in force, where the office has none of that day."""
    for window in WINDOWS:
        key = {"key": f"{window['scheme']}@{window['valid_from'].isoformat()}"}
        change.delete(RenewalWindow.__table__, key)
        change.insert(RenewalWindow.__table__, **key, **window)
    change.audit("renewal_windows_seeded", "register", rows=len(WINDOWS))
