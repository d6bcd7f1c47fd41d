"""The receipts of one batch: verified against keys, payments and each other, then kept."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.receipt_token import (
    ParsedReceipt,
    ReceiptKind,
    ReceiptMalformedError,
    content_digest,
    is_signed_by,
    parse_receipt,
    payment_digest,
)
from schemas.signatures import from_base64url
from server.audit.changes import Change
from server.bulk_rows import chunks
from server.devices.queries import DeviceKey
from server.money.rules import Payment
from server.money.workspace import MoneyWorkspace
from server.receipts.models import Receipt, ReceiptIncident
from server.receipts.queries import receipt_of_row, receipts_of_numbers
from server.receipts.rules import (
    KnownReceipt,
    ReceiptState,
    chain_flags,
    content_fault,
    is_after_cut_off,
    is_money_receipt,
    state_beside,
)
from sync.codes import EntryCode, Flag
from sync.entry import Fault
from sync.judgement import Applied, Arrival, Refused, Ruling
from sync.scope import agent_scope

_Number = tuple[int, int]
_Key = tuple[int, int, str]


class RefusedReceipt(NamedTuple):
    """What a quarantined entry says of a receipt; `body` names a payment and a token, `code` says why."""

    entry_id: str
    installation_id: str
    worker_id: str
    received_ms: int
    body: Mapping[str, Any]
    code: EntryCode


class ReceiptsWorkspace:
    """Judges receipts. `contested_installations` are those that two contents prove to be cloned."""

    def __init__(
        self,
        change: Change,
        money: MoneyWorkspace,
        read_entry: Callable[[str], str | None],
        keys_of: Callable[[str], Sequence[DeviceKey]],
    ) -> None:
        self._change = change
        self._money = money
        self._read_entry = read_entry
        self._keys_of = keys_of
        self._wanted_payments: set[str] = set()
        self._wanted_numbers: set[_Number] = set()
        self._receipts: dict[_Key, KnownReceipt] = {}
        self._stored: dict[_Key, KnownReceipt] = {}
        self._received_ms: dict[_Key, int] = {}
        self._by_number: defaultdict[_Number, list[_Key]] = defaultdict(list)
        self._by_payment: defaultdict[str, list[_Key]] = defaultdict(list)
        self.contested_installations: set[str] = set()

    def want_payments(self, ids: Iterable[str]) -> None:
        """Ask for the receipts of payments."""
        self._wanted_payments.update(ids)

    def want_numbers(self, numbers: Iterable[_Number]) -> None:
        """Ask for the receipts under (installation number, counter), and under the number before."""
        for installation, counter in numbers:
            self._wanted_numbers.update(((installation, counter), (installation, counter - 1)))

    def want_tokens(self, tokens: Iterable[str]) -> None:
        """Ask for what the judgement of these tokens needs; what is no token needs nothing."""
        for token in tokens:
            try:
                content = parse_receipt(token).content
            except ReceiptMalformedError:
                continue
            self.want_numbers([(content.installation, content.counter)])

    def wanted_names(self) -> list[str]:
        """Return the names under which the wanted receipt numbers are locked before `load`."""
        return [f"receipt:{installation}:{counter}" for installation, counter in self._wanted_numbers]

    def load(self) -> None:
        """Read what was asked for and is not here yet."""
        connection, table = self._change.connection, Receipt.__table__
        for part in chunks(sorted(self._wanted_payments)):
            for row in connection.execute(table.select().where(table.c.payment_id.in_(part))):
                self._remember(receipt_of_row(row), is_stored=True)
        for receipt in receipts_of_numbers(connection, self._wanted_numbers):
            self._remember(receipt, is_stored=True)
        self._wanted_payments.clear()
        self._wanted_numbers.clear()

    def apply(self, arrival: Arrival) -> Ruling:
        """Judge a `receipt_issued` entry. With a true signature it is kept, whatever the ruling."""
        try:
            parsed = parse_receipt(arrival.body["token"])
        except ReceiptMalformedError:
            return Refused(Fault(EntryCode.RECEIPT_MALFORMED, "token"))
        key = self._signing_key(arrival.installation_id, parsed)
        if isinstance(key, Fault):
            return Refused(key)
        digest, content = content_digest(parsed), parsed.content
        known = self._receipts.get((content.installation, content.counter, digest))
        if known is not None and (known.code is None or known.entry_id != arrival.entry_id):
            # The same content again, perhaps under another signature: it is the same receipt.
            return Applied() if known.code is None else Refused(Fault(known.code, "token"))
        payment = self._money.payment(arrival.body["payment"])
        fault = self._fault(arrival, parsed, key, payment)
        if fault is not None or payment is None:
            state = ReceiptState.QUARANTINED
        else:
            state = ReceiptState.RECONCILED if content.kind == ReceiptKind.VOID else state_beside(payment)
        code = None if fault is None else fault.code
        receipt = _known(parsed, arrival.entry_id, arrival.worker_id, arrival.body, state, code)
        flags = self._chain_flags(arrival, parsed, key)
        if known is not None:
            # The office has it judged again, after what was wrong beside it was put right.
            self._receipts[receipt.key] = receipt
            return Applied(flags) if fault is None else Refused(fault)
        self._keep(receipt, key, arrival.received_ms)
        return Applied(flags) if fault is None else Refused(fault)

    def keep_refused(self, refused: RefusedReceipt) -> None:
        """Keep what is signed truly, whatever its entry is quarantined for, unless it is kept already."""
        try:
            parsed = parse_receipt(refused.body["token"])
        except ReceiptMalformedError:
            return
        number = (parsed.content.installation, parsed.content.counter)
        if (*number, content_digest(parsed)) in self._receipts:
            return
        key = self._signing_key(refused.installation_id, parsed)
        if isinstance(key, Fault):
            return
        code = EntryCode.RECEIPT_NUMBER_REUSED if self._by_number[number] else refused.code
        state, body = ReceiptState.QUARANTINED, refused.body
        receipt = _known(parsed, refused.entry_id, refused.worker_id, body, state, code)
        self._keep(receipt, key, refused.received_ms)

    def payment_settled(self, payment_id: str) -> None:
        """Let the receipts that waited for this payment be reconciled."""
        waiting = {ReceiptState.PENDING, ReceiptState.QUARANTINED}
        self._move(payment_id, waiting, ReceiptState.RECONCILED, None)

    def payment_quarantined(self, payment_id: str) -> None:
        """Let the receipts of this payment wait, with it, for a person."""
        self._move(payment_id, {ReceiptState.PENDING}, ReceiptState.QUARANTINED, None)

    def payment_voided(self, payment_id: str, by_entry_id: str) -> None:
        """Let the receipt of this payment be void; its void receipt is not touched."""
        live = {ReceiptState.PENDING, ReceiptState.RECONCILED}
        self._move(payment_id, live, ReceiptState.VOIDED, by_entry_id)

    def finish(self) -> None:
        """Hand the receipts that changed over to the change, and to the agent's tablet."""
        table, now_ms = Receipt.__table__, self._change.now_ms
        for key, receipt in self._receipts.items():
            stored = self._stored.get(key)
            if receipt == stored:
                continue
            if stored is None:
                row = dataclasses.asdict(receipt)
                row["state"] = receipt.state.value
                row["code"] = None if receipt.code is None else receipt.code.value
                self._change.insert(table, **row, received_ms=self._received_ms[key], changed_ms=now_ms)
            else:
                columns = dict(zip(("installation", "counter", "content_digest"), key, strict=True))
                self._change.update(
                    table,
                    columns,
                    payment_id=receipt.payment_id,
                    token=receipt.token,
                    state=receipt.state.value,
                    code=None if receipt.code is None else receipt.code.value,
                    closed_by=receipt.closed_by,
                    changed_ms=now_ms,
                )
            self._stored[key] = receipt
            self._put_record(receipt)

    def _keep(self, receipt: KnownReceipt, key: DeviceKey, received_ms: int) -> None:
        self._remember(receipt, is_stored=False)
        self._received_ms[receipt.key] = received_ms
        if receipt.code is EntryCode.RECEIPT_NUMBER_REUSED:
            self._open_incident(receipt, key)

    def _remember(self, receipt: KnownReceipt, *, is_stored: bool) -> None:
        key = receipt.key
        if key in self._receipts:
            return
        self._receipts[key] = receipt
        self._by_number[receipt.installation, receipt.counter].append(key)
        self._by_payment[receipt.payment_id].append(key)
        if is_stored:
            self._stored[key] = receipt

    def _signing_key(self, installation_id: str, parsed: ParsedReceipt) -> DeviceKey | Fault:
        """Return the key of this device or of one that it succeeds, if that signed the receipt."""
        keys = [
            key
            for key in self._keys_of(installation_id)
            if key.number == parsed.content.installation and key.public_key.kid == parsed.kid
        ]
        if not keys:
            return Fault(EntryCode.RECEIPT_NOT_OF_THIS_DEVICE, "token")
        for key in keys:
            if is_signed_by(parsed, key.public_key):
                return key
        return Fault(EntryCode.RECEIPT_SIGNATURE_INVALID, "token")

    def _fault(
        self, arrival: Arrival, parsed: ParsedReceipt, key: DeviceKey, payment: Payment | None
    ) -> Fault | None:
        content, body = parsed.content, arrival.body
        own = (content.installation, content.counter, content_digest(parsed))
        if set(self._by_number[content.installation, content.counter]) - {own}:
            return Fault(EntryCode.RECEIPT_NUMBER_REUSED, "token")
        if payment is None:
            # The id that the receipt names is by now that of something else.
            return Fault(EntryCode.REFERENCE_WRONG_KIND, "payment")
        entry = self._read_entry(body["payment"])
        try:
            salt = from_base64url(body["salt"])
        except ValueError:
            return Fault(EntryCode.FIELD_INVALID, "salt")
        if entry is None or payment_digest(salt, entry) != content.digest:
            return Fault(EntryCode.RECEIPT_DIGEST_MISMATCH, "token")
        if is_after_cut_off(content.counter, key.state, key.last_valid_counter):
            return Fault(EntryCode.INSTALLATION_REVOKED, "token")
        others = [self._receipts[other] for other in self._by_payment[payment.entry_id] if other != own]
        return content_fault(content, arrival.worker_id, payment, others)

    def _chain_flags(self, arrival: Arrival, parsed: ParsedReceipt, key: DeviceKey) -> tuple[Flag, ...]:
        content = parsed.content
        before = self._by_number[content.installation, content.counter - 1]
        previous = [parse_receipt(self._receipts[other].token).sig_structure for other in before]
        return chain_flags(content, arrival.body["linked_ack"], key.certificate_text, previous)

    def _open_incident(self, receipt: KnownReceipt, key: DeviceKey) -> None:
        kept = self._by_number[receipt.installation, receipt.counter][0]
        self._change.insert(
            ReceiptIncident.__table__,
            installation=receipt.installation,
            counter=receipt.counter,
            content_digest=receipt.content_digest,
            kept_digest=kept[2],
            entry_id=receipt.entry_id,
            worker_id=receipt.worker_id,
            opened_ms=self._change.now_ms,
            closed_ms=None,
        )
        self._change.audit(
            "receipt_incident_opened", receipt.entry_id, number=f"{receipt.installation}-{receipt.counter}"
        )
        self.contested_installations.add(key.installation_id)

    def _move(
        self, payment_id: str, states: set[ReceiptState], state: ReceiptState, closed_by: str | None
    ) -> None:
        for key in self._by_payment[payment_id]:
            receipt = self._receipts[key]
            if is_money_receipt(receipt.kind) and receipt.code is None and receipt.state in states:
                self._receipts[key] = dataclasses.replace(receipt, state=state, closed_by=closed_by)

    def _put_record(self, receipt: KnownReceipt) -> None:
        wire = {
            "installation": receipt.installation,
            "counter": receipt.counter,
            "kind": receipt.kind,
            "amount_vnd": receipt.amount_vnd,
            "issued_at_s": receipt.issued_at_s,
            "payment": receipt.payment_id,
            "entry": receipt.entry_id,
            "state": receipt.state.value,
            "code": None if receipt.code is None else receipt.code.value,
        }
        record_id = f"{receipt.installation}-{receipt.counter}-{receipt.content_digest[:8]}"
        self._change.put_record("receipt", record_id, wire, {agent_scope(receipt.worker_id)})


def _known(
    parsed: ParsedReceipt,
    entry_id: str,
    worker_id: str,
    body: Mapping[str, Any],
    state: ReceiptState,
    code: EntryCode | None,
) -> KnownReceipt:
    content = parsed.content
    return KnownReceipt(
        installation=content.installation,
        counter=content.counter,
        content_digest=content_digest(parsed),
        entry_id=entry_id,
        payment_id=body["payment"],
        worker_id=worker_id,
        kind=content.kind,
        amount_vnd=content.amount_vnd,
        issued_at_s=content.issued_at_s,
        token=body["token"],
        state=state,
        code=code,
        closed_by=None,
    )
