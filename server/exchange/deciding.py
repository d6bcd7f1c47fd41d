"""One run of new entries decided whole: locked, read, judged, and handed over to the change.

A push of a device and a decision made at the office's desk go the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.devices.queries import InstallationView, installation_numbers
from server.exchange.batch import Batch
from server.exchange.intake import receipt_shown
from server.exchange.judging import Judge, SetAside
from server.exchange.loading import load_workspaces, lock_and_know
from server.exchange.registry import HANDLERS
from server.exchange.storing import Position
from server.exchange.surroundings import load_surroundings
from server.journals.queries import waits_of
from server.runtime import Runtime
from sync.verdict import Verdict


def decide_entries(
    runtime: Runtime,
    batch: Batch,
    installation: InstallationView,
    positions: Sequence[Position],
    aside: SetAside,
) -> list[Verdict]:
    """Judge `positions` of one journal and return their verdicts. Raises JudgementError."""
    connection = batch.change.connection
    candidates = [item.candidate for item in positions if item.candidate is not None]
    held = lock_and_know(batch, runtime.sealer, positions, candidates, installation.worker_id)
    everyone = [*candidates, *held]
    for candidate in everyone:
        HANDLERS[candidate.kind.name].want(batch, candidate)
    # A receipt is kept whatever becomes of its entry (docs/protocol.md, T7).
    shown = [receipt_shown(item.incoming) for item in positions if item.candidate is None]
    batch.receipts.want_tokens(receipt["token"] for receipt in shown if receipt is not None)
    batch.money.want_payments(
        item.incoming.shown_id for item in positions if item.incoming.is_cash and item.incoming.shown_id
    )
    load_workspaces(batch, runtime.sealer, everyone)
    surroundings = load_surroundings(connection, everyone, batch.people.area_keys())
    numbers = installation_numbers(connection, {item.installation_id for item in everyone})
    answered = [item.body["target"] for item in candidates if item.kind.name == "return_answered"]
    waits = waits_of(connection, [*(candidate.entry_id for candidate in held), *answered])
    judge = Judge(
        batch,
        runtime.ids,
        installation,
        surroundings,
        held,
        waits,
        aside,
        numbers | {installation.id: installation.number},
    )
    verdicts = [judge.judge(position) for position in positions]
    judge.finish()
    batch.finish()
    return verdicts
