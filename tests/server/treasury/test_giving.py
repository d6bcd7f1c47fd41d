"""What is given, through the pages: receipts, corrections, refunds, pledges, cash that agents brought."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.audit.models import AuditRow
from server.funds.office_queries import office_donations_of, payouts_of, pledges_of
from server.funds.rules import MatchKind
from tests.support.fund_decisions import CARD
from tests.support.funds import COMMUNES, FUND

DONOR = "Công ty TNHH Hoa Sen"
GIFT = {
    "way": "cash",
    "day": "2020-05-12",
    "donor_class": "company",
    "donor_name": DONOR,
    "donor_phone": "02963 123 456",
    "donor_tax": "1600000001",
    "amount_vnd": "1.000.000",
    "restriction": "any",
}


def donations(office):
    return office.read(office_donations_of, FUND)


def opened(office):
    with office.runtime.transactions.reading() as connection:
        return list(
            connection.scalars(
                select(AuditRow.__table__.c.subject).where(AuditRow.__table__.c.action == "donor_opened")
            )
        )


def test_cash_at_the_office_shows_its_receipt_at_once(treasury, words):
    taken = treasury.post("/donations", **GIFT)
    assert taken.status_code == 303
    (donation,) = donations(treasury.office)
    assert donation.amount_vnd == 1_000_000
    assert taken.headers["Location"] == f"/treasury/{FUND}/donations/{donation.id}?done=taken"
    page = treasury.get(f"/donations/{donation.id}").get_data(as_text=True)
    assert DONOR not in page
    address = page.split('href="/r/')[1].split('"')[0]
    assert f'src="/r/{address}.svg"' in page
    receipt = treasury.app.test_client().get(f"/r/{address}")
    assert "1.000.000" in words(receipt)
    assert DONOR not in words(treasury.get("/donations"))


@pytest.mark.parametrize(
    ("changed", "field", "status", "vietnamese", "english"),
    [
        ({"amount_vnd": "nhiều"}, "amount_vnd", 422, "Hãy ghi bằng số", "Write a number"),
        (
            {"amount_vnd": "0"},
            "amount_vnd",
            409,
            "Số tiền hoặc số lượng không hợp lệ",
            "The amount is not valid",
        ),
        ({"day": "2020-05-13"}, "day", 409, "Ngày này chưa đến", "That day is yet to come"),
        ({"day": ""}, "day", 422, "Chưa điền ô này", "This field is empty"),
        ({"donor_name": ""}, "donor_name", 422, "Chưa điền ô này", "This field is empty"),
        (
            {"donor_name": "", "donor_phone": "", "donor_tax": ""},
            "donor_name",
            409,
            "Chưa có tên người ủng hộ",
            "The donor is missing",
        ),
        (
            {"donor_class": "anonymous"},
            "donor_name",
            409,
            "Người ủng hộ ẩn danh thì không ghi tên",
            "Nothing is taken down of an anonymous donor",
        ),
        ({"donor_phone": "abc"}, "donor_phone", 409, "Số điện thoại hoặc mã số thuế không đúng", "not valid"),
        ({"donor_name": "a\x00b"}, "donor_name", 422, "Có ký tự không đọc được", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    treasury, words, changed, field, status, vietnamese, english
):
    for lang, said in (("vi", vietnamese), ("en", english)):
        treasury.browser().get(f"/treasury?lang={lang}")
        answer = treasury.post("/donations", **(GIFT | changed))
        page = answer.get_data(as_text=True)
        assert answer.status_code == status
        assert said in words(answer)
        assert f'id="{field}-wrong"' in page
        assert f'aria-describedby="{field}-wrong"' in page
        kept = {**GIFT, **changed}["donor_phone"]
        assert f'name="donor_phone" type="tel" value="{kept}"' in page
    assert donations(treasury.office) == []


def test_restricted_money_stays_restricted_and_a_restriction_must_exist(treasury, words):
    assert treasury.post("/donations", **(GIFT | {"restriction": f"area:{COMMUNES[1]}"})).status_code == 303
    assert treasury.post("/donations", **(GIFT | {"restriction": "pool:poor"})).status_code == 303
    assert treasury.office.standing.free_vnd == {f"area:{COMMUNES[1]}": 1_000_000, "pool:poor": 1_000_000}
    assert "Không có nhóm đối tượng này" in words(
        treasury.post("/donations", **(GIFT | {"restriction": "pool:rich"}))
    )
    assert treasury.post("/donations", **(GIFT | {"restriction": "moon"})).status_code == 422


def test_a_transfer_has_a_receipt_once_the_statement_shows_it(treasury, words):
    assert treasury.post("/donations", **(GIFT | {"way": "transfer"})).status_code == 303
    (donation,) = donations(treasury.office)
    early = treasury.post(f"/donations/{donation.id}/receipt")
    assert "Sao kê chưa có khoản tiền này" in words(early)
    treasury.office.line(1_000_000, MatchKind.OFFICE_DONATION, donation.id)
    assert treasury.post(f"/donations/{donation.id}/receipt").status_code == 303
    assert "Trang biên lai" in words(treasury.get(f"/donations/{donation.id}"))


def test_who_gave_is_opened_to_correct_and_every_look_is_audited(treasury, words):
    treasury.post("/donations", **GIFT)
    (donation,) = donations(treasury.office)
    assert treasury.get(f"/donations/{donation.id}/donor", "kiemtoan").status_code == 403
    page = treasury.get(f"/donations/{donation.id}/donor")
    assert DONOR in words(page)
    assert f'name="donor_name" type="text" value="{DONOR}"' in page.get_data(as_text=True)
    assert opened(treasury.office) == [donation.id]
    right = GIFT | {"amount_vnd": "1.200.000", "reason": "Đếm lại: thiếu 200.000"}
    short = treasury.post(f"/donations/{donation.id}/correction", **(right | {"reason": "sai"}))
    assert short.status_code == 409
    assert 'value="1.200.000"' in short.get_data(as_text=True)
    done = treasury.post(f"/donations/{donation.id}/correction", **right)
    assert done.status_code == 303
    assert "Đã sửa: đây là khoản thay thế" in words(treasury.browser().get(done.headers["Location"]))
    assert sum(treasury.office.standing.free_vnd.values()) == 1_200_000
    again = treasury.post(f"/donations/{donation.id}/correction", **right)
    assert "Khoản ủng hộ này đã được đảo bút toán" in words(again)


def test_a_donation_that_never_was_is_reversed(treasury):
    treasury.post("/donations", **GIFT)
    (donation,) = donations(treasury.office)
    short = treasury.post(f"/donations/{donation.id}/reversal", reason="vì")
    assert short.get_data(as_text=True).count('value="vì"') == 1, "only the form that was sent keeps it"
    assert treasury.post(f"/donations/{donation.id}/reversal", reason="Ghi nhầm quỹ").status_code == 303
    assert sum(treasury.office.standing.free_vnd.values()) == 0


def test_a_refund_of_a_door_donation_needs_two_people(treasury, words):
    office = treasury.office
    office.cash(CARD)
    door = office.door_donation(500_000, method="transfer")
    office.line(500_000, MatchKind.DOOR_DONATION, door)
    assert "Nhà hảo tâm" not in words(treasury.get("/donations", **{"from": "doors"}))
    refund = {"amount_vnd": "600.000", "reason": "Người ủng hộ xin lại"}
    large = treasury.post(f"/donations/{door}/refund", **refund)
    assert "Số tiền hoàn lớn hơn phần còn lại của khoản ủng hộ: còn lại 500.000 đ" in words(large)
    assert (
        treasury.post(f"/donations/{door}/refund", **(refund | {"amount_vnd": "200 000"})).status_code == 303
    )
    (payout,) = office.read(payouts_of, FUND)
    assert treasury.post(f"/payouts/{payout.id}/approval").status_code == 409
    assert treasury.post(f"/payouts/{payout.id}/approval", "thuquy2").status_code == 303
    assert office.standing.refund_due_vnd == 200_000


def test_a_pledge_is_taken_opened_fulfilled_and_cancelled(treasury, words):
    office = treasury.office
    pledge = {key: GIFT[key] for key in GIFT if key not in ("way", "day")}
    dates = {"made_on": "2020-05-01", "due_on": "2020-05-11"}
    early = treasury.post("/pledges", **(pledge | dates | {"due_on": "2020-04-30"}))
    assert 'id="due_on-wrong"' in early.get_data(as_text=True)
    assert treasury.post("/pledges", **(pledge | dates)).status_code == 303
    (taken,) = office.read(pledges_of, FUND)
    assert "Đang chờ 0 đ, quá hẹn 1.000.000 đ" in words(treasury.get("/pledges"))
    assert DONOR in words(treasury.get(f"/pledges/{taken.id}/donor"))
    assert opened(office) == [taken.id]
    treasury.post("/donations", **(GIFT | {"amount_vnd": "400000", "pledge_id": taken.id}))
    assert "quá hẹn 600.000 đ" in words(treasury.get("/pledges"))
    assert treasury.post(f"/pledges/{taken.id}/cancellation").status_code == 303
    again = treasury.post(f"/pledges/{taken.id}/cancellation")
    assert "Lời hứa này đã được huỷ" in words(again)


def test_cash_that_an_agent_brought_is_confirmed_once(treasury, words):
    office = treasury.office
    office.door_donation(CARD)
    entry = office.remit(CARD)
    assert "201.150 đ" in words(treasury.get("/remittances"))
    assert treasury.post(f"/remittances/{entry}").status_code == 303
    assert office.standing.office_cash_vnd == CARD
    again = treasury.post(f"/remittances/{entry}")
    assert "Lần nộp này đã được xác nhận" in words(again)
    carried = office.remit(1, destination="bank_account")
    refused = treasury.post(f"/remittances/{carried}")
    assert "Tiền này nộp vào tài khoản: sao kê sẽ xác nhận" in words(refused)


def test_a_donor_of_another_fund_is_not_opened(treasury):
    office = treasury.office
    donation_id = office.cash(CARD)
    client = treasury.browser()
    assert client.get(f"/treasury/{FUND + 1}/donations/{donation_id}/donor").status_code == 404
    missing = "00000000-0000-7000-8000-000000000000"
    assert client.get(f"/treasury/{FUND}/donations/{missing}/donor").status_code == 404
    assert opened(office) == []
