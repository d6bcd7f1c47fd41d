"""What may be done with a quarantined entry: correct it, send it back, answer that.

The judgement carries it out once these rules let it through (`server.exchange.judging`).
"""

from __future__ import annotations

from server.exchange.batch import Batch
from sync.codes import EntryCode
from sync.entry import Fault
from sync.judgement import Applied, Arrival, Refused, Ruling
from sync.verdict import OutcomeState


def apply_entry_corrected(batch: Batch, arrival: Arrival) -> Ruling:
    """Let a quarantined entry be judged again, with another body."""
    return _of_quarantined(batch, arrival)


def apply_entry_returned(batch: Batch, arrival: Arrival) -> Ruling:
    """Send a quarantined entry back to its agent; a second time with another reason."""
    return _of_quarantined(batch, arrival)


def apply_return_answered(batch: Batch, arrival: Arrival) -> Ruling:
    """Take the agent's answer to an entry that was sent back."""
    target = batch.known[arrival.body["target"]]
    if target.worker_id != arrival.worker_id:
        return Refused(Fault(EntryCode.NOT_OWN_ENTRY, "target"))
    replacement = batch.known.get(arrival.body["replacement"] or "")
    if replacement is not None and replacement.worker_id != arrival.worker_id:
        return Refused(Fault(EntryCode.NOT_OWN_ENTRY, "replacement"))
    ruling = _of_quarantined(batch, arrival)
    if isinstance(ruling, Applied) and target.returned_ms is None:
        return Refused(Fault(EntryCode.NOT_RETURNED, "target"))
    return ruling


def _of_quarantined(batch: Batch, arrival: Arrival) -> Ruling:
    target = batch.known[arrival.body["target"]]
    if target.state != OutcomeState.QUARANTINED:
        return Refused(Fault(EntryCode.NOT_QUARANTINED, "target"))
    return Applied()
