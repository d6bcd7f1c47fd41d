"""Receipts of kind 3: what was given at a door, acknowledged there."""

from __future__ import annotations

import pytest

from schemas.receipt_token import ReceiptKind
from tests.server.receipts.a_signing_tablet import Payment, SigningTablet
from tests.support.fund_doors import a_donation, fund_doors
from tests.support.funds import FUND
from tests.support.office_checks import cash_of, rows

GIVEN = 500_000


@pytest.fixture
def doors(office):
    """The office with a fund; in the end its ledger is what its rows ask for."""
    doors = fund_doors(office)
    yield doors
    assert doors.problems() == []


@pytest.fixture
def signer(tablet):
    """What signs the tablet's receipts, one after another."""
    signer = SigningTablet(tablet.key, tablet.number, tablet.installation)
    office_certificate = rows(
        tablet.office, "SELECT certificate_text FROM installation WHERE id = :id", id=tablet.installation
    )
    signer.certificate = office_certificate[0][0]
    return signer


def given(tablet, **more):
    """Capture a donation, and return it as what its receipt is about."""
    donation = tablet.append("donation_received", a_donation(**more))
    return Payment(donation, tablet.journal[-1], {"scheme": "donation"}, GIVEN)


def receipted(tablet, signer, about, **changes):
    """Capture the receipt of a donation and return its body."""
    body = signer.receipt(about, **({"kind": ReceiptKind.DONATION, "campaign": FUND} | changes))
    tablet.append("receipt_issued", body)
    return body


def test_a_donation_and_its_receipt_are_reconciled_and_voided_together(office, tablet, doors, signer):
    """[T4] A void writes `entry_voided` and then a receipt of kind 9 about the voided entry."""
    about = given(tablet)
    body = receipted(tablet, signer, about)
    answer = tablet.sync()
    assert answer.decisions == ["applied", "applied"]
    assert answer.verdicts[1]["flags"] == []
    assert rows(office, "SELECT kind, state, amount_vnd FROM receipt") == [(3, "reconciled", GIVEN)]
    tablet.append("entry_voided", {"target": about.entry_id, "reason": "Nhầm"})
    tablet.append("receipt_issued", signer.void(about, body, campaign=FUND))
    assert tablet.sync().decisions == ["applied", "applied"]
    assert rows(office, "SELECT kind, state FROM receipt ORDER BY kind") == [
        (3, "voided"),
        (9, "reconciled"),
    ]
    assert cash_of(office) == 0


WRONG = {
    "another amount": ({"amount_vnd": GIVEN + 1}, "receipt_amount_mismatch"),
    "a scheme's kind": ({"kind": ReceiptKind.HEALTH}, "receipt_amount_mismatch"),
    "another entry's digest": ({"digest": b"\0" * 16}, "receipt_digest_mismatch"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_receipt_that_is_not_the_donations_is_kept_and_quarantined(office, tablet, doors, signer, name):
    """[T10] Amount and kind are the donation's, the digest that of the entry's bytes."""
    changes, code = WRONG[name]
    receipted(tablet, signer, given(tablet), **changes)
    verdict = tablet.sync().verdicts[1]
    assert (verdict["verdict"], verdict["code"]) == ("quarantined", code)
    assert rows(office, "SELECT state, code FROM receipt") == [("quarantined", code)]


def test_a_quarantined_donation_keeps_its_cash_and_its_receipt(office, tablet, doors, signer):
    """[T7] A receipt with a true signature is kept whatever else is wrong.

    [T11] One whose donation is quarantined is `quarantined` with it.
    """
    receipted(tablet, signer, given(tablet, fund=8))
    verdicts = tablet.sync().verdicts
    assert (verdicts[0]["verdict"], verdicts[0]["code"]) == ("quarantined", "fund_unknown")
    assert rows(office, "SELECT kind, state FROM receipt") == [(3, "quarantined")]
    assert cash_of(office) == GIVEN


def test_a_second_receipt_of_a_donation_is_refused(office, tablet, doors, signer):
    """[T10] A payment has one live receipt."""
    about = given(tablet)
    receipted(tablet, signer, about)
    receipted(tablet, signer, about)
    assert tablet.sync().verdicts[2]["code"] == "receipt_amount_mismatch"
    assert rows(office, "SELECT state FROM receipt ORDER BY counter") == [("reconciled",), ("quarantined",)]


def test_the_public_page_says_what_was_given_and_to_which_fund(office, tablet, doors, signer):
    body = receipted(tablet, signer, given(tablet))
    tablet.sync()
    with office.app.test_client() as client:
        page = client.get(f"/r/{body['token']}").get_data(as_text=True)
    for words in ("Ủng hộ thẻ BHYT", "Quỹ số", "Đơn vị nhận", "Tiền mặt", "500.000"):
        assert words in page
    assert "Công ty Thử" not in page
