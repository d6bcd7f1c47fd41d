"""T7: a receipt with a true signature is kept with its code, whatever becomes of the entry that brings it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from server.devices.actions import revoke_installation
from server.exchange import registry
from server.receipts import workspace
from tests.server.receipts.a_signing_tablet import Payment, SigningTablet
from tests.support.desk import a_supervisor, decide
from tests.support.office_checks import count, rows, state_of
from tests.support.raw_tablet import a_household

KEPT = "SELECT counter, state, code FROM receipt ORDER BY counter, state DESC"


@pytest.fixture
def signer(tablet):
    """Signs the tablet's receipts, one after another."""
    return SigningTablet(tablet.key, tablet.number, tablet.installation)


def receipted(tablet, signer, entry_id=None, **more):
    """Collect money and give a receipt for it; return the receipt's entry."""
    payment = tablet.payment(tablet.enrolment(tablet.person()))
    about = Payment(payment, tablet.journal[-1], {"scheme": "voluntary"}, 300_000)
    return tablet.append("receipt_issued", signer.receipt(about) | more, entry_id)


def revoke(office, tablet):
    office.change(lambda change: revoke_installation(change, tablet.installation))


def test_a_receipt_from_a_revoked_tablet_is_kept_and_the_next_one_misses_no_number(office, tablet, signer):
    """[T7] [T9] Its entry is quarantined, and a duplicate when the tablet is enrolled again."""
    receipted(tablet, signer)
    tablet.sync()
    revoke(office, tablet)
    receipted(tablet, signer)
    assert {each["code"] for each in tablet.sync().verdicts} == {"installation_revoked"}
    kept = [(1, "reconciled", None), (2, "quarantined", "installation_revoked")]
    assert rows(office, KEPT) == kept
    receipted(tablet, signer)
    answer = tablet.enrolled_again().sync()
    assert answer.decisions == ["duplicate"] * 8 + ["applied"] * 4
    assert answer.verdicts[-1]["flags"] == []
    assert rows(office, KEPT) == [*kept, (3, "reconciled", None)]
    assert state_of(office, tablet.installation) == "revoked"
    assert count(office, "receipt_incident") == 0


def test_another_content_under_the_number_of_a_revoked_tablet_is_reported(office, tablet, signer):
    """[T8] A second signed content under one number is kept, quarantined and reported, [T7] there as well."""
    receipted(tablet, signer)
    tablet.sync()
    revoke(office, tablet)
    receipted(tablet, SigningTablet(tablet.key, tablet.number, tablet.installation))
    assert tablet.sync().verdicts[-1]["code"] == "installation_revoked"
    assert rows(office, KEPT) == [(1, "reconciled", None), (1, "quarantined", "receipt_number_reused")]
    assert count(office, "receipt_incident") == 1
    assert state_of(office, tablet.installation) == "revoked"


@pytest.mark.parametrize("code", ["field_unknown", "entry_id_reused"])
def test_a_true_receipt_in_a_bad_entry_is_kept_once(office, tablet, signer, code):
    """[T7] What breaks the contract of its kind, or uses an id again, still shows a true receipt."""
    if code == "field_unknown":
        receipted(tablet, signer, colour="red")
    else:
        receipted(tablet, signer, tablet.append("household_registered", a_household()))
    receipted(tablet, signer)
    answer = tablet.sync()
    [bad] = [each for each in answer.verdicts if each["code"] is not None]
    assert (bad["verdict"], bad["code"]) == ("quarantined", code)
    assert answer.verdicts[-1]["flags"] == []
    kept = [(1, "quarantined", code), (2, "reconciled", None)]
    assert rows(office, KEPT) == kept
    again = tablet.enrolled_again()
    assert set(again.sync().decisions) == {"duplicate"}
    assert rows(office, KEPT) == kept
    assert count(office, "receipt_incident") == 0


def test_a_token_with_a_false_signature_is_not_kept_with_a_bad_entry(office, tablet):
    """[T7] Only what is truly signed by this tablet or one before it is a receipt."""
    receipted(tablet, SigningTablet(number=tablet.number), colour="red")
    receipted(tablet, SigningTablet(tablet.key, tablet.number), token="12")
    revoke(office, tablet)
    receipted(tablet, SigningTablet(number=tablet.number))
    tablet.sync()
    assert count(office, "receipt") == 0


def test_a_receipt_is_kept_though_judging_it_raises(office, tablet, signer, monkeypatch):
    """[T7] [R5.2] A bug in the judgement costs the entry its effect, not the payer the receipt."""
    bad = receipted(tablet, signer)
    good = registry.HANDLERS["receipt_issued"]

    def fail(batch, arrival):
        if arrival.entry_id == bad:
            raise ZeroDivisionError
        return good.apply(batch, arrival)

    monkeypatch.setitem(registry.HANDLERS, "receipt_issued", dataclasses.replace(good, apply=fail))
    receipted(tablet, signer)
    answer = tablet.sync()
    assert answer.verdicts[3]["code"] == "judgement_failed"
    assert answer.verdicts[-1]["flags"] == []
    assert rows(office, KEPT) == [(1, "quarantined", "judgement_failed"), (2, "reconciled", None)]


@pytest.mark.parametrize("failure", ["cannot be kept", "cannot be written"])
def test_a_receipt_that_cannot_be_kept_blocks_nothing(office, tablet, signer, monkeypatch, failure):
    """[R5.1] The entries beside it go through, whatever is wrong inside one."""
    known = workspace._known

    def spoilt(parsed, *more):
        receipt = known(parsed, *more)
        if receipt.counter > 1:
            return receipt
        if failure == "cannot be kept":
            raise ZeroDivisionError
        return dataclasses.replace(receipt, payment_id=None)

    monkeypatch.setattr(workspace, "_known", spoilt)
    receipted(tablet, signer)
    receipted(tablet, signer)
    answer = tablet.sync()
    assert answer.decisions == ["applied"] * 3 + ["quarantined"] + ["applied"] * 4
    assert answer.verdicts[3]["code"] == "judgement_failed"
    assert rows(office, KEPT) == [(2, "reconciled", None)]


def test_a_receipt_of_a_revoked_tablet_is_reconciled_by_its_correction(office, tablet, signer):
    """[T7] Who takes everything in as it is has the receipt judged again."""
    revoke(office, tablet)
    receipted(tablet, signer)
    tablet.sync()
    supervisor = a_supervisor(office)
    for raw in tablet.journal:
        entry = json.loads(raw)
        decide(office, supervisor, "entry_corrected", target=entry["id"], body=entry["body"])
    assert rows(office, KEPT) == [(1, "reconciled", None)]
