"""What every scope must hold: records as the protocol's table «Records on the wire» lists them."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from tests.simulation.oracle.deciding import DESK
from tests.simulation.oracle.facts import credits_of
from tests.simulation.oracle.judgement import Judgement
from tests.simulation.oracle.model import SEEN

# scope → (type, id) → the members that must be so
Contents = dict[str, dict[tuple[str, str], dict[str, Any]]]
_STATES = ("counted", "pending", "duplicate", "over_limit", "out_of_area", "voided", "late")


def iso_day(day: int) -> str:
    """Return a day's number as ISO text."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def contents_of(judgement: Judgement) -> Contents:
    """Return the contents of every scope but the office's, which tablets do not change."""
    found: Contents = {f"area:{key}": {} for key in judgement.office.communes}
    found |= {f"agent:{worker}": {} for worker in judgement.office.workers}
    for record_id, record in judgement.people.records.items():
        scope = f"area:{judgement.people.area_of(record_id)}"
        found[scope][record.record_type, record_id] = judgement.people.wire(record_id)
    _add_facts(judgement, found)
    for receipt in judgement.receipts:
        number = receipt.token.number
        found[f"agent:{receipt.worker}"]["receipt", receipt.record_id] = {
            "installation": number[0],
            "counter": number[1],
            "kind": receipt.token.kind,
            "amount_vnd": receipt.token.amount_vnd,
            "payment": receipt.payment,
            "entry": receipt.entry_id,
            "state": receipt.state,
            "code": receipt.code,
        }
    return found


def _add_facts(judgement: Judgement, found: Contents) -> None:
    paid: Counter[str] = Counter()
    for payment in judgement.payments():
        for enrolment, amount in payment.allocations if payment.state == "settled" else ():
            paid[enrolment] += amount
    for entry in judgement.entries.values():
        if entry.installation == DESK:
            continue
        mine, body = found[f"agent:{entry.worker}"], entry.body
        if entry.moved:
            returned = {"reason": entry.reason, "returned_ms": entry.returned_ms}
            mine["outcome", entry.entry_id] = {"state": entry.state, "code": entry.code} | returned
        if entry.kind == "visit_recorded" and entry.state == "applied":
            found[f"area:{body['area']}"]["visit", entry.entry_id] = {
                "household": body["household"],
                "disposition": body["disposition"],
                "agent": entry.worker,
                "day": iso_day(entry.day),
            }
        if entry.kind == "enrolment_recorded" and entry.state in SEEN:
            mine["enrolment", entry.entry_id] = {
                **{name: body[name] for name in ("person", "scheme", "status", "months", "amount_due_vnd")},
                "paid_vnd": paid[entry.entry_id],
                "is_voided": entry.state == "voided",
            }


def figure_records(judgement: Judgement) -> dict[str, dict[str, dict[str, int]]]:
    """Return scope → id of the figure → state → number, for agents; none where nothing counts."""
    found: dict[str, dict[str, dict[str, int]]] = {
        f"agent:{worker}": {} for worker in judgement.office.workers
    }
    for (campaign, indicator, kind, holder), counts in credits_of(judgement.facts(), judgement.office)[
        1
    ].items():
        if kind == "agent":
            sums = {state: counts[state] for state in _STATES}
            found[f"agent:{holder}"][f"{campaign}:{indicator}:{holder}"] = sums
    return found
