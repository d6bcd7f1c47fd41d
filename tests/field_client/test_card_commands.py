"""The commands about donated cards, as an agent types them."""

from __future__ import annotations

import pytest

from tests.field_client.conftest import AREA
from tests.field_client.test_cli import enrol, run, saved_id  # noqa: F401 - `run` is a fixture

ALLOCATION = "5d1f3c52-0000-4000-8000-0000000000f2"
NATIONAL_ID = "999188000001"
CARD = f"{NATIONAL_ID}|999000001|Lê Thị Bé|01011970|Nữ|ấp 1|01012021"
DONATION = ("donate", "12", "500000", "--area", AREA)


@pytest.fixture
def office(field, run):  # noqa: F811
    """An enrolled device that knows a fund, a pool, a person and a card for them."""
    enrol(field, run)
    person = saved_id(run("person", "--full-name", "Lê Thị Bé", "--area", AREA, "--national-id", NATIONAL_ID))
    fund = {"number": 12, "name": "Chia sẻ yêu thương", "name_en": "Sharing love"}
    days = {"opens_on": "2020-01-01", "closes_on": None}
    pool = {"code": "near_poor", "name": "Hộ cận nghèo", "name_en": "Near-poor households"}
    allocation = {"person": person, "fund": 12, "pool": "near_poor", "months": 6, "stage": "issued"}
    valid = {"valid_from": "2020-06-01", "valid_to": "2020-11-30"}
    field.server.granted |= {"office", f"area:{AREA}"}
    field.server.put("office", "fund", "12", fund | days)
    field.server.put("office", "pool", "near_poor", pool)
    field.server.put(f"area:{AREA}", "allocation", ALLOCATION, allocation | valid)
    run("sync")
    return person


def test_a_donation_is_taken_with_its_receipt_and_voided(office, run):  # noqa: F811
    taken = run(*DONATION, "--from", "company", "--donor-name", "Công ty Thử", "--for-pool", "near_poor")
    assert "Đã nhận ủng hộ 500.000 đ · Chia sẻ yêu thương · biên lai 20-04807-00000001" in taken
    assert "https://tn.example/r/1" in taken
    assert "500.000 đ" in run("receipt", "1")
    assert "company" in run("list", "donation")
    assert "20-04807-00000002" in run("void", "1", "--reason", "nhầm quỹ")
    assert "Sharing love" in run(*DONATION, "--from", "anonymous", "--already-taken", lang="en")


def test_a_donation_that_cannot_be_right_is_refused_before_its_receipt(office, run):  # noqa: F811
    assert "--donor-name" in run(*DONATION, expect=1)
    assert "--for-area" in run(*DONATION, "--for-area", AREA, "--for-pool", "near_poor", expect=1)
    unknown = ("donate", "13", "500000", "--area", AREA, "--from", "anonymous")
    assert "Không tìm thấy quỹ số 13" in run(*unknown, expect=1)
    assert "nhóm hoàn cảnh rich" in run(*DONATION, "--from", "anonymous", "--for-pool", "rich", expect=1)
    named = run(*DONATION, "--from", "anonymous", "--donor-name", "Ông Thử", expect=1)
    assert "(donor)" in named
    assert "Ông Thử" not in named
    assert run("list", "receipt") == ""
    # The office may have set it up since: money that was taken is always recorded.
    assert "quỹ số 13" in run(*unknown, "--already-taken")


def test_a_reached_cap_closes_the_form_of_a_donation_too(office, run):  # noqa: F811
    """[T12] Cash already taken can always be recorded."""
    for _ in range(2):
        run(*DONATION, "--from", "anonymous")
    assert "hạn mức ngoại tuyến" in run(*DONATION, "--from", "anonymous", expect=1)
    run(*DONATION, "--from", "anonymous", "--already-taken")


def test_cash_of_a_fund_is_carried_and_the_record_of_it_voided(office, run):  # noqa: F811
    remitted = saved_id(run("remit", "12", "500000", "--to", "bank_account", "--reference", "FT1"))
    assert "FT1" in run("list", "remittance")
    saved_id(run("void", remitted[-8:], "--reason", "nhầm số"))


def test_a_nomination_needs_a_consent_which_can_be_given_with_it(office, run):  # noqa: F811
    named = ("nominate", office[-8:], "--fund", "12", "--pool", "near_poor", "--evidence", "near_poor_book")
    assert "--consent" in run(*named, expect=1)
    assert "consent_recorded" not in run("list", "nomination")
    # A nomination that is refused leaves no consent behind.
    assert "member" in run(*named, "--consent", "spoken", "--member", "61", expect=1)
    assert "--consent" in run(*named, expect=1)
    saved_id(run(*named, "--consent", "spoken"))
    saved_id(run(*named))
    assert run("list", "nomination").count("near_poor_book") == 2
    assert "quỹ số 13" in run(*named[:2], "--fund", "13", *named[4:], expect=1)


def test_the_cards_that_wait_are_listed_and_handed_over_with_proof(office, run):  # noqa: F811
    shown = run("cards")
    assert "Thẻ chờ trao: 1" in shown
    assert "Lê Thị Bé · đã cấp · 6 tháng · hạn 2020-06-01 – 2020-11-30 · Chia sẻ yêu thương" in shown
    assert ALLOCATION in shown
    assert "Cards to hand over: 1" in run("cards", lang="en")
    hand_over = ("hand-over", ALLOCATION[-8:])
    assert "--witness" in run(*hand_over, expect=1)
    assert "--witness" in run(*hand_over, "--id-card", CARD, "--witness", "Ông Thử", expect=1)
    other = run(*hand_over, "--id-card", "999188000002", expect=1)
    assert "Số CCCD không khớp" in other
    assert "999188000002" not in other
    saved_id(run(*hand_over, "--id-card", CARD))
    assert "Không có thẻ nào chờ trao" in run("cards")
    assert "đã trao" in run(*hand_over, "--witness", "Ông Thử", expect=1)
    saved_id(run(*hand_over, "--witness", "Ông Thử", "--witness-phone", "99900000004", "--anyway"))


def test_the_number_of_a_card_is_compared_with_what_a_tablet_may_see(field, office, run):  # noqa: F811
    record = {"area": AREA, "household": None, "full_name": "Lê Thị Bé", "national_id": "••••••••0001"}
    more = {"last_entry": office, "merged_into": None}
    field.server.put(f"area:{AREA}", "person", office, record | more)
    run("sync")
    hand_over = ("hand-over", ALLOCATION[-8:])
    assert "không khớp" in run(*hand_over, "--id-card", "999188000002", expect=1)
    saved_id(run(*hand_over, "--id-card", CARD))
