"""A fund's ledger against its rows: equal after every decision, and every difference named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from server.audit.changes import Actor
from server.funds import allocating
from server.funds.allocating import approve_card, cancel_card, propose_card
from server.funds.books import post_missing
from server.funds.giving import confirm_remittance, correct_donation, reverse_donation, take_cash_donation
from server.funds.issuing import issue_card, return_card
from server.funds.payouts import approve_payout, cancel_payout, propose_premium, propose_refund
from server.funds.refusals import FundRefusal, FundRefusedError
from server.funds.rules import MatchKind, Stage
from server.funds.setting_up import create_fund
from server.funds.verification import fund_differences
from server.receipts import office_signing
from tests.support.fund_decisions import CARD, allocation, approved, issued
from tests.support.funds import COMMUNES, FUND, FundOffice, a_fund


def differences(office: FundOffice) -> list[str]:
    return [str(each) for each in office.read(fund_differences, office.runtime.config.time_zone)]


def a_busy_fund(office: FundOffice) -> None:
    """Let everything happen to a fund that can."""
    office.door_donation(300_000, ("pool", "elderly"))
    gone = office.door_donation(40_000)
    office.void_donation(gone)
    claimed = office.door_donation(250_000, ("area", COMMUNES[0]), method="transfer")
    office.act(confirm_remittance, office.remit(200_000))
    office.line(100_000, MatchKind.REMITTANCE, office.remit(100_000, destination="bank_account"))
    office.line(250_000, MatchKind.DOOR_DONATION, claimed)
    given = office.transfer(5_000_000)
    office.line(150_000, MatchKind.DEPOSIT)
    office.line(77_000)
    office.undo(office.line(33_000, MatchKind.DOOR_DONATION, office.door_donation(33_000, method="transfer")))
    wrong = office.cash(700_000)
    right = office.act(correct_donation, wrong, office.given(70_000), office.day, "gõ nhầm số tiền")
    office.act(reverse_donation, right, "không có khoản này")
    bounced = office.transfer(60_000)
    office.line(-60_000, MatchKind.BOUNCE, bounced)
    office.act(cancel_card, approved(office), "không liên lạc được")
    office.act(return_card, issued(office, price_vnd=CARD + 9), "người nhận đã mất")
    office.hand_over(allocation(office, issued(office, price_vnd=CARD - 9)))
    office.hand_over(allocation(office, issued(office)))
    premium = office.act(propose_premium, FUND)
    office.second(approve_payout, premium)
    office.line(-3 * CARD, MatchKind.PREMIUM, premium)
    refund = office.act(propose_refund, FUND, given, 1000, "người tặng đổi ý")
    office.second(approve_payout, refund)
    office.act(cancel_payout, refund, "người tặng lại đổi ý")
    approved(office)


def test_the_ledger_is_what_its_rows_ask_for(any_office):
    a_busy_fund(any_office)
    assert differences(any_office) == []
    assert any_office.standing.cards == {
        "cards_committed": 1,
        "cards_issued": 0,
        "cards_handed": 2,
        "cards_returned": 1,
    }
    # Nothing is missing, so nothing is posted again.
    assert any_office.change(lambda change: post_missing(change, any_office.desk.zone)) == 0


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE ledger_line SET credit_vnd = credit_vnd + 1 WHERE step = 'approval' AND line_number = 2",
            "differs",
        ),
        ("DELETE FROM ledger_line WHERE step = 'office_donation'", "is missing"),
        ("DELETE FROM office_donation WHERE channel = 'cash'", "is of no row"),
        ("UPDATE office_donation SET amount_vnd = amount_vnd + 1 WHERE channel = 'cash'", "differs"),
        (
            "UPDATE ledger_line SET bucket = 'pool:poor' WHERE step = 'office_donation' AND line_number = 2",
            "differs",
        ),
        ("DELETE FROM handover", "is of no row"),
        ("UPDATE handover SET voided_by = 'x'", "are 1 cards and should be 0"),
        ("DELETE FROM office_receipt WHERE counter = 1", "receipt of 1 is missing"),
    ],
)
def test_whatever_is_altered_in_the_database_is_named(office, statement, told):
    office.cash(5 * CARD)
    office.cash(1000)
    office.hand_over(allocation(office, issued(office)))
    assert differences(office) == []
    with office.runtime.transactions.writing() as connection:
        connection.execute(text(statement))
    assert any(told in line for line in differences(office))


def test_what_is_missing_is_posted_and_the_fund_stands_as_before(any_office):
    """As after a restore: the office's rows are there, their postings are not."""
    a_busy_fund(any_office)
    before = any_office.standing
    with any_office.runtime.transactions.writing() as connection:
        connection.execute(
            text(
                "DELETE FROM ledger_line WHERE step NOT IN"
                " ('arrival', 'settlement', 'void', 'remittance', 'handover')"
            )
        )
    assert any_office.standing != before
    assert any_office.change(lambda change: post_missing(change, any_office.desk.zone)) > 20
    assert any_office.standing == before
    assert differences(any_office) == []


def test_a_match_of_a_donation_that_is_not_back_yet_waits_for_it(office):
    """After a restore the match is there before the tablet brings the donation again."""
    entry = office.door_donation(250_000, ("pool", "poor"), method="transfer")
    office.line(250_000, MatchKind.DOOR_DONATION, entry)
    before = office.standing
    with office.runtime.transactions.writing() as connection:
        connection.execute(text("DELETE FROM donation"))
        connection.execute(text("DELETE FROM ledger_line WHERE step != 'line'"))
    assert office.change(lambda change: post_missing(change, office.desk.zone)) == 0
    assert differences(office) == []
    office.door_donation(250_000, ("pool", "poor"), method="transfer", entry_id=entry)
    assert office.change(lambda change: post_missing(change, office.desk.zone)) == 1
    assert office.standing == before
    assert differences(office) == []


def meeting(monkeypatch, module, name: str, parties: int) -> None:
    """Let everybody who reads by `module.name` wait for the others, a second at most.

    Without a lock all have then read the same; with one the others are not there, and the first goes on.
    """
    together, real = threading.Barrier(parties), getattr(module, name)

    def read(*arguments: Any) -> Any:
        found = real(*arguments)
        with suppress(threading.BrokenBarrierError):
            together.wait(timeout=1)
        return found

    monkeypatch.setattr(module, name, read)


def at_once(works: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run all at the same time, and return what each returned or raised."""

    def outcome(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:  # noqa: BLE001  # told by the test
            return error

    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(outcome, works))


def test_of_two_approvals_over_the_last_money_one_is_refused(any_office, monkeypatch):
    """Both look at the same moment; the fund's lock lets the second see what the first took."""
    office = any_office
    office.cash(CARD)
    ids = [office.act(propose_card, office.nominate()) for _ in range(2)]
    meeting(monkeypatch, allocating, "fund_standing", 2)
    actors = [Actor("account:second"), Actor("account:third")]
    works = [
        partial(office.act, approve_card, one, actor=actor) for one, actor in zip(ids, actors, strict=True)
    ]
    outcomes = at_once(works)
    [refused] = [each for each in outcomes if each is not None]
    assert isinstance(refused, FundRefusedError)
    assert refused.code is FundRefusal.MONEY_SHORT
    assert {allocation(office, found).stage for found in ids} == {Stage.PROPOSED, Stage.APPROVED}
    assert office.standing.reserved_vnd == {"any": CARD}
    assert differences(office) == []


def test_receipts_given_at_once_by_three_funds_are_numbered_without_a_gap(any_office, monkeypatch):
    offices = [FundOffice(any_office.runtime, number) for number in (FUND, 8, 9)]
    for other in offices[1:]:
        other.change(lambda change, number=other.fund: create_fund(change, number, a_fund()))
    meeting(monkeypatch, office_signing, "newest_office_receipt", 3)
    actors = [Actor(f"account:{number}") for number in range(3)]
    works = [
        partial(office.act, take_cash_donation, office.given(1000), office.day, actor=actor)
        for office, actor in zip(offices, actors, strict=True)
    ]
    outcomes = at_once(works)
    assert sorted(receipt.counter for _, receipt in outcomes) == [1, 2, 3]
    assert differences(any_office) == []


def test_a_card_is_issued_once_though_two_say_so(any_office):
    office = any_office
    office.cash(CARD)
    found = approved(office)
    outcomes = at_once([partial(office.act, issue_card, found, "0123456789", office.day)] * 2)
    [refused] = [each for each in outcomes if each is not None]
    assert isinstance(refused, FundRefusedError)
    assert refused.code is FundRefusal.STAGE_WRONG
    assert office.standing.due_insurer_vnd == CARD
