from __future__ import annotations

from collections import Counter

import pytest

from server.demo.figures import DRIVE, FIRST_LAUNCH, SCALES, SECOND_LAUNCH
from server.demo.plan import Plan, make_plan
from server.office.area_list import TIEN_GIANG_2025, read_area_list

AREAS = read_area_list(TIEN_GIANG_2025)


def enrolled(plan: Plan) -> Counter[tuple[int, str]]:
    """How many enrolments of each campaign and scheme will count."""
    found: Counter[tuple[int, str]] = Counter()
    seen = set()
    for (campaign, _agent), visits in sorted(plan.visits.items()):
        for visit in visits:
            for person, enrolment in zip(visit.people, visit.enrolments, strict=True):
                who = (campaign, person)
                if not visit.is_payment_unreadable and who not in seen:
                    found[campaign, enrolment["scheme"]] += 1
                seen.add(who)
    return found


def test_the_full_plan_has_the_published_figures():
    scale = SCALES["full"]
    assert (sum(scale.voluntary), sum(scale.health)) == (2122, 2311)
    assert (scale.officers, scale.officers_quota, scale.persuaded) == (204, 612, 665)
    assert scale.counted == 5098
    assert scale.agents >= 24


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("seed", [1, 2, 3, 2020])
def test_every_seed_gives_the_same_totals(name, seed):
    scale = SCALES[name]
    found = enrolled(make_plan(scale, seed, AREAS))
    for place, campaign in enumerate((FIRST_LAUNCH, SECOND_LAUNCH)):
        assert found[campaign, "voluntary"] == scale.voluntary[place]
        assert found[campaign, "health"] == scale.health[place]
    assert found[DRIVE, "voluntary"] + found[DRIVE, "health"] == scale.persuaded


def test_the_same_seed_gives_the_same_plan():
    first, second = (make_plan(SCALES["full"], 5, AREAS) for _ in range(2))
    assert (first.visits, first.quotas, first.officers) == (second.visits, second.quotas, second.officers)
    assert first.visits != make_plan(SCALES["full"], 6, AREAS).visits


def test_all_communes_belong_to_exactly_one_agent():
    plan = make_plan(SCALES["full"], 1, AREAS)
    communes = [commune for agent in plan.agents for commune in agent.communes]
    assert len(communes) == len(set(communes)) == 164


def test_made_up_numbers_are_impossible_and_belong_to_one_person():
    plan = make_plan(SCALES["full"], 1, AREAS)
    people = {person for visits in plan.visits.values() for visit in visits for person in visit.people}
    for prefix, numbers in (
        ("000", [person.national_id for person in people if person.national_id]),
        ("00", [person.insurance_number for person in people if person.insurance_number]),
        ("0000", [person.phone for person in people if person.phone]),
    ):
        assert all(number.startswith(prefix) for number in numbers)
        assert len(numbers) == len(set(numbers))
    assert all(person.national_id or person.insurance_number for person in people)


def test_teams_have_members_of_several_networks():
    plan = make_plan(SCALES["full"], 1, AREAS)
    networks: dict[str, set[str]] = {}
    for agent in plan.agents:
        networks.setdefault(agent.district, set()).add(agent.network)
    assert all(len(found) == 3 for found in networks.values())


def test_prices_are_those_of_2020():
    """22 % of the income less 15,400 đồng a month; 4.5 % of 1,490,000, less for further members."""
    plan = make_plan(SCALES["full"], 1, AREAS)
    monthly_vnd: dict[str, set[int]] = {"voluntary": set(), "health": set()}
    for visits in plan.visits.values():
        for enrolment in (each for visit in visits for each in visit.enrolments):
            assert enrolment["amount_due_vnd"] % enrolment["months"] == 0
            monthly_vnd[enrolment["scheme"]].add(enrolment["amount_due_vnd"] // enrolment["months"])
    assert monthly_vnd["voluntary"] == {138_600, 204_600, 314_600}
    assert monthly_vnd["health"] == {67_050, 46_935, 40_230, 33_525}
