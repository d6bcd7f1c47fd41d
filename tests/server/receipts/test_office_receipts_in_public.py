"""What anybody is told of a receipt of the office's own key, on the page and as JSON."""

from __future__ import annotations

import pytest

from server.funds.giving import correct_donation, reverse_donation, take_cash_donation
from server.receipts.queries import office_receipts_of
from tests.support.funds import FundOffice, a_fund, pools_and_fund
from tests.support.small_office import SERVER_URL, small_office


@pytest.fixture
def office(sqlite_url):
    """A small office that is asked over HTTP."""
    with small_office(sqlite_url) as office:
        yield office
    office.runtime.transactions.engine.dispose()


@pytest.fixture
def fund(office):
    """The fund of that office."""
    fund = FundOffice(office.runtime)
    fund.change(lambda change: pools_and_fund(change, a_fund()))
    return fund


def asked(office, token):
    """Return the page and the JSON of a token."""
    with office.http() as http:
        page = http.get(f"{SERVER_URL}/r/{token}")
        answer = http.get(f"{SERVER_URL}/api/v1/receipts/{token}")
    assert (page.status_code, answer.status_code) == (200, 200)
    return page.text, answer.json()


def test_a_donation_a_correction_and_a_void_are_told_with_what_they_are_to_each_other(office, fund):
    donation, first = fund.act(take_cash_donation, fund.given(500_000), fund.day)
    page, told = asked(office, first.token)
    assert told["standing"] == "reconciled"
    assert told["content"] == {
        "installation": 0,
        "counter": 1,
        "issued_at_s": first.issued_at_s,
        "kind": 3,
        "amount_vnd": 500_000,
        "campaign": fund.fund,
    }
    assert "Ủng hộ thẻ BHYT" in page
    assert "Mẫu" not in page
    right = fund.act(correct_donation, donation, fund.given(50_000), fund.day, "gõ nhầm số tiền")
    [second] = fund.read(office_receipts_of, [right])[right]
    page, told = asked(office, first.token)
    assert (told["standing"], told["related_number"]) == ("replaced", "20-00000-00000002")
    assert "Được thay bằng biên lai số" in page
    page, told = asked(office, second.token)
    assert (told["standing"], told["related_number"]) == ("reconciled", "20-00000-00000001")
    assert "Thay biên lai số" in page
    fund.act(reverse_donation, right, "khách lấy lại tiền ngay")
    page, told = asked(office, second.token)
    assert (told["standing"], told["related_number"]) == ("voided", "20-00000-00000003")
    assert "Biên lai huỷ số" in page


def test_a_receipt_that_the_office_forgot_is_no_forgery(office, fund):
    """Its key is known, its number is not: after a restore without the desk journal."""
    _, first = fund.act(take_cash_donation, fund.given(500_000), fund.day)
    with office.runtime.transactions.writing() as connection:
        connection.exec_driver_sql("DELETE FROM office_receipt")
    assert asked(office, first.token)[1]["standing"] == "unknown"
    _, again = fund.act(take_cash_donation, fund.given(400_000), fund.day)
    assert again.counter == first.counter
    assert asked(office, first.token)[1]["standing"] == "quarantined"
