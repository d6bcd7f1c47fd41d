"""Credits as a pure function of facts."""

from __future__ import annotations

import dataclasses
import inspect
import random
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.quotas import rules
from server.quotas.rules import STATES, Credit, Fact, Indicator, credits_of
from server.quotas.wording import REASON_WORDS, STATE_WORDS
from tests.server.quotas.builders import DRIVE, INDICATORS, LAUNCH, LAUNCH_DAY, ZONE, a_fact, at_ms
from tests.server.quotas.strategies import facts_in_any_state


@dataclass(frozen=True)
class Days:
    from_day: date
    to_day: date


CAMPAIGNS = {LAUNCH: Days(LAUNCH_DAY, LAUNCH_DAY), DRIVE: Days(date(2020, 5, 4), date(2020, 5, 29))}
RECORDED = Indicator("recorded", "enrolment")
PAID = Indicator("paid", "enrolment", credited_when="paid")


def credits_for(indicator: Indicator, *facts: Fact) -> dict[str, Credit]:
    return {credit.fact_id: credit for credit in credits_of(facts, [indicator], CAMPAIGNS, ZONE)}


def standing(indicator: Indicator, *facts: Fact) -> dict[str, tuple[str, str]]:
    return {key: (each.state, each.reason) for key, each in credits_for(indicator, *facts).items()}


def test_the_earlier_capture_has_the_credit_and_the_other_names_it() -> None:
    late, early = a_fact("1", subject="p", hour=11), a_fact("2", subject="p", hour=8, agent_id="agent-b")
    found = credits_for(RECORDED, late, early)
    assert (found["2"].state, found["2"].winner, found["2"].holder) == ("counted", None, "agent-b")
    assert (found["1"].state, found["1"].reason, found["1"].winner) == (
        "duplicate",
        "subject_already_counted",
        "2",
    )


def test_at_the_same_moment_the_smaller_entry_id_has_the_credit() -> None:
    assert standing(RECORDED, a_fact("2", subject="p"), a_fact("1", subject="p"))["1"][0] == "counted"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"voided": True}, ("voided", "entry_voided")),
        ({"in_area": False}, ("out_of_area", "not_assigned_there")),
        ({"business_day": LAUNCH_DAY - timedelta(days=1)}, ("late", "before_campaign")),
        ({"business_day": LAUNCH_DAY + timedelta(days=1)}, ("late", "after_campaign")),
        ({"campaign": 77}, ("late", "campaign_unknown")),
        ({"paid": False}, ("pending", "not_paid_yet")),
    ],
)
def test_a_fact_that_does_not_count_blocks_no_other(changes: dict, expected: tuple[str, str]) -> None:
    first = a_fact("1", subject="p", hour=8, **changes)
    found = standing(PAID, first, a_fact("2", subject="p"))
    assert found == {"1": expected, "2": ("counted", "counted")}


def test_a_campaign_closes_fifteen_local_days_after_its_end() -> None:
    last_ms = at_ms(LAUNCH_DAY + timedelta(days=16), 0) - 1
    found = standing(RECORDED, a_fact("1", upper_ms=last_ms), a_fact("2", upper_ms=last_ms + 1))
    assert found == {"1": ("counted", "counted"), "2": ("late", "captured_after_close")}


def test_an_earlier_unpaid_fact_takes_the_credit_back_once_it_is_paid() -> None:
    early, later = a_fact("1", subject="p", hour=8, paid=False), a_fact("2", subject="p")
    assert standing(PAID, early, later)["2"][0] == "counted"
    found = standing(PAID, msgspec.structs.replace(early, paid=True), later)
    assert (found["1"][0], found["2"][0]) == ("counted", "duplicate")


def test_a_subject_counts_once_in_each_campaign_or_once_in_the_office() -> None:
    facts = a_fact("1", subject="p"), a_fact("2", subject="p", campaign=DRIVE, hour=10)
    assert [state for state, _ in standing(RECORDED, *facts).values()] == ["counted", "counted"]
    office = dataclasses.replace(RECORDED, unique_within="office")
    assert [state for state, _ in standing(office, *facts).values()] == ["counted", "duplicate"]


def test_facts_without_a_campaign_count_for_the_office_alone() -> None:
    fact = a_fact("1", campaign=None)
    assert standing(RECORDED, fact) == {}
    found = credits_for(dataclasses.replace(RECORDED, counts_in="office"), fact)
    assert (found["1"].state, found["1"].campaign) == ("counted", 0)


def test_a_cap_on_a_holder_is_used_up_in_the_order_of_capture() -> None:
    indicator = Indicator("c", "enrolment", cap=2, cap_per="holder")
    facts = [a_fact(str(number), hour=12 - number) for number in range(4)]
    found = standing(indicator, *facts, a_fact("b", agent_id="agent-b", hour=20))
    assert [found[str(number)][0] for number in range(4)] == [
        "over_limit",
        "over_limit",
        "counted",
        "counted",
    ]
    assert found["0"][1] == "holder_cap_reached"
    assert found["b"][0] == "counted"


def test_a_cap_on_a_subject_is_used_up_in_the_order_of_capture() -> None:
    indicator = Indicator("c", "visit", is_unique=False, cap=1, cap_per="subject")
    facts = [a_fact(str(number), kind="visit", subject="h", hour=9 + number) for number in range(2)]
    assert standing(indicator, *facts) == {
        "0": ("counted", "counted"),
        "1": ("over_limit", "subject_cap_reached"),
    }


def test_an_indicator_for_promoters_credits_nobody_where_nobody_persuaded() -> None:
    indicator = Indicator("p", "enrolment", credits="promoter")
    assert credits_for(indicator, a_fact("1")) == {}
    found = credits_for(indicator, a_fact("1", promoter="officer:w1"))["1"]
    assert (found.holder_kind, found.holder, found.agent_id) == ("promoter", "officer:w1", "agent-a")


@given(facts=facts_in_any_state(), seed=st.integers(0, 1000))
def test_credits_do_not_depend_on_the_order_of_facts(facts: list[Fact], seed: int) -> None:
    shuffled = random.Random(seed).sample(facts, len(facts))
    assert credits_of(shuffled, INDICATORS, CAMPAIGNS, ZONE) == credits_of(facts, INDICATORS, CAMPAIGNS, ZONE)


@given(facts=facts_in_any_state())
def test_one_fact_has_at_most_one_credit_for_each_indicator_and_each_has_a_reason(facts: list[Fact]) -> None:
    found = credits_of(facts, INDICATORS, CAMPAIGNS, ZONE)
    keys = [(credit.fact_id, credit.indicator) for credit in found]
    assert len(keys) == len(set(keys))
    assert {credit.reason for credit in found} <= set(REASON_WORDS)
    assert all((credit.winner is None) == (credit.state != "duplicate") for credit in found)


def test_every_state_and_reason_has_words() -> None:
    assert set(STATE_WORDS) == set(STATES)
    source = inspect.getsource(rules)
    assert {reason for reason in REASON_WORDS if f'"{reason}"' in source} == set(REASON_WORDS)
