from __future__ import annotations

from datetime import date

import pytest

from server.office.actions import (
    NewArea,
    NewOrganisation,
    OfficeRuleError,
    add_member,
    assign_worker,
    close_area,
    end_assignment,
    form_team,
    register_areas,
    register_organisation,
    register_worker,
    replace_area,
)
from server.office.area_list import TIEN_GIANG_2025, read_area_list
from server.office.queries import (
    areas_by_key,
    areas_on,
    assignments_of,
    commune_keys_under,
    organisations_by_key,
    organisations_of_workers,
    roles_held,
    team_memberships_of,
    visible_areas,
    visible_worker_ids,
    workers_by_id,
)
from server.office.rules import team_on
from sync.clock import DAY_MS
from tests.support.staff import COMMUNE, DISTRICT, OTHER_COMMUNE, PROVINCE, a_province, a_worker, changed

DAY = date(2020, 5, 23)


def read(runtime, query, *arguments):
    with runtime.transactions.reading() as connection:
        return query(connection, *arguments)


def test_an_area_knows_its_ancestors(any_runtime):
    assert a_province(any_runtime) == [PROVINCE, DISTRICT, COMMUNE, OTHER_COMMUNE]
    found = read(any_runtime, areas_by_key, [COMMUNE, "1@2004-01-01"])
    assert list(found) == [COMMUNE]
    assert found[COMMUNE].path == (PROVINCE, DISTRICT, COMMUNE)
    assert found[COMMUNE].level == "commune"
    assert read(any_runtime, commune_keys_under, [PROVINCE], DAY) == {COMMUNE, OTHER_COMMUNE}


def test_a_code_is_used_again_with_another_meaning(any_runtime):
    a_province(any_runtime)
    last_day, first_day = date(2025, 6, 30), date(2025, 7, 1)
    changed(any_runtime, lambda change: close_area(change, PROVINCE, last_day))
    changed(
        any_runtime,
        lambda change: register_areas(change, [NewArea("82", "Tỉnh Đồng Tháp", "province", first_day)]),
    )
    assert [area.name for area in read(any_runtime, areas_on, last_day, "province")] == ["Tỉnh Tiền Giang"]
    assert [area.name for area in read(any_runtime, areas_on, first_day)] == ["Tỉnh Đồng Tháp"]
    assert read(any_runtime, commune_keys_under, [PROVINCE], last_day) == {COMMUNE, OTHER_COMMUNE}
    assert read(any_runtime, commune_keys_under, [PROVINCE], first_day) == set()


def test_an_area_is_replaced_on_a_day_without_a_hole(any_runtime):
    a_province(any_runtime)
    successor = NewArea("28249", "Phường 5 mới", "commune", date(2021, 1, 1), "815")
    key = changed(any_runtime, lambda change: replace_area(change, COMMUNE, successor))
    assert read(any_runtime, commune_keys_under, [DISTRICT], date(2020, 12, 31)) == {COMMUNE, OTHER_COMMUNE}
    assert read(any_runtime, commune_keys_under, [DISTRICT], date(2021, 1, 1)) == {key, OTHER_COMMUNE}


@pytest.mark.parametrize(
    "area",
    [
        NewArea("28249", "Trùng mã", "commune", date(2010, 1, 1), "815"),
        NewArea("9", "Không có cha", "commune", date(2010, 1, 1), "999"),
        NewArea("9", "Cha chưa có", "commune", date(2003, 12, 31), "815"),
        NewArea("9", "Ngang cấp cha", "district", date(2010, 1, 1), "815"),
        NewArea("9", "Cấp lạ", "village", date(2010, 1, 1), "815"),
        NewArea("9", "Hết trước khi có", "commune", date(2010, 1, 2), "815", date(2010, 1, 1)),
    ],
)
def test_an_area_that_does_not_fit_the_tree_is_refused(sqlite_runtime, area):
    a_province(sqlite_runtime)
    with pytest.raises(OfficeRuleError):
        changed(sqlite_runtime, lambda change: register_areas(change, [area]))


def test_the_list_of_tien_giang_loads_whole_and_is_replicated(any_runtime):
    areas = read_area_list(TIEN_GIANG_2025)
    keys = changed(any_runtime, lambda change: register_areas(change, areas))
    assert len(keys) == 176
    assert len(read(any_runtime, commune_keys_under, [PROVINCE], DAY)) == 164
    with any_runtime.transactions.reading() as connection:
        feed = connection.exec_driver_sql("SELECT count(*) FROM feed WHERE scope = 'office'").scalar_one()
    assert feed == 176


def test_a_worker_belongs_to_an_organisation(any_runtime):
    office = NewOrganisation("TG", "Bưu điện Tiền Giang", "post_office", DAY)
    branch = NewOrganisation("TG1", "Bưu điện Mỹ Tho", "post_office", DAY, "TG")
    root = changed(any_runtime, lambda change: register_organisation(change, office))
    key = changed(any_runtime, lambda change: register_organisation(change, branch))
    assert read(any_runtime, organisations_by_key, [key])[key].path == (root, key)
    worker_id = changed(
        any_runtime, lambda change: register_worker(change, any_runtime.ids, " Lê  Thị Tư ", key)
    )
    assert read(any_runtime, workers_by_id, [worker_id])[worker_id].name == "Lê Thị Tư"
    assert read(any_runtime, organisations_of_workers, [worker_id]) == {worker_id: key}
    with pytest.raises(OfficeRuleError):
        changed(any_runtime, lambda change: register_worker(change, any_runtime.ids, "Ai", "X@2020-01-01"))


def test_a_worker_is_in_one_team_a_day_and_campaign(any_runtime):
    ids, worker_id = any_runtime.ids, a_worker(any_runtime)
    first = changed(any_runtime, lambda change: form_team(change, ids, "Đội 1"))
    second = changed(any_runtime, lambda change: form_team(change, ids, "Đội 2"))
    changed(any_runtime, lambda change: add_member(change, ids, first, worker_id, DAY, DAY, 1))
    with pytest.raises(OfficeRuleError):
        changed(any_runtime, lambda change: add_member(change, ids, second, worker_id, DAY, None, 1))
    changed(any_runtime, lambda change: add_member(change, ids, second, worker_id, DAY))
    memberships = read(any_runtime, team_memberships_of, [worker_id, "nobody"])
    assert memberships["nobody"] == []
    assert team_on(memberships[worker_id], 1, DAY) == first
    assert team_on(memberships[worker_id], None, DAY) == second


def test_assignments_give_the_areas_that_someone_sees(any_runtime):
    a_province(any_runtime)
    ids, now_ms = any_runtime.ids, any_runtime.clock.now_ms()
    worker_id, agent_id, far_id = (a_worker(any_runtime) for _ in range(3))
    changed(
        any_runtime, lambda change: assign_worker(change, ids, worker_id, "supervisor", area_key=DISTRICT)
    )
    changed(
        any_runtime, lambda change: assign_worker(change, ids, worker_id, "agent", area_key=OTHER_COMMUNE)
    )
    changed(any_runtime, lambda change: assign_worker(change, ids, agent_id, "agent", area_key=COMMUNE))
    changed(any_runtime, lambda change: assign_worker(change, ids, far_id, "agent", area_key=PROVINCE))
    areas = read(any_runtime, visible_areas, worker_id, now_ms, {"supervisor"})
    assert areas.area_keys == {DISTRICT}
    assert read(any_runtime, visible_areas, worker_id, now_ms).area_keys == {DISTRICT, OTHER_COMMUNE}
    assert read(any_runtime, visible_worker_ids, areas, now_ms) == {worker_id, agent_id}
    changed(any_runtime, lambda change: assign_worker(change, ids, worker_id, "auditor"))
    assert read(any_runtime, visible_areas, worker_id, now_ms).office_wide


def test_an_assignment_that_ended_gives_nothing_more(any_runtime):
    a_province(any_runtime)
    ids, now_ms, worker_id = any_runtime.ids, any_runtime.clock.now_ms(), a_worker(any_runtime)
    assignment_id = changed(
        any_runtime, lambda change: assign_worker(change, ids, worker_id, "supervisor", area_key=DISTRICT)
    )
    changed(any_runtime, lambda change: end_assignment(change, assignment_id, now_ms + DAY_MS))
    assert len(read(any_runtime, roles_held, worker_id, now_ms)) == 1
    assert read(any_runtime, roles_held, worker_id, now_ms + DAY_MS) == []
    assert read(any_runtime, assignments_of, [worker_id])[worker_id][0].to_ms == now_ms + DAY_MS
    with pytest.raises(OfficeRuleError):
        changed(any_runtime, lambda change: end_assignment(change, assignment_id, now_ms + 2 * DAY_MS))


@pytest.mark.parametrize(
    ("role", "place"),
    [("agent", {}), ("boss", {}), ("agent", {"area_key": "X@2020-01-01"}), ("auditor", {"to_ms": 1})],
)
def test_an_assignment_that_breaks_a_rule_is_refused(sqlite_runtime, role, place):
    worker_id = a_worker(sqlite_runtime)
    with pytest.raises(OfficeRuleError):
        changed(
            sqlite_runtime,
            lambda change: assign_worker(change, sqlite_runtime.ids, worker_id, role, **place),
        )
