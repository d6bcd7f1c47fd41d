"""Trees of quotas, their reserves, and why a plan is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.quotas.phases import Phase
from server.quotas.trees import (
    OFFICE_HOLDER,
    Holder,
    MinimumAsked,
    PlanTerms,
    QuotaAsked,
    is_met,
    plan_fault,
    split_below,
    tree_of,
)
from server.quotas.wording import PLAN_FAULT_WORDS
from tests.architecture.sources import ROOT, python_sources

FROM, TO = date(2020, 1, 1), date(2020, 12, 31)
CREDITED = {"voluntary": "agent", "health": "agent", "persuaded": "promoter"}
TOWN = Holder("area", "815@2004-01-01")
MAY = Phase("m05", "month", "Tháng 5", date(2020, 5, 1), date(2020, 5, 31))


def asked(holder: Holder, amount: int, parent: Holder | None = None, **more) -> QuotaAsked:
    return QuotaAsked("voluntary", holder.kind, holder.key, FROM, TO, amount, parent=parent, **more)


def agent(name: str) -> Holder:
    return Holder("agent", name)


OFFICE = asked(OFFICE_HOLDER, 100)
TREE = [OFFICE, asked(TOWN, 80, OFFICE_HOLDER), asked(agent("a"), 50, TOWN), asked(agent("b"), 30, TOWN)]


def fault_of(quotas, terms=None, kind="initial", **quoted) -> str | None:
    found = plan_fault(kind, quotas, quoted, terms or PlanTerms(), CREDITED)
    return None if found is None else found.code


def test_children_add_up_or_the_difference_is_a_reserve() -> None:
    nodes = tree_of(TREE, "voluntary")
    assert nodes[OFFICE_HOLDER].reserve == 20
    assert nodes[TOWN].reserve == 0
    assert nodes[agent("a")].reserve is None
    assert nodes[TOWN].children == (agent("a"), agent("b"))
    assert fault_of(TREE) is None


def test_a_holder_with_two_runs_of_days_is_one_node() -> None:
    later = replace(TREE[2], from_day=date(2020, 7, 1), amount=10)
    earlier = replace(TREE[2], to_day=date(2020, 6, 30), amount=20)
    nodes = tree_of([*TREE[:2], earlier, later, TREE[3]], "voluntary")
    assert (nodes[agent("a")].amount, nodes[TOWN].assigned, nodes[TOWN].children) == (
        30,
        60,
        (agent("a"), agent("b")),
    )


def test_more_below_than_above_is_refused_unless_the_plan_says_that_it_is_meant() -> None:
    greedy = [*TREE[:2], asked(agent("a"), 51, TOWN), TREE[3]]
    assert fault_of(greedy) == "over_assigned"
    assert fault_of(greedy, PlanTerms(may_over_assign=True)) is None
    assert tree_of(greedy, "voluntary")[TOWN].reserve == -1


SUB = Holder("area", "28249@2004-01-01")
POST = Holder("organisation", "BD@2004-01-01")


@pytest.mark.parametrize(
    ("code", "quotas"),
    [
        ("parent_unknown", [asked(agent("a"), 1, TOWN)]),
        ("parent_not_above", [asked(agent("a"), 1), asked(TOWN, 1, agent("a"))]),
        ("parent_not_above", [asked(agent("a"), 1), asked(agent("b"), 1, agent("a"))]),
        ("parent_missing", [OFFICE, asked(TOWN, 1)]),
        ("office_is_one", [asked(Holder("office", "other"), 1)]),
        ("parents_in_a_circle", [asked(TOWN, 1, SUB), asked(SUB, 1, TOWN)]),
        (
            "parents_differ",
            [*TREE, replace(TREE[2], from_day=date(2020, 7, 1), parent=OFFICE_HOLDER)],
        ),
        ("quota_twice", [TREE[0], TREE[0]]),
        ("amount_below_zero", [asked(TOWN, -1)]),
        ("days_reversed", [replace(OFFICE, to_day=date(2019, 1, 1))]),
        ("indicator_unknown", [replace(OFFICE, indicator="other")]),
        ("holder_kind_unknown", [asked(Holder("village", "x"), 1)]),
        ("quoted_not_a_number", [replace(OFFICE, quoted_percent="much")]),
        ("phase_unknown", [replace(OFFICE, phases=(("m05", 1),))]),
    ],
)
def test_an_impossible_tree_is_refused_by_a_code(code, quotas) -> None:
    assert fault_of(quotas) == code


def test_areas_and_organisations_may_hold_each_other_and_teams_hold_persons() -> None:
    team = Holder("team", "t")
    quotas = [
        OFFICE,
        asked(TOWN, 50, OFFICE_HOLDER),
        asked(POST, 50, TOWN),
        asked(SUB, 50, POST),
        asked(team, 50, SUB),
        asked(agent("a"), 50, team),
    ]
    assert fault_of(quotas) is None


@pytest.mark.parametrize(
    ("code", "terms"),
    [
        ("phase_unusable", PlanTerms(phases=(replace(MAY, kind="decade"),))),
        ("phase_unusable", PlanTerms(phases=(replace(MAY, to_day=FROM),))),
        ("phase_twice", PlanTerms(phases=(MAY, MAY))),
        ("denominator_unusable", PlanTerms(denominators={"voluntary": (5, 6)})),
        ("denominator_unusable", PlanTerms(denominators={"health": (6, 5)})),
        ("indicator_unknown", PlanTerms(denominators={"other": (5, 6)})),
        ("published_without_ratio", PlanTerms(published_done={"voluntary": 5})),
        (
            "minimum_not_credited",
            PlanTerms(minimums=(MinimumAsked("m", "m", "m", (("persuaded", 1),), (agent("a"),)),)),
        ),
        ("minimum_of_persons", PlanTerms(minimums=(MinimumAsked("m", "m", "m", (("health", 1),), (TOWN,)),))),
        (
            "minimum_unusable",
            PlanTerms(minimums=(MinimumAsked("m", "m", "m", (("health", 0),), (agent("a"),)),)),
        ),
        (
            "minimum_twice",
            PlanTerms(minimums=(MinimumAsked("m", "m", "m", (("health", 1),), (agent("a"),)),) * 2),
        ),
    ],
)
def test_impossible_terms_are_refused_by_a_code(code, terms) -> None:
    assert fault_of(TREE, terms) == code


def test_phases_may_not_ask_for_more_than_the_quota_nor_lie_outside_it() -> None:
    terms = PlanTerms(phases=(MAY,))
    assert fault_of([replace(OFFICE, phases=(("m05", 101),))], terms) == "phases_over_quota"
    june_on = replace(OFFICE, from_day=date(2020, 6, 1), phases=(("m05", 1),))
    assert fault_of([june_on], terms) == "phases_overlap"
    assert fault_of([replace(OFFICE, phases=(("m05", 100),))], terms) is None


def test_every_reason_why_a_plan_is_refused_has_words_in_both_languages() -> None:
    sources = [source for source in python_sources("server/quotas") if "PlanFault(" in source.text]
    codes = {code for each in sources for code in re.findall(r'PlanFault\(\s*"(\w+)"', each.text)}
    assert codes == set(PLAN_FAULT_WORDS)
    assert all(len(words) == 2 and all(words) for words in PLAN_FAULT_WORDS.values())
    operating = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert codes <= set(re.findall(r"^\| `(\w+)` \|", operating, re.MULTILINE))


def test_a_minimum_is_met_whole_or_not_at_all() -> None:
    parts = (("voluntary", 1), ("health", 2))
    assert is_met((1, 2), parts)
    assert not is_met((9, 1), parts), "nine voluntary ones make up for no health one"
    assert not is_met((0, 9), parts)


@given(st.integers(0, 5000), st.integers(0, 400), st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_a_plan_that_is_split_top_down_is_a_tree_whose_reserves_are_what_was_kept(amount, kept, weights):
    keep = min(kept, amount)
    above = asked(OFFICE_HOLDER, amount)
    communes = {f"{number:05}@2004-01-01": weight for number, weight in enumerate(weights)}
    areas = split_below(above, "area", communes, keep=keep)
    agents = [
        each
        for area in areas
        for each in split_below(
            area, "agent", {f"{area.holder} 1": 1, f"{area.holder} 2": 2}, phase_weights={"m05": 1}
        )
    ]
    quotas = [above, *areas, *agents]
    assert fault_of(quotas, PlanTerms(phases=(MAY,))) is None
    nodes = tree_of(quotas, "voluntary")
    assert nodes[OFFICE_HOLDER].reserve == keep
    assert {nodes[Holder("area", area.holder)].reserve for area in areas} == {0}
    assert sum(each.amount for each in agents) == amount - keep
    assert all(each.phases == (("m05", each.amount),) for each in agents)
