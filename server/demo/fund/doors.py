"""What forty agents do at doors in a fund's year: donations, remittances, nominations, handovers.

Four rounds, each offline for days to weeks until its sync: the twenty days; April and May; until July;
until November, and for a few until the next January. From a seed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from server.demo.fund.figures import FundScale
from server.demo.fund.steps import ANY, DoorStep, Nominee, Outing
from server.demo.made_up import MadeUpPerson, MakingUp

# First day at the doors, last one, first day of syncs, last one.
ROUNDS = (
    (date(2023, 3, 1), date(2023, 3, 20), date(2023, 3, 21), date(2023, 3, 31)),
    (date(2023, 4, 3), date(2023, 5, 12), date(2023, 5, 15), date(2023, 5, 20)),
    (date(2023, 5, 22), date(2023, 7, 14), date(2023, 7, 20), date(2023, 7, 25)),
    (date(2023, 7, 27), date(2023, 11, 15), date(2023, 11, 20), date(2023, 11, 28)),
)
LATE_SYNCS = (date(2024, 1, 16), date(2024, 1, 20))
AFTER_CLOSING = date(2024, 1, 5)
REPORTED_TWICE_VND = 2_000_000
_EVIDENCE = {
    "returned_workers": "return_paper",
    "lost_subsidy": "subsidy_decision",
    "poor": "poor_book",
    "near_poor": "near_poor_book",
    "elderly": "id_card",
}
_ELDERLY_BORN = "1963"
_POOLS = ("returned_workers", "returned_workers", "lost_subsidy", "lost_subsidy", "poor", "near_poor")
_TERMS = (3,) * 17 + (6, 6, 12)
_HOUSEHOLDS = (1, 1, 1, 2, 2, 3)


class Doors:
    """Fills the rounds of every agent; `communes` are the area keys of each."""

    def __init__(
        self, scale: FundScale, random: Random, people: MakingUp, communes: Sequence[Sequence[str]]
    ) -> None:
        self._scale = scale
        self._random = random
        self._people = people
        self._communes = communes
        self._last_minute: dict[tuple[int, date], int] = defaultdict(lambda: 450)
        self._numbers: dict[int, int] = defaultdict(int)
        self.steps: dict[tuple[int, int], list[DoorStep]] = defaultdict(list)
        self.nominees: list[Nominee] = []
        self.insured: list[MadeUpPerson] = []
        self.phones: set[str] = set()

    @property
    def agents(self) -> range:
        """Return the agents' indexes."""
        return range(self._scale.agents)

    @property
    def bounced_area(self) -> str:
        """Return the commune whose money is taken back after some of it was promised."""
        return self._communes[1][0]

    @property
    def exact_area(self) -> str:
        """Return the commune that has money for its cards at the old price, and hardly a đồng more."""
        return self._communes[2][1]

    def donations(self) -> None:
        """Let every agent take donations in each round; some are voided, one was a transfer known already."""
        for agent in self.agents:
            for number in range(self._scale.donations):
                self._donation(agent, number % len(ROUNDS))
        for number in range(self._scale.planted):
            agent = number % self._scale.agents
            taken = next(step for step in self.steps[agent, 0] if step.members["method"] == "cash")
            self._add(agent, 0, f"V{taken.ref}", "void", {"target": taken.ref}, taken.day)
        self._donation(
            1,
            0,
            amount_vnd=REPORTED_TWICE_VND,
            donor_class="benefactor",
            method="transfer",
            bucket=ANY,
        )
        late = self._donation(self._scale.agents - 1, 3, method="cash", day=AFTER_CLOSING)
        assert late.day == AFTER_CLOSING

    def nominations(self) -> None:
        """Let people be named: most in the twenty days, some later, with what is planted."""
        scale = self._scale
        first = scale.nominated - scale.later - scale.last
        for wave, total, number in ((1, first, 0), (2, scale.later, 1), (3, scale.last, 1)):
            left, turn = total, 0
            while left:
                size = min(left, self._random.choice(_HOUSEHOLDS))
                agent = turn % scale.agents
                self._household(agent, number, self._area(agent), wave, size)
                left, turn = left - size, turn + 1
        for _ in range(3):
            self._household(1, 1, self.bounced_area, 2, 1, fate="bounced", pool="poor", months=3)
            self._household(2, 1, self.exact_area, 2, 1, fate="exact", pool="near_poor", months=3)
        for number in range(scale.planted):
            agent = number % scale.agents
            self._household(agent, 0, self._area(agent), 1, 1, fate="insured")
            self._household(agent, 0, self._area(agent), 1, 1, fate="withdrawn")
            self._again(number)

    def carrying(self) -> None:
        """Let cash be carried away: all of a round's in the next, by some agents never again."""
        for agent in self.agents:
            for number in range(1, len(ROUNDS)):
                is_lazy = agent % 8 == 5 and number > 1
                first_day = ROUNDS[number][0]
                if not is_lazy:
                    self._remit(agent, number, number - 1, first_day)
            if agent % 2 == 0:
                self._remit(agent, 3, 3, ROUNDS[3][1])

    def handovers(self, given: Sequence[Nominee]) -> None:
        """Let cards of these be handed over: of the first wave in round 3, of the others in round 4."""
        for one in given:
            number = 2 if one.wave == 1 else 3
            day = self._day(number)
            self._handover(one, one.agent, number, day)
            if one.fate == "twice":
                # The next agent has the same communes, and goes there three days later.
                self._handover(one, one.agent + 1, number, day + timedelta(days=3))

    def outings(self, number: int, *, late: bool = False) -> list[Outing]:
        """Return the outings of a round in the order of their syncs; `late` ones of the last round."""
        _, _, from_day, to_day = ROUNDS[number]
        if late:
            from_day, to_day = LATE_SYNCS
        agents = [agent for agent in self.agents if number < 3 or self._is_late(agent) == late]
        span = (to_day - from_day).days
        troubles = {(0, 3): "lose_reply", (2, 4): "carry_over"}
        return [
            Outing(
                agent,
                from_day + timedelta(days=span * place // len(agents)),
                tuple(sorted(self.steps[agent, number], key=lambda step: (step.day, step.minute))),
                troubles.get((number, agent), ""),
            )
            for place, agent in enumerate(agents)
        ]

    def in_cash(self, agent: int, number: int) -> Iterator[DoorStep]:
        """Yield the cash donations of an agent's round that were not voided."""
        steps = self.steps[agent, number]
        voided = {step.members["target"] for step in steps if step.what == "void"}
        for step in steps:
            if step.what == "donation" and step.members["method"] == "cash" and step.ref not in voided:
                yield step

    def of_kind(self, what: str) -> list[tuple[int, int, DoorStep]]:
        """Return (agent, round, step) of every step of a kind."""
        return [
            (agent, number, step)
            for (agent, number), steps in sorted(self.steps.items())
            for step in steps
            if step.what == what
        ]

    def _is_late(self, agent: int) -> bool:
        return agent == self._scale.agents - 1 or agent % 10 == 7

    def _donation(self, agent: int, number: int, day: date | None = None, **fixed: Any) -> DoorStep:
        random = self._random
        self._numbers[agent] += 1
        donor_class = random.choice(("benefactor", "benefactor", "anonymous", "company", "staff"))
        area = self._area(agent)
        chance = random.random()
        bucket = f"area:{area}" if chance < 0.06 else "pool:elderly" if chance < 0.1 else ANY
        # The first of a round is cash, so that there is one to void.
        is_first = self._numbers[agent] <= len(ROUNDS)
        members = {
            "area": area,
            "donor_class": donor_class,
            "method": "transfer" if not is_first and random.random() < 0.25 else "cash",
            "amount_vnd": random.randrange(2, 50) * 10_000,
            "bucket": bucket,
        } | fixed
        members["donor"] = None if members["donor_class"] == "anonymous" else self._people.name()
        ref = f"D{agent + 1:02}-{self._numbers[agent]:02}"
        return self._add(agent, number, ref, "donation", members, day or self._day(number))

    def _remit(self, agent: int, number: int, of_round: int, day: date) -> None:
        amount_vnd = sum(step.members["amount_vnd"] for step in self.in_cash(agent, of_round))
        if amount_vnd:
            destination = ("bank_account", "office")[(agent + of_round) % 2]
            ref = f"R{agent + 1:02}-{of_round + 1}"
            self._add(
                agent, number, ref, "remittance", {"amount_vnd": amount_vnd, "destination": destination}, day
            )

    def _household(
        self,
        agent: int,
        number: int,
        area: str,
        wave: int,
        size: int,
        *,
        fate: str = "",
        pool: str = "",
        months: int = 0,
    ) -> None:
        named = []
        pool_of_all = pool or self._random.choice(_POOLS)
        for member in range(1, size + 1):
            person = self._people.person()
            is_old = not pool and person.birth_date < _ELDERLY_BORN and self._random.random() < 0.5
            own = "elderly" if is_old else pool_of_all
            ref = f"N{len(self.nominees) + 1:04}"
            term = months or self._random.choice(_TERMS)
            one = Nominee(ref, agent, area, person, own, _EVIDENCE[own], member, term, wave, fate)
            self.nominees.append(one)
            named.append(one)
            if fate == "insured":
                self.insured.append(person)
        self._name(agent, number, named, is_withdrawn=fate == "withdrawn")

    def _again(self, number: int) -> None:
        """Let somebody whom one agent named be named by the next one too, a round later."""
        scale = self._scale
        agent = number % (scale.agents - 1)
        original = next(one for one in self.nominees if one.agent == agent and not one.fate and one.wave == 1)
        place = self.nominees.index(original)
        self.nominees[place] = replace(original, fate="named_twice")
        other = replace(
            original,
            ref=f"N{len(self.nominees) + 1:04}",
            agent=agent + 1,
            area=self._area(agent + 1),
            wave=2,
            fate="duplicate",
            member=1,
        )
        self.nominees.append(other)
        self._name(agent + 1, 1, [other])

    def _name(self, agent: int, number: int, named: Sequence[Nominee], *, is_withdrawn: bool = False) -> None:
        phone = self._people.phone()
        self.phones.add(phone)
        members = {
            "area": named[0].area,
            "head_name": named[0].person.full_name,
            "address": self._people.address(),
            "phone": phone,
            "nominees": [one.ref for one in named],
            "is_withdrawn": is_withdrawn,
        }
        self._add(agent, number, named[0].ref, "household", members, self._day(number))

    def _handover(self, one: Nominee, agent: int, number: int, day: date) -> None:
        national_id = one.person.national_id
        proof = {"method": "witness", "witness_name": self._people.name()}
        if national_id is not None:
            proof = {"method": "id_scanned", "national_id": national_id}
        members = {"nominee": one.ref, "proof": proof}
        self._add(agent, number, f"H{one.ref}", "handover", members, day)

    def _add(
        self, agent: int, number: int, ref: str, what: str, members: dict[str, Any], day: date
    ) -> DoorStep:
        # Later the same day than whatever the agent did before, so that the order is that of the plan.
        self._last_minute[agent, day] += 1
        step = DoorStep(ref, day, self._last_minute[agent, day], what, members)
        self.steps[agent, number].append(step)
        return step

    def _area(self, agent: int) -> str:
        """Return a commune of an agent, but not the one whose money is counted to the đồng."""
        communes = [key for key in self._communes[agent] if key != self.exact_area]
        return self._random.choice(communes)

    def _day(self, number: int) -> date:
        first, last, _, _ = ROUNDS[number]
        return first + timedelta(days=self._random.randrange((last - first).days + 1))
