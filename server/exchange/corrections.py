"""Entries whose effect crosses features: payments and voids."""

from __future__ import annotations

from server.exchange.batch import Batch
from server.funds.door_queries import DOOR_TABLES
from sync.codes import EntryCode
from sync.entry import Fault
from sync.judgement import Applied, Arrival, Refused, Ruling
from sync.verdict import OutcomeState


def apply_payment_collected(batch: Batch, arrival: Arrival) -> Ruling:
    """Settle a payment that is on the ledger already, and let it pay its enrolments."""
    allocations = arrival.body["allocations"]
    enrolments = [batch.outreach.enrolment(item["enrolment"]) for item in allocations]
    if any(enrolment.scheme != arrival.body["scheme"] for enrolment in enrolments):
        return Refused(Fault(EntryCode.ALLOCATION_MISMATCH, "scheme"))
    ruling = batch.money.settle(arrival, enrolments[0].person_id)
    if isinstance(ruling, Refused):
        return ruling
    for item in allocations:
        if batch.outreach.add_payment(item["enrolment"], item["amount_vnd"]):
            batch.quotas.mark_paid(item["enrolment"])
    batch.receipts.payment_settled(arrival.entry_id)
    return ruling


def apply_entry_voided(batch: Batch, arrival: Arrival) -> Ruling:
    """Take back an earlier entry of the same agent."""
    target = batch.known[arrival.body["target"]]
    if target.worker_id != arrival.worker_id:
        return Refused(Fault(EntryCode.NOT_OWN_ENTRY, "target"))
    if target.state == OutcomeState.VOIDED:
        return Refused(Fault(EntryCode.ALREADY_VOIDED, "target"))
    assert target.kind is not None
    if target.kind == "payment_collected":
        _void_payment(batch, target.entry_id, arrival)
    elif target.kind == "donation_received":
        settlement = batch.funds.settlement_of(target.entry_id)
        batch.money.void(target.entry_id, arrival.entry_id, arrival.business_day, settlement)
        batch.receipts.payment_voided(target.entry_id, arrival.entry_id)
        batch.funds.void(target.kind, target.entry_id, arrival)
    elif target.kind in DOOR_TABLES:
        batch.funds.void(target.kind, target.entry_id, arrival)
    else:
        batch.outreach.void(target.kind, target.entry_id, arrival.entry_id)
        batch.quotas.void_fact(target.entry_id)
    return Applied()


def _void_payment(batch: Batch, payment_id: str, arrival: Arrival) -> None:
    payment = batch.money.payment(payment_id)
    assert payment is not None
    batch.money.void(payment_id, arrival.entry_id, arrival.business_day)
    for enrolment_id, amount_vnd in payment.allocations:
        if not batch.outreach.add_payment(enrolment_id, -amount_vnd):
            batch.quotas.mark_unpaid(enrolment_id)
    batch.receipts.payment_voided(payment_id, arrival.entry_id)
