"""The money of one batch: what was loaded, what the batch's own entries changed, and its postings."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import date

from server.audit.changes import Change
from server.bulk_rows import chunks
from server.money.ledger import post
from server.money.models import MoneyCase, PaymentRow
from server.money.queries import payment_of_row
from server.money.rules import (
    CaseKind,
    Claim,
    Line,
    Payment,
    PaymentState,
    Settlement,
    Step,
    arrival_lines,
    settlement_lines,
    void_lines,
)
from sync.codes import EntryCode, Flag
from sync.entry import Fault
from sync.judgement import Applied, Arrival, Refused, Ruling


class MoneyWorkspace:
    """Posts payments; every step of a payment once per entry id."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._wanted: set[str] = set()
        self._payments: dict[str, Payment] = {}
        self._stored: dict[str, Payment] = {}
        self._received_ms: dict[str, int] = {}
        self._voided_by: dict[str, str] = {}

    def want_payments(self, ids: Iterable[str]) -> None:
        """Ask for payments by entry id."""
        self._wanted.update(ids)

    def load(self) -> None:
        """Read what was asked for and is not here yet."""
        table = PaymentRow.__table__
        for part in chunks(sorted(self._wanted - set(self._payments))):
            for row in self._change.connection.execute(table.select().where(table.c.entry_id.in_(part))):
                self._stored[row.entry_id] = self._payments[row.entry_id] = payment_of_row(row)
        self._wanted.clear()

    def payment(self, payment_id: str) -> Payment | None:
        """Return a payment that was wanted, as the batch has made it so far."""
        return self._payments.get(payment_id)

    def post_on_arrival(
        self,
        entry_id: str,
        worker_id: str,
        installation_id: str,
        claim: Claim,
        business_day: date,
        received_ms: int,
    ) -> Flag | None:
        """Post the money that came with an entry against suspense, whatever its verdict.

        A payment that was posted before is not posted again.
        """
        known = self._payments.get(entry_id)
        if known is not None:
            return Flag.AMOUNT_UNKNOWN if known.amount_vnd == 0 else None
        payment = Payment(
            entry_id=entry_id,
            worker_id=worker_id,
            installation_id=installation_id,
            scheme=None,
            method=claim.method,
            amount_vnd=claim.amount_vnd or 0,
            state=PaymentState.ARRIVED,
            allocations=(),
            payer_person_id=None,
            business_day=business_day,
        )
        self._payments[entry_id] = payment
        self._received_ms[entry_id] = received_ms
        lines = arrival_lines(worker_id, payment.method, payment.amount_vnd)
        self._post(payment, Step.ARRIVAL, lines, business_day, entry_id)
        if claim.amount_vnd is not None:
            return None
        self._open_case(payment, CaseKind.AMOUNT_UNKNOWN, received_ms)
        return Flag.AMOUNT_UNKNOWN

    def settle(self, arrival: Arrival, payer_person_id: str | None) -> Ruling:
        """Move contributions from suspense to their scheme. The body has passed its schema."""
        body = arrival.body
        if body["payment"] != arrival.entry_id:
            return Refused(Fault(EntryCode.FIELD_INVALID, "payment"))
        allocations = tuple((item["enrolment"], item["amount_vnd"]) for item in body["allocations"])
        is_repeated = len({enrolment for enrolment, _ in allocations}) != len(allocations)
        total_vnd = sum(amount for _, amount in allocations)
        settlement = Settlement(
            scheme=body["scheme"],
            claim=Claim(body["method"], None if is_repeated else total_vnd),
            lines=settlement_lines(arrival.worker_id, body["scheme"], total_vnd),
            amount_field="allocations",
            allocations=allocations,
            payer_person_id=payer_person_id,
        )
        return self.settle_as(arrival, settlement)

    def settle_as(self, arrival: Arrival, settlement: Settlement) -> Ruling:
        """Move a payment out of suspense to what its entry, now in effect, says it is for."""
        claim = settlement.claim
        payment = self._payments.get(arrival.entry_id)
        if payment is None:
            return Refused(Fault(EntryCode.JUDGEMENT_FAILED))
        if payment.state is PaymentState.VOIDED:
            return Refused(Fault(EntryCode.ALREADY_VOIDED))
        if payment.state is PaymentState.SETTLED:
            return Applied()
        if payment.amount_vnd == 0 and claim.amount_vnd is not None:
            payment = self._find_amount(payment, claim.method, claim.amount_vnd)
        if payment.method != claim.method:
            return Refused(Fault(EntryCode.ALLOCATION_MISMATCH, "method"))
        if claim.amount_vnd != payment.amount_vnd:
            return Refused(Fault(EntryCode.ALLOCATION_MISMATCH, settlement.amount_field))
        self._post(payment, Step.SETTLEMENT, settlement.lines, arrival.business_day, arrival.entry_id)
        self._payments[payment.entry_id] = dataclasses.replace(
            payment,
            scheme=settlement.scheme,
            state=PaymentState.SETTLED,
            allocations=settlement.allocations,
            payer_person_id=settlement.payer_person_id,
        )
        return Applied()

    def void(
        self,
        payment_id: str,
        by_entry_id: str,
        business_day: date | None = None,
        settlement: Sequence[Line] = (),
    ) -> None:
        """Reverse what a payment has posted; once. `business_day` is the void's, when known.

        `settlement` is what a donation was settled with.
        """
        payment = self._payments[payment_id]
        if payment.state is PaymentState.VOIDED:
            return
        lines = void_lines(payment, settlement)
        self._post(payment, Step.VOID, lines, business_day or payment.business_day, by_entry_id)
        self._payments[payment_id] = dataclasses.replace(payment, state=PaymentState.VOIDED)
        self._voided_by[payment_id] = by_entry_id
        self._change.audit("payment_voided", payment_id, by=by_entry_id, amount_vnd=payment.amount_vnd)

    def finish(self) -> None:
        """Hand the payments that changed over to the change."""
        table = PaymentRow.__table__
        for entry_id, payment in self._payments.items():
            stored = self._stored.get(entry_id)
            if payment == stored:
                continue
            values = {
                "method": payment.method,
                "amount_vnd": payment.amount_vnd,
                "scheme": payment.scheme,
                "state": payment.state.value,
                "allocations_json": json.dumps(payment.allocations, separators=(",", ":")),
                "payer_person_id": payment.payer_person_id,
                "voided_by": self._voided_by.get(entry_id),
            }
            if stored is not None:
                self._change.update(table, {"entry_id": entry_id}, **values)
            else:
                self._change.insert(
                    table,
                    entry_id=entry_id,
                    worker_id=payment.worker_id,
                    installation_id=payment.installation_id,
                    business_day=payment.business_day,
                    received_ms=self._received_ms[entry_id],
                    **values,
                )
            self._stored[entry_id] = payment

    def _find_amount(self, payment: Payment, method: str, amount_vnd: int) -> Payment:
        """Post the money of a payment whose amount was unknown until the office corrected its entry."""
        found = dataclasses.replace(payment, method=method, amount_vnd=amount_vnd)
        lines = arrival_lines(payment.worker_id, method, amount_vnd)
        self._post(found, Step.ARRIVAL, lines, payment.business_day, payment.entry_id)
        key = {"entry_id": payment.entry_id, "kind": CaseKind.AMOUNT_UNKNOWN.value}
        self._change.update(MoneyCase.__table__, key, closed_ms=self._change.now_ms)
        self._change.audit("money_case_closed", payment.entry_id, kind=CaseKind.AMOUNT_UNKNOWN.value)
        return found

    def _post(
        self, payment: Payment, step: Step, lines: tuple[Line, ...], business_day: date, caused_by: str
    ) -> None:
        post(self._change, payment.entry_id, step.value, lines, business_day, caused_by)

    def _open_case(self, payment: Payment, kind: CaseKind, opened_ms: int) -> None:
        self._change.insert(
            MoneyCase.__table__,
            entry_id=payment.entry_id,
            kind=kind.value,
            worker_id=payment.worker_id,
            opened_ms=opened_ms,
            closed_ms=None,
        )
        self._change.audit("money_case_opened", payment.entry_id, kind=kind.value)
