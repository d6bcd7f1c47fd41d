"""Cards and payouts through the pages: one proposes, another approves, and every refusal says why."""

from __future__ import annotations

import pytest

from server.funds.allocating import propose_card
from server.funds.office_queries import allocations_of, payouts_of
from server.funds.rules import Stage
from tests.support.fund_decisions import CARD, allocation, approved, issued
from tests.support.funds import FUND
from tests.support.staff import form_token


def stages(office):
    return [each.stage for each in office.read(allocations_of, FUND)]


def test_one_treasurer_proposes_and_another_approves(treasury, words):
    office = treasury.office
    office.cash(5 * CARD)
    chosen = [office.nominate(), office.nominate()]
    assert words(treasury.get("/nominations")).count("✓ Đủ điều kiện") == 2
    answer = treasury.post("/nominations", step="propose", chosen=chosen)
    assert answer.headers["Location"] == f"/treasury/{FUND}/cards?done=propose"
    assert stages(office) == [Stage.PROPOSED] * 2
    cards = [each.id for each in office.read(allocations_of, FUND)]
    own = treasury.post("/cards", chosen=cards)
    assert own.status_code == 409
    assert "Người khác phải duyệt, không phải người đề xuất (2)" in words(own)
    assert stages(office) == [Stage.PROPOSED] * 2
    assert treasury.post("/cards", "thuquy2", chosen=cards).status_code == 303
    assert stages(office) == [Stage.APPROVED] * 2
    assert sum(office.standing.reserved_vnd.values()) == 2 * CARD


@pytest.mark.parametrize(
    ("lang", "said"),
    [("vi", "Nguồn tiền này không đủ: còn thiếu 201.150 đ"), ("en", "short by 201,150 VND")],
)
def test_a_batch_is_approved_as_far_as_money_goes_and_says_the_rest(treasury, words, lang, said):
    office = treasury.office
    office.cash(CARD)
    cards = [office.act(propose_card, office.nominate()) for _ in range(2)]
    answer = treasury.browser("thuquy2").get(f"/treasury?lang={lang}")
    answer = treasury.post("/cards", "thuquy2", chosen=cards)
    assert answer.status_code == 409
    assert said in words(answer)
    assert sorted(stages(office)) == sorted([Stage.APPROVED, Stage.PROPOSED])
    assert f'value="{cards[1]}"' in answer.get_data(as_text=True), "what is left can be tried again"


def test_nothing_ticked_is_said(treasury, words):
    for path in ("/cards", "/nominations"):
        answer = treasury.post(path, step="propose")
        assert answer.status_code == 422
        assert "Chưa chọn dòng nào" in words(answer)


def test_a_nomination_is_excluded_by_its_verdict_rejected_with_a_reason_and_reopened(treasury, words):
    office = treasury.office
    person = office.person()
    first, second = office.nominate(person), office.nominate(person)
    assert "■ Đã được đề cử trước đó" in words(treasury.get("/nominations"))
    assert treasury.post("/nominations", step="exclude", chosen=[second]).status_code == 303
    assert "Đã được đề cử trước đó" in words(treasury.get("/nominations", standing="excluded"))
    short = treasury.post("/nominations", step="reject", chosen=[first], reason="vì")
    assert short.status_code == 409
    assert 'aria-describedby="reason-wrong"' in short.get_data(as_text=True)
    assert 'value="vì"' in short.get_data(as_text=True)
    reason = "Gia đình đã chuyển đi"
    assert treasury.post("/nominations", step="reject", chosen=[first], reason=reason).status_code == 303
    assert f"“{reason}”" in words(treasury.get("/nominations", standing="rejected"))
    assert treasury.post("/nominations", step="reopen", chosen=[first], reason=reason).status_code == 303
    assert treasury.post("/nominations", step="nothing", chosen=[first]).status_code == 422
    refused = treasury.post("/nominations", step="propose", chosen=[second])
    assert "Đề cử này đã được quyết định: Không đủ điều kiện" in words(refused)


def test_a_card_is_issued_at_the_days_price_and_returned(treasury, words):
    office = treasury.office
    office.cash(5 * CARD)
    card = approved(office)
    wrong = treasury.post(f"/cards/{card}/issue", card_number="12", valid_from="2020-06-01")
    assert wrong.status_code == 409
    page = wrong.get_data(as_text=True)
    assert 'value="12" required aria-invalid="true"' in page
    assert 'value="2020-06-01"' in page
    bad_day = treasury.post(f"/cards/{card}/issue", card_number="0123456789", valid_from="9999-12-31")
    assert (bad_day.status_code, allocation(office, card).stage) == (422, Stage.APPROVED)
    sent = treasury.post(f"/cards/{card}/issue", card_number="GD 4 82 0123456789", valid_from="2020-06-01")
    assert sent.status_code == 303
    assert allocation(office, card).issued_price_vnd == CARD
    shown = words(treasury.get(f"/cards/{card}"))
    assert "1/6/2020" in shown or "01/06/2020 – 31/08/2020" in shown
    assert "0123456789" not in shown, "a card's number stays sealed"
    assert treasury.post(f"/cards/{card}/return", reason="Người nhận đã mất").status_code == 303
    assert allocation(office, card).stage is Stage.RETURNED
    late = treasury.post(f"/cards/{card}/cancellation", reason="Thử huỷ lần nữa")
    assert "Thẻ không ở bước cho phép việc này: Trả lại" in words(late)


def test_a_card_is_cancelled_with_a_reason(treasury):
    office = treasury.office
    office.cash(CARD)
    card = approved(office)
    assert treasury.post(f"/cards/{card}/cancellation", reason="Đã có thẻ khác").status_code == 303
    assert allocation(office, card).stage is Stage.CANCELLED
    assert sum(office.standing.reserved_vnd.values()) == 0


def test_premiums_need_two_people_and_a_cancelled_payout_frees_its_cards(treasury, words):
    office = treasury.office
    office.cash(5 * CARD)
    issued(office)
    assert treasury.post("/payouts").status_code == 303
    (payout,) = office.read(payouts_of, FUND)
    own = treasury.post(f"/payouts/{payout.id}/approval")
    assert own.status_code == 409
    assert "Người khác phải duyệt, không phải người đề xuất" in words(own)
    again = treasury.post("/payouts")
    assert "Không còn thẻ nào phải trả" in words(again)
    assert treasury.post(f"/payouts/{payout.id}/approval", "thuquy2").status_code == 303
    assert "Đã duyệt, chờ sao kê" in words(treasury.get("/payouts"))
    short = treasury.post(f"/payouts/{payout.id}/cancellation", reason="sai")
    assert 'value="sai"' in short.get_data(as_text=True)
    assert treasury.post(f"/payouts/{payout.id}/cancellation", reason="Sai số tiền").status_code == 303
    assert treasury.post("/payouts").status_code == 303


def test_what_belongs_to_another_fund_is_not_decided_from_here(treasury):
    office = treasury.office
    office.cash(2 * CARD)
    card = approved(office)
    client = treasury.browser()
    token = {"csrf_token": form_token(client, "/treasury/new")}
    other = f"/treasury/{FUND + 1}"
    for path in (f"/cards/{card}/cancellation", f"/payouts/{card}/approval", f"/pledges/{card}/cancellation"):
        assert client.post(other + path, data=token | {"reason": "Thử quỹ khác"}).status_code == 404
    assert allocation(office, card).stage is Stage.APPROVED


def test_an_auditor_sees_and_decides_nothing(treasury):
    office = treasury.office
    office.cash(2 * CARD)
    office.nominate()
    for path in ("", "/nominations", "/cards", "/payouts", "/donations", "/settings"):
        page = treasury.get(path, "kiemtoan")
        assert page.status_code == 200
        assert '<form method="post" action="/treasury' not in page.get_data(as_text=True)
        assert 'class="panel' not in page.get_data(as_text=True)
    assert treasury.browser("kiemtoan").get("/treasury/new").status_code == 403
