"""A watched office with a plan for the year: versions, a tree with reserves, phases, a minimum.

Campaign 3. An has enrolled four people and Bình two; the first officer has met the minimum, the second not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from field_client.client import FieldClient
from server.audit.changes import Change
from server.campaigns.actions import announce_campaign
from server.quotas.actions import adopt_plan, define_indicator
from server.quotas.phases import Phase
from server.quotas.rules import Indicator
from server.quotas.trees import OFFICE_HOLDER, Holder, MinimumAsked, PlanTerms, QuotaAsked
from tests.support.small_office import COMMUNES, SmallOffice

YEAR = 3
FROM, TO = date(2020, 1, 1), date(2020, 12, 31)
VOLUNTARY = "voluntary_enrolled"
PHASES = (
    Phase("q1", "quarter", "Quý I", date(2020, 1, 1), date(2020, 3, 31)),
    Phase("q2", "quarter", "Quý II", date(2020, 4, 1), date(2020, 6, 30)),
    Phase("rq", "launch_day", "Ra quân 12-5", date(2020, 5, 12), date(2020, 5, 12)),
)
MINIMUM = "1-2"


@dataclass(frozen=True, slots=True)
class Versions:
    """The ids of the plans."""

    first: str
    second: str
    third: str
    supplement: str


def plan_the_year(office: SmallOffice) -> Versions:
    """Announce campaign 3, adopt its plans, and let two agents work."""
    versions: Versions = office.change(lambda change: _adopt(office, change))
    an, binh = office.tablet("an"), office.tablet("binh")
    first, second = office.officers
    _enrol(an, COMMUNES[0], 4, scheme="voluntary", digits_from=100, officer=first)
    _enrol(an, COMMUNES[0], 2, scheme="health", digits_from=200, officer=first)
    _enrol(binh, COMMUNES[1], 2, scheme="voluntary", digits_from=300, officer=second)
    _enrol(binh, COMMUNES[1], 1, scheme="health", digits_from=400, officer=second)
    return versions


def _adopt(office: SmallOffice, change: Change) -> Versions:
    ids, zone = office.runtime.ids, office.runtime.config.time_zone
    announce_campaign(change, YEAR, "Năm 2020", "drive", FROM, TO)
    for scheme, name_vi, name_en in (
        ("voluntary", "Cán bộ vận động tự nguyện", "Voluntary by officers"),
        ("health", "Cán bộ vận động hộ gia đình", "Household health by officers"),
    ):
        indicator = Indicator(
            f"officer_{scheme}", "enrolment", scheme=scheme, credits="promoter", campaign=YEAR
        )
        define_indicator(change, zone, indicator, name_vi, name_en)
    minimum = MinimumAsked(
        MINIMUM,
        "1 tự nguyện và 2 hộ gia đình",
        "1 voluntary and 2 household health",
        (("officer_voluntary", 1), ("officer_health", 2)),
        tuple(Holder("promoter", f"officer:{officer}") for officer in office.officers),
    )

    def adopt(kind: str, quotas: list[QuotaAsked], **terms: object) -> str:
        said = PlanTerms(phases=PHASES, **terms)  # type: ignore[arg-type]
        return adopt_plan(change, ids, YEAR, kind, quotas, terms=said, zone=zone)

    first = adopt(
        "initial",
        _tree(office, (60, 40, 20, 0), (40, 20)),
        decision_number="1788/QĐ-BHXH",
        decision_day=date(2019, 12, 20),
        effective_from=FROM,
    )
    second = adopt(
        "initial",
        _tree(office, (100, 40, 30, 10), (30, 30), is_phased=True),
        decision_number="411/QĐ-BHXH",
        decision_day=date(2020, 4, 24),
        effective_from=date(2020, 5, 1),
        minimums=(minimum,),
    )
    third = adopt(
        "initial",
        _tree(office, (120, 60, 40, 20), (61, 40)),
        decision_number="502/QĐ-BHXH",
        decision_day=date(2020, 5, 8),
        effective_from=date(2020, 7, 1),
        may_over_assign=True,
    )
    supplement = adopt(
        "supplementary",
        _tree(office, (10, 6, 4, 0), (6, 4)),
        decision_number="455/QĐ-BHXH",
        decision_day=date(2020, 5, 4),
        effective_from=date(2020, 5, 5),
    )
    return Versions(first, second, third, supplement)


def _tree(
    office: SmallOffice,
    of_areas: tuple[int, int, int, int],
    of_agents: tuple[int, int],
    *,
    is_phased: bool = False,
) -> list[QuotaAsked]:
    """Return quotas of the office, its three communes, and an agent in each of the first two."""
    communes = [Holder("area", key) for key in COMMUNES]
    agents = [Holder("agent", office.agents[name]) for name in ("an", "binh")]
    holders = [
        (OFFICE_HOLDER, None, of_areas[0]),
        *((commune, OFFICE_HOLDER, amount) for commune, amount in zip(communes, of_areas[1:], strict=True)),
        *(
            (agent, commune, amount)
            for agent, commune, amount in zip(agents, communes, of_agents, strict=False)
        ),
    ]
    return [
        QuotaAsked(
            VOLUNTARY,
            holder.kind,
            holder.key,
            FROM,
            TO,
            amount,
            parent=parent,
            phases=(("q1", amount // 5), ("q2", amount // 2), ("rq", amount // 10)) if is_phased else (),
        )
        for holder, parent, amount in holders
        if amount
    ]


def _enrol(
    client: FieldClient, area: str, count: int, *, scheme: str, digits_from: int, officer: str
) -> None:
    with client.recording() as actions:
        for number in range(digits_from, digits_from + count):
            person = actions.register_person(
                full_name=f"Người {number}", area=area, national_id=f"99918000{number:04}"
            )
            actions.record_enrolment(
                person=person,
                scheme=scheme,
                status="new",
                from_month="2020-05",
                months=3,
                amount_due_vnd=891_000,
                campaign=YEAR,
                promoter={"kind": "officer", "id": officer},
            )
    client.sync()
