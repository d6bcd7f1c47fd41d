"""Cards proposed, approved, issued and returned, and money that leaves; and what each refuses."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from server.audit.queries import feed_rows
from server.funds.allocating import (
    approve_card,
    approve_cards,
    cancel_card,
    exclude_nomination,
    propose_card,
    propose_cards,
    reject_nomination,
    reopen_nomination,
)
from server.funds.giving import (
    take_transfer_donation,
)
from server.funds.issuing import issue_card, return_card
from server.funds.nominations import nominations_of
from server.funds.office_queries import (
    cards_ending,
)
from server.funds.payouts import approve_payout, cancel_payout, propose_premium, propose_refund
from server.funds.refusals import FundRefusal
from server.funds.rules import MatchKind, Stage
from server.money.queries import unbalanced_entries
from tests.support.fund_decisions import CARD, allocation, approved, issued, refusal
from tests.support.funds import COMMUNES, FUND, PROVINCE


def test_a_card_is_proposed_by_one_and_approved_by_another_at_the_price_of_the_day(any_office):
    office = any_office
    office.cash(1_000_000)
    found = office.act(propose_card, office.nominate())
    assert office.standing.reserved_vnd == {}
    assert refusal(office.act, approve_card, found) == FundRefusal.SECOND_PERSON_NEEDED
    office.second(approve_card, found)
    assert allocation(office, found).price_vnd == CARD
    standing = office.standing
    assert (standing.reserved_vnd, standing.free_vnd) == ({"any": CARD}, {"any": 1_000_000 - CARD})
    assert standing.cards["cards_committed"] == 1
    assert refusal(office.second, approve_card, found) == FundRefusal.STAGE_WRONG


def test_a_card_is_not_approved_beyond_what_may_be_spent(office):
    office.cash(CARD - 1)
    found = office.act(propose_card, office.nominate())
    assert refusal(office.second, approve_card, found) == FundRefusal.MONEY_SHORT
    office.cash(1)
    office.second(approve_card, found)


def test_cash_in_an_agents_hands_buys_no_card(office):
    office.door_donation(CARD)
    found = office.act(propose_card, office.nominate())
    assert refusal(office.second, approve_card, found) == FundRefusal.MONEY_SHORT


def test_the_pools_and_the_areas_money_goes_before_anybodys(office):
    for restriction in (None, ("area", PROVINCE), ("area", COMMUNES[0]), ("pool", "elderly")):
        office.cash(CARD, restriction)
    office.cash(CARD, ("area", COMMUNES[1]))
    office.cash(CARD, ("pool", "poor"))
    ids, refused = office.act(propose_cards, [office.nominate() for _ in range(5)])
    assert refused == []
    assert [allocation(office, one).bucket for one in ids] == [
        "pool:elderly",
        f"area:{COMMUNES[0]}",
        f"area:{PROVINCE}",
        "any",
        "any",
    ]
    # The last finds nothing; what is for another commune and another pool stays there.
    assert [each.code for each in office.second(approve_cards, ids)] == [FundRefusal.MONEY_SHORT]
    standing = office.standing
    assert standing.spendable_vnd["pool:poor"] == standing.spendable_vnd[f"area:{COMMUNES[1]}"] == CARD


def test_a_bounce_blocks_what_is_new_and_undoes_nothing(office):
    first = office.transfer(CARD)
    office.transfer(CARD)
    kept = approved(office)
    waiting = office.act(propose_card, office.nominate())
    office.line(-CARD, MatchKind.BOUNCE, first)
    assert office.standing.free_vnd == {"any": 0}
    assert refusal(office.second, approve_card, waiting) == FundRefusal.MONEY_SHORT
    assert allocation(office, kept).stage is Stage.APPROVED


def test_a_bucket_below_zero_takes_from_what_the_whole_fund_may_promise(office):
    bounced = office.transfer(CARD, ("pool", "elderly"))
    approved(office)
    office.cash(CARD + 10)
    waiting = office.act(propose_card, office.nominate())
    office.line(-CARD, MatchKind.BOUNCE, bounced)
    assert office.standing.free_vnd == {"pool:elderly": -CARD, "any": CARD + 10}
    assert refusal(office.second, approve_card, waiting) == FundRefusal.MONEY_SHORT


def test_a_cancelled_card_frees_its_money_and_its_nomination_waits_again(any_office):
    office = any_office
    office.cash(CARD)
    nomination = office.nominate()
    found = approved(office, nomination)
    office.act(cancel_card, found, "không liên lạc được")
    assert office.standing.spendable_vnd == {"any": CARD}
    assert office.standing.cards["cards_committed"] == 0
    assert refusal(office.act, cancel_card, found, "một lần nữa") == FundRefusal.STAGE_WRONG
    approved(office, nomination)


def records_of(office, scope, record_type="allocation"):
    rows = [json.loads(row) for row in office.read(feed_rows, scope, 0, 1000)]
    return {row["id"]: row["record"] for row in rows if row["type"] == record_type}


def test_an_allocation_reaches_the_commune_once_approved_and_leaves_it_when_cancelled(any_office):
    office, scope = any_office, f"area:{COMMUNES[0]}"
    office.cash(CARD)
    nomination = office.nominate()
    found = office.act(propose_card, nomination)
    assert records_of(office, scope) == {}
    office.second(approve_card, found)
    record = records_of(office, scope)[found]
    assert (record["stage"], record["pool"], record["valid_from"]) == ("approved", "elderly", None)
    office.act(cancel_card, found, "không liên lạc được")
    assert records_of(office, scope)[found] is None


def verdicts(office):
    views = office.read(nominations_of, FUND, office.day)
    return [view.verdict.code and view.verdict.code.value for view in views]


def test_the_same_person_under_two_records_is_nominated_once(any_office):
    office = any_office
    first = office.person(national_id_index="n1")
    second = office.person(national_id_index="n1", insurance_number_index="i2")
    third = office.person(insurance_number_index="i2")
    merged = office.person(cluster_id=first)
    # All four share a number, directly or through another one, or a cluster.
    for person in (first, second, third, merged, office.person()):
        office.nominate(person)
    assert verdicts(office)[:2] == [None, "nominated_before"]
    assert verdicts(office)[3:] == ["nominated_before", None]


@pytest.mark.parametrize("shared", ["cluster_id", "national_id_index", "insurance_number_index"])
def test_a_nomination_alone_is_held_against_the_persons_other_records(office, shared):
    """The other nomination is not asked about, and its record was not named by this one."""
    office.cash(CARD)
    same = {"cluster_id": "root", "national_id_index": "n1", "insurance_number_index": "i1"}
    office.nominate(office.person(**same))
    other = office.nominate(office.person(**{shared: same[shared]}))
    assert refusal(office.act, propose_card, other) == FundRefusal.NOT_ELIGIBLE


def test_a_person_with_a_card_coming_or_in_hand_is_excluded_with_the_reason(any_office):
    office = any_office
    office.cash(10 * CARD)
    person = office.person(national_id_index="n1")
    first = office.nominate(person)
    office.nominate(office.person(national_id_index="n1"))
    found = approved(office, first)
    assert verdicts(office) == [None, "allocated_before"]
    office.act(issue_card, found, "0123456789", office.day)
    assert verdicts(office) == [None, "holds_a_card"]
    office.runtime.clock.advance(days=100)
    assert verdicts(office) == [None, None]


def test_who_withdrew_consent_or_is_too_young_is_excluded(office):
    refused = json.dumps({"card_donation": ["withdrawn", 2, "x"]})
    office.nominate(office.person(consents=refused))
    office.nominate(office.person(consents=None))
    office.nominate(office.person(birth_date=date(1990, 1, 1)))
    office.nominate(evidence="poor_book")
    office.nominate("00000000-0000-7000-9000-ffffffffffff")
    assert verdicts(office) == [
        "consent_missing",
        "consent_missing",
        "too_young",
        "evidence_not_accepted",
        "person_unknown",
    ]
    views = office.read(nominations_of, FUND, office.day)
    code = office.act(exclude_nomination, views[2].nomination.entry_id)
    assert code == "too_young"


def test_a_nomination_is_rejected_and_opened_again_with_a_reason(office):
    office.cash(CARD)
    nomination = office.nominate()
    assert refusal(office.act, reject_nomination, nomination, " ") == FundRefusal.REASON_MISSING
    office.act(reject_nomination, nomination, "đã chuyển đi nơi khác")
    assert refusal(office.act, propose_card, nomination) == FundRefusal.NOMINATION_DECIDED
    office.act(reopen_nomination, nomination, "đã quay về")
    approved(office, nomination)


def test_the_agent_is_told_what_becomes_of_a_nomination(any_office):
    office = any_office
    office.cash(CARD)
    nomination = office.nominate()

    def state():
        record = records_of(office, "agent:an", "nomination")[nomination]
        return record["state"], record["code"]

    office.act(reject_nomination, nomination, "đã chuyển đi nơi khác")
    assert state() == ("rejected", "rejected")
    office.act(reopen_nomination, nomination, "đã quay về")
    assert state() == ("waiting", None)
    found = office.act(propose_card, nomination)
    assert state() == ("allocated", None)
    office.act(cancel_card, found, "không liên lạc được")
    assert state() == ("waiting", None)


def test_a_proposal_whose_beneficiary_withdrew_consent_since_is_not_approved(office):
    office.cash(CARD)
    person = office.person()
    found = office.act(propose_card, office.nominate(person))
    with office.runtime.transactions.writing() as connection:
        connection.execute(text("UPDATE person SET consents = NULL"))
    assert refusal(office.second, approve_card, found) == FundRefusal.NOT_ELIGIBLE


def test_an_issued_card_is_owed_to_the_insurer_and_its_number_is_sealed(any_office):
    office = any_office
    office.cash(CARD)
    found = issued(office)
    standing, card = office.standing, allocation(office, found)
    assert (standing.due_insurer_vnd, standing.reserved_vnd) == (CARD, {"any": 0})
    assert standing.cards == {
        "cards_committed": 0,
        "cards_issued": 1,
        "cards_handed": 0,
        "cards_returned": 0,
    }
    assert (card.valid_from, card.valid_to) == (date(2020, 5, 12), date(2020, 8, 11))
    with office.runtime.transactions.reading() as connection:
        assert "0123456789" not in connection.scalar(text("SELECT card_sealed FROM allocation"))
    record = records_of(office, f"area:{COMMUNES[0]}")[found]
    assert (record["stage"], record["valid_to"]) == ("issued", "2020-08-11")


def test_a_dearer_card_takes_the_difference_and_a_shortage_blocks_it(office):
    office.cash(CARD + 1000)
    found = approved(office)
    short = refusal(office.act, issue_card, found, "0123456789", office.day, price_vnd=CARD + 1001)
    assert short == FundRefusal.MONEY_SHORT
    office.act(issue_card, found, "0123456789", office.day, price_vnd=CARD + 1000)
    assert office.standing.due_insurer_vnd == CARD + 1000
    assert office.standing.spendable_vnd == {"any": 0}
    with office.runtime.transactions.reading() as connection:
        steps = connection.scalars(text("SELECT DISTINCT step FROM ledger_line ORDER BY step")).all()
    assert "price_difference" in steps


def test_a_cheaper_card_gives_the_difference_back(office):
    office.cash(CARD)
    issued(office, price_vnd=CARD - 150)
    assert office.standing.spendable_vnd == {"any": 150}


def test_a_card_that_reached_nobody_comes_back_and_stays_spent(any_office):
    office = any_office
    office.cash(2 * CARD)
    found = issued(office)
    office.act(return_card, found, "người nhận đã mất")
    standing = office.standing
    assert (standing.cards["cards_returned"], standing.cards["cards_issued"]) == (1, 0)
    assert standing.due_insurer_vnd == CARD
    handed = issued(office)
    office.hand_over(allocation(office, handed))
    assert refusal(office.act, return_card, handed, "nhầm thẻ") == FundRefusal.STAGE_WRONG


def test_cards_that_end_soon_are_listed(office):
    office.cash(2 * CARD)
    found = issued(office)
    issued(office, valid_to=office.day + timedelta(days=40))
    ending = office.read(cards_ending, office.day + timedelta(days=62), 30)
    assert [each.id for each in ending] == [found]


@pytest.mark.parametrize("number", ["", "123", "12345678901", "XX12345678901", "BH 1234567890 1234"])
def test_what_is_no_cards_number_is_refused(office, number):
    office.cash(CARD)
    found = approved(office)
    assert refusal(office.act, issue_card, found, number, office.day) == FundRefusal.CARD_NUMBER_INVALID


def test_the_insurer_is_paid_what_issued_cards_cost_when_another_person_approves(any_office):
    office = any_office
    office.transfer(5 * CARD)
    issued(office)
    issued(office, price_vnd=CARD + 50)
    payout = office.act(propose_premium, FUND)
    assert refusal(office.act, propose_premium, FUND) == FundRefusal.NOTHING_OWED
    assert refusal(office.act, approve_payout, payout) == FundRefusal.SECOND_PERSON_NEEDED
    office.second(approve_payout, payout)
    office.line(-(2 * CARD + 50), MatchKind.PREMIUM, payout)
    assert (office.standing.due_insurer_vnd, office.standing.bank_vnd) == (0, 3 * CARD - 50)
    assert refusal(office.act, cancel_payout, payout, "trả rồi") == FundRefusal.PAYOUT_PAID


def test_a_cancelled_premium_leaves_its_cards_owed(office):
    office.cash(CARD)
    issued(office)
    office.act(cancel_payout, office.act(propose_premium, FUND), "chờ hoá đơn")
    office.act(propose_premium, FUND)


def test_a_refund_is_no_more_than_what_is_left_of_the_donation(any_office):
    office = any_office
    donation = office.transfer(500_000)
    first = office.act(propose_refund, FUND, donation, 300_000, "người tặng đổi ý")
    too_much = refusal(office.act, propose_refund, FUND, donation, 200_001, "lần hai")
    assert too_much == FundRefusal.REFUND_TOO_LARGE
    office.second(approve_payout, first)
    assert (office.standing.refund_due_vnd, office.standing.free_vnd) == (300_000, {"any": 200_000})
    office.line(-300_000, MatchKind.REFUND, first)
    assert (office.standing.refund_due_vnd, office.standing.bank_vnd) == (0, 200_000)


def test_a_refund_takes_no_money_that_is_promised(office):
    donation = office.transfer(CARD)
    refund = office.act(propose_refund, FUND, donation, 1, "người tặng đổi ý")
    approved(office)
    assert refusal(office.second, approve_payout, refund) == FundRefusal.MONEY_SHORT


def test_a_cancelled_refund_is_free_again(office):
    donation = office.transfer(500_000)
    refund = office.act(propose_refund, FUND, donation, 300_000, "người tặng đổi ý")
    office.second(approve_payout, refund)
    office.act(cancel_payout, refund, "người tặng lại đổi ý")
    assert office.standing.spendable_vnd == {"any": 500_000}
    office.act(propose_refund, FUND, donation, 500_000, "người tặng đổi ý")


def test_what_bounced_or_never_came_is_not_refunded(office):
    bounced = office.transfer(1000)
    office.line(-1000, MatchKind.BOUNCE, bounced)
    assert refusal(office.act, propose_refund, FUND, bounced, 1, "hoàn lại") == FundRefusal.DONATION_BOUNCED
    waiting = office.act(take_transfer_donation, office.given(1000), office.day)
    assert refusal(office.act, propose_refund, FUND, waiting, 1, "hoàn lại") == FundRefusal.DONATION_NOT_HERE


def test_every_posting_of_these_decisions_is_balanced(office):
    office.door_donation(1000)
    office.cash(3 * CARD)
    office.hand_over(allocation(office, issued(office)))
    assert office.read(unbalanced_entries) == []
