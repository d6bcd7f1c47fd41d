"""What the office does in a fund's year, day by day, with what should come of each step.

The plan keeps a purse of its own, so that it knows from which bucket a card is paid and which
decisions are refused for want of money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from server.demo.fund.figures import OPENS_ON, FundScale
from server.demo.fund.giving import BOUNCED, REFUNDED, REPORTED_TWICE
from server.demo.fund.prices import card_price_vnd
from server.demo.fund.purse import Purse
from server.demo.fund.statements import Bank
from server.demo.fund.steps import ANY, DoorStep, Gift, Nominee, OfficeStep, Outing, Stretch

REFUND_ON, MADE_UP_FOR_ON = date(2023, 6, 5), date(2023, 8, 10)
MADE_UP_VND, UNKNOWN_VND, INTEREST_VND, DEPOSIT_PERCENT = 300_000, 350_000, 123_456, 90
_A_DAY = 200


class Office:
    """Writes the office's book. Steps that were taken since the last stretch are in `steps`."""

    def __init__(self, scale: FundScale, gifts: Sequence[Gift], above: Mapping[str, Sequence[str]]) -> None:
        self._scale = scale
        self._gifts = {gift.ref: gift for gift in gifts}
        self._above = above
        self._purse = Purse()
        self._steps: list[OfficeStep] = []
        self._synced: dict[str, tuple[int, DoorStep]] = {}
        self._confirmed: set[str] = set()
        self._prices: dict[str, int] = {}
        self._unpaid_vnd = 0
        self._cash_vnd = 0
        self.bank = Bank()
        self.stretches: list[Stretch] = []
        # Nominee → bucket of the card that was issued.
        self.issued: dict[str, str] = {}

    def step(self, day: date, action: str, ref: str, **more: object) -> None:
        """Write a line into the book."""
        self._steps.append(OfficeStep(day, action, ref, **more))  # type: ignore[arg-type]

    def pledges(self, found: Sequence[OfficeStep]) -> None:
        """Publish the call, and take down what is promised; none of it is money."""
        self.step(OPENS_ON, "publish", "call")
        self._steps += found

    def end_stretch(self, outings: Sequence[Outing]) -> None:
        """Close the book for a while, and let these agents come home."""
        self.stretches.append(Stretch(tuple(self._steps), tuple(outings)))
        self._steps = []
        for outing in outings:
            self._come_home(outing)

    def _come_home(self, outing: Outing) -> None:
        voided = {step.members["target"] for step in outing.steps if step.what == "void"}
        for number, step in enumerate(outing.steps):
            self._synced[step.ref] = (outing.agent, step)
            if step.what == "donation" and step.members["method"] == "cash" and step.ref not in voided:
                place = (step.day.toordinal(), number)
                members = step.members
                self._purse.give_at_door(outing.agent, place, members["bucket"], members["amount_vnd"])

    # --- money --------------------------------------------------------------------------------------

    def take_cash(self, gift: Gift) -> None:
        """Somebody gives cash at the office."""
        self.step(gift.day, "cash", gift.ref, target=gift.pledge, **_of_gift(gift))
        self._purse.give(gift.bucket, gift.amount_vnd)
        self._cash_vnd += gift.amount_vnd

    def read_statement(self, day: date, name: str, layout: str, from_day: date, to_day: date) -> None:
        """Import the statement of some days, then match what can be matched."""
        statement, fresh = self.bank.statement(name, layout, from_day, to_day)
        self.step(day, "import", statement.name, amount_vnd=fresh)
        self.match_all(day)

    def read_again(self, day: date, name: str) -> None:
        """Import a file a second time: it brings nothing."""
        self.step(day, "import", name, amount_vnd=0)

    def match_all(self, day: date) -> None:
        """Match every line whose other side is known by now."""
        for row in self.bank.waiting():
            if row.kind == "office_donation":
                self._match_gift(day, self._gifts[row.target], row.reference)
            elif row.kind in ("door_donation", "remittance"):
                if row.target not in self._synced:
                    continue
                agent, step = self._synced[row.target]
                self.step(day, "match", row.reference, target=f"{row.kind}:{row.target}")
                if row.kind == "remittance":
                    self._purse.arrive(agent, row.amount_vnd)
                else:
                    self._purse.give(step.members["bucket"], row.amount_vnd)
            elif row.kind == "unknown":
                continue
            else:
                self.step(day, "match", row.reference, target=f"{row.kind}:{row.target}")
                if row.kind == "bounce":
                    self._purse.give(self._gifts[row.target].bucket, row.amount_vnd)
            self.bank.matched(row.reference)

    def _match_gift(self, day: date, gift: Gift, reference: str) -> None:
        self.step(day, "transfer", gift.ref, target=gift.pledge, **_of_gift(gift))
        self.step(day, "match", reference, target=f"office_donation:{gift.ref}")
        self._purse.give(gift.bucket, gift.amount_vnd)

    def know_twice_reported(self, day: date, door_ref: str, reference: str) -> None:
        """The transfer of a gift was a door's: undo the match, take the gift back, match the door's."""
        gift = self._gifts[REPORTED_TWICE]
        self.step(day, "unmatch", reference)
        self.step(day, "reverse", gift.ref)
        self.step(day, "match", reference, target=f"door_donation:{door_ref}")

    def confirm_all(self, day: date, but: str = "") -> None:
        """Confirm the cash that agents brought to the office, but for one who never came."""
        for ref, (agent, step) in sorted(self._synced.items()):
            is_here = step.what == "remittance" and step.members["destination"] == "office"
            if is_here and ref not in self._confirmed and ref != but:
                self._confirmed.add(ref)
                self.step(day, "confirm", ref)
                self._purse.arrive(agent, step.members["amount_vnd"])
                self._cash_vnd += step.members["amount_vnd"]

    def deposit(self, day: date, ref: str) -> None:
        """Carry most of the office's cash to the account."""
        amount_vnd = self._cash_vnd * DEPOSIT_PERCENT // 100
        self._cash_vnd -= amount_vnd
        self.bank.add(day, ref, "NOP TIEN MAT VAO TAI KHOAN QUY", amount_vnd, "deposit")

    def pay_premiums(self, day: date, ref: str, pays_on: date) -> None:
        """Propose to pay all cards that were issued since the last time; another person approves."""
        self.step(day, "premium", ref, amount_vnd=self._unpaid_vnd)
        self.step(day, "approve_payout", ref)
        self.bank.add(pays_on, ref, f"DONG BHYT DOT {ref}", -self._unpaid_vnd, "premium", ref)
        self._unpaid_vnd = 0

    def refund(self, day: date, ref: str, pays_on: date) -> None:
        """Give a donation back to whoever asked for it."""
        gift = self._gifts[REFUNDED]
        self.step(day, "refund", ref, target=gift.ref, amount_vnd=gift.amount_vnd)
        self.step(day, "approve_payout", ref)
        self._purse.give(gift.bucket, -gift.amount_vnd)
        self.bank.add(pays_on, ref, f"HOAN TRA {gift.ref}", -gift.amount_vnd, "refund", ref)

    def bounce(self, day: date) -> None:
        """The bank takes a transfer back."""
        gift = self._gifts[BOUNCED]
        self.bank.add(day, "B001", f"THU HOI LENH CHUYEN {gift.ref}", -gift.amount_vnd, "bounce", gift.ref)

    # --- cards --------------------------------------------------------------------------------------

    def give_cards(self, from_day: date, nominees: Sequence[Nominee], *, reserve: bool = True) -> date:
        """Propose cards, and approve them by another person; return the last day that it took."""
        day = from_day
        for start in range(0, len(nominees), _A_DAY):
            day = from_day + timedelta(days=start // _A_DAY)
            # A day's proposals of one term are one decision.
            batch = sorted(nominees[start : start + _A_DAY], key=lambda one: one.months)
            self._propose(day, batch)
            if reserve:
                for one in batch:
                    self.step(day, "approve", one.ref)
        return day

    def refuse_all(self, day: date, nominees: Iterable[Nominee], code: str) -> None:
        """Try to propose cards for people who may not have one, and exclude them for the reason."""
        for one in nominees:
            self.step(day, "propose", one.ref, months=one.months, member=one.member, outcome=code)
            self.step(day, "exclude", one.ref, outcome=code)

    def approve_in_vain(self, day: date, nominees: Iterable[Nominee]) -> None:
        """Try to approve cards whose money was taken back since, then give the proposals up."""
        nominees = list(nominees)
        for one in nominees:
            self.step(day, "approve", one.ref, outcome="money_short")
        for one in nominees:
            self.step(day + timedelta(days=1), "cancel", one.ref)
            self._purse.give(self.issued.pop(f"promised {one.ref}"), self._prices.pop(one.ref))

    def cancel(self, day: date, one: Nominee) -> None:
        """Cancel a card before it is issued."""
        self.step(day, "cancel", one.ref)
        self._purse.give(self.issued.pop(f"promised {one.ref}"), self._prices.pop(one.ref))

    def issue(self, from_day: date, nominees: Iterable[Nominee]) -> list[Nominee]:
        """Issue cards, a day's worth a day; return those that lack money for a dearer price."""
        blocked = []
        for number, one in enumerate(nominees):
            day = from_day + timedelta(days=number // _A_DAY)
            bucket = self.issued[f"promised {one.ref}"]
            price_vnd = card_price_vnd(one.member, one.months, day)
            dearer_vnd = price_vnd - self._prices[one.ref]
            if dearer_vnd > 0 and self._purse.left(bucket) < dearer_vnd:
                self.step(day, "issue", one.ref, outcome="money_short")
                blocked.append(one)
                continue
            self.step(day, "issue", one.ref)
            self._purse.give(bucket, -dearer_vnd)
            self._unpaid_vnd += price_vnd
            self.issued[one.ref] = bucket
        return blocked

    def _propose(self, day: date, nominees: Sequence[Nominee]) -> None:
        for one in nominees:
            price_vnd = card_price_vnd(one.member, one.months, day)
            buckets = (f"pool:{one.pool}", *(f"area:{key}" for key in self._above[one.area]), ANY)
            bucket = self._purse.bucket_for(buckets, price_vnd)
            self._purse.give(bucket, -price_vnd)
            self._prices[one.ref] = price_vnd
            self.issued[f"promised {one.ref}"] = bucket
            self.step(day, "propose", one.ref, bucket=bucket, months=one.months, member=one.member)


def _of_gift(gift: Gift) -> dict[str, object]:
    return {
        "amount_vnd": gift.amount_vnd,
        "donor_class": gift.donor_class,
        "donor": gift.donor,
        "bucket": gift.bucket,
    }
