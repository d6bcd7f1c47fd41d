"""The sheet of quotas: a new version over the newest one, faults of the whole, and taking it back."""

from __future__ import annotations

import json
from datetime import date

import pytest

from server.imports.kept import UNDONE
from server.imports.undoing import UndoRefusedError, undo_import
from server.quotas.actions import adopt_plan
from server.quotas.phases import Phase
from server.quotas.plans import newest_plan
from server.quotas.trees import Holder, MinimumAsked, PlanTerms, QuotaAsked
from tests.server.imports.builders import a_quota, checked, faults, imported
from tests.support.office_checks import rows
from tests.support.small_office import COMMUNES, DRIVE

WORKERS = [{"code": "NV1", "name": "Một"}, {"code": "NV2", "name": "Hai"}]
FIRST, LAST = date(2020, 1, 1), date(2020, 12, 31)
OFFICE = {"holder_kind": "office"}


@pytest.fixture
def workers(any_office, author) -> dict[str, str]:
    """Two agents whom sheets can name."""
    imported(any_office.runtime, author, "workers", *WORKERS)
    found = dict(rows(any_office, "SELECT name, id FROM worker"))
    return {"NV1": found["Một"], "NV2": found["Hai"]}


def newest(office, kind: str = "initial"):
    with office.runtime.transactions.reading() as connection:
        return newest_plan(connection, DRIVE, kind)


def amounts(office) -> dict[str, int]:
    return {each.holder: each.amount for each in newest(office).quotas}


def shown(office, worker_id: str) -> int | None:
    """Return the quota that an agent's tablet shows."""
    record = f"{DRIVE}:voluntary_enrolled:{worker_id}"
    found = rows(office, "SELECT wire_json FROM record WHERE record_id = :record", record=record)
    return json.loads(found[0][0])["quota_initial"] if found else None


def test_a_sheet_is_laid_over_the_newest_version(any_office, author, workers):
    run = imported(any_office.runtime, author, "quotas", a_quota("NV1", 10), a_quota("NV2", 20))
    assert (run.added, run.changed) == (2, 0)
    later = imported(any_office.runtime, author, "quotas", a_quota("NV2", 25))
    assert (later.added, later.changed) == (0, 1)
    # Who is not in the sheet is asked for what they were.
    assert amounts(any_office) == {workers["NV1"]: 10, workers["NV2"]: 25}
    assert shown(any_office, workers["NV2"]) == 25
    versions = "SELECT version FROM plan WHERE campaign = :campaign AND kind = 'initial' ORDER BY version"
    assert len(rows(any_office, versions, campaign=DRIVE)) == 2


def test_the_same_sheet_again_changes_nothing_and_another_decision_does(any_office, author, workers):
    sheet = [a_quota("NV1", 10, decision_number="1788/QĐ", decision_day=date(2019, 12, 20))]
    imported(any_office.runtime, author, "quotas", *sheet)
    assert checked(any_office.runtime, "quotas", *sheet).fates["keep"] == 1
    other = [{**sheet[0], "decision_number": "411/QĐ"}]
    assert imported(any_office.runtime, author, "quotas", *other).changed == 1
    assert newest(any_office).terms.decision_number == "411/QĐ"


def test_phases_minimums_and_published_ratios_are_carried_over(any_office, author, workers):
    holder = Holder("agent", workers["NV1"])
    terms = PlanTerms(
        phases=(Phase("q1", "quarter", "Quý 1", FIRST, date(2020, 3, 31)),),
        minimums=(MinimumAsked("m", "một", "one", (("voluntary_enrolled", 1),), (holder,)),),
        denominators={"health_enrolled": (16_578, 16_725)},
        published_done={"health_enrolled": 18_816},
    )
    asked = QuotaAsked("voluntary_enrolled", *holder, FIRST, LAST, 12, phases=(("q1", 4),))
    any_office.change(
        lambda change: adopt_plan(
            change,
            any_office.runtime.ids,
            DRIVE,
            "initial",
            [asked],
            {"health_enrolled": "113"},
            terms=terms,
        )
    )
    before = newest(any_office)
    imported(any_office.runtime, author, "quotas", a_quota("NV1", 15))
    after = newest(any_office)
    assert after.plan_id != before.plan_id
    assert (after.terms, after.quoted) == (before.terms, before.quoted)
    assert [(each.amount, each.phases) for each in after.quotas] == [(15, (("q1", 4),))]


def test_a_tree_is_checked_as_a_whole_and_named_at_its_row(any_office, workers):
    runtime = any_office.runtime
    commune = {"holder_kind": "area", "parent_kind": "office"}
    below = {"parent_kind": "area", "parent_code": "28249"}
    tree = [
        a_quota(None, 30, **OFFICE),
        a_quota("28249", 20, **commune),
        a_quota("NV1", 12, **below),
        a_quota("NV2", 12, **below),
    ]
    assert faults(runtime, "quotas", *tree) == [("H3", "over_assigned")]
    tree[3]["amount"] = 8
    assert faults(runtime, "quotas", *tree) == []
    lost = [tree[0], tree[1], {**tree[2], "parent_code": "28252"}]
    assert faults(runtime, "quotas", *lost) == [("J4", "parent_unknown")]
    alone = [tree[0], {**tree[1], "parent_kind": None}]
    assert faults(runtime, "quotas", *alone) == [("J3", "parent_missing")]


def test_a_tree_keeps_its_holders(any_office, author, workers):
    tree = [
        a_quota(None, 30, **OFFICE),
        a_quota("28249", 20, holder_kind="area", parent_kind="office"),
        a_quota("NV1", 12, parent_kind="area", parent_code="28249"),
        a_quota("NV2", 3, holder_kind="officer", parent_kind="office"),
    ]
    imported(any_office.runtime, author, "quotas", *tree)
    parents = {each.holder: each.parent for each in newest(any_office).quotas}
    assert parents == {
        "office": None,
        COMMUNES[0]: Holder("office", "office"),
        workers["NV1"]: Holder("area", COMMUNES[0]),
        f"officer:{workers['NV2']}": Holder("office", "office"),
    }


def test_an_import_taken_back_leaves_the_version_before_it(any_office, author, workers):
    first = imported(any_office.runtime, author, "quotas", a_quota("NV1", 10))
    later = imported(any_office.runtime, author, "quotas", a_quota("NV1", 15))
    with pytest.raises(UndoRefusedError) as caught:
        undo_import(any_office.runtime, author, first.id)
    assert [(each.number, each.code) for each in caught.value.obstacles] == [(2, "row_changed_since")]
    assert undo_import(any_office.runtime, author, later.id).state == UNDONE
    assert (amounts(any_office), shown(any_office, workers["NV1"])) == ({workers["NV1"]: 10}, 10)
    undo_import(any_office.runtime, author, first.id)
    assert (newest(any_office).plan_id, shown(any_office, workers["NV1"])) == (None, None)
