"""The overview says what the books say: sums by channel and class, agents' cash by age, promises, sources."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.dashboard.formats import number
from server.funds.giving import confirm_remittance, take_pledge
from server.funds.queries import cash_held, fund_standing
from server.funds.rules import CashTaken, MatchKind, held_by_agent, in_hands_by_bucket
from server.runtime import runtime_of
from server.treasury.overview import fund_page
from server.treasury.rules import (
    CashAge,
    PledgeState,
    Promise,
    cash_age,
    pledge_standings,
)
from tests.support.fund_decisions import CARD, approved, issued
from tests.support.funds import COMMUNES, FUND, a_fund_office
from tests.support.staff import an_account, an_app, log_in

HOUR_MS = 60 * 60 * 1000


def filled(office):
    """Let something happen in every way that the overview shows."""
    office.upper_ms = office.runtime.clock.now_ms() - 80 * HOUR_MS
    office.cash(10 * CARD)
    office.transfer(5 * CARD, ("area", COMMUNES[0]))
    office.door_donation(4 * CARD, worker="an")
    office.upper_ms = office.runtime.clock.now_ms() - 30 * HOUR_MS
    office.door_donation(2 * CARD, ("pool", "elderly"), worker="binh")
    matched = office.door_donation(3 * CARD, method="transfer")
    office.line(3 * CARD, MatchKind.DOOR_DONATION, matched)
    office.door_donation(CARD, method="transfer")
    office.line(777)
    office.act(confirm_remittance, office.remit(CARD, worker="an"))
    office.remit(CARD, worker="binh")
    office.act(take_pledge, office.given(9 * CARD), office.day - timedelta(days=9), office.day)
    office.act(
        take_pledge, office.given(8 * CARD), office.day - timedelta(days=9), office.day - timedelta(days=1)
    )
    approved(office)
    issued(office)


def page_of(office):
    runtime = office.runtime
    return office.read(fund_page, FUND, runtime.clock.now_ms(), runtime.config.time_zone)


def test_the_overview_is_the_funds_standing(treasury):
    office = treasury.office
    filled(office)
    page, standing = page_of(office), office.read(fund_standing, FUND)
    assert page.glance.standing == standing
    assert (
        page.received_vnd - page.bounced_vnd - page.refunded_vnd
        == sum(standing.free_vnd.values()) + sum(standing.reserved_vnd.values()) + standing.due_insurer_vnd
    ), "what came in is free, reserved or spent"
    assert {each.channel: each.total_vnd for each in page.came_in} == {
        "door_cash": 6 * CARD,
        "door_transfer": 3 * CARD,
        "office_cash": 10 * CARD,
        "transfer": 5 * CARD,
    }
    assert {each.bucket: each.spendable_vnd for each in page.buckets if each.spendable_vnd} == {
        bucket: amount for bucket, amount in standing.spendable_vnd.items() if amount
    }
    assert page.glance.in_hands_vnd == sum(standing.in_hands_vnd.values()) == 5 * CARD
    assert [(each.worker_id, each.amount_vnd, each.age) for each in page.holders] == [
        ("an", 3 * CARD, CashAge.LATE),
        ("binh", 2 * CARD, CashAge.DUE),
    ]
    assert page.claimed_vnd == CARD
    assert page.unmatched == (1, 777, 0)
    assert (page.glance.promised.open_vnd, page.glance.promised.overdue_vnd) == (9 * CARD, 8 * CARD)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "vi",
            ["Quá hạn công bố: Lời kêu gọi và tài khoản nhận", "■ Quá lâu", "▲ Cần nộp", "Cán bộ, viên chức"],
        ),
        (
            "en",
            ["Overdue for publication: The call and the account", "■ Too long", "▲ To be carried", "Staff"],
        ),
    ],
)
def test_the_page_says_the_same_sums_in_words_of_both_languages(treasury, words, lang, said):
    filled(treasury.office)
    page, standing = words(treasury.get("", lang=lang)), treasury.office.standing
    for amount in (
        standing.bank_vnd,
        standing.office_cash_vnd,
        standing.due_insurer_vnd,
        standing.unidentified_vnd,
        sum(standing.reserved_vnd.values()),
        sum(standing.in_hands_vnd.values()),
    ):
        assert f"{number(amount, lang)} đ" in page
    for text in said:
        assert text in page
    everything = words(treasury.browser().get("/treasury"))
    assert f"{number(sum(standing.in_hands_vnd.values()), lang)} đ" in everything


def test_what_bounced_came_in_and_went_again(treasury):
    office = treasury.office
    donation_id = office.transfer(5 * CARD)
    office.line(-5 * CARD, MatchKind.BOUNCE, donation_id)
    page = page_of(office)
    assert (page.received_vnd, page.bounced_vnd, page.glance.spendable_vnd) == (5 * CARD, 5 * CARD, 0)


def test_the_statement_is_linked_once_some_part_makes_it(sqlite_url, clock):
    with an_app(sqlite_url, clock) as app:
        a_fund_office(runtime_of(app))
        an_account(runtime_of(app), "ba", "treasurer")
        is_made = bool({"treasury.statement", "fund_statements.page"} & app.view_functions.keys())
        client = app.test_client()
        log_in(client)
        page = client.get(f"/treasury/{FUND}").get_data(as_text=True)
        assert ("Sao kê quỹ" in page) is is_made


@pytest.mark.parametrize(
    ("hours", "age"), [(0, "fresh"), (24, "fresh"), (25, "due"), (72, "due"), (73, "late")]
)
def test_cash_ages_by_the_hour(hours, age):
    assert cash_age(0, hours * HOUR_MS) == age


def test_what_agents_hold_adds_up_to_what_the_buckets_miss():
    taken = [
        CashTaken("1", "an", "any", 5, 10),
        CashTaken("2", "an", "pool:poor", 7, 20),
        CashTaken("3", "binh", "any", 2, 5),
    ]
    held = held_by_agent(taken, {"an": 6, "binh": 2})
    assert [(each.worker_id, each.amount_vnd, each.oldest_ms) for each in held] == [("an", 6, 20)]
    buckets = in_hands_by_bucket(taken, {"an": 6, "binh": 2})
    assert sum(buckets.values()) == sum(each.amount_vnd for each in held)


def test_a_promise_is_open_then_overdue_then_kept():
    today = date(2020, 5, 12)

    def state(**changed):
        promise = {"id": "p", "amount_vnd": 100, "due_on": today, "is_cancelled": False} | changed
        return lambda brought: pledge_standings([Promise(**promise)], {"p": brought}, today)[0]

    assert (state()(40).state, state()(40).awaited_vnd) == (PledgeState.OPEN, 60)
    assert state(due_on=today - timedelta(days=1))(40).state is PledgeState.OVERDUE
    assert state(due_on=None)(0).state is PledgeState.OPEN
    assert (state()(130).state, state()(130).awaited_vnd) == (PledgeState.KEPT, 0)
    assert state(is_cancelled=True)(40).awaited_vnd == 0


def test_nobody_holds_money_that_was_confirmed(treasury):
    office = treasury.office
    office.door_donation(CARD)
    office.act(confirm_remittance, office.remit(CARD))
    assert office.read(cash_held, FUND) == []
