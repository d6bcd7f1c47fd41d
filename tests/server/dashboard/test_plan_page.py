"""The page of a plan: versions, the tree with its reserves, phases, minimums, and who sees what of it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import event

from server.audit.changes import Change
from server.quotas.actions import adopt_plan
from server.quotas.trees import PlanTerms
from tests.support.planned_office import MINIMUM, YEAR, Versions, plan_the_year
from tests.support.small_office import COMMUNES
from tests.support.staff import log_in
from tests.support.watched_office import WatchedOffice, watched_office


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedOffice]:
    """The watched office with a plan for the year."""
    path = tmp_path_factory.mktemp("planned") / "office.sqlite3"
    with watched_office(f"sqlite:///{path}") as found:
        yield found


@pytest.fixture(scope="module")
def versions(watched: WatchedOffice) -> Versions:
    return plan_the_year(watched.office)


def text_of(response) -> str:
    """Return a page as a reader sees it: without tags, blanks collapsed."""
    assert response.status_code == 200, response.get_data(as_text=True)[:300]
    text = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(text)).replace("\u00a0", " ")


def page(client, campaign=YEAR, **choice) -> str:
    return text_of(client.get(f"/plans/{campaign}", query_string=choice))


def test_the_page_opens_with_the_office_its_reserve_and_both_plans(a_viewer, versions):
    shown = page(a_viewer())
    assert "Ban đầu, bản 2 · Quyết định 411/QĐ-BHXH ngày 24/04/2020 · hiệu lực từ 01/05/2020" in shown
    assert "Được giao 100" in shown
    assert "Đã giao cấp dưới 80 3 nơi nhận" in shown
    assert "Dự phòng 20 chưa giao cho ai" in shown
    assert "Kế hoạch ban đầu 6,00 % 6 / 100" in shown
    assert "Sau bổ sung 5,45 % 6 / 110" in shown


def test_the_children_stand_below_with_what_each_has_done_and_kept(a_viewer, versions):
    shown = page(a_viewer())
    assert re.search(r"Phường 5 Địa bàn · 1 nơi nhận 40 30 10 4 / 40 10,00 %", shown)
    assert re.search(r"Phường 7 Địa bàn 10 – – 0 / 10 0,00 %", shown), "nobody stands below"


def test_a_commune_is_drilled_into_down_to_its_agent(a_viewer, versions, watched):
    client = a_viewer()
    commune = client.get(f"/plans/{YEAR}", query_string={"kind": "area", "key": COMMUNES[0]})
    assert f"kind=agent&amp;key={watched.office.agents['an']}" in commune.get_data(as_text=True)
    shown = text_of(commune)
    assert "Cả văn phòng › Phường 5" in shown
    assert "Nguyễn Thị An Nhân viên 30" in shown
    agent = page(client, kind="agent", key=watched.office.agents["an"])
    assert "Cả văn phòng › Phường 5 › Nguyễn Thị An" in agent
    assert "trang của người này" in agent


def test_the_phases_say_what_falls_into_each_and_what_was_done_in_its_days(a_viewer, versions):
    shown = page(a_viewer())
    assert "Quý II Quý 01/04/2020 – 30/06/2020 50 40 6 / 50 12,00 %" in shown
    # On a launch day the whole is expected at once.
    assert "Ra quân 12-5 Ngày ra quân · trong Quý II 12/05/2020 10 8 6 / 10 60,00 % 10 · −4" in shown
    assert "Ngoài các giai đoạn chia đều theo ngày làm việc 30" in shown
    assert "Quý I Quý 01/01/2020 – 31/03/2020 20 16 0 / 20 0,00 % 20 · −20" in shown


def test_every_version_is_kept_with_its_decision_day_and_whole(a_viewer, versions):
    shown = page(a_viewer())
    assert re.search(
        r"Ban đầu, bản 3 502/QĐ-BHXH 08/05/2020 01/07/2020 .*? 120 Chưa đến ngày được giao vượt", shown
    )
    assert re.search(
        r"Ban đầu, bản 2 411/QĐ-BHXH 24/04/2020 01/05/2020 .*? 100 Đang hiệu lực đang xem", shown
    )
    assert re.search(r"Ban đầu, bản 1 1788/QĐ-BHXH 20/12/2019 01/01/2020 .*? 60 Đã thay thế", shown)
    assert re.search(r"Bổ sung, bản 1 455/QĐ-BHXH 04/05/2020 05/05/2020 .*? \+10 Đang hiệu lực", shown)


def test_an_old_version_and_one_to_come_say_so(a_viewer, versions):
    assert "Đây là bản cũ" in page(a_viewer(), plan=versions.first)
    coming = page(a_viewer(), plan=versions.third, kind="area", key=COMMUNES[0])
    assert "Bản này chưa có hiệu lực" in coming
    assert "Dự phòng -1" in coming.replace("−", "-"), "over-assigned, as the plan allows"
    assert "giao vượt, theo quyết định" in coming


def test_the_minimum_counts_persons_who_met_all_of_it(a_viewer, versions):
    assert "1 tự nguyện và 2 hộ gia đình" in page(a_viewer())
    assert "1 / 2 50,00 %" in page(a_viewer())
    board = text_of(a_viewer().get("/board", query_string={"campaign": YEAR, "minimum": MINIMUM}))
    assert "Đạt mức tối thiểu 1 / 2" in board
    assert "Cán bộ 2 2 / 1 1 / 2 Chưa đạt" in board, "one more of one part makes up for nothing"
    assert "Cán bộ 1 4 / 1 2 / 2 ✓ Đạt" in board


def test_the_board_marks_whoever_has_met_the_minimum(a_viewer, versions):
    query = {"campaign": YEAR, "indicator": "officer_voluntary", "holder": "promoter"}
    board = text_of(a_viewer().get("/board", query_string=query))
    assert re.search(r"Cán bộ 1 (?:Bưu điện )?.*?✓ Đạt tối thiểu", board)
    assert "Chưa đạt tối thiểu" in board


def test_the_board_tells_what_of_the_plan_its_lines_do_not_add_up_to(a_viewer, versions):
    query = {"campaign": YEAR, "indicator": "voluntary_enrolled", "holder": "agent"}
    board = text_of(a_viewer().get("/board", query_string=query))
    assert "Kế hoạch cả văn phòng là 110; bảng này cộng lại 70." in board
    assert "Còn 40 là dự phòng" in board


def test_the_boards_json_has_the_same_minimum_and_whole(a_viewer, versions):
    query = {"campaign": YEAR, "indicator": "voluntary_enrolled", "holder": "agent"}
    shown = a_viewer().get("/api/v1/board", query_string=query).get_json()
    assert shown["minimums"] == [
        {
            "code": MINIMUM,
            "name_vi": "1 tự nguyện và 2 hộ gia đình",
            "name_en": "1 voluntary and 2 household health",
            "met": 1,
            "asked": 2,
        }
    ]
    assert shown["plan_whole"] == 110


def test_a_supervisor_sees_the_own_commune_and_no_sum_of_the_office(a_viewer, versions, watched):
    client = a_viewer("giamsat")
    shown = page(client)
    assert "Phường 4 Địa bàn" in shown
    assert "Trần Văn Bình" in shown
    for hidden in ("Phường 5", "Nguyễn Thị An", "Cả văn phòng", "Được giao 100"):
        assert hidden not in shown, hidden
    # Asking for somebody else's place shows the own one.
    assert "Phường 5" not in page(client, kind="area", key=COMMUNES[0])
    assert "Nguyễn Thị An" not in page(client, kind="agent", key=watched.office.agents["an"])


def test_the_committee_sees_the_tree_without_links_to_agents(a_viewer, versions, watched):
    client = a_viewer("uyban")
    answer = client.get(f"/plans/{YEAR}", query_string={"kind": "agent", "key": watched.office.agents["an"]})
    assert "Nguyễn Thị An" in text_of(answer)
    assert "/agents/" not in answer.get_data(as_text=True)


def test_the_page_is_english_where_asked(a_viewer, versions):
    shown = page(a_viewer(), lang="en")
    assert "Reserve 20 left to nobody" in shown
    assert "With supplement 5.45% 6 / 110" in shown


@pytest.mark.parametrize(
    "query",
    ["plan=nobody", "indicator=%00", "kind=area", "kind=village&key=x", "key=%F0%9F%92%A9&kind=agent"],
)
def test_a_query_that_makes_no_sense_shows_the_plan_all_the_same(a_viewer, versions, query):
    assert "Được giao 100" in text_of(a_viewer().get(f"/plans/{YEAR}?{query}"))


def test_the_pages_queries_do_not_grow_with_the_tree(a_viewer, versions, watched):
    def counted(client) -> int:
        engine, found = watched.office.runtime.transactions.engine, []

        def note(_connection, _cursor, statement, *_rest):
            found.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            page(client)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(found)

    whole, commune = counted(a_viewer()), counted(a_viewer("giamsat"))
    assert whole <= commune + 6
    assert whole <= 48


def test_the_page_works_on_each_database(any_database):
    with watched_office(any_database) as watched:
        versions = plan_the_year(watched.office)
        client = watched.office.app.test_client()
        log_in(client, "quanly")
        for query in ("", f"?plan={versions.third}", f"?kind=area&key={COMMUNES[0]}"):
            assert client.get(f"/plans/{YEAR}{query}").status_code == 200, query
        for number in (1_000_000, 2**31, 2**64):
            assert client.get(f"/plans/{number}").status_code == 404
        watched.office.runtime.transactions.engine.dispose()


def test_a_campaign_without_a_plan_says_so_and_one_that_is_not_there_is_not_found(a_viewer, versions):
    assert "Chưa có kế hoạch" in page(a_viewer(), campaign=0)
    for number in ("99", str(2**60)):
        assert a_viewer().get(f"/plans/{number}").status_code == 404


def test_the_published_bounds_of_the_offices_plan_stand_side_by_side(tmp_path):
    """113 % of the initial and 107 % of the supplementary plan, known by these ratios alone."""
    with watched_office(f"sqlite:///{tmp_path / 'office.sqlite3'}") as watched:
        office = watched.office

        def adopt(change: Change) -> None:
            for kind, percent, bounds in (
                ("initial", "113", (16_578, 16_725)),
                ("supplementary", "107", (17_504, 17_667)),
            ):
                terms = PlanTerms(
                    denominators={"voluntary_enrolled": bounds}, published_done={"voluntary_enrolled": 18_816}
                )
                quoted = {"voluntary_enrolled": percent}
                adopt_plan(change, office.runtime.ids, 0, kind, [], quoted, terms=terms)

        office.change(adopt)
        client = office.app.test_client()
        log_in(client, "quanly")
        shown = page(client, campaign=0)
    published = "18.816 người, theo báo cáo đã công bố"
    initial = "trên 16.578 – 16.725, suy từ tỷ lệ công bố tính lại: 112,50 % – 113,50 % khớp"
    assert f"Kế hoạch ban đầu 113 % {published} {initial}" in shown
    assert f"Sau bổ sung 107 % {published} trên 17.504 – 17.667, suy từ tỷ lệ công bố" in shown
