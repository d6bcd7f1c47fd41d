"""Whatever is decided in whatever order: books balance, are what rows ask for, and keep restrictions."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.funds.allocating import approve_card, cancel_card, propose_card
from server.funds.giving import confirm_remittance, reverse_donation
from server.funds.issuing import issue_card, return_card
from server.funds.office_queries import allocations_of
from server.funds.payouts import approve_payout, cancel_payout, propose_premium, propose_refund
from server.funds.refusals import FundRefusal, FundRefusedError
from server.funds.rules import MatchKind, Stage
from server.funds.verification import fund_differences
from server.money.queries import unbalanced_entries
from tests.support.clocks import FakeClock
from tests.support.fund_decisions import CARD, allocation
from tests.support.funds import COMMUNES, FUND, PROVINCE, FundOffice, a_fund_office
from tests.support.offices import open_runtime

RESTRICTIONS = (
    None,
    ("pool", "elderly"),
    ("pool", "poor"),
    ("area", COMMUNES[0]),
    ("area", COMMUNES[1]),
    ("area", PROVINCE),
)
STEPS = (
    "door",
    "door_transfer",
    "remit",
    "cash",
    "transfer",
    "reverse",
    "bounce",
    "propose",
    "propose_elsewhere",
    "approve",
    "cancel",
    "issue",
    "issue_dearer",
    "return",
    "hand_over",
    "premium",
    "refund",
    "cancel_payout",
)
HOUSE = st.tuples(st.sampled_from(STEPS), st.integers(0, 99), st.sampled_from(RESTRICTIONS))


class Story:
    """One sequence of decisions; each names what it takes by a number among what is there."""

    def __init__(self, office: FundOffice) -> None:
        self.office = office
        self.donations: list[str] = []
        self.transfers: list[str] = []
        self.cards: list[str] = []
        self.payouts: list[str] = []

    def take(self, step: str, number: int, restriction: tuple[str, str] | None) -> bool:
        """Take a decision and return whether it was taken; what is refused leaves everything as it was."""
        before = self.office.standing
        try:
            getattr(self, step)(number, restriction)
            return True
        except FundRefusedError:
            is_untouched = self.office.standing == before
        # A refund that is proposed and then not approved has moved nothing either.
        assert is_untouched
        return False

    def amount(self, number: int) -> int:
        return CARD // 2 + number * 10_007

    @staticmethod
    def one_of(rows: list[str], number: int) -> str:
        if not rows:
            raise FundRefusedError(FundRefusal.DONATION_UNKNOWN)
        return rows[number % len(rows)]

    def door(self, number, restriction):
        self.office.door_donation(self.amount(number), restriction, worker=f"agent {number % 3}")

    def door_transfer(self, number, restriction):
        entry = self.office.door_donation(self.amount(number), restriction, method="transfer")
        if number % 2:
            self.office.line(self.amount(number), MatchKind.DOOR_DONATION, entry)
            self.transfers.append(entry)

    def remit(self, number, _):
        entry = self.office.remit(self.amount(number), worker=f"agent {number % 3}")
        if number % 4:
            self.office.act(confirm_remittance, entry)

    def cash(self, number, restriction):
        self.donations.append(self.office.cash(self.amount(number), restriction))

    def transfer(self, number, restriction):
        self.transfers.append(self.office.transfer(2 * self.amount(number), restriction))

    def reverse(self, number, _):
        self.office.act(reverse_donation, self.one_of(self.donations, number), "không có khoản này")

    def bounce(self, number, _):
        bounced = self.one_of(self.transfers, number)
        self.transfers.remove(bounced)
        with self.office.runtime.transactions.reading() as connection:
            amount = connection.exec_driver_sql(
                "SELECT amount_vnd FROM office_donation WHERE id = ?"
                " UNION SELECT amount_vnd FROM donation WHERE entry_id = ?",
                (bounced, bounced),
            ).scalar()
        self.office.line(-amount, MatchKind.BOUNCE, bounced)

    def propose(self, *_):
        self.cards.append(self.office.act(propose_card, self.office.nominate()))

    def propose_elsewhere(self, *_):
        person = self.office.person(area_key=COMMUNES[1])
        self.cards.append(self.office.act(propose_card, self.office.nominate(person, "poor", "poor_book")))

    def approve(self, number, _):
        self.office.second(approve_card, self.one_of(self.cards, number))

    def cancel(self, number, _):
        self.office.act(cancel_card, self.one_of(self.cards, number), "không liên lạc được")

    def issue(self, number, _):
        self.office.act(issue_card, self.one_of(self.cards, number), "0123456789", self.office.day)

    def issue_dearer(self, number, _):
        price = CARD - 50 + number
        found = self.one_of(self.cards, number)
        self.office.act(issue_card, found, "0123456789", self.office.day, price_vnd=price)

    def hand_over(self, number, _):
        card = allocation(self.office, self.one_of(self.cards, number))
        if card.stage is Stage.ISSUED:
            self.office.hand_over(card)

    def premium(self, *_):
        payout = self.office.act(propose_premium, FUND)
        self.payouts.append(payout)
        self.office.second(approve_payout, payout)

    def refund(self, number, _):
        donation = self.one_of([*self.donations, *self.transfers], number)
        payout = self.office.act(propose_refund, FUND, donation, self.amount(number) // 3, "người tặng đổi ý")
        self.payouts.append(payout)
        self.office.second(approve_payout, payout)

    def cancel_payout(self, number, _):
        self.office.act(cancel_payout, self.one_of(self.payouts, number), "chưa trả vội")


setattr(
    Story,
    "return",
    lambda self, number, _: self.office.act(
        return_card, self.one_of(self.cards, number), "người nhận đã mất"
    ),
)


def check_books(office: FundOffice) -> None:
    """Hold a fund against its rows and its restrictions."""
    assert office.read(unbalanced_entries) == []
    assert office.read(fund_differences, office.runtime.config.time_zone) == []
    allowed = {
        COMMUNES[0]: {"pool:elderly", f"area:{COMMUNES[0]}"},
        COMMUNES[1]: {"pool:poor", f"area:{COMMUNES[1]}"},
    }
    anybodys = {"any", "area:815@2004-01-01", f"area:{PROVINCE}"}
    committed = defaultdict[str, int](int)
    for each in office.read(allocations_of, FUND):
        assert each.bucket in allowed[each.area_key] | anybodys
        if each.stage is Stage.APPROVED:
            committed[each.bucket] += each.price_vnd
    standing = office.standing
    assert {bucket: amount for bucket, amount in standing.reserved_vnd.items() if amount} == committed


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(HOUSE, min_size=5, max_size=25))
def test_any_decisions_leave_sound_books(sqlite_template, steps):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "office.sqlite3"
        shutil.copyfile(sqlite_template, path)
        with open_runtime(f"sqlite:///{path}", FakeClock()) as runtime:
            story = Story(a_fund_office(runtime))
            for step, number, restriction in steps:
                kept = [
                    each.id
                    for each in story.office.read(allocations_of, FUND)
                    if each.stage in (Stage.APPROVED, Stage.ISSUED, Stage.HANDED_OVER)
                ]
                was_taken = story.take(step, number, restriction)
                if step in ("bounce", "reverse", "refund"):
                    # What goes back undoes no card that was approved.
                    after = {each.id: each for each in story.office.read(allocations_of, FUND)}
                    assert all(after[one].ended is None for one in kept)
                if step == "approve" and was_taken:
                    # Nothing is approved beyond what is here, in its bucket and in the whole fund.
                    here = story.office.standing.here_vnd
                    approved = allocation(story.office, story.cards[number % len(story.cards)])
                    assert here[approved.bucket] >= 0
                    assert sum(here.values()) >= 0
            check_books(story.office)
