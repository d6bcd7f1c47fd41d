"""Completeness of a period, and how sure a figure of it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from server.devices.rules import REQUEST_LIFE_MS, signed_after_ms
from server.quotas.periods import (
    Completeness,
    Outstanding,
    completeness_of,
    figure_standing,
    period_end_ms,
    within,
)
from server.quotas.rules import Indicator
from sync.clock import DAY_MS
from tests.server.quotas.builders import ZONE, at_ms

END_MS = 100 * DAY_MS
NOW_MS = END_MS + DAY_MS


@dataclass(frozen=True)
class ATablet:
    """What the rules need of an installation: one that has delivered the period, but for changes."""

    id: str = "t1"
    worker_id: str = "an"
    state: str = "active"
    predecessor_id: str | None = None
    enrolled_ms: int = 0
    last_sync_ms: int | None = NOW_MS
    unsent: int = 0
    delivered_ms: int | None = END_MS
    revoked_ms: int | None = None
    written_off_ms: int | None = None


def completeness(*tablets: ATablet, lost=(), unsettled=None, now_ms: int = NOW_MS) -> Completeness:
    return completeness_of(tablets, lost, unsettled or {}, END_MS, now_ms)


@pytest.mark.parametrize(
    ("tablet", "reason"),
    [
        (ATablet(), None),
        (ATablet(unsent=3), None),
        (ATablet(delivered_ms=END_MS - 1, last_sync_ms=END_MS - 1), "silent"),
        (ATablet(delivered_ms=None, last_sync_ms=None), "never_heard"),
        (ATablet(delivered_ms=END_MS - 1, unsent=1), "unsent"),
        (ATablet(delivered_ms=END_MS - 1), "unproven"),
        (ATablet(state="fenced"), "fenced"),
        (ATablet(state="revoked", revoked_ms=5, delivered_ms=5), None),
        (ATablet(state="revoked", revoked_ms=5, delivered_ms=4, last_sync_ms=4), "silent"),
        (ATablet(state="revoked", revoked_ms=NOW_MS, delivered_ms=END_MS), None),
    ],
)
def test_a_tablet_has_delivered_when_a_head_from_after_the_end_has_arrived_whole(tablet, reason):
    """What it captured later, and has not sent yet, is not of this period."""
    known = completeness(tablet)
    assert [each.reason for each in known.outstanding] == ([] if reason is None else [reason])
    assert (known.installations, known.is_final) == (1, reason is None)


@pytest.mark.parametrize(
    ("tablet", "reason"),
    [
        (ATablet(), None),
        (ATablet(last_sync_ms=END_MS - 2 * DAY_MS), "silent"),
        (ATablet(unsent=1), "unsent"),
    ],
)
def test_while_a_period_runs_a_tablet_heard_within_a_day_will_do_and_nothing_is_final(tablet, reason):
    known = completeness(tablet, now_ms=END_MS - 1)
    assert [each.reason for each in known.outstanding] == ([] if reason is None else [reason])
    assert not known.is_final


def test_a_tablet_enrolled_after_the_end_holds_nothing_of_the_period():
    assert completeness(ATablet(enrolled_ms=END_MS, delivered_ms=None)).installations == 0


def test_one_that_replaces_an_older_tablet_after_the_end_carries_what_that_one_held():
    old = ATablet("t1", state="superseded", delivered_ms=None)
    new = ATablet("t2", predecessor_id="t1", enrolled_ms=END_MS + 1, delivered_ms=None)
    known = completeness(old, new)
    assert (known.installations, [each.installation_id for each in known.outstanding]) == (1, ["t2"])


def test_a_replaced_tablet_whose_entries_were_not_carried_over_is_outstanding():
    old, new = ATablet("t1", state="superseded", unsent=2), ATablet("t2", predecessor_id="t1")
    assert completeness(old, new).is_final
    known = completeness(old, new, lost={"t1"})
    assert [(each.installation_id, each.reason) for each in known.outstanding] == [("t1", "not_carried_over")]


def test_two_tablets_that_name_each_other_do_not_hang_the_office():
    pair = (ATablet("t1", predecessor_id="t2"), ATablet("t2", predecessor_id="t1"))
    assert completeness(*pair).installations == 0


def test_a_tablet_given_up_is_waited_for_no_longer_until_it_is_heard_again():
    lost = ATablet(delivered_ms=1, last_sync_ms=1, written_off_ms=END_MS)
    assert (completeness(lost).is_final, completeness(lost).written_off) == (True, 1)
    back = ATablet(delivered_ms=1, last_sync_ms=NOW_MS, unsent=4, written_off_ms=END_MS)
    assert [each.reason for each in completeness(back).outstanding] == ["unsent"]


def test_entries_that_wait_keep_a_period_provisional():
    known = completeness(ATablet(), unsettled={"an": 2})
    assert (known.outstanding, known.unsettled_count, known.is_final) == ([], 2, False)


def test_a_figure_unique_across_agents_may_move_while_any_tablet_is_outstanding():
    known = Completeness(2, [Outstanding("t2", "binh", "silent")], {}, 0, is_over=True)
    unique, own = Indicator("a", "visit"), Indicator("b", "visit", is_unique=False)
    assert figure_standing(unique, "an", known) == "may_move"
    assert figure_standing(own, "an", known) == "final"
    assert figure_standing(own, "binh", known) == "provisional"
    assert figure_standing(own, None, known) == "provisional"
    capped = Indicator("c", "visit", is_unique=False, cap=1, cap_per="subject")
    promoted = Indicator("d", "visit", is_unique=False, credits="promoter")
    assert {figure_standing(each, "an", known) for each in (capped, promoted)} == {"may_move"}
    whole = Completeness(2, [], {}, 0, is_over=True)
    assert figure_standing(unique, None, whole) == "final"
    assert within(known, ["an"]) == []


def test_nothing_is_final_while_the_office_recovers_from_a_restore():
    known = completeness_of([ATablet()], (), {}, END_MS, NOW_MS, is_recovering=True)
    assert (known.is_final, known.is_final_for("an")) == (False, False)


def test_a_period_ends_with_its_last_local_day():
    assert period_end_ms(date(2020, 5, 23), ZONE) == at_ms(date(2020, 5, 24), 0)


@pytest.mark.parametrize(
    ("wall_ms", "acknowledged_ms", "after_ms"),
    [
        (NOW_MS, None, NOW_MS - REQUEST_LIFE_MS),
        (NOW_MS + DAY_MS, None, NOW_MS - REQUEST_LIFE_MS),
        (NOW_MS - DAY_MS, None, NOW_MS - DAY_MS - REQUEST_LIFE_MS),
        (0, None, 7),
        (0, NOW_MS - 5, NOW_MS - 5),
        (NOW_MS, NOW_MS + 1, NOW_MS),
    ],
)
def test_when_a_request_was_signed_is_believed_only_as_far_as_it_is_proven(
    wall_ms, acknowledged_ms, after_ms
):
    """[Q5] A request that was held back in between does not pass for a fresh one."""
    assert signed_after_ms(NOW_MS, wall_ms, 7, acknowledged_ms) == after_ms
