"""What a shown acknowledgement proves that the office has forgotten: an epoch, and a first receipt.

A backup that was restored by hand knows neither. Nothing acknowledged is lost by it: the office
starts a new epoch, devices push again from what it has, and what they bring counts as received when
it first was (docs/protocol.md, rules 8 and 11).
"""

from __future__ import annotations

from server.audit.changes import Actor, run_change
from server.devices.actions import start_epoch
from server.devices.queries import InstallationView
from server.exchange.acknowledgement import ShownAcknowledgement
from server.runtime import Runtime


class EpochForgottenError(Exception):
    """An acknowledgement of `epoch` says more than the database knows: it was restored."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"epoch {epoch}")
        self.epoch = epoch


def is_forgotten(ack: ShownAcknowledgement | None, installation: InstallationView) -> bool:
    """Return whether entries were acknowledged that the server does not have."""
    return ack is not None and ack.acked_seq > installation.acked_seq


def have_epoch_above(runtime: Runtime, installation_id: str, epoch: int) -> None:
    """Start a new epoch, unless one above `epoch` has begun already."""
    run_change(
        runtime.transactions,
        Actor(f"installation:{installation_id}"),
        runtime.clock.now_ms(),
        lambda change: start_epoch(change, epoch),
    )


def first_receipt(ack: ShownAcknowledgement | None, installation: InstallationView) -> tuple[int, int] | None:
    """Return up to where, and by when at the latest, the journal had arrived before a restore.

    The one that reaches furthest counts: it is shown once, and a long journal comes in several pushes.
    """
    known = None
    if installation.first_received_seq is not None and installation.first_received_ms is not None:
        known = (installation.first_received_seq, installation.first_received_ms)
    if ack is None or not is_forgotten(ack, installation):
        return known
    return known if known is not None and known[0] >= ack.acked_seq else (ack.acked_seq, ack.server_ms)
