"""Who goes where and whom they meet: the whole replay as values, made from a seed.

Pure: nothing here touches a database, a file or a process, so a test can make the same plan again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from server.demo.figures import (
    DRIVE,
    DRIVE_WORK_FROM,
    FIRST_LAUNCH,
    LAUNCH_DAYS,
    QUOTA_OF_AN_OFFICER,
    SECOND_LAUNCH,
    Scale,
)
from server.demo.made_up import MadeUpPerson, MakingUp
from server.office.actions import NewArea

# Code, name, kind; the first of a district's agents is from the first network, and so on.
NETWORKS = (
    ("BDTG", "Bưu điện tỉnh Tiền Giang", "post_office"),
    ("VTTG", "Viettel Tiền Giang", "viettel"),
    ("UBND", "Ủy ban nhân dân các xã, phường", "commune_committee"),
    ("HND", "Hội Nông dân tỉnh Tiền Giang", "farmers_union"),
    ("TTVL", "Trung tâm Dịch vụ việc làm", "job_centre"),
)
INSURANCE_OFFICE = ("BHXH82", "Bảo hiểm xã hội tỉnh Tiền Giang", "insurance_office")
_FRUITLESS = ("refused", "nobody_home", "nobody_home", "call_back", "moved_away")
_MEMBERS_OF_A_VISIT = (1, 1, 2, 2, 3, 4)


@dataclass
class Visit:
    """A door and what comes of it; `officer` is the index of whoever persuaded."""

    area: str
    head_name: str
    address: str
    campaign: int
    disposition: str = "agreed"
    phone: str | None = None
    people: list[MadeUpPerson] = field(default_factory=list)
    enrolments: list[dict[str, Any]] = field(default_factory=list)
    officer: int | None = None
    method: str = "cash"
    installs: int = 0
    is_payment_unreadable: bool = False

    def as_wire(self, officers: Sequence[str]) -> dict[str, Any]:
        """Return what a tablet is told; `officers` are the workers' ids by index."""
        promoter = None if self.officer is None else {"kind": "officer", "id": officers[self.officer]}
        return {
            "area": self.area,
            "head_name": self.head_name,
            "address": self.address,
            "phone": self.phone,
            "campaign": self.campaign,
            "disposition": self.disposition,
            "people": [person.as_wire() for person in self.people],
            "enrolments": self.enrolments,
            "promoter": promoter,
            "method": self.method,
            "installs": self.installs,
            "is_payment_unreadable": self.is_payment_unreadable,
        }


@dataclass(frozen=True)
class PlannedAgent:
    """An agent with a tablet: network, team (by district) and the communes to go to."""

    index: int
    name: str
    network: str
    district: str
    communes: tuple[str, ...]


@dataclass(frozen=True)
class Roles:
    """Which agents meet which planted trouble, by index."""

    first: range
    last: range
    killed: int
    unanswered: int
    late: int
    cloned: int


@dataclass(frozen=True)
class Plan:
    """The whole replay: `visits` by (campaign, agent), in the order of the day."""

    scale: Scale
    seed: int
    agents: tuple[PlannedAgent, ...]
    officers: tuple[str, ...]
    quotas: dict[tuple[int, str, int], int]
    visits: dict[tuple[int, int], list[Visit]]
    roles: Roles

    def numbers(self) -> set[str]:
        """Return every made-up identifying number: what must never be found in clear."""
        everyone = [visit for visits in self.visits.values() for visit in visits]
        found = {number for visit in everyone for person in visit.people for number in person.numbers}
        return found | {visit.phone for visit in everyone if visit.phone}


def make_plan(scale: Scale, seed: int, areas: Sequence[NewArea]) -> Plan:
    """Return the replay of `scale`; the same seed and areas give the same plan."""
    random = Random(seed)  # noqa: S311  # an invented split has to be repeatable, it is no secret
    people = MakingUp(random)
    agents = _agents(scale, areas, people)
    roles = Roles(
        first=range(scale.waves),
        last=range(len(agents) - scale.waves, len(agents)),
        killed=scale.waves,
        unanswered=scale.waves + 1,
        late=scale.waves + 2,
        cloned=scale.waves + 3,
    )
    making = _Making(scale, random, people, agents, roles)
    making.launches()
    making.drive()
    making.plant_double_enrolments()
    making.plant_unreadable_payments()
    officers = tuple(people.name() for _ in range(scale.officers))
    return Plan(scale, seed, agents, officers, making.quotas, dict(making.visits), roles)


def _agents(scale: Scale, areas: Sequence[NewArea], people: MakingUp) -> tuple[PlannedAgent, ...]:
    districts = [area for area in areas if area.level == "district"][: scale.districts]
    found: list[PlannedAgent] = []
    for number, district in enumerate(districts):
        communes = [area for area in areas if area.level == "commune" and area.parent_code == district.code]
        for place in range(scale.agents_a_district):
            mine = communes[place :: scale.agents_a_district]
            keys = tuple(f"{area.code}@{area.valid_from.isoformat()}" for area in mine)
            network = NETWORKS[(number + place) % len(NETWORKS)][0]
            found.append(PlannedAgent(len(found), people.name(), network, district.code, keys))
    return tuple(found)


class _Making:
    """Fills the visits of a plan."""

    def __init__(
        self,
        scale: Scale,
        random: Random,
        people: MakingUp,
        agents: Sequence[PlannedAgent],
        roles: Roles,
    ) -> None:
        self._scale = scale
        self._random = random
        self._people = people
        self._agents = agents
        self._roles = roles
        self.visits: dict[tuple[int, int], list[Visit]] = defaultdict(list)
        # (campaign, scheme, agent) → what the plan asks
        self.quotas: dict[tuple[int, str, int], int] = {}

    def launches(self) -> None:
        """Spread the two launch days over the agents; the late tablet brings exactly its own."""
        scale = self._scale
        for place, campaign in enumerate((FIRST_LAUNCH, SECOND_LAUNCH)):
            totals = {"voluntary": scale.voluntary[place], "health": scale.health[place]}
            fixed: dict[str, dict[int, int]] = {"voluntary": {}, "health": {}}
            if campaign == SECOND_LAUNCH:
                half = scale.planted // 2
                fixed["voluntary"][self._roles.late] = half
                fixed["health"][self._roles.late] = scale.planted - half
            shares = {name: self._shares(total, fixed[name]) for name, total in totals.items()}
            for agent in self._agents:
                schemes = []
                for name, share in shares.items():
                    schemes += [name] * share[agent.index]
                    asked = round(share[agent.index] * self._random.uniform(0.8, 1.15))
                    self.quotas[campaign, name, agent.index] = max(asked, 1)
                self._fill(campaign, agent, schemes)

    def drive(self) -> None:
        """Let each officer persuade some: three for most, fewer or more for others."""
        scale, random = self._scale, self._random
        done = [QUOTA_OF_AN_OFFICER] * scale.officers
        for _ in range(scale.persuaded - scale.officers_quota):
            done[random.randrange(scale.officers)] += 1
        for _ in range(scale.officers // 6):
            giver, taker = random.sample(range(scale.officers), 2)
            if done[giver] > 0:
                done[giver] -= 1
                done[taker] += 1
        for officer, count in enumerate(done):
            agent = self._agents[officer % len(self._agents)]
            schemes = [random.choice(("voluntary", "health", "health")) for _ in range(count)]
            self._fill(DRIVE, agent, schemes, officer)

    def plant_double_enrolments(self) -> None:
        """Let agents of the last wave enrol people again whom the first wave has enrolled."""
        first, last = self._roles.first, self._roles.last
        for number in range(self._scale.planted):
            giver = self.visits[FIRST_LAUNCH, first[number % len(first)]]
            fruitful = [visit for visit in giver if visit.enrolments]
            # One of each agent's first doors, and another door for each round.
            original = fruitful[number // len(first)]
            scheme = original.enrolments[0]["scheme"]
            agent = self._agents[last[number % len(last)]]
            again = self._visit(FIRST_LAUNCH, agent, [scheme])
            again.people, again.installs = [original.people[0]], 0
            self.visits[FIRST_LAUNCH, agent.index].append(again)

    def plant_unreadable_payments(self) -> None:
        """Let some tablets record a payment in a form that the contract does not know."""
        roles = self._roles
        special = {roles.killed, roles.unanswered, roles.late, roles.cloned}
        ordinary = [agent for agent in self._agents if agent.index not in special]
        for number in range(self._scale.planted):
            agent = ordinary[number % len(ordinary)]
            campaign = (FIRST_LAUNCH, SECOND_LAUNCH)[number % 2]
            visit = self._visit(campaign, agent, [("voluntary", "health")[number // 2 % 2]])
            visit.is_payment_unreadable, visit.method = True, "cash"
            visits = self.visits[campaign, agent.index]
            visits.insert(len(visits) // 2, visit)

    def _shares(self, total: int, fixed: dict[int, int]) -> dict[int, int]:
        """Split `total` over the agents by random weights, to the last unit."""
        free = [agent.index for agent in self._agents if agent.index not in fixed]
        weights = [self._random.uniform(0.6, 1.4) for _ in free]
        left = total - sum(fixed.values())
        exact = [left * weight / sum(weights) for weight in weights]
        shares = dict(zip(free, (int(part) for part in exact), strict=True))
        by_rest = sorted(zip(free, exact, strict=True), key=lambda pair: int(pair[1]) - pair[1])
        for index, _ in by_rest[: left - sum(shares.values())]:
            shares[index] += 1
        return shares | fixed

    def _fill(
        self, campaign: int, agent: PlannedAgent, schemes: Sequence[str], officer: int | None = None
    ) -> None:
        """Knock at doors until these enrolments are made, with fruitless doors among them."""
        visits = []
        for scheme in ("voluntary", "health"):
            for count in self._groups(schemes.count(scheme), scheme):
                visits.append(self._visit(campaign, agent, [scheme] * count, officer))
                if self._random.random() < 0.2:
                    visits.append(self._visit(campaign, agent, []))
        self._random.shuffle(visits)
        self.visits[campaign, agent.index] += visits

    def _groups(self, total: int, scheme: str) -> Iterator[int]:
        while total > 0:
            count = 1 if scheme == "voluntary" else min(self._random.choice(_MEMBERS_OF_A_VISIT), total)
            yield count
            total -= count

    def _visit(
        self, campaign: int, agent: PlannedAgent, schemes: Sequence[str], officer: int | None = None
    ) -> Visit:
        random, people = self._random, self._people
        day = LAUNCH_DAYS.get(campaign, DRIVE_WORK_FROM)
        return Visit(
            area=random.choice(agent.communes),
            head_name=people.name(),
            address=people.address(),
            campaign=campaign,
            disposition="agreed" if schemes else random.choice(_FRUITLESS),
            phone=people.phone() if random.random() < 0.4 else None,
            people=[people.person() for _ in schemes],
            enrolments=[people.enrolment(scheme, member, day) for member, scheme in enumerate(schemes)],
            officer=officer,
            method="transfer" if random.random() < 0.1 else "cash",
            installs=1 if schemes and random.random() < 0.1 else 0,
        )
