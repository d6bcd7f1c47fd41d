from __future__ import annotations

from datetime import date

import pytest

from server.office.rules import (
    GRACE_MS,
    AreaFilter,
    AssignmentSpan,
    Membership,
    assignment_standing,
    clashing,
    team_on,
)

PATH = ("82@2004-01-01", "815@2004-01-01", "28249@2004-01-01")
DAY = date(2020, 5, 23)


def a_span(area_key=PATH[2], role="agent", from_ms=1000, to_ms=None):
    return AssignmentSpan("w", role, area_key, None, from_ms, to_ms)


def a_membership(team="t1", campaign=None, from_day=DAY, to_day=None):
    return Membership(team, "w", campaign, from_day, to_day)


@pytest.mark.parametrize("area_key", [*PATH, None])
def test_an_assignment_over_an_ancestor_or_over_no_area_covers_the_commune(area_key):
    assert assignment_standing([a_span(area_key)], PATH, 2000) == "assigned"


def test_an_assignment_begins_at_its_time_and_ends_before_its_end():
    spans = [a_span(from_ms=1000, to_ms=2000)]
    assert assignment_standing(spans, PATH, 999) == "none"
    assert assignment_standing(spans, PATH, 1000) == "assigned"
    assert assignment_standing(spans, PATH, 1999) == "assigned"
    assert assignment_standing(spans, PATH, 2000) == "in_grace"
    assert assignment_standing(spans, PATH, 2000 + GRACE_MS - 1) == "in_grace"
    assert assignment_standing(spans, PATH, 2000 + GRACE_MS) == "none"


def test_who_is_assigned_to_another_commune_is_elsewhere():
    assert assignment_standing([a_span("28252@2004-01-01")], PATH, 2000) == "elsewhere"


def test_a_role_that_records_nothing_gives_no_standing():
    assert assignment_standing([a_span(None, role="treasurer")], PATH, 2000) == "none"


def test_the_team_of_a_campaign_goes_before_the_standing_team():
    memberships = [a_membership("standing"), a_membership("launch", campaign=7, to_day=DAY)]
    assert team_on(memberships, 7, DAY) == "launch"
    assert team_on(memberships, 8, DAY) == "standing"
    assert team_on(memberships, None, DAY) == "standing"
    assert team_on(memberships, 7, date(2020, 5, 24)) == "standing"
    assert team_on(memberships, 7, date(2020, 5, 22)) is None


def test_two_teams_on_one_day_clash_within_one_campaign_only():
    known = [a_membership(to_day=DAY)]
    assert clashing(known, a_membership("t2", from_day=DAY)) == known[0]
    assert clashing(known, a_membership("t2", from_day=date(2020, 5, 24))) is None
    assert clashing(known, a_membership("t2", campaign=7)) is None


def test_a_filter_allows_what_lies_below_its_areas():
    assert AreaFilter(office_wide=True).allows(PATH)
    assert AreaFilter(office_wide=False, area_keys=frozenset({PATH[1]})).allows(PATH)
    assert not AreaFilter(office_wide=False, area_keys=frozenset({"816@2004-01-01"})).allows(PATH)
    assert not AreaFilter(office_wide=False).allows(PATH)
