"""The pages, as the administrator, a supervisor of one commune and the committee see them."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import event, select

from server.audit.models import AuditRow
from server.journals.models import Entry
from tests.support.small_office import DRIVE, LAUNCH_DAY
from tests.support.staff import form_token, log_in
from tests.support.watched_office import watched_office

PAGES = ("/board", "/quarantine", "/incidents", "/devices")


def text_of(response) -> str:
    """Return a page as a reader sees it: without tags, blanks collapsed."""
    assert response.status_code == 200, response.get_data(as_text=True)[:300]
    text = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(text)).replace("\u00a0", " ")


def board(client, campaign=LAUNCH_DAY, **choice):
    arguments = {"campaign": campaign, "indicator": "voluntary_enrolled", **choice}
    return client.get("/board", query_string=arguments)


def a_quarantined_place(watched):
    entry = Entry.__table__
    with watched.office.runtime.transactions.reading() as connection:
        return connection.execute(
            select(entry.c.installation_id, entry.c.seq).where(entry.c.verdict == "quarantined")
        ).first()


def test_the_board_shows_done_quota_percentage_pace_and_sync_for_each_agent(a_viewer):
    page = text_of(board(a_viewer()))
    assert "Nguyễn Thị An" in page
    assert "6 / 10 60,00 %" in page, "the initial plan"
    assert "6 / 12 50,00 %" in page, "with its supplement beside it"
    assert "2 giờ trước" in page
    assert "Đã đồng bộ" in page
    assert "Chưa đồng bộ lần nào" in page, "Hạnh has no tablet"
    assert "Tạm tính: còn 1 máy chưa đồng bộ" in page, "the fenced one"


def test_duplicates_are_counted_once_on_the_board(a_viewer):
    assert "9 / 8 112,50 %" in text_of(board(a_viewer())), "Bình enrolled 11, two of them after An"


def test_a_bar_is_cut_at_its_end_and_its_number_is_not(a_viewer):
    page = board(a_viewer()).get_data(as_text=True)
    widths = [int(width) for width in re.findall(r'class="done" width="(\d+)"', page)]
    assert max(widths) == 1000
    assert "112,50" in page


def test_the_published_ratio_stands_beside_the_computed_one_and_is_flagged(a_viewer):
    page = text_of(a_viewer().get("/board", query_string={"campaign": DRIVE, "indicator": "persuaded"}))
    assert "116,67 %" in page
    assert "báo cáo đã công bố 107 %" in page
    assert "lệch" in page
    assert "Tỷ lệ đã công bố không khớp" in page


def test_a_supervisor_sees_the_agents_of_the_own_area_alone(a_viewer, watched):
    client = a_viewer("giamsat")
    page = text_of(board(client))
    assert "Trần Văn Bình" in page
    assert "Nguyễn Thị An" not in page
    assert client.get(f"/agents/{watched.office.agents['binh']}").status_code == 200
    assert client.get(f"/agents/{watched.office.agents['an']}").status_code == 404
    assert "Nguyễn Thị An" not in text_of(client.get("/quarantine"))
    assert "Phạm Quốc Dũng" not in text_of(client.get("/incidents"))
    assert "00001" not in text_of(client.get("/devices"))


def test_a_supervisor_of_one_area_is_shown_no_published_ratio_of_the_whole(a_viewer):
    client = a_viewer("giamsat")
    page = text_of(client.get("/board", query_string={"campaign": DRIVE, "indicator": "persuaded"}))
    assert "107 %" not in page


def test_original_bytes_outside_the_own_area_are_not_there_and_the_look_is_audited(a_viewer, watched):
    installation_id, seq = a_quarantined_place(watched)
    assert a_viewer("giamsat").get(f"/quarantine/{installation_id}/{seq}").status_code == 404
    assert audited(watched, "original_bytes_refused") == f"{installation_id}/{seq}"


def test_opening_original_bytes_shows_them_exactly_and_writes_an_audit_row(a_viewer, watched):
    """[R5.4] A quarantined entry's bytes are readable; opening them is audited."""
    installation_id, seq = a_quarantined_place(watched)
    page = text_of(a_viewer().get(f"/quarantine/{installation_id}/{seq}"))
    assert '"area":"99999@2004-01-01"' in page
    assert "Văn phòng không có địa bàn này" in page
    assert audited(watched, "original_bytes_opened") == f"{installation_id}/{seq}"


def audited(watched, action: str) -> str | None:
    row = AuditRow.__table__
    with watched.office.runtime.transactions.reading() as connection:
        found = select(row.c.subject).where(row.c.action == action).order_by(row.c.at_ms.desc())
        return connection.scalars(found).first()


def test_the_quarantine_names_code_reason_field_and_agent(a_viewer):
    page = text_of(a_viewer().get("/quarantine"))
    assert "Văn phòng không có địa bàn này area_unknown · area" in page
    assert "Nguyễn Thị An" in page


def test_a_cloned_tablet_is_an_incident_with_its_evidence_kept(a_viewer):
    page = text_of(a_viewer().get("/incidents"))
    assert "Nhật ký rẽ nhánh" in page
    assert "Phạm Quốc Dũng" in page


def test_an_agent_page_says_why_something_is_not_counted(a_viewer, watched):
    agent = watched.office.agents["binh"]
    page = text_of(a_viewer().get(f"/agents/{agent}?state=duplicate"))
    assert page.count("Đã tính ở một mục khác") == 2


def test_an_officers_page_lists_what_others_recorded_for_them(a_viewer, watched):
    page = text_of(a_viewer().get(f"/agents/{watched.office.officers[0]}"))
    assert "4 / 3 133,33 %" in page
    assert page.count("Người vận động Đã tính") == 4


def test_an_agent_page_shows_the_cash_in_hand_and_the_journal(a_viewer, watched):
    agent = watched.office.agents["an"]
    page = text_of(a_viewer().get(f"/agents/{agent}?tab=entries"))
    assert "7.128.000 đ" in page, "8 payments of 891,000"
    assert "Nhật ký đã nhận" in page
    assert "Trang sau" in page
    assert "Trang trước" in text_of(a_viewer().get(f"/agents/{agent}?tab=entries&page=2"))


def test_a_one_time_code_is_shown_once_with_its_qr(a_viewer, watched):
    client = a_viewer()
    fields = {"worker_id": watched.office.agents["hanh"], "csrf_token": form_token(client, "/devices")}
    page = client.post("/devices", data=fields)
    assert "Mã đăng ký cho Huỳnh Thị Mỹ Hạnh" in text_of(page)
    assert "data:image/svg+xml;base64," in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    assert "Mã đăng ký cho" not in text_of(client.get("/devices"))


@pytest.mark.parametrize("worker_id", ["", "nobody", "\x00"])
def test_a_code_for_nobody_is_refused(a_viewer, worker_id):
    client = a_viewer()
    fields = {"worker_id": worker_id, "csrf_token": form_token(client, "/devices")}
    assert client.post("/devices", data=fields).status_code == 404


def test_a_supervisor_makes_no_code_for_another_areas_agent(a_viewer, watched):
    client = a_viewer("giamsat")
    fields = {"worker_id": watched.office.agents["an"], "csrf_token": form_token(client, "/devices")}
    assert client.post("/devices", data=fields).status_code == 404


def test_a_code_needs_the_forms_token(a_viewer, watched):
    assert a_viewer().post("/devices", data={"worker_id": watched.office.agents["an"]}).status_code == 403


def test_the_committee_sees_sums_and_neither_agents_nor_tablets(a_viewer, watched):
    client = a_viewer("uyban")
    page = board(client).get_data(as_text=True)
    assert "/agents/" not in page
    assert "/quarantine" not in page
    assert client.get(f"/agents/{watched.office.agents['an']}").status_code == 403
    assert client.get("/quarantine").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_that_the_clock_is_virtual(a_viewer, path):
    assert "Đồng hồ diễn tập: 12:01 12/05/2020" in text_of(a_viewer().get(path))


@pytest.mark.parametrize("path", PAGES)
def test_english_is_one_link_away_and_is_remembered(a_viewer, path):
    client = a_viewer()
    assert 'href="?lang=en"' in client.get(path).get_data(as_text=True)
    assert "Log out" in text_of(client.get(f"{path}?lang=en"))
    assert "Log out" in text_of(client.get(path))
    assert "Đăng xuất" in text_of(client.get(f"{path}?lang=vi"))


@pytest.mark.parametrize("path", [*PAGES, "/login"])
def test_no_page_carries_a_script_or_a_style_of_its_own(a_viewer, path):
    page = a_viewer().get(path).get_data(as_text=True)
    assert "<script" not in page
    assert not re.search(r"\sstyle=|<style|\son\w+=", page)


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=99999999999",
        "page=x",
        "campaign=%00",
        "sort=drop",
        "indicator=%00",
        "holder=",
        "lang=xx",
    ],
)
def test_a_query_that_makes_no_sense_shows_the_board_all_the_same(a_viewer, query):
    assert a_viewer().get(f"/board?{query}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/agents/nobody", "/quarantine/x/1", f"/quarantine/{'0' * 32}/0", "/nowhere"]
)
def test_an_address_that_is_not_there_is_a_page_of_its_own(a_viewer, path):
    response = a_viewer().get(path)
    assert response.status_code == 404
    assert "Không tìm thấy trang" in response.get_data(as_text=True)


def test_an_unknown_campaign_is_not_found(a_viewer):
    assert a_viewer().get("/board?campaign=999").status_code == 404


def test_the_boards_queries_do_not_grow_with_its_agents(a_viewer, watched):
    all_agents, one_agent = a_viewer(), a_viewer("giamsat")
    assert queries(watched, all_agents) <= queries(watched, one_agent) + 6
    assert queries(watched, all_agents) <= 45


def test_every_page_works_on_each_database(any_database):
    with watched_office(any_database) as watched:
        client = watched.office.app.test_client()
        assert log_in(client, "quanly").status_code == 303
        place = "/".join(str(part) for part in a_quarantined_place(watched))
        agent = watched.office.agents["an"]
        for path in (*PAGES, f"/agents/{agent}", f"/agents/{agent}?tab=entries", f"/quarantine/{place}"):
            assert client.get(path).status_code == 200, path
        fields = {"worker_id": "\x00", "csrf_token": form_token(client, "/devices")}
        assert client.post("/devices", data=fields).status_code == 404
        watched.office.runtime.transactions.engine.dispose()


def queries(watched, client) -> int:
    engine, counted = watched.office.runtime.transactions.engine, []

    def note(_connection, _cursor, statement, *_rest):
        counted.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert board(client).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(counted)
