"""Funds set up, money promised and given at the office, and its receipts; and what each refuses."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from schemas.receipt_token import ReceiptKind, parse_receipt, payment_digest
from schemas.signatures import from_base64url
from server.audit.queries import feed_rows
from server.funds.giving import (
    cancel_pledge,
    confirm_remittance,
    correct_donation,
    reverse_donation,
    take_cash_donation,
    take_pledge,
    take_transfer_donation,
)
from server.funds.office_queries import (
    office_donation_by_id,
    pledges_fulfilled,
    pool_rules,
    pools,
    publications_of,
)
from server.funds.office_receipts import donation_facts, issue_donation_receipt
from server.funds.publications import PublicationKind
from server.funds.refusals import FundRefusal
from server.funds.rules import MatchKind
from server.funds.setting_up import (
    amend_fund,
    create_fund,
    define_pool,
    end_distribution,
    mark_published,
    seed_pools,
    set_rule,
)
from server.receipts.queries import office_receipts_of, receipt_shown
from server.receipts.rules import Standing
from tests.support.fund_decisions import refusal
from tests.support.funds import COMMUNES, FUND, a_fund


def test_a_fund_and_its_pools_reach_every_tablet(any_office):
    rows = [json.loads(row) for row in any_office.read(feed_rows, "office", 0, 1000)]
    records = {(row["type"], row["id"]): row["record"] for row in rows}
    assert records["fund", str(FUND)] == {
        "number": FUND,
        "name": "Tặng thẻ BHYT – Chia sẻ yêu thương",
        "name_en": "Cards for those in need",
        "opens_on": "2020-05-01",
        "closes_on": "2020-05-20",
    }
    assert records["pool", "poor"] == {"code": "poor", "name": "Hộ nghèo", "name_en": "Poor households"}


def test_a_fund_is_set_up_once_and_amended_after(office):
    assert (
        refusal(office.change, lambda change: create_fund(change, FUND, a_fund())) == FundRefusal.FUND_EXISTS
    )
    office.change(lambda change: amend_fund(change, FUND, a_fund(target_cards=3000)))
    rows = "SELECT target_cards FROM fund"
    with office.runtime.transactions.reading() as connection:
        assert connection.scalar(text(rows)) == 3000


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": " "}, FundRefusal.TEXT_INVALID),
        ({"months": 4}, FundRefusal.MONTHS_INVALID),
        ({"target_cards": 0}, FundRefusal.AMOUNT_INVALID),
        ({"bank_bin": "97040"}, FundRefusal.ACCOUNT_INVALID),
        ({"closes_on": date(2020, 4, 30)}, FundRefusal.DAYS_INVALID),
    ],
)
def test_what_makes_no_fund_is_refused(office, changed, code):
    assert refusal(office.change, lambda change: create_fund(change, 8, a_fund(**changed))) == code


def test_pools_come_with_assumed_dated_rules_that_are_not_overwritten(office):
    rules = office.read(pool_rules)
    assert {each.pool for each in rules} == {
        "returned_workers",
        "lost_subsidy",
        "poor",
        "near_poor",
        "elderly",
    }
    assert all(each.is_assumption and each.source for each in rules)
    office.change(lambda change: define_pool(change, "poor", "Hộ nghèo của xã", "Poor"))
    assert office.change(seed_pools) == []
    assert {each.code: each.name for each in office.read(pools)}["poor"] == "Hộ nghèo của xã"


def test_a_rule_of_a_later_day_leaves_the_earlier_one(office):
    terms = {"evidence": ["poor_book"], "age_from": 18}
    day = date(2020, 7, 1)

    def work(change):
        set_rule(change, "poor", day, terms, "Quyết định của quỹ", is_assumption=False)

    office.change(work)
    found = [each for each in office.read(pool_rules) if each.pool == "poor"]
    assert [(each.valid_from.year, each.conditions.age_from) for each in found] == [(2020, None), (2020, 18)]

    def malformed(change):
        set_rule(change, "poor", day, {"evidence": ["x"]}, "Quyết định", is_assumption=False)

    assert refusal(office.change, malformed) == FundRefusal.RULE_MALFORMED


def test_a_publication_is_marked_once(office):
    office.change(lambda change: mark_published(change, FUND, PublicationKind.CALL))
    again = lambda change: mark_published(change, FUND, PublicationKind.CALL)  # noqa: E731
    assert refusal(office.change, again) == FundRefusal.PUBLISHED_ALREADY
    assert set(office.read(publications_of, FUND)) == {"call"}


def test_a_distribution_ends_no_later_than_today(office):
    tomorrow = office.day + timedelta(days=1)
    assert refusal(office.act, end_distribution, FUND, tomorrow) == FundRefusal.DAY_IN_FUTURE
    office.act(end_distribution, FUND, office.day)


def test_a_pledge_is_no_money_and_is_fulfilled_by_the_donations_that_name_it(any_office):
    office = any_office
    pledge = office.act(take_pledge, office.given(900_000), office.day)
    assert office.standing.free_vnd == {}
    office.cash(100_000, pledge_id=pledge)
    waiting = office.act(take_transfer_donation, office.given(200_000, pledge_id=pledge), office.day)
    assert office.read(pledges_fulfilled, FUND) == {pledge: 100_000}
    office.line(200_000, MatchKind.OFFICE_DONATION, waiting)
    office.door_donation(50_000, pledge_id=pledge)
    office.door_donation(70_000, method="transfer", pledge_id=pledge)
    assert office.read(pledges_fulfilled, FUND) == {pledge: 350_000}
    office.change(lambda change: cancel_pledge(change, pledge))
    assert (
        refusal(office.change, lambda change: cancel_pledge(change, pledge)) == FundRefusal.PLEDGE_CANCELLED
    )


def test_cash_at_the_office_may_be_spent_at_once_from_its_bucket_alone(any_office):
    any_office.cash(300_000, ("area", COMMUNES[1]))
    any_office.cash(200_000)
    standing = any_office.standing
    assert standing.office_cash_vnd == 500_000
    assert standing.spendable_vnd == {f"area:{COMMUNES[1]}": 300_000, "any": 200_000}


def test_a_transfer_is_money_and_has_a_receipt_once_a_line_shows_it(office):
    donation = office.act(take_transfer_donation, office.given(500_000), office.day)
    assert office.standing.free_vnd == {}
    assert refusal(office.act, issue_donation_receipt, donation) == FundRefusal.DONATION_NOT_HERE
    office.line(500_000, MatchKind.OFFICE_DONATION, donation)
    assert office.standing.spendable_vnd == {"any": 500_000}
    assert office.act(issue_donation_receipt, donation).counter == 1
    assert refusal(office.act, issue_donation_receipt, donation) == FundRefusal.RECEIPT_GIVEN


@pytest.mark.parametrize(
    ("restriction", "code"),
    [(("area", "no such area"), FundRefusal.AREA_UNKNOWN), (("pool", "rich"), FundRefusal.POOL_UNKNOWN)],
)
def test_money_is_restricted_to_what_exists(office, restriction, code):
    assert refusal(office.cash, 1000, restriction) == code


def test_a_donors_name_is_sealed_and_an_anonymous_donor_has_none(office):
    donation = office.cash(1000)
    row = office.read(office_donation_by_id, donation)
    assert "Mẫu" not in row.sealed
    opened = office.desk.sealer.open(from_base64url(row.sealed), "office_donation.sealed", donation)
    assert json.loads(opened)["name"] == "Công ty TNHH Mẫu"


def test_a_correction_reverses_the_row_and_takes_a_new_one(any_office):
    office = any_office
    wrong = office.cash(1_000_000)
    right = office.act(
        correct_donation, wrong, office.given(100_000, ("pool", "poor")), office.day, "gõ thừa một số 0"
    )
    assert office.standing.free_vnd == {"any": 0, "pool:poor": 100_000}
    assert office.read(office_donation_by_id, wrong).reversed_by == right
    assert office.read(office_donation_by_id, wrong).amount_vnd == 1_000_000
    again = refusal(office.act, reverse_donation, wrong, "đảo lần nữa")
    assert again == FundRefusal.DONATION_REVERSED


def test_what_a_line_shows_is_not_corrected_before_the_match_is_undone(office):
    donation = office.transfer(500_000)
    assert refusal(office.act, reverse_donation, donation, "nhầm quỹ") == FundRefusal.DONATION_MATCHED


def test_a_remittance_to_the_office_is_confirmed_once(any_office):
    office = any_office
    office.door_donation(300_000, ("pool", "poor"))
    assert office.standing.spendable_vnd == {"pool:poor": 0}
    entry = office.remit(300_000)
    assert office.standing.in_transit_vnd == 300_000
    assert office.standing.spendable_vnd == {"pool:poor": 0}
    office.act(confirm_remittance, entry)
    standing = office.standing
    assert (standing.in_transit_vnd, standing.office_cash_vnd) == (0, 300_000)
    assert standing.spendable_vnd == {"pool:poor": 300_000}
    assert refusal(office.act, confirm_remittance, entry) == FundRefusal.REMITTANCE_ARRIVED
    to_bank = office.remit(1000, destination="bank_account")
    assert refusal(office.act, confirm_remittance, to_bank) == FundRefusal.REMITTANCE_TO_ACCOUNT


def shown(office, token):
    config = office.runtime.config
    return office.read(receipt_shown, token, config.office_key.public, config.time_zone)


def test_a_receipt_of_the_office_is_found_by_anybody_and_covers_the_donations_facts(any_office):
    office = any_office
    donation, receipt = office.act(take_cash_donation, office.given(500_000), office.day)
    found = shown(office, receipt.token)
    assert (found.standing, found.number) == (Standing.RECONCILED, "20-00000-00000001")
    content = parse_receipt(receipt.token).content
    assert (content.installation, content.kind, content.campaign) == (0, ReceiptKind.DONATION, FUND)
    with office.runtime.transactions.reading() as connection:
        salt = connection.scalar(text("SELECT salt FROM office_receipt"))
    facts = donation_facts(office.read(office_donation_by_id, donation))
    assert content.digest == payment_digest(from_base64url(salt), facts)
    assert "Mẫu" not in facts


def test_receipts_of_the_office_are_numbered_without_a_gap_and_linked(office):
    tokens = [office.act(take_cash_donation, office.given(1000 * n), office.day)[1].token for n in (1, 2, 3)]
    assert refusal(office.cash, 0) == FundRefusal.AMOUNT_INVALID
    tokens.append(office.act(take_cash_donation, office.given(4000), office.day)[1].token)
    contents = [parse_receipt(token).content for token in tokens]
    assert [content.counter for content in contents] == [1, 2, 3, 4]
    assert len({content.link for content in contents}) == 4


def test_a_corrected_donations_receipt_is_replaced_and_a_reversed_ones_voided(office):
    wrong, first = office.act(take_cash_donation, office.given(500_000), office.day)
    right = office.act(correct_donation, wrong, office.given(50_000), office.day, "gõ nhầm số tiền")
    [second] = office.read(office_receipts_of, [right])[right]
    assert (second.kind, second.refers) == (ReceiptKind.CORRECTION, first.counter)
    assert shown(office, first.token).standing is Standing.REPLACED
    assert shown(office, second.token).standing is Standing.RECONCILED
    assert shown(office, first.token).related_number == "20-00000-00000002"
    office.act(reverse_donation, right, "khách lấy lại tiền ngay")
    [_, void] = office.read(office_receipts_of, [right])[right]
    assert shown(office, second.token).standing is Standing.VOIDED
    told = shown(office, void.token)
    assert (told.standing, told.related_number) == (Standing.RECONCILED, "20-00000-00000002")
