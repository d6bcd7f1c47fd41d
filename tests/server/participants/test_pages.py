"""The pages of participants: what each role sees of the register, and figures from outside beside ours."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator

import pytest

from server.imports.registry import SHEETS
from tests.server.imports.builders import a_stated_baseline, checked, imported
from tests.support.desk import a_supervisor
from tests.support.office_checks import rows
from tests.support.registered_office import list_participants, publish_figures
from tests.support.staff import log_in
from tests.support.watched_office import WatchedOffice, watched_office


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[WatchedOffice]:
    path = tmp_path_factory.mktemp("participants") / "office.sqlite3"
    with watched_office(f"sqlite:///{path}") as watched:
        list_participants(watched.office)
        yield watched
        watched.office.runtime.transactions.engine.dispose()


@pytest.fixture(scope="module")
def year_end(tmp_path_factory) -> Iterator[WatchedOffice]:
    path = tmp_path_factory.mktemp("published") / "office.sqlite3"
    with watched_office(f"sqlite:///{path}") as watched:
        list_participants(watched.office)
        publish_figures(watched.office)
        yield watched
        watched.office.runtime.transactions.engine.dispose()


@pytest.fixture
def client(watched):
    return entered(watched, "quanly")


def entered(watched, login: str):
    client = watched.office.app.test_client()
    assert log_in(client, login).status_code == 303
    return client


def text_of(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    plain = re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))
    return " ".join(html.unescape(plain).split())


def comma_separated(client, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_net_change_is_shown_against_the_named_baseline(client):
    page = text_of(client, "/participants?scheme=voluntary&lang=vi")
    assert "Mốc: Cuối năm 2019 4 31/12/2019" in page
    # Eight more people have paid, with personal ids, which every line of the register carries: they are new.
    assert "Người mới 9 " in page
    assert "Người giảm 2 " in page
    assert "Ròng đến 12/05/2020 +7" in page
    assert "Chuyển đi nơi khác 1" in page
    assert "Chưa rõ lý do 1" in page


def test_new_renewed_and_pending_are_told_apart_by_agent(client):
    page = text_of(client, "/participants?scheme=voluntary&lang=en")
    assert "Renewal: insured on some day of the 90 days before enrolling. assumption" in page
    line = re.search(r"Nguyễn Thị An (\d+) (\d+) (\d+) (\d+) (\d+)", page)
    assert line is not None
    assert line.groups() == ("9", "1", "0", "0", "1")


def test_a_supervisor_sees_the_areas_and_agents_in_sight_alone(watched):
    page = text_of(entered(watched, "giamsat"), "/participants?scheme=voluntary&lang=en")
    assert "Phường 4 1 0 1 −1 0" in page
    assert "Phường 5" not in page
    assert "Nguyễn Thị An" not in page


def test_the_committee_sees_sums_without_links_to_agents(watched):
    client = entered(watched, "uyban")
    answer = client.get("/participants?scheme=voluntary").get_data(as_text=True)
    assert "/agents/" not in answer
    assert "/exports/participants" not in answer
    assert client.get("/exports/participants.csv").status_code == 403


def test_a_register_that_lists_fewer_than_its_source_says_so(watched, client):
    author = a_supervisor(watched.office)
    imported(watched.office.runtime, author, "baselines", a_stated_baseline("bc", persons=9))
    page = text_of(client, "/participants?scheme=voluntary&baseline=bc&lang=vi")
    assert "Nguồn của mốc ghi 9 người, sổ đã nhập có 4." in page


def test_a_scheme_without_a_baseline_says_what_is_missing(client):
    page = text_of(client, "/participants?scheme=health&lang=vi")
    assert "Loại hình này chưa có mốc so sánh" in page


def test_published_figures_stand_beside_ours_with_both_ratios(year_end):
    page = text_of(entered(year_end, "quanly"), "/outside?lang=vi")
    assert "16.578 – 16.725 suy từ tỷ lệ công bố Kế hoạch ban đầu" in page
    assert "17.504 – 17.667 suy từ tỷ lệ công bố Kế hoạch bổ sung" in page
    assert "3.284 3.691" in page
    assert "88,97 %" in page
    # 665 of 612 is no 107 %.
    assert re.search(r"612 .*108,66.%.*107.% lệch", page)
    assert "281.909" in page
    assert "98 %" in page
    assert "7.262 31/12/2019 +11.554 khớp báo cáo 18.816 31/12/2020 159,10" in page


def test_our_own_stock_of_the_day_stands_beside_the_published_one(year_end):
    page = text_of(entered(year_end, "quanly"), "/outside?lang=vi")
    found = re.search(r"31/12/2019 7\.262 – – – (\d+) ", page)
    assert found is not None
    # Four lines were insured on that day.
    assert found.group(1) == "4"


def test_both_pages_speak_english(year_end):
    client = entered(year_end, "quanly")
    assert "Net change" in text_of(client, "/participants?lang=en")
    assert "derived from the published ratio" in text_of(client, "/outside?lang=en")


def test_the_register_leaves_with_masked_numbers_and_is_audited(watched, client):
    masked = comma_separated(client, "/exports/participants.csv?lang=vi")
    full = comma_separated(client, "/exports/full/participants.csv?lang=vi")
    assert [row[0] for row in masked[1:]] == ["••••••" + row[0][-4:] for row in full[1:]]
    audited = "SELECT subject FROM audit_row WHERE action = 'table_exported' ORDER BY seq"
    assert [row[0] for row in rows(watched.office, audited)][-2:] == ["participants", "participants_full"]
    own = comma_separated(entered(watched, "giamsat"), "/exports/participants.csv?lang=vi")
    assert len(own) == 2


@pytest.mark.parametrize(
    ("sheet", "address"),
    [
        ("participants", "/exports/full/participants.csv"),
        ("outside_figures", "/exports/outside_figures.csv"),
    ],
)
def test_what_leaves_is_imported_again_without_a_change(year_end, sheet, address):
    header, *lines = comma_separated(entered(year_end, "quanly"), f"{address}?lang=vi")
    names = [column.name for column in SHEETS[sheet].columns]
    assert len(header) == len(names)
    again = [dict(zip(names, [cell or None for cell in line], strict=True)) for line in lines]
    found = checked(year_end.office.runtime, sheet, *again)
    assert (found.faults, found.fates["keep"]) == ([], len(lines))


def test_the_net_change_leaves_by_area(client):
    found = comma_separated(client, "/exports/net_change.csv?scheme=voluntary&baseline=2019&lang=vi")
    assert found[0] == ["Địa bàn", "Ở mốc", "Người mới", "Người giảm", "Ròng", "Chờ đối chiếu"]
    assert ["Phường 4", "1", "0", "1", "-1", "0"] in found or ["Phường 4", "1", "0", "1", "'-1", "0"] in found
