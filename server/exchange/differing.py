"""Scopes whose sum differed on a device: each is an incident, once at each head."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from server.audit.changes import Actor, Change, run_change
from server.devices.queries import InstallationView, locked_installation
from server.journals.actions import report_incident
from server.journals.views import incident_details
from server.runtime import Runtime
from sync.pull import Cursor

KIND = "scope_differed"


def report_differing(
    runtime: Runtime, installation: InstallationView, have: Sequence[Cursor], scopes: Collection[str]
) -> None:
    """Write an incident for each of `scopes` that differed where the device stood in it.

    The same scope at the same epoch and head is one incident, however often the device says so: an
    answer may be lost.
    """
    stands = {cursor.scope: f"{cursor.epoch}:{cursor.seq}" for cursor in have}
    details = [f"{scope} {stands.get(scope, '-')}" for scope in sorted(scopes)]
    if not details:
        return

    def work(change: Change) -> None:
        locked_installation(change.connection, installation.id)
        known = incident_details(change.connection, KIND, installation.id)
        for detail in details:
            if detail not in known:
                report_incident(
                    change,
                    runtime.ids,
                    KIND,
                    installation_id=installation.id,
                    worker_id=installation.worker_id,
                    seq=installation.acked_seq,
                    detail=detail,
                )
        change.audit("scopes_differed", installation.id, scopes=len(details))

    actor = Actor(f"installation:{installation.id}")
    run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)
