"""Funds set up through the pages, and what they have to publish."""

from __future__ import annotations

import pytest

from server.funds.office_queries import fund_by_number
from tests.support.funds import FUND
from tests.support.staff import form_token

TYPED = {
    "number": "8",
    "name": "Thẻ cho học sinh",
    "name_en": "Cards for pupils",
    "purpose": "Mua thẻ bảo hiểm y tế tặng học sinh",
    "purpose_en": "Health-insurance cards for pupils",
    "target_cards": "1.500",
    "months": "12",
    "opens_on": "2020-05-12",
    "closes_on": "2020-06-30",
    "distribution_ended_on": "",
    "bank_bin": "970403",
    "bank_account": "0112345678",
    "bank_holder": "BAO HIEM XA HOI TINH",
}


def create(treasury, **changed):
    client = treasury.browser()
    token = form_token(client, "/treasury/new")
    return client.post("/treasury/new", data=TYPED | changed | {"csrf_token": token})


def test_a_fund_is_created_and_listed(treasury, words):
    assert create(treasury).headers["Location"] == "/treasury/8"
    assert treasury.office.read(fund_by_number, 8).target_cards == 1500
    assert "Thẻ cho học sinh" in words(treasury.browser().get("/treasury"))
    assert "Cards for pupils" in words(treasury.browser().get("/treasury?lang=en"))


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"number": str(FUND)}, "number", "Số quỹ này đã được dùng"),
        ({"number": "1000000"}, "number", "Số quỹ từ 1 đến 999.999"),
        ({"closes_on": "2020-05-01"}, "closes_on", "Ngày kết thúc trước ngày bắt đầu"),
        ({"bank_account": "1"}, "bank_account", "số tài khoản từ 4 đến 19 ký tự"),
        ({"name_en": ""}, "name_en", "Chưa điền ô này"),
        ({"purpose": "x" * 1001}, "purpose", "Nội dung quá dài"),
        ({"target_cards": "0"}, "target_cards", "Số tiền hoặc số lượng không hợp lệ"),
    ],
)
def test_a_fund_that_cannot_be_is_refused_at_its_field(treasury, words, changed, field, said):
    answer = create(treasury, **changed)
    assert answer.status_code in (409, 422)
    assert said in words(answer)
    page = answer.get_data(as_text=True)
    assert f'id="{field}-wrong"' in page
    assert 'value="Thẻ cho học sinh"' in page, "what was typed stays"
    assert treasury.office.read(fund_by_number, 8) is None


def test_a_fund_is_amended_and_may_be_sent_as_it_came(treasury, words):
    fields = {key: value for key, value in TYPED.items() if key != "number"}
    for _ in range(2):
        answer = treasury.post("/settings", **fields)
        assert answer.headers["Location"] == f"/treasury/{FUND}/settings?done=amended"
    assert treasury.office.read(fund_by_number, FUND).name == "Thẻ cho học sinh"
    refused = treasury.post("/settings", **(fields | {"distribution_ended_on": "2020-05-11"}))
    assert refused.status_code == 409
    assert "Ngày kết thúc trước ngày bắt đầu" in words(refused)


def test_what_was_published_is_taken_down_once(treasury, words):
    assert "Quá hạn" in words(treasury.get("/settings"))
    assert treasury.post("/publications", kind="call").status_code == 303
    assert "(trễ hạn)" in words(treasury.get("/settings"))
    assert "Nội dung này đã được công bố" in words(treasury.post("/publications", kind="call"))
    assert treasury.post("/publications", kind="poem").status_code == 422
