"""A tablet that signs receipts, and a desk that judges them: builders for the receipts' tests."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from typing import Any

from schemas.receipt_token import (
    ParsedReceipt,
    ReceiptContent,
    ReceiptKind,
    parse_receipt,
    payment_digest,
    receipt_link,
    sign_receipt,
)
from schemas.signatures import PrivateKey, to_base64url
from server.audit.changes import Actor, Change, run_change
from server.devices.queries import DeviceKey
from server.money.rules import claim_of
from server.money.workspace import MoneyWorkspace
from server.receipts.workspace import ReceiptsWorkspace
from server.runtime import Runtime
from sync.clock import CorrectedTime
from sync.judgement import Arrival, Ruling
from tests.support.clocks import CountingIds

DAY = date(2020, 5, 23)
ISSUED_AT_S = 1_590_202_800
WORKER = "00000000-0000-7000-8000-00000000a001"
INSTALLATION = "00000000-0000-4000-8000-00000000d001"
IDS = CountingIds(series=7)
KEY = PrivateKey((11).to_bytes(32, "big"))


@dataclasses.dataclass(frozen=True)
class Payment:
    """A payment as its tablet captured it."""

    entry_id: str
    raw: str
    body: dict[str, Any]
    amount_vnd: int


def a_payment(amount_vnd: int = 330_000, scheme: str = "voluntary", method: str = "cash") -> Payment:
    entry_id = IDS.new_id()
    allocation = {"enrolment": IDS.new_id(), "amount_vnd": amount_vnd}
    body = {
        "payment": entry_id,
        "scheme": scheme,
        "method": method,
        "allocations": [allocation],
        "note": None,
    }
    raw = json.dumps({"id": entry_id, "kind": "payment_collected", "body": body})
    return Payment(entry_id, raw, body, amount_vnd)


class SigningTablet:
    """Signs receipts one after another, as the field client does."""

    def __init__(
        self, key: PrivateKey = KEY, number: int = 4807, installation_id: str = INSTALLATION
    ) -> None:
        self.key, self.number, self.installation_id = key, number, installation_id
        self.certificate = '{"certificate":1}'
        self.counter = 0
        self.previous: ParsedReceipt | None = None
        self.last_ack: str | None = None

    @property
    def device_key(self) -> DeviceKey:
        return DeviceKey(
            self.installation_id, self.number, self.key.public, self.certificate, WORKER, "active", None
        )

    def receipt(self, payment: Payment, **changes: Any) -> dict[str, Any]:
        """Return the body of a `receipt_issued` entry; `changes` are to the signed content."""
        self.counter += 1
        salt = self.counter.to_bytes(16, "big")
        kind = ReceiptKind.HEALTH if payment.body["scheme"] == "health" else ReceiptKind.VOLUNTARY
        previous = None if self.previous is None else self.previous.sig_structure
        content = ReceiptContent(
            installation=self.number,
            counter=self.counter,
            issued_at_s=ISSUED_AT_S,
            kind=kind,
            amount_vnd=payment.amount_vnd,
            campaign=1,
            link=receipt_link(previous, self.last_ack, self.certificate),
            digest=payment_digest(salt, payment.raw),
        )
        content = dataclasses.replace(content, **changes)
        token = sign_receipt(content, self.key)
        self.previous = parse_receipt(token)
        return {
            "payment": payment.entry_id,
            "token": token,
            "salt": to_base64url(salt),
            "linked_ack": self.last_ack,
        }

    def void(self, payment: Payment, voided: dict[str, Any], **changes: Any) -> dict[str, Any]:
        content = parse_receipt(voided["token"]).content
        refers = (content.installation, content.counter)
        return self.receipt(payment, **({"kind": ReceiptKind.VOID, "refers": refers} | changes))


class Desk:
    """Judges payments and receipts against a real database, each batch as a change of its own."""

    def __init__(self, runtime: Runtime, *keys: DeviceKey) -> None:
        self.runtime = runtime
        self.keys = keys
        self.entries: dict[str, str] = {}
        self.contested: set[str] = set()

    def batch(self, payment_ids: list[str], tokens: list[str], work: Any) -> Any:
        def run(change: Change) -> Any:
            money = MoneyWorkspace(change)
            receipts = ReceiptsWorkspace(change, money, self.entries.get, lambda _: self.keys)
            money.want_payments(payment_ids)
            receipts.want_payments(payment_ids)
            receipts.want_tokens(tokens)
            money.load()
            receipts.load()
            result = work(money, receipts)
            money.finish()
            receipts.finish()
            change.audit("test", "batch")
            self.contested = receipts.contested_installations
            return result

        now_ms = self.runtime.clock.now_ms()
        return run_change(self.runtime.transactions, Actor("installation:test"), now_ms, run)

    def collect(self, payment: Payment, payer: str | None = None, *, settle: bool = True) -> None:
        self.entries[payment.entry_id] = payment.raw

        def work(money: MoneyWorkspace, receipts: ReceiptsWorkspace) -> None:
            claim = claim_of("payment_collected", payment.body)
            money.post_on_arrival(payment.entry_id, WORKER, INSTALLATION, claim, DAY, 5)
            if settle:
                money.settle(an_arrival("payment_collected", payment.body, payment.entry_id), payer)
                receipts.payment_settled(payment.entry_id)

        self.batch([payment.entry_id], [], work)

    def judge(self, body: dict[str, Any], worker: str = WORKER) -> Ruling:
        arrival = an_arrival("receipt_issued", body, IDS.new_id(), worker)
        ruling: Ruling = self.batch(
            [body["payment"]], [body["token"]], lambda _, receipts: receipts.apply(arrival)
        )
        return ruling

    def void(self, payment: Payment) -> None:
        def work(money: MoneyWorkspace, receipts: ReceiptsWorkspace) -> None:
            money.void(payment.entry_id, "void-entry")
            receipts.payment_voided(payment.entry_id, "void-entry")

        self.batch([payment.entry_id], [], work)


def an_arrival(kind: str, body: dict[str, Any], entry_id: str, worker: str = WORKER) -> Arrival:
    return Arrival(
        entry_id=entry_id,
        kind=kind,
        body=body,
        sha256="0" * 64,
        installation_id=INSTALLATION,
        installation_number=4807,
        worker_id=worker,
        corrected=CorrectedTime(0, 0),
        business_day=DAY,
        received_ms=5,
    )
