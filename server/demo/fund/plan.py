"""The whole year of a fund as values, made from a seed: who gives, who is named, what the office decides.

Pure: nothing here touches a database, a file or a process, so a test can make the same plan again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from server.demo.fund.decisions import (
    INTEREST_VND,
    MADE_UP_FOR_ON,
    MADE_UP_VND,
    REFUND_ON,
    UNKNOWN_VND,
    Office,
)
from server.demo.fund.doors import LATE_SYNCS, REPORTED_TWICE_VND, Doors
from server.demo.fund.figures import (
    CLOSES_ON,
    DISTRIBUTED_ON,
    OPENS_ON,
    TWENTIETH_DAY,
    YEAR_END,
    FundScale,
)
from server.demo.fund.giving import BOUNCED, EXACT, REFUNDED, REPORTED_TWICE, gifts, planted_gift
from server.demo.fund.prices import card_price_vnd
from server.demo.fund.statements import DEBIT_CREDIT, SIGNED, XLSX
from server.demo.fund.steps import ANY, Gift, Nominee, Statement, Stretch
from server.demo.made_up import MadeUpPerson, MakingUp
from server.office.actions import NewArea

_MILLION = 1_000_000
# What the commune with exact money has left after its cards are approved: enough for one dearer card.
_LEFT_VND = 50_000
_COMPANY = "Công ty TNHH Chín Rồng"


@dataclass(frozen=True)
class FundAgent:
    """An agent of the fund, and the communes to go to: area keys."""

    index: int
    name: str
    communes: tuple[str, ...]


@dataclass(frozen=True)
class FundPlan:
    """The replay of a fund's year; `buckets` says of which money each issued card is paid."""

    scale: FundScale
    seed: int
    agents: tuple[FundAgent, ...]
    nominees: Mapping[str, Nominee]
    insured: tuple[MadeUpPerson, ...]
    stretches: tuple[Stretch, ...]
    statements: tuple[Statement, ...]
    gifts: tuple[Gift, ...]
    buckets: Mapping[str, str]
    phones: frozenset[str]

    def numbers(self) -> set[str]:
        """Return every made-up identifying number: what must never be found in clear."""
        found = {number for one in self.nominees.values() for number in one.person.numbers}
        return found | self.phones


def make_fund_plan(scale: FundScale, seed: int, areas: Sequence[NewArea]) -> FundPlan:
    """Return the year of `scale`; the same seed and areas give the same plan."""
    # Another seed than that of the campaigns, or the same people would be made up again.
    random = Random(f"fund {seed}")  # noqa: S311  # repeatable, and no secret
    people = MakingUp(random)
    agents, above = _agents(scale, areas, people), _above(areas)
    doors = Doors(scale, random, people, [agent.communes for agent in agents])
    doors.donations()
    doors.nominations()
    doors.carrying()
    _choose_fates(scale, doors)
    given, pledges = gifts(scale, random, people, _planted_gifts(doors, above, agents))
    # Reported by the donor to the office, and by the agent who was at the door.
    known_twice = Gift(REPORTED_TWICE, OPENS_ON, "transfer", "benefactor", people.name(), REPORTED_TWICE_VND)
    office = Office(scale, [*given, known_twice], above)
    year = _Year(scale, doors, office, [*given, known_twice])
    office.pledges(pledges)
    year.play()
    named = {one.ref: one for one in doors.nominees}
    return FundPlan(
        scale=scale,
        seed=seed,
        agents=agents,
        nominees=named,
        insured=tuple(doors.insured),
        stretches=tuple(office.stretches),
        statements=tuple(office.bank.statements()),
        gifts=(*given, known_twice),
        buckets={ref: bucket for ref, bucket in office.issued.items() if ref in named},
        phones=frozenset(doors.phones),
    )


def _agents(scale: FundScale, areas: Sequence[NewArea], people: MakingUp) -> tuple[FundAgent, ...]:
    keys = [_key(area) for area in areas if area.level == "commune"]
    shared = scale.agents - 1
    communes = [tuple(keys[place::shared]) for place in range(shared)]
    # The last two go to the same communes, so that both can hand over the same card.
    communes.append(communes[-1])
    return tuple(FundAgent(index, people.name(), mine) for index, mine in enumerate(communes))


def _above(areas: Sequence[NewArea]) -> dict[str, tuple[str, ...]]:
    """Return of each commune its own key, its district's and its province's."""
    known = {area.code: area for area in areas}
    found = {}
    for area in areas:
        if area.level == "commune":
            path, each = [area], area
            while each.parent_code is not None:
                each = known[each.parent_code]
                path.append(each)
            found[_key(area)] = tuple(map(_key, path))
    return found


def _key(area: NewArea) -> str:
    return f"{area.code}@{area.valid_from.isoformat()}"


def _choose_fates(scale: FundScale, doors: Doors) -> None:
    """Choose whose card two agents hand over, whose comes back, and whose nobody fetches."""
    asked: list[tuple[str, int, int | None]] = [("twice", 1, scale.agents - 2)] * scale.planted
    asked += [("returned", 1, None), ("unfetched", 2, None)] * scale.planted
    asked.append(("moved", 2, None))
    for fate, wave, agent in asked:
        place = next(
            place
            for place, one in enumerate(doors.nominees)
            if not one.fate and one.wave == wave and agent in (None, one.agent)
        )
        doors.nominees[place] = replace(doors.nominees[place], fate=fate)


def _planted_gifts(
    doors: Doors, above: Mapping[str, Sequence[str]], agents: Sequence[FundAgent]
) -> list[Gift]:
    """Return the gifts that something happens to, and those for one pool and one district."""
    early, late = date(2023, 4, 10), date(2023, 6, 26)
    promised_vnd = sum(
        card_price_vnd(one.member, one.months, early)
        for one in doors.nominees
        if one.area == doors.bounced_area and one.wave == 1
    )
    bounced_vnd = (promised_vnd // _MILLION + 4) * _MILLION
    exact_vnd = _LEFT_VND + sum(
        card_price_vnd(one.member, one.months, late) for one in doors.nominees if one.fate == "exact"
    )
    district = above[agents[0].communes[0]][1]
    day = OPENS_ON + timedelta(days=4)
    return [
        planted_gift(BOUNCED, bounced_vnd, f"area:{doors.bounced_area}", day, f"{_COMPANY} 1"),
        planted_gift(EXACT, exact_vnd, f"area:{doors.exact_area}", day, f"{_COMPANY} 2"),
        planted_gift(REFUNDED, 5 * _MILLION, ANY, day, f"{_COMPANY} 3"),
        planted_gift("G-POOL", 60 * _MILLION, "pool:returned_workers", day, f"{_COMPANY} 4"),
        planted_gift("G-DISTRICT", 25 * _MILLION, f"area:{district}", day, f"{_COMPANY} 5"),
    ]


class _Year:
    """Plays the year: the office's days, and the agents' rounds between them."""

    def __init__(self, scale: FundScale, doors: Doors, office: Office, given: Sequence[Gift]) -> None:
        self._scale = scale
        self._doors = doors
        self._office = office
        self._gifts = given
        self._twice = ("", "")
        self._blocked: list[Nominee] = []

    def play(self) -> None:
        """Let the year go by."""
        self._lines()
        self._twenty_days()
        given = self._first_cards()
        given += self._a_bounce_and_dearer_cards()
        self._doors.handovers([one for one in given if one.fate not in ("returned", "unfetched")])
        self._rest()

    def _lines(self) -> None:
        """Put on the account what others than the office do."""
        bank = self._office.bank
        for gift in self._gifts:
            if gift.channel == "transfer":
                number = f"T{gift.ref}"
                bank.add(
                    gift.day,
                    number,
                    f"UNG HO TANG THE BHYT {gift.ref}",
                    gift.amount_vnd,
                    "office_donation",
                    gift.ref,
                )
        transfers = [
            each for each in self._doors.of_kind("donation") if each[2].members["method"] == "transfer"
        ]
        claimed = transfers[-self._scale.planted :]
        for _agent, _number, step in transfers:
            members = step.members
            if members["amount_vnd"] == REPORTED_TWICE_VND:
                self._twice = (step.ref, f"T{REPORTED_TWICE}")
            elif (_agent, _number, step) not in claimed:
                text = f"UNG HO QUY {step.ref}"
                bank.add(step.day, f"T{step.ref}", text, members["amount_vnd"], "door_donation", step.ref)
        for _agent, _number, step in self._doors.of_kind("remittance"):
            if step.members["destination"] == "bank_account":
                day, text = step.day + timedelta(days=1), f"NOP TIEN UNG HO {step.ref}"
                bank.add(day, f"T{step.ref}", text, step.members["amount_vnd"], "remittance", step.ref)
        bank.add(date(2023, 3, 14), "X001", "CHUYEN KHOAN", UNKNOWN_VND, "unknown")
        bank.add(date(2023, 6, 25), "X002", "LAI TIEN GUI", INTEREST_VND, "nothing")

    def _twenty_days(self) -> None:
        office = self._office
        for gift in self._gifts:
            if gift.channel == "cash":
                office.take_cash(gift)
        office.deposit(date(2023, 3, 21), "N001")
        day = TWENTIETH_DAY + timedelta(days=1)
        office.read_statement(day, "sao-ke-1", DEBIT_CREDIT, OPENS_ON, TWENTIETH_DAY)
        office.read_again(day, "sao-ke-1")
        office.end_stretch(self._doors.outings(0))

    def _first_cards(self) -> list[Nominee]:
        office = self._office
        # Ten days of it were read before.
        office.read_statement(
            date(2023, 4, 3), "sao-ke-2", DEBIT_CREDIT, date(2023, 3, 11), date(2023, 3, 31)
        )
        office.know_twice_reported(date(2023, 4, 4), *self._twice)
        for fate, code in (("insured", "already_insured"), ("withdrawn", "consent_missing")):
            office.refuse_all(date(2023, 4, 7), self._named(fate), code)
        first = [
            one for one in self._doors.nominees if one.wave == 1 and one.fate not in ("insured", "withdrawn")
        ]
        office.give_cards(date(2023, 4, 10), first)
        office.issue(date(2023, 4, 26), first)
        office.end_stretch(self._doors.outings(1))
        return first

    def _a_bounce_and_dearer_cards(self) -> list[Nominee]:
        office = self._office
        office.read_statement(date(2023, 5, 22), "sao-ke-3", SIGNED, date(2023, 4, 1), date(2023, 5, 20))
        office.confirm_all(date(2023, 5, 22))
        bounced = self._named("bounced")
        office.give_cards(date(2023, 5, 24), bounced, reserve=False)
        office.bounce(date(2023, 5, 25))
        office.read_statement(date(2023, 5, 26), "sao-ke-4", SIGNED, date(2023, 5, 21), date(2023, 5, 25))
        office.approve_in_vain(date(2023, 5, 26), bounced)
        office.pay_premiums(date(2023, 5, 31), "C001", date(2023, 6, 2))
        office.refund(REFUND_ON, "H001", REFUND_ON + timedelta(days=3))
        office.refuse_all(date(2023, 6, 12), self._named("duplicate"), "holds_a_card")
        office.deposit(date(2023, 6, 13), "N002")
        second = [one for one in self._doors.nominees if one.wave == 2 and one.fate != "duplicate"]
        office.give_cards(date(2023, 6, 26), second)
        for one in self._named("moved"):
            office.cancel(date(2023, 6, 30), one)
        second = [one for one in second if one.fate != "moved"]
        office.read_statement(date(2023, 7, 3), "sao-ke-5", SIGNED, date(2023, 5, 26), date(2023, 6, 30))
        self._blocked = office.issue(date(2023, 7, 4), second)
        # Others whose own money is short stay approved, and reserved, to the end of the year.
        exact = [one for one in self._blocked if one.fate == "exact"]
        assert len(exact) == 2, "of three cards the exact money makes up for one"
        second = [one for one in second if one not in self._blocked]
        self._blocked = exact
        last = [one for one in self._doors.nominees if one.wave == 3]
        office.give_cards(date(2023, 7, 7), last)
        office.issue(date(2023, 7, 10), last)
        return [*second, *last]

    def _rest(self) -> None:
        """What is left of the year once every card is on the tablets."""
        office = self._office
        office.end_stretch(self._doors.outings(2))
        office.confirm_all(date(2023, 7, 26), but=self._never_brought())
        made_up = Gift(
            "G-LATE",
            MADE_UP_FOR_ON,
            "cash",
            "benefactor",
            "Ông Hai Lúa",
            MADE_UP_VND,
            f"area:{self._doors.exact_area}",
        )
        office.take_cash(made_up)
        assert not office.issue(MADE_UP_FOR_ON + timedelta(days=1), self._blocked)
        office.pay_premiums(date(2023, 8, 31), "C002", date(2023, 9, 1))
        office.read_statement(date(2023, 9, 5), "sao-ke-6", XLSX, date(2023, 7, 1), date(2023, 9, 2))
        office.end_stretch(self._doors.outings(3))
        office.confirm_all(date(2023, 12, 1), but=self._never_brought())
        for one in self._named("returned"):
            office.step(date(2023, 12, 15), "return", one.ref)
        office.step(CLOSES_ON + timedelta(days=11), "publish", "received")
        office.end_stretch(self._doors.outings(3, late=True))
        day = LATE_SYNCS[1] + timedelta(days=10)
        office.confirm_all(day, but=self._never_brought())
        office.read_statement(date(2024, 2, 5), "sao-ke-7", XLSX, date(2023, 8, 20), date(2024, 2, 4))
        office.step(DISTRIBUTED_ON, "end_distribution", "distributed")
        office.step(DISTRIBUTED_ON + timedelta(days=5), "publish", "distributed")
        office.read_again(YEAR_END, "sao-ke-7")
        office.end_stretch(())

    def _never_brought(self) -> str:
        """Return the remittance to the office that an agent wrote down and nobody has seen."""
        return next(
            step.ref
            for _, number, step in reversed(self._doors.of_kind("remittance"))
            if number == 2 and step.members["destination"] == "office"
        )

    def _named(self, fate: str) -> list[Nominee]:
        return [one for one in self._doors.nominees if one.fate == fate]
