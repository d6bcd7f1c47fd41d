"""Writes of the office's own state: its epoch, and whether it is recovering from a restore."""

from __future__ import annotations

from sqlalchemy import select, update

from server.audit.changes import Change
from server.audit.models import OfficeState, ScopeHead
from server.audit.queries import EPOCH, FIRST_EPOCH, RECOVERING
from server.bulk_rows import chunks, insert_missing

_STATE = OfficeState.__table__


def advance_epoch(change: Change, above: int) -> int:
    """Start the epoch after `above`, unless a later one has begun; return the one that holds now.

    Every feed is read from 0 again in a new one, and verdicts may be given anew.
    """
    known = int(_locked_value(change, EPOCH, str(FIRST_EPOCH)))
    if known > above:
        change.audit("epoch_kept", "office", epoch=known)
        return known
    epoch = above + 1
    change.connection.execute(update(OfficeState).where(_STATE.c.name == EPOCH).values(value=str(epoch)))
    scopes = ScopeHead.__table__.c.scope
    # Locked in the order in which changes lock them, then moved.
    found = change.connection.scalars(select(scopes).order_by(scopes).with_for_update()).all()
    for part in chunks(found):
        change.connection.execute(update(ScopeHead).where(scopes.in_(part)).values(epoch=epoch))
    change.audit("epoch_started", "office", epoch=epoch)
    return epoch


def enter_recovery(change: Change) -> None:
    """Let figures be provisional and nothing leave a device, until recovery is closed."""
    _locked_value(change, RECOVERING, str(change.now_ms))


def close_recovery(change: Change) -> None:
    """End the recovery: figures are final again."""
    change.delete(_STATE, {"name": RECOVERING})
    change.audit("recovery_closed", "office")


def _locked_value(change: Change, name: str, first: str) -> str:
    """Return a value of the office with its row locked; it is `first` where there was none."""
    insert_missing(change.connection, _STATE, [{"name": name, "value": first}], ["name"])
    found = select(_STATE.c.value).where(_STATE.c.name == name).with_for_update()
    return str(change.connection.scalars(found).one())
