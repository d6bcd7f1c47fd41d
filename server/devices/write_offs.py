"""Giving a lost tablet up, which takes two people: one proposes it, another confirms it.

Nothing is thrown away by it: what a tablet that was given up still delivers is judged as ever.
"""

from __future__ import annotations

from server.audit.changes import Change
from server.devices.models import Installation, WriteOff
from server.devices.queries import InstallationView, WriteOffView, installation_by_id, open_write_offs
from server.devices.rules import WRITE_OFF_REASON_LEAST
from sync.ports import IdSource


class WriteOffRefusedError(Exception):
    """A tablet cannot be given up like this; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def propose_write_off(change: Change, ids: IdSource, installation_id: str, reason: str) -> None:
    """Propose to give a lost tablet up: what it may still hold is waited for no longer.

    It takes effect when another person confirms it. Raises WriteOffRefusedError.
    """
    found = _lost(change, installation_id)
    reason = " ".join(reason.split())
    if len(reason) < WRITE_OFF_REASON_LEAST:
        raise WriteOffRefusedError("reason_missing")
    if open_write_offs(change.connection, [found.id]):
        raise WriteOffRefusedError("already_proposed")
    change.insert(
        WriteOff.__table__,
        id=ids.new_id(),
        installation_id=found.id,
        reason=reason,
        proposed_by=change.actor.chain,
        proposed_ms=change.now_ms,
        settled_by=None,
        settled_ms=None,
        state="proposed",
    )
    change.audit("write_off_proposed", found.id)


def confirm_write_off(change: Change, installation_id: str) -> None:
    """Give up a tablet that another person proposed to give up. Raises WriteOffRefusedError."""
    found = _lost(change, installation_id)
    proposal = _proposal(change, found.id)
    if proposal.proposed_by == change.actor.chain:
        raise WriteOffRefusedError("same_person")
    _settle(change, proposal, "confirmed")
    change.update(Installation.__table__, {"id": found.id}, written_off_ms=change.now_ms)
    change.audit("write_off_confirmed", found.id, proposed_by=proposal.proposed_by)
    change.desk("installation_written_off", installation=found.id, proposed_by=proposal.proposed_by)


def withdraw_write_off(change: Change, installation_id: str) -> None:
    """Take a proposal back: the tablet is waited for after all. Raises WriteOffRefusedError."""
    found = _lost(change, installation_id)
    _settle(change, _proposal(change, found.id), "withdrawn")
    change.audit("write_off_withdrawn", found.id)


def recall_write_off(change: Change, installation_id: str, at_ms: int) -> None:
    """Give a tablet up again that a restored database forgot to have given up, as of then."""
    change.update(Installation.__table__, {"id": installation_id}, written_off_ms=at_ms)
    change.audit("write_off_recalled", installation_id)


def _lost(change: Change, installation_id: str) -> InstallationView:
    """Return the tablet with its row locked; nobody decides about the own one."""
    found = installation_by_id(change.connection, installation_id, is_locking=True)
    if found is None:
        raise WriteOffRefusedError("not_found")
    if found.written_off_ms is not None:
        raise WriteOffRefusedError("already_written_off")
    if found.worker_id == change.actor.worker_id:
        raise WriteOffRefusedError("own_tablet")
    return found


def _proposal(change: Change, installation_id: str) -> WriteOffView:
    proposal = open_write_offs(change.connection, [installation_id]).get(installation_id)
    if proposal is None:
        raise WriteOffRefusedError("not_proposed")
    return proposal


def _settle(change: Change, proposal: WriteOffView, state: str) -> None:
    change.update(
        WriteOff.__table__,
        {"id": proposal.id},
        state=state,
        settled_by=change.actor.chain,
        settled_ms=change.now_ms,
    )
