"""Plans in the database: versions by their first day, trees on the board, and what tablets are told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text

from server.audit.changes import run_change
from server.audit.models import AuditRow, Record
from server.audit.office_rows import apply_office_rows, opened_office_rows
from server.office.actions import NewArea, NewOrganisation, register_areas, register_organisation
from server.quotas.actions import PlanInvalidError, adopt_plan
from server.quotas.board import board_rows, totals
from server.quotas.jobs import show_plans
from server.quotas.models import FigureRow, PlanRow
from server.quotas.pace import denominators_of, is_misquoted
from server.quotas.phases import Phase
from server.quotas.plans import minimums_of, plan_versions, plans_in_force, quotas_in_force
from server.quotas.rules import Indicator
from server.quotas.trees import OFFICE_HOLDER, Holder, MinimumAsked, PlanTerms, QuotaAsked, split_below
from server.runtime import Runtime
from tests.server.quotas.builders import (
    ACTOR,
    DRIVE,
    DRIVE_FROM,
    DRIVE_TO,
    ZONE,
    a_fact,
    at_ms,
    define,
    open_campaigns,
    push,
)

VOLUNTARY = Indicator("voluntary", "enrolment", scheme="voluntary")
HEALTH = Indicator("health", "enrolment", scheme="health")
TOWN, WARD = "815@2004-01-01", "28249@2004-01-01"
MAY_18 = date(2020, 5, 18)
WEEK = Phase("w19", "week", "Tuần 19", date(2020, 5, 4), date(2020, 5, 8))
LAUNCH = Phase("rq", "launch_day", "Ra quân 23/5", date(2020, 5, 23), date(2020, 5, 23))


@pytest.fixture
def office(any_runtime: Runtime) -> Runtime:
    open_campaigns(any_runtime)
    define(any_runtime, [VOLUNTARY, HEALTH])
    return any_runtime


def adopt(runtime: Runtime, *quotas: QuotaAsked, kind="initial", campaign=DRIVE, quoted=None, **terms) -> str:
    return run_change(
        runtime.transactions,
        ACTOR,
        runtime.clock.now_ms(),
        lambda change: adopt_plan(
            change, runtime.ids, campaign, kind, quotas, quoted, terms=PlanTerms(**terms), zone=ZONE
        ),
    )


AN = Holder("agent", "agent-a")


def asked(amount: int, holder=AN, parent=None, **more) -> QuotaAsked:
    return QuotaAsked(
        "voluntary", holder.kind, holder.key, DRIVE_FROM, DRIVE_TO, amount, parent=parent, **more
    )


def on_tablets(runtime: Runtime) -> dict[str, int | None]:
    """Return what each agent's own record says is asked for initially."""
    record = Record.__table__.c
    with runtime.transactions.reading() as connection:
        texts = connection.scalars(select(record.wire_json).where(record.record_type == "quota_figure")).all()
    figures = [json.loads(each) for each in texts]
    return {each["holder"]: each["quota_initial"] for each in figures if each["indicator"] == "voluntary"}


def on_board(runtime: Runtime, day: date, holder="agent-a"):
    with runtime.transactions.reading() as connection:
        return next(row for row in board_rows(connection, DRIVE, day) if row.holder == holder)


def test_the_plan_in_force_on_a_day_is_the_newest_one_whose_first_day_has_come(office):
    first = adopt(office, asked(10), decision_number="411/QĐ-BHXH", decision_day=date(2020, 4, 1))
    second = adopt(office, asked(20), effective_from=MAY_18, decision_number="502/QĐ-BHXH")
    more = adopt(office, asked(5), kind="supplementary", effective_from=DRIVE_FROM)
    with office.transactions.reading() as connection:
        assert plans_in_force(connection, DRIVE, date(2020, 5, 3)) == {"initial": first}
        assert plans_in_force(connection, DRIVE, date(2020, 5, 17)) == {
            "initial": first,
            "supplementary": more,
        }
        assert plans_in_force(connection, DRIVE, MAY_18)["initial"] == second
        history = plan_versions(connection, DRIVE, date(2020, 5, 17))
    assert [(each.kind, each.version, each.standing, each.decision_number) for each in history] == [
        ("initial", 2, "to_come", "502/QĐ-BHXH"),
        ("initial", 1, "in_force", "411/QĐ-BHXH"),
        ("supplementary", 1, "in_force", None),
    ]
    assert on_board(office, date(2020, 5, 17)).quota == 15
    assert on_board(office, MAY_18).quota == 25


def test_a_later_decision_with_an_earlier_first_day_replaces_the_one_before(office):
    adopt(office, asked(10), effective_from=MAY_18)
    adopt(office, asked(30), effective_from=DRIVE_FROM)
    assert [on_board(office, day).quota for day in (DRIVE_FROM, MAY_18)] == [30, 30]
    with office.transactions.reading() as connection:
        standings = [each.standing for each in plan_versions(connection, DRIVE, MAY_18)]
    assert standings == ["in_force", "replaced"]


def test_a_plan_reaches_the_tablets_on_its_first_day_and_not_before(office, clock):
    adopt(office, asked(10))
    adopt(office, asked(20), asked(7, Holder("agent", "agent-b")), effective_from=MAY_18)
    # Neither a push nor the job may show it ahead of its day.
    push(office, a_fact("1", campaign=DRIVE, day=date(2020, 5, 12)))
    assert show_plans(office) == 0
    assert on_tablets(office) == {"agent-a": 10, "agent-b": None}
    clock.set(at_ms(MAY_18, 0))
    assert show_plans(office) == 1
    assert on_tablets(office) == {"agent-a": 20, "agent-b": 7}
    assert on_board(office, MAY_18).quota == 20, "the board says the same"
    assert show_plans(office) == 0
    with office.transactions.reading() as connection:
        plans = connection.scalars(select(PlanRow.__table__.c.shown_ms)).all()
    assert None not in plans


def test_a_holder_left_out_of_a_newer_version_is_asked_for_nothing_on_the_tablet_too(office):
    adopt(office, asked(10), asked(4, Holder("agent", "agent-b")))
    adopt(office, asked(12))
    assert on_tablets(office) == {"agent-a": 12, "agent-b": None}


def the_tree(*, office_amount=100) -> list[QuotaAsked]:
    whole = asked(office_amount, OFFICE_HOLDER)
    town = asked(80, Holder("area", TOWN), OFFICE_HOLDER)
    agents = split_below(town, "agent", {"agent-a": 2, "agent-b": 1}, keep=5)
    return [whole, town, *agents]


def test_the_total_of_a_tree_is_its_top_with_the_reserve_told(office):
    push(office, a_fact("1", campaign=DRIVE, day=date(2020, 5, 12)))
    adopt(office, *the_tree())
    with office.transactions.reading() as connection:
        (total,) = totals(connection, DRIVE, DRIVE_TO)
        rows = {row.holder: row for row in board_rows(connection, DRIVE, DRIVE_TO)}
    assert (total.row.quota, total.reserve, total.row.sums.done) == (100, 20, 1)
    assert {holder: row.quota for holder, row in rows.items()} == {
        "office": 100,
        TOWN: 80,
        "agent-a": 50,
        "agent-b": 25,
    }
    assert rows["office"].sums.done == 1


def test_a_plain_list_beside_a_tree_is_added_to_its_top(office):
    adopt(office, *the_tree())
    adopt(
        office,
        asked(6),
        asked(4, Holder("agent", "agent-b")),
        asked(10, Holder("team", "t")),
        kind="supplementary",
    )
    with office.transactions.reading() as connection:
        (total,) = totals(connection, DRIVE, DRIVE_TO)
    assert (total.row.quota_initial, total.row.quota_supplementary) == (100, 10)


def test_what_holds_others_is_credited_with_what_they_did(office):
    def set_up(change):
        since = date(2004, 1, 1)
        areas = [NewArea("815", "Mỹ Tho", "district", since), NewArea("28249", "P5", "commune", since, "815")]
        register_areas(change, areas)
        change.flush()
        register_organisation(change, NewOrganisation("BDT", "Bưu điện tỉnh", "post_office", since))
        change.flush()
        register_organisation(change, NewOrganisation("post", "Bưu cục", "post_office", since, "BDT"))

    run_change(office.transactions, ACTOR, 0, set_up)
    push(office, *(a_fact(str(n), campaign=DRIVE, day=date(2020, 5, 12)) for n in range(3)))
    nodes = [Holder("area", TOWN), Holder("area", WARD), Holder("organisation", "BDT@2004-01-01")]
    nodes += [Holder("organisation", "post@2004-01-01"), Holder("area", "99999@2004-01-01")]
    adopt(office, *(asked(10, node) for node in nodes))
    assert [on_board(office, DRIVE_TO, node.key).sums.done for node in nodes] == [3, 3, 3, 3, 0]


def test_the_board_expects_by_today_what_the_phases_ask_for(office):
    adopt(office, asked(100, phases=(("w19", 10), ("rq", 50))), phases=(WEEK, LAUNCH))
    # Of twenty working days in the drive, ten are over on the 15th; the week and the launch day are apart.
    assert on_board(office, date(2020, 5, 15)).expected == Decimal("30.00")
    assert on_board(office, date(2020, 5, 23)).expected == Decimal("90.00")
    with office.transactions.reading() as connection:
        (quota,) = quotas_in_force(connection, DRIVE, DRIVE_TO)
    assert [(share.phase, share.amount) for share in quota.shares] == [(WEEK, 10), (LAUNCH, 50)]


MINIMUM = MinimumAsked(
    "1+2", "1 tự nguyện + 2 hộ gia đình", "1 + 2", (("voluntary", 1), ("health", 2)), (Holder("agent", "a"),)
)


def test_a_minimum_is_kept_with_its_plan_and_a_supplementary_one_replaces_it(office):
    first = adopt(office, minimums=(MINIMUM,))
    harder = replace(MINIMUM, parts=(("health", 3), ("voluntary", 1)))
    more = adopt(office, minimums=(harder,), kind="supplementary")
    with office.transactions.reading() as connection:
        assert minimums_of(connection, [first]) == [MINIMUM]
        assert minimums_of(connection, [first, more]) == [harder]


def test_the_published_ratios_of_18816_are_kept_as_the_bounds_that_follow_from_them(office):
    """113 % of the initial and 107 % of the supplementary plan; neither plan was ever published."""
    assert denominators_of(18_816, "113") == (16_578, 16_725)
    assert denominators_of(18_816, "107") == (17_504, 17_667)
    assert not is_misquoted("159", 11_554, 7_262)

    def count(change):
        sums = dict.fromkeys(("pending", "duplicate", "over_limit", "out_of_area", "voided", "late"), 0)
        key = {"campaign": DRIVE, "indicator": "voluntary", "holder_kind": "agent", "holder": "agent-a"}
        change.insert(FigureRow.__table__, **key, counted=18_816, **sums)
        change.audit("test", "figure")

    run_change(office.transactions, ACTOR, 0, count)
    for kind, percent in (("initial", "113"), ("supplementary", "107")):
        bounds = denominators_of(18_816, percent)
        adopt(office, kind=kind, quoted={"voluntary": percent}, denominators={"voluntary": bounds})
    with office.transactions.reading() as connection:
        (total,) = totals(connection, DRIVE, DRIVE_TO)
    assert total.row.quota is None, "no number was made up"
    assert [
        (each.plan_kind, each.quoted_percent, each.bounds, each.is_misquoted) for each in total.quoted
    ] == [("initial", "113", (16_578, 16_725), False), ("supplementary", "107", (17_504, 17_667), False)]
    assert [each.percent_bounds for each in total.quoted] == [
        (Decimal("112.50"), Decimal("113.50")),
        (Decimal("106.50"), Decimal("107.50")),
    ]


def test_bounds_that_do_not_give_the_printed_ratio_are_flagged(office):
    adopt(office, quoted={"voluntary": "113"}, denominators={"voluntary": (16_578, 16_725)})
    with office.transactions.reading() as connection:
        (total,) = totals(connection, DRIVE, DRIVE_TO)
    assert total.quoted[0].is_misquoted, "nothing is done yet"


def test_a_refused_plan_says_why_and_leaves_nothing(office):
    with pytest.raises(PlanInvalidError) as caught:
        adopt(office, asked(10, OFFICE_HOLDER), asked(11, Holder("agent", "a"), OFFICE_HOLDER))
    assert caught.value.fault.code == "over_assigned"
    assert "11 > 10" in str(caught.value)
    with office.transactions.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(PlanRow.__table__)) == 0
        actions = connection.scalars(select(AuditRow.__table__.c.action)).all()
    assert "plan_adopted" not in actions


def test_a_restore_brings_a_plan_back_with_its_tree_phases_and_minimums(office):
    """What stands in the desk journal is enough to write every row of the plan again."""
    quotas = [replace(each, phases=(("w19", 3),)) for each in the_tree()]
    adopt(office, *quotas, phases=(WEEK,), minimums=(MINIMUM,), effective_from=DRIVE_FROM)
    tables = ("plan", "quota", "plan_phase", "plan_minimum", "plan_minimum_part")
    tables += ("plan_minimum_holder",)

    def everything(connection):
        return {name: sorted(map(str, connection.execute(text(f"SELECT * FROM {name}")))) for name in tables}

    with office.transactions.reading() as connection:
        before = everything(connection)
        contents = connection.scalars(text("SELECT content FROM desk_record WHERE kind = 'office_changed'"))
        records = [opened_office_rows(office.transactions.sealer, json.loads(each)) for each in contents]
    assert all(before.values())
    with office.transactions.writing() as connection:
        for name in tables:
            connection.execute(text(f"DELETE FROM {name}"))
        for record in records:
            apply_office_rows(connection, record["rows"])
        assert everything(connection) == before
