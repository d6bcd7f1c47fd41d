"""What a device proves that the office has forgotten: an epoch, a first receipt, or the device itself.

A backup that was restored without the desk journal knows none of them. Nothing acknowledged is lost
by it: the office starts a new epoch, devices push again from what it has, what they bring counts as
received when it first was, and a certificate lets its installation in again (docs/protocol.md,
rules 8 and 11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.audit.changes import Actor, Change, run_change
from server.devices.actions import start_epoch
from server.devices.queries import InstallationView
from server.devices.readmission import readmit_shown
from server.errors import ProblemError
from server.exchange.acknowledgement import ShownAcknowledgement
from server.journals.actions import report_incident
from server.runtime import Runtime
from sync.codes import RequestCode


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


def readmit_by_certificate(runtime: Runtime, content: Mapping[str, Any], certificate: dict[str, str]) -> None:
    """Let the installation that signed a request be known again, and a person know of it.

    Raises ProblemError where its number or key id is another's by now: it must enrol again.
    """

    def work(change: Change) -> None:
        found = readmit_shown(change, content, certificate)
        if found is None:
            raise ProblemError(RequestCode.INSTALLATION_UNKNOWN, field="installation")
        report_incident(
            change,
            runtime.ids,
            "installation_readmitted",
            installation_id=found.id,
            worker_id=found.worker_id,
            seq=found.acked_seq,
        )

    actor = Actor(f"installation:{content['installation']}")
    run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)


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
