"""The plan of a fund's year: published sums to the đồng, what is planted, and files that say the same."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from field_client.fund_recount import FundRecount
from field_client.recount import Recount
from server.demo.fund.figures import DONORS_VND, FUND_SCALES, STAFF_VND, TWENTIETH_DAY
from server.demo.fund.files import write_files
from server.demo.fund.plan import make_fund_plan
from server.office.area_list import TIEN_GIANG_2025, read_area_list

AREAS = read_area_list(TIEN_GIANG_2025)


@pytest.fixture(scope="module", params=["small", "full"])
def plan(request):
    return make_fund_plan(FUND_SCALES[request.param], 7, AREAS)


def test_the_same_seed_gives_the_same_year_and_another_seed_another():
    small = FUND_SCALES["small"]
    assert make_fund_plan(small, 3, AREAS) == make_fund_plan(small, 3, AREAS)
    assert make_fund_plan(small, 3, AREAS).gifts != make_fund_plan(small, 4, AREAS).gifts


def test_staff_and_donors_give_the_published_sums_in_twenty_days(plan):
    early = [gift for gift in plan.gifts if gift.day <= TWENTIETH_DAY and gift.ref != "G-TWICE"]
    sums = Counter()
    for gift in early:
        sums["staff" if gift.donor_class == "staff" else "donors"] += gift.amount_vnd
    assert sums == {"staff": STAFF_VND, "donors": DONORS_VND}
    assert all(gift.amount_vnd > 0 for gift in plan.gifts)


def test_every_line_has_the_balance_of_the_line_before_and_its_own_amount(plan):
    rows = {row.reference: row for statement in plan.statements for row in statement.rows}
    balance_vnd = 0
    for row in sorted(rows.values(), key=lambda each: (each.day, each.reference)):
        balance_vnd += row.amount_vnd
        assert row.balance_vnd == balance_vnd


def test_statements_overlap_and_are_read_twice(plan):
    steps = [step for stretch in plan.stretches for step in stretch.office if step.action == "import"]
    lines = sum(len(statement.rows) for statement in plan.statements)
    read = Counter(step.ref for step in steps)
    assert {name for name, times in read.items() if times == 2} == {"sao-ke-1", "sao-ke-7"}
    assert sum(step.amount_vnd for step in steps) < lines


def test_nobody_is_out_before_the_tablet_is_there_or_hands_a_card_over_before_its_issue(plan):
    issued = {
        step.ref: step.day
        for stretch in plan.stretches
        for step in stretch.office
        if (step.action, step.outcome) == ("issue", "done")
    }
    for stretch in plan.stretches:
        for outing in stretch.outings:
            days = [step.day for step in outing.steps]
            assert days == sorted(days)
            assert all(date(2023, 3, 1) <= day <= outing.sync_on for day in days)
            for step in outing.steps:
                if step.what == "handover":
                    assert step.day > issued[step.members["nominee"]]


def test_a_bounce_and_dearer_cards_are_refused_money_and_nothing_is_undone(plan):
    outcomes = Counter((step.action, step.outcome) for stretch in plan.stretches for step in stretch.office)
    assert outcomes["approve", "money_short"] == 3
    assert outcomes["issue", "money_short"] >= 2
    planted = plan.scale.planted
    for code in ("already_insured", "consent_missing", "holds_a_card"):
        assert outcomes["propose", code] == outcomes["exclude", code] == planted


def test_the_files_alone_give_the_sums_of_the_plan(plan, tmp_path):
    write_files(plan, tmp_path)
    found = FundRecount(tmp_path, Recount()).as_wire()
    last = max(
        (row for file in plan.statements for row in file.rows), key=lambda row: (row.day, row.reference)
    )
    assert found["bank_vnd"] == last.balance_vnd
    assert found["twenty_days_vnd"] == {"staff": STAFF_VND, "donors": DONORS_VND}
    assert found["due_insurer_vnd"] == found["refund_due_vnd"] == 0
    assert sum(found["cards"].values()) == sum(found["stages"].values())
    # Without tablets whatever was said at doors is missing, and none of it is money.
    assert found["missing"]
    assert found["received_vnd"].keys() == {"office_cash", "office_transfer"}


def test_no_number_of_a_person_stands_in_a_file(plan, tmp_path):
    write_files(plan, tmp_path)
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*.csv"))
    assert not [number for number in plan.numbers() if number.encode() in content]
