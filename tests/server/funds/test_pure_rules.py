"""What a fund buys, what it has to publish, and who may be given a card: pure rules."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.rate_tables import RateTables, published_tables
from server.funds.buying import Buys, cards_bought, cards_cost
from server.funds.eligibility import (
    Candidate,
    Conditions,
    Exclusion,
    OtherClaim,
    PoolRule,
    RuleMalformedError,
    age_on,
    read_conditions,
    rule_on,
    verdict_on,
)
from server.funds.publications import (
    FundDays,
    PublicationKind,
    PublicationState,
    due_publications,
)
from server.funds.refusals import FundRefusal
from server.funds.wording import EXCLUSION_WORDS, PUBLICATION_WORDS, REFUSAL_WORDS

DAY = date(2020, 6, 1)
CANDIDATE = Candidate(
    "poor_book", is_known=True, has_consent=True, birth_date=date(1960, 6, 2), insured_until=None
)
POOR = Conditions(frozenset({"poor_book"}))


def test_671_million_buy_3335_cards_for_three_months_or_1667_for_six():
    """Base salary 1,490,000: a card costs 4.5 % of it a month, 201,150 for three months."""
    three, six, twelve = cards_bought(671_000_000, published_tables(), DAY)
    assert three == Buys(3, 201_150, 3335, 164_750)
    assert six == Buys(6, 402_300, 1667, 671_000_000 - 1667 * 402_300)
    assert (twelve.months, twelve.price_vnd) == (12, 804_600)


def test_2500_cards_cost_502875000_for_three_months_and_1005750000_for_six():
    assert cards_cost(2500, 3, published_tables(), DAY) == 502_875_000
    assert cards_cost(2500, 6, published_tables(), DAY) == 1_005_750_000


def test_without_a_table_of_the_day_nothing_is_said_of_what_money_buys():
    assert cards_bought(671_000_000, RateTables(), DAY) == []


def test_what_was_received_is_due_15_days_after_closing_and_what_was_given_out_30_after_the_last():
    fund = FundDays(date(2022, 5, 1), date(2022, 5, 20), date(2022, 7, 31))
    published = {"call": date(2022, 5, 3)}
    found = {each.kind: each for each in due_publications(fund, published, date(2022, 6, 5))}
    call = found[PublicationKind.CALL]
    assert (call.state, call.due_on, call.is_late) == (PublicationState.DONE, date(2022, 5, 1), True)
    received = found[PublicationKind.RECEIVED]
    assert (received.due_on, received.state) == (date(2022, 6, 4), PublicationState.OVERDUE)
    given_out = found[PublicationKind.DISTRIBUTED]
    assert (given_out.due_on, given_out.state) == (date(2022, 8, 30), PublicationState.DUE)


def test_on_its_last_day_a_publication_is_due_and_not_overdue():
    fund = FundDays(date(2022, 5, 1), date(2022, 5, 20))
    [call, received] = due_publications(fund, {"call": date(2022, 5, 1)}, date(2022, 6, 4))
    assert (received.state, call.is_late) == (PublicationState.DUE, False)


def test_a_fund_that_is_not_closed_owes_no_totals_yet():
    [call] = due_publications(FundDays(date(2022, 5, 1)), {}, date(2022, 5, 2))
    assert (call.kind, call.state) == (PublicationKind.CALL, PublicationState.OVERDUE)


def test_an_age_is_reached_on_the_birthday():
    assert age_on(date(1960, 6, 2), date(2020, 6, 1)) == 59
    assert age_on(date(1960, 6, 1), date(2020, 6, 1)) == 60
    assert age_on(date(2000, 2, 29), date(2019, 2, 28)) == 18


def changed(**values):
    names = {name: getattr(CANDIDATE, name) for name in Candidate.__dataclass_fields__}
    return Candidate(**(names | values))


@pytest.mark.parametrize(
    ("candidate", "conditions", "code"),
    [
        (CANDIDATE, POOR, None),
        (changed(is_known=False), POOR, Exclusion.PERSON_UNKNOWN),
        (changed(has_consent=False), POOR, Exclusion.CONSENT_MISSING),
        (CANDIDATE, None, Exclusion.RULE_MISSING),
        (changed(evidence="other"), POOR, Exclusion.EVIDENCE_NOT_ACCEPTED),
        (CANDIDATE, Conditions(frozenset({"poor_book"}), age_from=60), Exclusion.TOO_YOUNG),
        (CANDIDATE, Conditions(frozenset({"poor_book"}), age_to=58), Exclusion.TOO_OLD),
        (CANDIDATE, Conditions(frozenset({"poor_book"}), age_to=59), None),
        (changed(birth_date=None), Conditions(frozenset({"poor_book"}), 60), Exclusion.BIRTH_DATE_MISSING),
        (changed(birth_date=None), POOR, None),
        (changed(insured_until=date(2020, 6, 1)), POOR, None),
        (changed(insured_until=date(2020, 6, 2)), POOR, Exclusion.ALREADY_INSURED),
        (
            changed(insured_until=date(2020, 7, 1)),
            Conditions(frozenset({"poor_book"}), insured_days=30),
            None,
        ),
    ],
)
def test_the_first_reason_against_a_nomination_is_told(candidate, conditions, code):
    assert verdict_on(candidate, conditions, DAY).code is code


def test_another_claim_of_the_same_person_excludes_and_a_card_that_has_ended_does_not():
    held = OtherClaim(Exclusion.HOLDS_A_CARD, "b", date(2020, 6, 2))
    ended = OtherClaim(Exclusion.HOLDS_A_CARD, "a", date(2020, 5, 31))
    before = OtherClaim(Exclusion.NOMINATED_BEFORE, "c")
    found = verdict_on(changed(others=(before, ended, held)), POOR, DAY)
    assert (found.code, found.about, found.until) == (Exclusion.HOLDS_A_CARD, "b", date(2020, 6, 2))
    assert verdict_on(changed(others=(ended,)), POOR, DAY).is_eligible


def test_the_rule_of_a_pool_is_the_last_that_began():
    rules = [
        PoolRule("poor", date(2020, 1, 1), POOR, "first", is_assumption=True),
        PoolRule("poor", date(2020, 6, 1), Conditions(frozenset({"other"})), "then", is_assumption=False),
        PoolRule("elderly", date(2020, 6, 1), POOR, "another pool's", is_assumption=True),
    ]
    assert rule_on(rules, "poor", date(2020, 5, 31)) == rules[0]
    assert rule_on(rules, "poor", date(2020, 6, 1)) == rules[1]
    assert rule_on(rules, "poor", date(2019, 12, 31)) is None


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({}, "evidence"),
        ({"evidence": []}, "evidence"),
        ({"evidence": "poor_book"}, "evidence"),
        ({"evidence": ["passport"]}, "evidence"),
        ({"evidence": ["poor_book"], "age_from": -1}, "age_from"),
        ({"evidence": ["poor_book"], "age_from": True}, "age_from"),
        ({"evidence": ["poor_book"], "age_from": 60, "age_to": 59}, "age_to"),
        ({"evidence": ["poor_book"], "insured_days": 367}, "insured_days"),
        ({"evidence": ["poor_book"], "income": 1}, "income"),
    ],
)
def test_conditions_that_nobody_can_apply_are_refused_by_name(members, named):
    with pytest.raises(RuleMalformedError, match=named):
        read_conditions(members)


def test_every_refusal_exclusion_and_publication_has_words_in_both_languages():
    for codes, words in (
        (FundRefusal, REFUSAL_WORDS),
        (Exclusion, EXCLUSION_WORDS),
        (PublicationKind, PUBLICATION_WORDS),
    ):
        assert set(codes) == set(words)
        assert all(text.strip() for pair in words.values() for text in pair)
