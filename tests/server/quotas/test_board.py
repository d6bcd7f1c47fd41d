"""The board: done, asked, percentage and pace."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from server.audit.changes import Change, run_change
from server.office.rules import AreaFilter
from server.quotas.actions import (
    IndicatorInvalidError,
    PlanInvalidError,
    QuotaAsked,
    adopt_plan,
    define_indicator,
    seed_holidays,
    set_holiday,
)
from server.quotas.board import BoardRow, board_rows, totals, working_days
from server.quotas.holidays import Holiday
from server.quotas.queries import credits_of_holder, subjects_of_facts
from server.quotas.rules import Indicator
from server.runtime import Runtime
from tests.server.quotas.builders import (
    ACTOR,
    DRIVE,
    DRIVE_FROM,
    DRIVE_TO,
    LAUNCH,
    LAUNCH_DAY,
    ZONE,
    a_fact,
    define,
    open_campaigns,
    push,
)

VOLUNTARY = Indicator("voluntary", "enrolment", scheme="voluntary")
PERSUADED = Indicator("persuaded", "enrolment", credits="promoter", campaign=DRIVE)


@pytest.fixture
def office(any_runtime: Runtime) -> Runtime:
    open_campaigns(any_runtime)
    define(any_runtime, [VOLUNTARY, PERSUADED])
    return any_runtime


def adopt(runtime: Runtime, campaign: int, kind: str, *quotas: QuotaAsked, **quoted: str) -> str:
    def work(change: Change) -> str:
        return adopt_plan(change, runtime.ids, campaign, kind, quotas, quoted)

    return run_change(runtime.transactions, ACTOR, 0, work)


def for_drive(holder: str, amount: int, *, kind: str = "agent", indicator: str = "voluntary") -> QuotaAsked:
    return QuotaAsked(indicator, kind, holder, DRIVE_FROM, DRIVE_TO, amount)


def rows_of(runtime: Runtime, campaign: int, on_day: date, **filters: AreaFilter) -> dict[str, BoardRow]:
    with runtime.transactions.reading() as connection:
        return {row.holder: row for row in board_rows(connection, campaign, on_day, **filters)}


def test_a_row_sets_done_beside_the_initial_and_the_supplementary_quota(office: Runtime) -> None:
    push(office, *(a_fact(str(number), campaign=DRIVE, day=date(2020, 5, 12)) for number in range(9)))
    push(office, a_fact("late", day=date(2020, 6, 1), campaign=DRIVE))
    adopt(office, DRIVE, "initial", for_drive("agent-a", 6), for_drive("agent-b", 5))
    adopt(office, DRIVE, "initial", for_drive("agent-a", 8), for_drive("agent-b", 5))
    adopt(office, DRIVE, "supplementary", for_drive("agent-a", 2))
    rows = rows_of(office, DRIVE, DRIVE_TO)
    row = rows["agent-a"]
    assert (row.sums.done, row.sums.late, row.sums.not_counted) == (9, 1, 1)
    assert (row.quota_initial, row.quota_supplementary, row.quota) == (8, 2, 10)
    assert (row.percent, row.percent_of_initial) == (Decimal("90.00"), Decimal("112.50"))
    assert (row.expected, row.is_behind) == (Decimal("10.00"), True)
    assert (rows["agent-b"].sums.done, rows["agent-b"].quota_supplementary) == (0, None)


def test_expected_by_today_counts_working_days_and_the_holidays_of_the_office(office: Runtime) -> None:
    adopt(office, DRIVE, "initial", for_drive("agent-a", 19))
    # 4 to 29 May 2020 are twenty weekdays; with one of them off, nineteen.
    off = Holiday(date(2020, 5, 4), "Nghỉ", "Off", is_worked=False, source="test")
    run_change(office.transactions, ACTOR, 0, lambda change: set_holiday(change, off))
    assert rows_of(office, DRIVE, date(2020, 5, 6))["agent-a"].expected == Decimal("2.00")


def test_a_launch_day_expects_the_whole_quota_although_it_is_a_saturday(office: Runtime) -> None:
    adopt(
        office,
        LAUNCH,
        "initial",
        QuotaAsked("voluntary", "agent", "agent-a", LAUNCH_DAY, date(2020, 6, 5), 7),
    )
    assert rows_of(office, LAUNCH, LAUNCH_DAY)["agent-a"].expected == Decimal("7.00")
    assert rows_of(office, LAUNCH, date(2020, 5, 22))["agent-a"].expected == Decimal("0.00")


def test_the_total_of_204_officers_is_108_66_beside_the_quoted_107(office: Runtime) -> None:
    facts = [
        a_fact(f"{number:03}", campaign=DRIVE, day=date(2020, 5, 12), promoter=f"officer:{number % 204}")
        for number in range(665)
    ]
    push(office, *facts)
    quotas = [
        for_drive(f"officer:{number}", 3, kind="promoter", indicator="persuaded") for number in range(204)
    ]
    adopt(office, DRIVE, "initial", *quotas, persuaded="107")
    with office.transactions.reading() as connection:
        total = next(
            each for each in totals(connection, DRIVE, DRIVE_TO) if each.row.indicator == "persuaded"
        )
        mine = credits_of_holder(connection, DRIVE, "persuaded", "officer:0")
    assert (total.row.sums.done, total.row.quota, total.row.percent) == (665, 612, Decimal("108.66"))
    (quoted,) = total.quoted
    assert (quoted.quoted_percent, quoted.percent, quoted.is_misquoted) == ("107", Decimal("108.66"), True)
    assert len(mine) == 4


def test_a_published_ratio_stands_beside_its_own_row(office: Runtime) -> None:
    push(office, a_fact("1", campaign=DRIVE, day=date(2020, 5, 12)))
    asked = QuotaAsked("voluntary", "organisation", "post@2004-01-01", DRIVE_FROM, DRIVE_TO, 3, "34")
    adopt(office, DRIVE, "initial", asked)
    row = rows_of(office, DRIVE, DRIVE_TO)["post@2004-01-01"]
    assert (row.sums.done, row.percent, row.quoted_percent, row.is_misquoted) == (
        1,
        Decimal("33.33"),
        "34",
        True,
    )


def test_parents_and_children_are_never_added_up_in_a_total(office: Runtime) -> None:
    push(office, a_fact("1", campaign=DRIVE, day=date(2020, 5, 12)))
    team = for_drive("team-1", 50, kind="team")
    adopt(office, DRIVE, "initial", for_drive("agent-a", 20), for_drive("agent-b", 30), team)
    with office.transactions.reading() as connection:
        total = totals(connection, DRIVE, DRIVE_TO)[0]
    assert (total.row.quota, total.row.sums.done) == (50, 1)
    assert rows_of(office, DRIVE, DRIVE_TO)["team-1"].sums.done == 1


def test_who_may_look_at_no_area_sees_no_row(office: Runtime) -> None:
    push(office, a_fact("1"))
    nowhere = AreaFilter(office_wide=False)
    assert rows_of(office, LAUNCH, LAUNCH_DAY, area_filter=nowhere) == {}
    assert "agent-a" in rows_of(office, LAUNCH, LAUNCH_DAY, area_filter=AreaFilter(office_wide=True))


def test_the_seed_leaves_alone_what_the_office_has_set(office: Runtime) -> None:
    worked = Holiday(date(2026, 11, 24), "Làm việc", "Worked", is_worked=True, source="test")
    run_change(office.transactions, ACTOR, 0, lambda change: set_holiday(change, worked))
    run_change(office.transactions, ACTOR, 0, seed_holidays)
    run_change(office.transactions, ACTOR, 0, seed_holidays)
    with office.transactions.reading() as connection:
        calendar = working_days(connection)
    assert calendar.is_working(worked.day)
    assert not calendar.is_working(date(2020, 9, 2))


def test_an_indicator_defined_later_counts_what_is_there(office: Runtime) -> None:
    push(office, a_fact("1", status="renewal"), a_fact("2", status="new"))
    define(office, [Indicator("renewals", "enrolment", statuses=frozenset({"renewal"}))])
    with office.transactions.reading() as connection:
        found = {each.row.indicator: each.row.sums.done for each in totals(connection, LAUNCH, LAUNCH_DAY)}
        assert subjects_of_facts(connection, ["1", "9"]) == {"1": "person of 1"}
    assert found == {"renewals": 1, "voluntary": 2}


@pytest.mark.parametrize(
    "indicator",
    [
        VOLUNTARY,
        Indicator("x", "donation"),
        Indicator("x", "visit", credited_when="paid"),
        Indicator("x", "visit", cap=3),
        Indicator("x", "visit", cap=0, cap_per="subject"),
        Indicator("x", "visit", counts_in="office", campaign=LAUNCH),
    ],
)
def test_an_indicator_that_is_taken_or_contradicts_itself_is_refused(
    office: Runtime, indicator: Indicator
) -> None:
    with pytest.raises(IndicatorInvalidError):
        run_change(
            office.transactions, ACTOR, 0, lambda change: define_indicator(change, ZONE, indicator, "x", "x")
        )


@pytest.mark.parametrize(
    ("kind", "quotas"),
    [
        ("final", []),
        ("initial", [for_drive("a", 1, indicator="nothing")]),
        ("initial", [for_drive("a", -1)]),
        ("initial", [for_drive("a", 1), for_drive("a", 2)]),
        ("initial", [for_drive("a", 1, kind="village")]),
        ("initial", [QuotaAsked("voluntary", "agent", "a", DRIVE_FROM, DRIVE_TO, 1, "much")]),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(
    office: Runtime, kind: str, quotas: list[QuotaAsked]
) -> None:
    with pytest.raises(PlanInvalidError):
        adopt(office, DRIVE, kind, *quotas)
