"""Receipts are verified against keys, payments and each other, and every number is accounted for."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from sqlalchemy import select

from schemas.receipt_token import ReceiptKind
from schemas.signatures import PrivateKey
from server.audit.models import FeedRow, Record
from server.receipts.queries import open_incidents, receipts_of_payments
from server.receipts.rules import ReceiptState
from server.runtime import Runtime
from sync.codes import EntryCode, Flag
from sync.judgement import Applied, Refused
from tests.server.receipts.a_signing_tablet import WORKER, Desk, SigningTablet, a_payment, an_arrival
from tests.support.clocks import CountingIds

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def tablet() -> SigningTablet:
    return SigningTablet()


@pytest.fixture
def desk(any_runtime: Runtime, tablet: SigningTablet) -> Desk:
    return Desk(any_runtime, tablet.device_key)


def states_of(desk: Desk, payment: Any) -> list[ReceiptState]:
    with desk.runtime.transactions.reading() as connection:
        return [one.state for one in receipts_of_payments(connection, [payment.entry_id])[payment.entry_id]]


def code_of(ruling: Any) -> EntryCode:
    assert isinstance(ruling, Refused), ruling
    return ruling.fault.code


def test_a_true_receipt_of_a_settled_payment_is_reconciled_and_reaches_the_agent(
    desk: Desk, tablet: SigningTablet
) -> None:
    payment = a_payment()
    desk.collect(payment)
    body = tablet.receipt(payment)
    assert desk.judge(body) == Applied()
    assert states_of(desk, payment) == [ReceiptState.RECONCILED]
    with desk.runtime.transactions.reading() as connection:
        record = connection.execute(select(Record.record_id, Record.wire_json)).one()
        assert connection.scalar(select(FeedRow.scope)) == f"agent:{WORKER}"
    wire = json.loads(record.wire_json)
    assert record.record_id.startswith("4807-1-")
    assert (wire["state"], wire["amount_vnd"], wire["payment"]) == ("reconciled", 330_000, payment.entry_id)
    assert "token" not in wire


def test_a_receipt_waits_for_its_payment_to_settle(desk: Desk, tablet: SigningTablet) -> None:
    """[T11] A receipt whose payment is held is `pending` and follows it when it settles."""
    payment = a_payment()
    desk.collect(payment, settle=False)
    desk.judge(tablet.receipt(payment))
    assert states_of(desk, payment) == [ReceiptState.PENDING]
    desk.collect(payment)
    assert states_of(desk, payment) == [ReceiptState.RECONCILED]


def test_the_same_receipt_again_has_one_effect(desk: Desk, tablet: SigningTablet) -> None:
    payment = a_payment()
    desk.collect(payment)
    body = tablet.receipt(payment)
    assert desk.judge(body) == Applied()
    assert desk.judge(body) == Applied()
    assert len(states_of(desk, payment)) == 1


def test_another_signature_over_the_same_content_is_the_same_receipt(
    desk: Desk, tablet: SigningTablet
) -> None:
    """[T3] The same content under another signature is the same receipt."""
    payment = a_payment()
    desk.collect(payment)
    body = tablet.receipt(payment)
    desk.judge(body)
    number = int(body["token"])
    s = number % (1 << 256)
    body["token"] = str(number - s + (ORDER - s))
    assert desk.judge(body) == Applied()
    assert len(states_of(desk, payment)) == 1
    assert desk.contested == set()


def test_consecutive_receipts_raise_no_flag_and_a_gap_or_broken_link_does(
    desk: Desk, tablet: SigningTablet
) -> None:
    """[T9] A missing number, or a link that does not fit, is flagged and never repaired."""
    payments = [a_payment() for _ in range(5)]
    for payment in payments:
        desk.collect(payment)
    assert desk.judge(tablet.receipt(payments[0])) == Applied()
    tablet.last_ack = '{"acked_seq":7}'
    assert desk.judge(tablet.receipt(payments[1])) == Applied()
    tablet.receipt(payments[2])  # never delivered
    assert desk.judge(tablet.receipt(payments[3])) == Applied((Flag.RECEIPT_GAP,))
    broken = tablet.receipt(payments[4], link=b"\0" * 8)
    assert desk.judge(broken) == Applied((Flag.RECEIPT_LINK_BROKEN,))


def test_the_first_receipt_links_to_the_certificate(desk: Desk, tablet: SigningTablet) -> None:
    payment = a_payment()
    desk.collect(payment)
    tablet.certificate = "another certificate"
    assert desk.judge(tablet.receipt(payment)) == Applied((Flag.RECEIPT_LINK_BROKEN,))


def test_receipts_of_one_batch_see_each_other(desk: Desk, tablet: SigningTablet) -> None:
    payments = [a_payment() for _ in range(3)]
    for payment in payments:
        desk.collect(payment)
    bodies = [tablet.receipt(payment) for payment in payments]
    ids = CountingIds(series=3)

    def work(_money: Any, receipts: Any) -> list[Any]:
        return [receipts.apply(an_arrival("receipt_issued", body, ids.new_id())) for body in bodies]

    ids_wanted = [payment.entry_id for payment in payments]
    assert desk.batch(ids_wanted, [body["token"] for body in bodies], work) == [Applied()] * 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_vnd": 330_001}, EntryCode.RECEIPT_AMOUNT_MISMATCH),
        ({"kind": ReceiptKind.HEALTH}, EntryCode.RECEIPT_AMOUNT_MISMATCH),
        ({"kind": ReceiptKind.DAY_CLOSE}, EntryCode.RECEIPT_MALFORMED),
        ({"digest": b"\0" * 16}, EntryCode.RECEIPT_DIGEST_MISMATCH),
    ],
)
def test_a_true_signature_over_wrong_facts_is_kept_in_quarantine(
    desk: Desk, tablet: SigningTablet, changes: dict[str, Any], code: EntryCode
) -> None:
    """[T7] [T10] A true signature is kept whatever else is wrong, quarantined with the code."""
    payment = a_payment()
    desk.collect(payment)
    body = tablet.receipt(payment, **changes)
    assert code_of(desk.judge(body)) is code
    assert code_of(desk.judge(body)) is code
    assert states_of(desk, payment) == [ReceiptState.QUARANTINED]


def test_a_receipt_of_another_key_is_refused_and_not_kept(desk: Desk) -> None:
    """[T6] Signed by the delivering installation's key or a predecessor's."""
    payment = a_payment()
    desk.collect(payment)
    stranger = SigningTablet(PrivateKey.generate())
    assert code_of(desk.judge(stranger.receipt(payment))) is EntryCode.RECEIPT_NOT_OF_THIS_DEVICE
    assert states_of(desk, payment) == []


def test_a_receipt_under_another_installations_number_is_refused(desk: Desk) -> None:
    payment = a_payment()
    desk.collect(payment)
    liar = SigningTablet(number=4808)
    assert code_of(desk.judge(liar.receipt(payment))) is EntryCode.RECEIPT_NOT_OF_THIS_DEVICE


def test_a_changed_signature_is_refused(desk: Desk, tablet: SigningTablet) -> None:
    """[T6] Anything else is `receipt_signature_invalid`."""
    payment = a_payment()
    desk.collect(payment)
    body = tablet.receipt(payment)
    body["token"] = str(int(body["token"]) ^ 1)
    assert code_of(desk.judge(body)) is EntryCode.RECEIPT_SIGNATURE_INVALID
    body["token"] = "12345"
    assert code_of(desk.judge(body)) is EntryCode.RECEIPT_MALFORMED


def test_a_receipt_signed_by_the_predecessor_is_accepted(any_runtime: Runtime, tablet: SigningTablet) -> None:
    """[R3.7] Receipt keys of predecessors go on counting.

    [T6] Signed by the delivering installation's key or a predecessor's.
    """
    successor = SigningTablet(PrivateKey.generate(), number=4900, installation_id="another")
    desk = Desk(any_runtime, successor.device_key, tablet.device_key)
    payment = a_payment()
    desk.collect(payment)
    assert desk.judge(tablet.receipt(payment)) == Applied()


def test_two_contents_under_one_number_are_both_kept_and_open_an_incident(
    desk: Desk, tablet: SigningTablet
) -> None:
    """[T8] A second signed content under one number is kept, quarantined and reported."""
    clone = SigningTablet()
    first, second = a_payment(), a_payment(500_000)
    for payment in (first, second):
        desk.collect(payment)
    assert desk.judge(tablet.receipt(first)) == Applied()
    assert code_of(desk.judge(clone.receipt(second))) is EntryCode.RECEIPT_NUMBER_REUSED
    assert desk.contested == {tablet.installation_id}
    assert states_of(desk, first) == [ReceiptState.RECONCILED]
    assert states_of(desk, second) == [ReceiptState.QUARANTINED]
    with desk.runtime.transactions.reading() as connection:
        assert [(one.installation, one.counter) for one in open_incidents(connection)] == [(4807, 1)]


def test_a_payment_has_one_receipt(desk: Desk, tablet: SigningTablet) -> None:
    """[T10] A payment has one live receipt."""
    payment = a_payment()
    desk.collect(payment)
    desk.judge(tablet.receipt(payment))
    assert code_of(desk.judge(tablet.receipt(payment))) is EntryCode.RECEIPT_AMOUNT_MISMATCH
    assert states_of(desk, payment) == [ReceiptState.RECONCILED, ReceiptState.QUARANTINED]


def test_a_receipt_of_another_agents_payment_is_refused(desk: Desk, tablet: SigningTablet) -> None:
    payment = a_payment()
    desk.collect(payment)
    ruling = desk.judge(tablet.receipt(payment), worker="another worker")
    assert code_of(ruling) is EntryCode.RECEIPT_NOT_OF_THIS_DEVICE


def test_a_void_is_a_new_receipt_and_the_old_one_stays(desk: Desk, tablet: SigningTablet) -> None:
    payment = a_payment()
    desk.collect(payment)
    receipt = tablet.receipt(payment)
    desk.judge(receipt)
    desk.void(payment)
    assert states_of(desk, payment) == [ReceiptState.VOIDED]
    assert desk.judge(tablet.void(payment, receipt)) == Applied()
    assert states_of(desk, payment) == [ReceiptState.VOIDED, ReceiptState.RECONCILED]
    assert code_of(desk.judge(tablet.void(payment, receipt))) is EntryCode.ALREADY_VOIDED


def test_a_void_that_fits_nothing_is_kept_in_quarantine(desk: Desk, tablet: SigningTablet) -> None:
    payment, other = a_payment(), a_payment()
    for one in (payment, other):
        desk.collect(one)
    receipt, foreign = tablet.receipt(payment), tablet.receipt(other)
    desk.judge(receipt)
    desk.judge(foreign)
    assert code_of(desk.judge(tablet.void(payment, receipt))) is EntryCode.REFERENCE_NOT_SEEN
    desk.void(payment)
    assert code_of(desk.judge(tablet.void(payment, foreign))) is EntryCode.REFERENCE_NOT_SEEN
    assert (
        code_of(desk.judge(tablet.void(payment, receipt, amount_vnd=1))) is EntryCode.RECEIPT_AMOUNT_MISMATCH
    )
    assert desk.judge(tablet.void(payment, receipt)) == Applied()


def test_a_revoked_key_is_good_up_to_its_last_valid_counter(
    any_runtime: Runtime, tablet: SigningTablet
) -> None:
    revoked = dataclasses.replace(tablet.device_key, state="revoked", last_valid_counter=1)
    desk = Desk(any_runtime, revoked)
    payments = [a_payment(), a_payment()]
    for payment in payments:
        desk.collect(payment)
    assert desk.judge(tablet.receipt(payments[0])) == Applied()
    assert code_of(desk.judge(tablet.receipt(payments[1]))) is EntryCode.INSTALLATION_REVOKED
    assert states_of(desk, payments[1]) == [ReceiptState.QUARANTINED]
