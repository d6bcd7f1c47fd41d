"""What follows from the entries in effect: facts that count, and money."""

from __future__ import annotations

from tests.simulation.oracle.facts import Fact, Payment
from tests.simulation.oracle.model import FACT_KINDS, SEEN, Entry
from tests.simulation.oracle.records import People


class Following:
    """The part of a judgement that reads entries and decides nothing."""

    entries: dict[str, Entry]
    people: People

    def facts(self) -> list[Fact]:
        """Return every fact."""
        payments = self.payments()
        paid: dict[str, int] = {}
        for payment in payments:
            for enrolment, amount in payment.allocations if payment.state == "settled" else ():
                paid[enrolment] = paid.get(enrolment, 0) + amount
        found = []
        for entry in self.entries.values():
            if entry.kind not in FACT_KINDS or entry.state not in SEEN:
                continue
            body, promoter = entry.body, entry.body.get("promoter")
            is_visit = entry.kind == "visit_recorded"
            found.append(
                Fact(
                    entry.entry_id,
                    FACT_KINDS[entry.kind],
                    body.get("scheme"),
                    body["disposition"] if is_visit else body.get("status") or body["state"],
                    self.people.visited(body["household"])
                    if is_visit
                    else self.people.identity(body["person"]),
                    entry.worker,
                    f"{promoter['kind']}:{promoter['id']}" if promoter else None,
                    entry.in_area,
                    body.get("campaign"),
                    entry.day,
                    entry.upper_ms,
                    "amount_due_vnd" in body and paid.get(entry.entry_id, 0) >= body["amount_due_vnd"],
                    entry.state == "voided",
                )
            )
        return found

    def payments(self) -> list[Payment]:
        """Return all money that arrived."""
        state = {"applied": "settled", "voided": "voided"}
        return [
            Payment(
                entry.entry_id,
                entry.worker,
                entry.method,
                entry.posted_vnd,
                state.get(entry.state, "arrived"),
                entry.body.get("scheme"),
                [(item["enrolment"], item["amount_vnd"]) for item in entry.body["allocations"]]
                if entry.state in SEEN
                else [],
            )
            for entry in self.entries.values()
            if entry.posted_vnd is not None
        ]
