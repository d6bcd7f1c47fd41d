"""What is wrong with a receipt, and what is true of it: pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from schemas.receipt_token import ReceiptContent, ReceiptKind, printed_number, receipt_link
from server.money.rules import DONATION, Payment, PaymentState
from sync.codes import EntryCode, Flag
from sync.entry import Fault

KIND_OF_SCHEME = {"voluntary": ReceiptKind.VOLUNTARY, "health": ReceiptKind.HEALTH}
# What the office's own key signs as; no device ever has this number.
OFFICE_INSTALLATION = 0


class ReceiptState(StrEnum):
    """How far the office has come with a receipt."""

    PENDING = "pending"
    RECONCILED = "reconciled"
    VOIDED = "voided"
    REPLACED = "replaced"
    QUARANTINED = "quarantined"


class Standing(StrEnum):
    """What anyone who shows a receipt's digits is told."""

    NOT_A_RECEIPT = "not_a_receipt"
    KEY_UNKNOWN = "key_unknown"
    SIGNATURE_INVALID = "signature_invalid"
    AFTER_CUT_OFF = "after_cut_off"
    UNKNOWN = "unknown"
    RECOVERING = "recovering"
    PENDING = "pending"
    RECONCILED = "reconciled"
    VOIDED = "voided"
    REPLACED = "replaced"
    QUARANTINED = "quarantined"


# While a restored office recovers, it may only have forgotten the receipt, or the device.
NOT_REMEMBERED = frozenset({Standing.KEY_UNKNOWN, Standing.AFTER_CUT_OFF, Standing.UNKNOWN})


@dataclass(frozen=True, slots=True)
class KnownReceipt:
    """A receipt with a true signature, as the office keeps it."""

    installation: int
    counter: int
    content_digest: str
    entry_id: str
    payment_id: str
    worker_id: str
    kind: int
    amount_vnd: int
    issued_at_s: int
    token: str
    state: ReceiptState
    code: EntryCode | None
    closed_by: str | None

    @property
    def key(self) -> tuple[int, int, str]:
        """Return what names the receipt: its number and what was signed."""
        return self.installation, self.counter, self.content_digest

    def printed_number(self, zone: tzinfo) -> str:
        """Return the number that the receipt shows."""
        return printed_number(self.issued_at_s, self.installation, self.counter, zone)


# A donation is acknowledged too, though no insurer ever hears of it.
_KIND_OF_PAYMENT = {**KIND_OF_SCHEME, DONATION: ReceiptKind.DONATION}


def state_beside(payment: Payment) -> ReceiptState:
    """Return the state of a sound receipt, from the payment that it is for."""
    return {
        PaymentState.ARRIVED: ReceiptState.PENDING,
        PaymentState.SETTLED: ReceiptState.RECONCILED,
        PaymentState.VOIDED: ReceiptState.VOIDED,
    }[payment.state]


def is_money_receipt(kind: int) -> bool:
    """Return whether a receipt of this kind acknowledges money: for a scheme, or given to a fund."""
    return kind in _KIND_OF_PAYMENT.values()


def is_for_insurer(kind: int) -> bool:
    """Return whether a receipt of this kind acknowledges money for which the insurer gives one too."""
    return kind in KIND_OF_SCHEME.values()


def content_fault(
    content: ReceiptContent, worker_id: str, payment: Payment, others: Sequence[KnownReceipt]
) -> Fault | None:
    """Return what is wrong between a receipt and its payment. `others` are receipts of the payment."""
    if payment.worker_id != worker_id:
        return Fault(EntryCode.RECEIPT_NOT_OF_THIS_DEVICE, "payment")
    if content.kind == ReceiptKind.VOID:
        return _void_fault(content, payment, others)
    if not is_money_receipt(content.kind):
        return Fault(EntryCode.RECEIPT_MALFORMED, "token")
    if payment.scheme is not None and _KIND_OF_PAYMENT[payment.scheme] != content.kind:
        return Fault(EntryCode.RECEIPT_AMOUNT_MISMATCH, "token")
    is_receipted = any(is_money_receipt(other.kind) and other.code is None for other in others)
    # A payment that has its receipt leaves nothing to give another one for.
    if is_receipted or content.amount_vnd != payment.amount_vnd:
        return Fault(EntryCode.RECEIPT_AMOUNT_MISMATCH, "token")
    return None


def _void_fault(content: ReceiptContent, payment: Payment, others: Sequence[KnownReceipt]) -> Fault | None:
    if payment.state is not PaymentState.VOIDED:
        return Fault(EntryCode.REFERENCE_NOT_SEEN, "payment")
    if any(other.kind == ReceiptKind.VOID and other.code is None for other in others):
        return Fault(EntryCode.ALREADY_VOIDED, "payment")
    receipted = {(other.installation, other.counter) for other in others if is_money_receipt(other.kind)}
    if content.refers not in receipted:
        return Fault(EntryCode.REFERENCE_NOT_SEEN, "token")
    if content.amount_vnd != payment.amount_vnd:
        return Fault(EntryCode.RECEIPT_AMOUNT_MISMATCH, "token")
    return None


def chain_flags(
    content: ReceiptContent,
    linked_ack: str | None,
    certificate_text: str,
    previous_sig_structures: Sequence[bytes],
) -> tuple[Flag, ...]:
    """Return what is broken in the chain of an installation's receipts.

    `previous_sig_structures` are those under the number before: none is a gap, several a clone.
    """
    if content.counter == 1:
        is_linked = content.link == receipt_link(None, linked_ack, certificate_text)
        return () if is_linked else (Flag.RECEIPT_LINK_BROKEN,)
    if not previous_sig_structures:
        return (Flag.RECEIPT_GAP,)
    links = {receipt_link(previous, linked_ack, certificate_text) for previous in previous_sig_structures}
    return () if content.link in links else (Flag.RECEIPT_LINK_BROKEN,)


def is_after_cut_off(counter: int, key_state: str, last_valid_counter: int | None) -> bool:
    """Return whether a revoked key signed this above its last valid counter."""
    return key_state == "revoked" and last_valid_counter is not None and counter > last_valid_counter


def standing_of(receipt: KnownReceipt | None, *, is_number_taken: bool, is_cut_off: bool) -> Standing:
    """Return what is true of a receipt with a true signature."""
    if receipt is not None:
        return Standing(receipt.state.value)
    if is_number_taken:
        return Standing.QUARANTINED
    return Standing.AFTER_CUT_OFF if is_cut_off else Standing.UNKNOWN


class OfficialRefusal(StrEnum):
    """Why the insurer's number was not taken down."""

    NO_SUCH_RECEIPT = "no_such_receipt"
    RECEIPT_IN_DISPUTE = "receipt_in_dispute"
    MALFORMED = "official_number_malformed"
    HAS_A_NUMBER = "receipt_has_a_number"
    NOTHING_TO_CORRECT = "nothing_to_correct"
    REASON_MISSING = "reason_missing"
    NUMBER_TAKEN = "official_number_taken"


@dataclass(frozen=True, slots=True)
class OfficialName:
    """What the insurer calls a receipt: a series, and a number with its zeros."""

    series: str
    number: str

    def __str__(self) -> str:
        """Return both as people read them out."""
        return f"{self.series} {self.number}"


_PRINTED = re.compile(r"[0-9]{2}-([0-9]{5,10})-([0-9]{8,10})")
_SERIES = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,19}")
_NUMBER = re.compile(r"[0-9]{1,12}")
_LEAST_REASON, _MOST_REASON = 10, 500


def parsed_number(printed: str) -> tuple[int, int] | None:
    """Return installation and counter of a printed number `26-04807-00048213`, None where it is none."""
    found = _PRINTED.fullmatch(printed.strip())
    return None if found is None else (int(found[1]), int(found[2]))


def official_name(series: str, number: str) -> OfficialName | None:
    """Return what was typed as a series and a number, None where it is none."""
    series, number = series.strip().upper(), number.strip()
    if not _SERIES.fullmatch(series) or not _NUMBER.fullmatch(number):
        return None
    return OfficialName(series, number)


def is_reason(text: str) -> bool:
    """Return whether a reason says something."""
    return _LEAST_REASON <= len(text.strip()) <= _MOST_REASON
