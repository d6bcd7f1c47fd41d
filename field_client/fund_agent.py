"""A field client that the demo of a fund leads: one command holds what an agent does offline until a sync.

Its clock is a file of its own, which the steps move: a tablet that was offline for weeks says the days
on which its agent was at the doors. Started by field_client.demo_nursery. Everybody is named by what
people write on paper, which each entry keeps as its note.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from field_client import demo_agent
from field_client.actions import Actions
from field_client.client import CLOCK_VARIABLE, FieldClient
from field_client.outbox import Appended
from field_client.receipts import IssuedReceipt
from schemas.receipt_token import ReceiptKind
from sync.clock import VirtualClock

_PURPOSE = "card_donation"


class FundAgent:
    """Obeys the commands of one tablet."""

    def __init__(self, client: FieldClient, clock: VirtualClock) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, str] = {}
        self._missing: list[str] = []
        self._donations: dict[str, Appended] = {}
        self._receipts: dict[str, IssuedReceipt] = {}
        self._shown: dict[str, Any] | None = None

    def outing(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do every step at its time; return the ids of what was written, and what could not be done."""
        self._known = dict(command["known"])
        self._missing = []
        for step in command["steps"]:
            self._set(step["at_ms"])
            with self._client.recording() as actions:
                getattr(self, f"_{step['what']}")(actions, step["ref"], step["fund"], step["members"])
        return {"known": self._known, "missing": self._missing, "receipt": self._shown}

    def sync(self, command: dict[str, Any]) -> dict[str, Any]:
        """Come home: the tablet's clock says what the office's says, and everything is sent."""
        self._set(command["at_ms"])
        return demo_agent.COMMANDS["sync"](self._client, command)

    def enrol(self, command: dict[str, Any]) -> dict[str, Any]:
        """Enrol with a one-time code."""
        self._set(command["at_ms"])
        return demo_agent.COMMANDS["enrol"](self._client, command)

    def _set(self, at_ms: int) -> None:
        self._clock.set(at_ms, 1.0)

    def _donation(self, _actions: Actions, ref: str, fund: int, members: dict[str, Any]) -> None:
        kind, _, key = members["bucket"].partition(":")
        body = {
            "area": members["area"],
            "fund": fund,
            "donor_class": members["donor_class"],
            "donor": None if members["donor"] is None else {"name": members["donor"]},
            "method": members["method"],
            "amount_vnd": members["amount_vnd"],
            "restriction": {"kind": kind, "key": key} if key else None,
            "note": ref,
        }
        donation = self._append("donation_received", body)
        self._donations[ref] = donation
        self._known[ref] = donation.entry_id
        paid, amount_vnd = (donation.entry_id, donation.raw), members["amount_vnd"]
        self._receipts[ref] = self._client.receipts.issue(ReceiptKind.DONATION, paid, amount_vnd, fund, None)
        if self._shown is None:
            issued = self._receipts[ref]
            self._shown = {"number": issued.number, "token": issued.token, "amount_vnd": amount_vnd}

    def _void(self, _actions: Actions, _ref: str, fund: int, members: dict[str, Any]) -> None:
        """Take a donation of this outing back, with the receipt that voids its own."""
        target = members["target"]
        donation, receipt = self._donations[target], self._receipts[target]
        self._append("entry_voided", {"target": donation.entry_id, "reason": f"Ghi nhầm {target}"})
        paid = (donation.entry_id, donation.raw)
        self._client.receipts.issue(ReceiptKind.VOID, paid, receipt.amount_vnd, fund, receipt)

    def _remittance(self, _actions: Actions, ref: str, fund: int, members: dict[str, Any]) -> None:
        body = {"fund": fund, "reference": ref, "note": ref}
        body |= {name: members[name] for name in ("amount_vnd", "destination")}
        self._known[ref] = self._append("cash_remitted", body).entry_id

    def _household(self, actions: Actions, _ref: str, fund: int, members: dict[str, Any]) -> None:
        household = actions.register_household(
            area=members["area"],
            head_name=members["head_name"],
            address=members["address"],
            phone=members["phone"],
        )
        for one in members["people"]:
            person = actions.register_person(household=household, **one["person"])
            consent = actions.record_consent(
                person=person, purpose=_PURPOSE, decision="given", evidence="signed_paper"
            )
            body = {"person": person, "fund": fund, "consent": consent, "note": one["ref"]}
            body |= {name: one[name] for name in ("pool", "evidence", "member")}
            self._known[one["ref"]] = self._append("beneficiary_nominated", body).entry_id
            self._known[f"person {one['ref']}"] = person
            if members["is_withdrawn"]:
                actions.record_consent(
                    person=person, purpose=_PURPOSE, decision="withdrawn", evidence="signed_paper"
                )

    def _handover(self, _actions: Actions, ref: str, _fund: int, members: dict[str, Any]) -> None:
        person = self._known[f"person {members['nominee']}"]
        allocations = self._client.replica.records("allocation")
        found = [key for key, fields in allocations.items() if fields["person"] == person]
        if len(found) != 1:
            self._missing.append(ref)
            return
        body = {"allocation": found[0], "person": person, "proof": members["proof"]}
        self._append("card_handed_over", {**body, "note": members["nominee"]})

    def _append(self, kind: str, body: dict[str, Any]) -> Appended:
        return self._client.outbox.append(
            kind, {name: value for name, value in body.items() if value is not None}
        )


def main(home: Path) -> None:
    """Obey commands until there are no more."""
    clock = VirtualClock(Path(os.environ[CLOCK_VARIABLE]))
    with demo_agent.client_of(home) as client:
        agent = FundAgent(client, clock)
        demo_agent.obey(sys.stdin, {"outing": agent.outing, "sync": agent.sync, "enrol": agent.enrol})
