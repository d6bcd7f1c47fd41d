"""The pages of acceptance, as those who may accept, those who may read, and those of one area see them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from server.acceptance.schemas import PeriodShown, StatementShown
from server.access.actions import hash_password, open_account
from server.audit.models import AuditRow, DeskRecord
from server.office.actions import assign_worker, register_worker
from tests.support.office_checks import problems_of, rows
from tests.support.small_office import LAUNCH_DAY
from tests.support.staff import PASSWORD, form_token, log_in
from tests.support.watched_office import WatchedOffice, watched_office

REASON = "Máy hỏng, chờ thay, phải trả lương"
_COOKIE = "tungnha_session"


@pytest.fixture
def watched(sqlite_url: str) -> Iterator[WatchedOffice]:
    """The watched office two days after its launch day, with a second administrator and a treasurer."""
    yield from two_days_later(sqlite_url)


def two_days_later(database_url: str) -> Iterator[WatchedOffice]:
    with watched_office(database_url) as watched:
        watched.office.change(lambda change: add_accounts(watched, change))
        watched.office.clock.advance(days=2)
        yield watched
        assert problems_of(watched.office) == []
        watched.office.runtime.transactions.engine.dispose()


def add_accounts(watched, change) -> None:
    ids = watched.office.runtime.ids
    for login, role in (("phogiamdoc", "administrator"), ("thuquy", "treasurer")):
        worker_id = register_worker(change, ids, login)
        change.flush()
        assign_worker(change, ids, worker_id, role)
        open_account(change, ids, worker_id, login, hash_password(PASSWORD))


@pytest.fixture
def a_viewer(watched):
    """Return a function from a log-in name to a browser that is logged in."""

    def viewer(login: str = "quanly"):
        client = watched.office.app.test_client()
        assert log_in(client, login).status_code == 303
        return client

    return viewer


def text_of(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(text)).replace("\u00a0", " ")


def send(client, path: str = "/acceptance", **fields: str):
    token = form_token(client, "/acceptance")
    return client.post(path, data={"campaign": str(LAUNCH_DAY), "csrf_token": token} | fields)


def void_one_of_binhs(office) -> None:
    """Let Bình's tablet void an enrolment of the launch day, and deliver that."""
    counted = rows(
        office,
        "SELECT fact_id FROM credit WHERE agent_id = :agent AND state = 'counted' ORDER BY fact_id",
        agent=office.agents["binh"],
    )
    home = next(each for each in office.folder.iterdir() if each.name.startswith("binh"))
    client = office.open_tablet(home)
    client.actions.void_entry(counted[0][0], "Ghi nhầm người")
    assert client.sync().is_clean


def overview(client):
    return client.get(f"/acceptance?campaign={LAUNCH_DAY}")


def kinds(watched, model, column: str) -> list[str]:
    with watched.office.runtime.transactions.reading() as connection:
        return list(connection.scalars(select(model.__table__.c[column])))


def test_a_period_that_is_not_complete_is_accepted_only_with_a_reason_that_stays(watched, a_viewer):
    client = a_viewer()
    page = text_of(overview(client))
    assert "Tạm tính: còn 4 máy chưa đồng bộ" in page
    assert "Chưa đồng bộ sau khi kết thúc" in page
    refused = send(client, to_day="2020-05-12")
    assert refused.status_code == 409
    assert "Đợt này chưa đủ số liệu" in text_of(refused)
    accepted = send(client, to_day="2020-05-12", reason=REASON)
    assert accepted.headers["Location"] == "/acceptance/1"
    shown = text_of(client.get("/acceptance/1"))
    assert "Nghiệm thu tạm: khi ấy còn thiếu 4 máy" in shown
    assert f"Lý do: {REASON}" in shown
    assert "Nghiệm thu cộng điều chỉnh bằng đúng số tính lại." in shown
    assert "Accepted provisionally: 4 tablets were outstanding" in text_of(
        client.get("/acceptance/1?lang=en")
    )
    assert "period_accepted" in kinds(watched, DeskRecord, "kind")
    assert "period_accepted" in kinds(watched, AuditRow, "action")
    assert "Không có ngày nào đã qua mà chưa nghiệm thu." in text_of(
        client.get("/acceptance?lang=vi&campaign=1")
    )


def test_the_statement_as_json_is_the_boards_figures(watched, a_viewer):
    client = a_viewer()
    send(client, to_day="2020-05-12", reason=REASON)
    shown = client.get("/api/v1/statements/1").get_json()
    assert StatementShown().validate(shown) == {}
    board = client.get(f"/api/v1/board?campaign={LAUNCH_DAY}&indicator=voluntary_enrolled").get_json()
    by_board = {line["worker_id"]: line["done"] for line in board["lines"]}
    by_statement = {
        line["holder"]: line["counted"]
        for line in shown["lines"]
        if line["indicator"] == "voluntary_enrolled"
    }
    assert by_statement == by_board
    assert (shown["is_complete"], shown["outstanding"], shown["difference"]) == (False, 4, 0)
    assert {line["standing"] for line in board["lines"]} == {"provisional", "may_move"}
    page = text_of(client.get(f"/board?campaign={LAUNCH_DAY}&indicator=voluntary_enrolled"))
    assert "Huỳnh Thị Mỹ Hạnh Có thể thay đổi" in page, "Hạnh has no tablet, others may meet the same people"
    assert "Các máy còn thiếu" in page
    agent = text_of(client.get(f"/agents/{watched.office.agents['an']}"))
    assert "Ra quân Tạm tính" in agent


def test_completeness_as_json_names_the_tablets_in_sight_and_counts_all(watched, a_viewer):
    shown = a_viewer().get(f"/api/v1/completeness?campaign={LAUNCH_DAY}").get_json()
    assert PeriodShown().validate(shown) == {}
    assert sorted(each["reason"] for each in shown["completeness"]["tablets"]) == ["fenced", *["silent"] * 3]
    one_area = a_viewer("giamsat")
    seen = one_area.get("/api/v1/completeness?to_day=2020-05-12").get_json()["completeness"]
    assert (seen["outstanding"], [each["worker_name"] for each in seen["tablets"]]) == (4, ["Trần Văn Bình"])
    assert one_area.get("/api/v1/completeness?campaign=99").status_code == 404


def test_postgresql_accepts_too(postgres_url):
    for watched in two_days_later(postgres_url):
        client = watched.office.app.test_client()
        log_in(client, "quanly")
        assert send(client, to_day="2020-05-12", reason=REASON).status_code == 303
        void_one_of_binhs(watched.office)
        assert send(client, "/acceptance/adjustments").status_code == 303
        shown = client.get("/api/v1/statements/1").get_json()
        assert [line["adjusted"] for line in shown["lines"] if line["adjusted"]] == [-1]
        assert shown["difference"] == 0


def test_a_supervisor_of_one_area_reads_the_own_lines_and_accepts_nothing(watched, a_viewer):
    send(a_viewer(), to_day="2020-05-12", reason=REASON)
    client = a_viewer("giamsat")
    shown = text_of(client.get("/acceptance/1"))
    assert "Trần Văn Bình" in shown
    assert "Nguyễn Thị An" not in shown
    assert "Nguyễn Thị An" not in text_of(overview(client))
    assert send(client, to_day="2020-05-12", reason=REASON).status_code == 403
    assert send(client, "/acceptance/adjustments").status_code == 403
    names = {line["name"] for line in client.get("/api/v1/statements/1").get_json()["lines"]}
    assert names == {"Trần Văn Bình"}


def test_the_treasurer_reads_and_the_committee_does_not(watched, a_viewer):
    treasurer = a_viewer("thuquy")
    assert overview(treasurer).status_code == 200
    assert send(treasurer, to_day="2020-05-12", reason=REASON).status_code == 403
    committee = a_viewer("uyban")
    assert overview(committee).status_code == 403


def test_what_arrives_after_acceptance_is_shown_and_posted_once(watched, a_viewer):
    client = a_viewer()
    send(client, to_day="2020-05-12", reason=REASON)
    void_one_of_binhs(watched.office)
    assert "dòng đã nghiệm thu khác với số tính lại" in text_of(overview(client))
    assert "còn phải ghi điều chỉnh" in text_of(client.get("/acceptance/1"))
    assert send(client, "/acceptance/adjustments").status_code == 303
    shown = text_of(client.get("/acceptance/1"))
    assert "Nghiệm thu cộng điều chỉnh bằng đúng số tính lại." in shown
    assert "Điều chỉnh đã ghi" in shown
    assert client.get("/api/v1/statements/1").get_json()["difference"] == 0
    assert "adjustments_posted" in kinds(watched, DeskRecord, "kind")
    send(client, "/acceptance/adjustments")
    assert kinds(watched, DeskRecord, "kind").count("adjustments_posted") == 1


def test_a_lost_tablet_takes_two_accounts(watched, a_viewer):
    first, second = a_viewer(), a_viewer("phogiamdoc")
    shown = first.get(f"/api/v1/completeness?campaign={LAUNCH_DAY}").get_json()["completeness"]["tablets"]
    lost = next(each for each in shown if each["reason"] == "fenced")["installation"]
    path = f"/acceptance/tablets/{lost}?campaign={LAUNCH_DAY}"
    assert send(first, path, step="propose", reason="mất").status_code == 409
    assert send(first, path, step="confirm").status_code == 409
    assert send(first, path, step="propose", reason=REASON).status_code == 303
    assert "Người xác nhận phải khác người đề nghị" in text_of(send(first, path, step="confirm"))
    assert "Xác nhận xoá sổ" not in text_of(overview(first))
    assert "Xác nhận xoá sổ" in text_of(overview(second))
    assert send(second, path, step="withdraw").status_code == 303
    assert send(second, path, step="propose", reason=REASON).status_code == 303
    assert send(first, path, step="confirm").status_code == 303
    after = first.get(f"/api/v1/completeness?campaign={LAUNCH_DAY}").get_json()["completeness"]
    assert (after["outstanding"], after["written_off"]) == (3, 1)
    assert {"write_off_proposed", "write_off_withdrawn", "write_off_confirmed"} <= set(
        kinds(watched, AuditRow, "action")
    )


@pytest.mark.parametrize("step", ["", "drop", "propose"])
def test_a_tablet_out_of_sight_is_not_there(watched, a_viewer, step):
    shown = (
        a_viewer().get(f"/api/v1/completeness?campaign={LAUNCH_DAY}").get_json()["completeness"]["tablets"]
    )
    lost = next(each for each in shown if each["worker_name"] != "Trần Văn Bình")["installation"]
    client = a_viewer("giamsat")
    assert send(client, f"/acceptance/tablets/{lost}", step=step, reason=REASON).status_code == 404
    nobody = "00000000-0000-7000-8000-000000000000"
    assert send(client, f"/acceptance/tablets/{nobody}", step="propose", reason=REASON).status_code == 404


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"to_day": "x"}, 409),
        ({"to_day": ""}, 409),
        ({"to_day": "2020-05-14"}, 409),
        ({"to_day": "2020-05-13"}, 409),
        ({"campaign": "x"}, 404),
        ({"campaign": "999"}, 404),
        ({"campaign": "٣"}, 404),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(watched, a_viewer, fields, status):
    assert send(a_viewer(), **{"to_day": "2020-05-12", "reason": REASON} | fields).status_code == status


def test_addresses_of_nothing_are_not_there(watched, a_viewer):
    client = a_viewer()
    for path in ("/acceptance?campaign=999", "/acceptance/7", "/acceptance/0"):
        assert client.get(path).status_code == 404
    assert client.get("/api/v1/statements/7").get_json()["code"] == "not_found"
