"""D05-TS and D03-TS: every enrolment of the period once, whole or with the reason why not."""

from __future__ import annotations

import csv
import io
from datetime import date

import openpyxl
import pytest

from schemas.messages import message
from server.access.permissions import ROUTES, roles_with
from tests.server.declarations.enrolled import GROSS, LOCAL, PREMIUM, STATE
from tests.support.office_checks import rows
from tests.support.staff import log_in

DAYS = "from=2020-05-01&to=2020-05-31"
ADDRESS = "12 Lý Thường Kiệt, Khu phố 3, Phường 5, Thành phố Mỹ Tho, Tỉnh Tiền Giang"


def browser(enrolled, login: str = "quanly"):
    client = enrolled.office.app.test_client()
    assert log_in(client, login).status_code == 303
    return client


@pytest.fixture
def client(enrolled):
    return browser(enrolled)


def sheet(client, name: str, more: str = "") -> list[dict]:
    """Return the lines of a written XLSX, by heading, as another library reads them."""
    answer = client.get(f"/declarations/{name}.xlsx?{DAYS}{more}")
    assert answer.status_code == 200
    header, *lines = openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)
    return [dict(zip(header, line, strict=True)) for line in lines]


def line_of(lines: list[dict], name: str) -> dict:
    [found] = [line for line in lines if line["Họ và tên"] == name]
    return found


def test_a_whole_line_of_d05_has_every_column_of_the_form(client, enrolled):
    found = line_of(sheet(client, "d05"), "Trần Thị Ánh")
    assert found.pop("STT") in range(1, 9)
    found["Ngày biên lai"] = found["Ngày biên lai"].date()
    assert found == {
        "Họ và tên": "Trần Thị Ánh",
        "Mã số BHXH": None,
        "Số CCCD / định danh": "082090000001",
        "Địa chỉ": ADDRESS,
        "Ngày biên lai": date(2020, 5, 12),
        "Số biên lai": enrolled.receipts["whole"],
        "Số biên lai của cơ quan BHXH": None,
        "Mức thu nhập (đồng)": 1_500_000,
        "Số tháng đóng": 3,
        "Đóng từ tháng": "06/2020",
        "Số tiền phải đóng (đồng)": GROSS,
        "Người tham gia đóng (đồng)": GROSS - STATE - LOCAL,
        "NSNN hỗ trợ (%)": 10,
        "NSNN hỗ trợ (đồng)": STATE,
        "NSĐP hỗ trợ (%)": 10,
        "NSĐP hỗ trợ (đồng)": LOCAL,
        "Hỗ trợ khác (%)": None,
        "Hỗ trợ khác (đồng)": 0,
        "Mã nhân viên thu": "NV0007",
        "Ghi chú": "Đóng mới",
        "Đã thu (đồng)": GROSS - STATE - LOCAL,
        "Chênh lệch (đồng)": 0,
        "Còn thiếu": None,
    }


def test_a_whole_line_of_d03_has_every_column_of_the_form(client, enrolled):
    found = line_of(sheet(client, "d03"), "Trần Văn Ngọc")
    found["Ngày biên lai"], found["Ngày sinh"] = found["Ngày biên lai"].date(), found["Ngày sinh"].date()
    assert found == {
        "STT": 1,
        "Họ và tên": "Trần Văn Ngọc",
        "Mã số BHXH": None,
        "Số CCCD / định danh": "082090000011",
        "Ngày sinh": date(1980, 2, 29),
        "Giới tính": "Nam",
        "Địa chỉ": ADDRESS,
        "Nơi đăng ký KCB": "BV Mỹ Tho",
        "Ngày biên lai": date(2020, 5, 12),
        "Số biên lai": enrolled.receipts["member"],
        "Số biên lai của cơ quan BHXH": None,
        "Số tiền phải đóng (đồng)": PREMIUM,
        "NSĐP hỗ trợ (đồng)": 0,
        "Hỗ trợ khác (đồng)": 0,
        "Thời hạn từ tháng": "06/2020",
        "Số tháng đóng": 12,
        "Mã nhân viên thu": "NV0007",
        "Ghi chú": "Đóng tiếp",
        "NSNN hỗ trợ (đồng)": 0,
        "Người tham gia đóng (đồng)": PREMIUM,
        "Đã thu (đồng)": PREMIUM,
        "Chênh lệch (đồng)": 0,
        "Còn thiếu": None,
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Lê Văn Bình", "Chưa thu đủ tiền"),
        ("Đỗ Văn Danh", "Thiếu mã số BHXH và số CCCD"),
        ("Ngô Thị Em", "Thiếu địa chỉ (chưa thuộc hộ nào)"),
        ("Phạm Văn Giàu", "Chưa khai đủ để tính số tiền phải đóng"),
        ("Bùi Văn Kha", "Nhân viên chưa có mã"),
    ],
)
def test_a_line_that_lacks_something_is_listed_with_the_reason_and_without_a_number(client, name, reason):
    found = line_of(sheet(client, "d05"), name)
    assert (found["Còn thiếu"], found["STT"]) == (reason, None)


def test_a_line_of_d03_names_all_that_it_lacks(client):
    lacks = line_of(sheet(client, "d03"), "Trần Thị Oanh")["Còn thiếu"]
    assert lacks == "Thiếu ngày sinh; Thiếu giới tính; Thiếu nơi đăng ký khám chữa bệnh"


def test_whole_lines_come_first_and_are_numbered_without_a_gap(client):
    numbers = [line["STT"] for line in sheet(client, "d05")]
    whole = [number for number in numbers if number is not None]
    assert whole == list(range(1, len(whole) + 1)) == [1, 2, 3, 4, 5]
    assert numbers[len(whole) :] == [None] * 5


def test_what_was_collected_stands_beside_what_the_tables_say(client):
    found = line_of(sheet(client, "d05"), "Vũ Thị Hoa")
    assert found["Người tham gia đóng (đồng)"] == GROSS - STATE
    assert (found["Đã thu (đồng)"], found["Chênh lệch (đồng)"]) == (GROSS - STATE - 1_000, -1_000)
    assert found["Ghi chú"] == f"Đóng mới; {message('amount_differs')}"


def test_what_others_pay_is_in_their_column_and_needs_no_receipt(client):
    found = line_of(sheet(client, "d05"), "Hồ Thị Lài")
    assert found["Người tham gia đóng (đồng)"] == 0
    assert (found["Hỗ trợ khác (đồng)"], found["Số biên lai"], found["Còn thiếu"]) == (
        GROSS - STATE,
        None,
        None,
    )


def test_the_amounts_of_every_line_add_up(client):
    for name in ("d05", "d03"):
        for line in sheet(client, name):
            if line["Số tiền phải đóng (đồng)"] is not None:
                parts = ("Người tham gia đóng", "NSNN hỗ trợ", "NSĐP hỗ trợ", "Hỗ trợ khác")
                total = sum(line[f"{part} (đồng)"] for part in parts)
                assert total == line["Số tiền phải đóng (đồng)"], line


def test_what_was_taken_back_is_in_no_list(client):
    assert "Đinh Văn Nam" not in {line["Họ và tên"] for line in sheet(client, "d05")}


def test_a_merged_person_is_listed_with_the_number_of_the_record_that_was_kept(client):
    found = line_of(sheet(client, "d05"), "Quách Văn Phú")
    assert (found["Số CCCD / định danh"], found["Còn thiếu"]) == ("082090000013", None)


def test_a_name_like_a_formula_is_defused_in_both_formats(client):
    assert "'=Nguyễn Văn Công" in {line["Họ và tên"] for line in sheet(client, "d05")}
    text = client.get(f"/declarations/d05.csv?{DAYS}").data.decode("utf-8-sig")
    assert "'=Nguyễn Văn Công" in {row[1] for row in csv.reader(io.StringIO(text))}


def test_both_formats_have_the_same_cells(client):
    book = [[*line] for line in sheet_rows(client)]
    text = client.get(f"/declarations/d05.csv?{DAYS}").data.decode("utf-8-sig")
    assert book == list(csv.reader(io.StringIO(text)))


def sheet_rows(client) -> list[list[str]]:
    answer = client.get(f"/declarations/d05.xlsx?{DAYS}")
    found = openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)
    return [["" if c is None else str(getattr(c, "date", lambda c=c: c)()) for c in row] for row in found]


def test_headings_are_the_forms_own_in_every_language(client):
    client.get("/declarations?lang=en")
    assert "Họ và tên" in sheet(client, "d05")[0]


def test_an_organisation_has_what_its_agents_and_those_below_it_recorded(client):
    lan, an = "Trần Thị Ánh", "Bùi Văn Kha"
    below = {line["Họ và tên"] for line in sheet(client, "d05", "&organisation=BD-MT@2004-01-01")}
    above = {line["Họ và tên"] for line in sheet(client, "d05", "&organisation=BD@2004-01-01")}
    assert (lan in below, an in below) == (True, False)
    assert {lan, an} <= above
    assert client.get(f"/declarations/d05.xlsx?{DAYS}&organisation=XX@2004-01-01").status_code == 404


def test_another_period_has_nothing_of_this_one(client):
    answer = client.get("/declarations/d05.csv?from=2020-06-01&to=2020-06-30")
    assert len(answer.data.decode("utf-8-sig").splitlines()) == 1


def test_a_supervisor_lists_the_own_area_alone(enrolled):
    found = sheet(browser(enrolled, "giamsat"), "d05")
    assert [line["Họ và tên"] for line in found] == ["Bùi Văn Kha"]


def test_an_auditor_looks_with_masked_numbers_and_takes_no_file(enrolled):
    client = browser(enrolled, "kiemtoan")
    page = client.get(f"/declarations?{DAYS}").get_data(as_text=True)
    assert "••••••••0001" in page
    assert "082090000001" not in page
    assert client.get(f"/declarations/d05.xlsx?{DAYS}").status_code == 403
    assert "auditor" not in roles_with(ROUTES["declarations.list_file"].permission)


def test_every_look_and_every_file_is_audited_before_it_leaves(enrolled, client):
    audited = "SELECT action, subject, detail FROM audit_row WHERE action LIKE 'declaration%'"
    before = len(rows(enrolled.office, audited))
    client.get(f"/declarations?{DAYS}")
    client.get(f"/declarations/d03.csv?{DAYS}")
    found = rows(enrolled.office, audited)[before:]
    assert [row[:2] for row in found] == [("declaration_shown", "d05"), ("declaration_exported", "d03")]
    assert '"rows":2' in found[1][2]


def test_the_page_tells_how_many_lines_lack_something_in_both_languages(client):
    vietnamese = client.get(f"/declarations?{DAYS}&lang=vi").get_data(as_text=True)
    english = client.get(f"/declarations?{DAYS}&lang=en").get_data(as_text=True)
    assert "Nhân viên chưa có mã" in vietnamese
    assert "The agent has no code" in english
    only = client.get(f"/declarations?{DAYS}&show=lacking&lang=en").get_data(as_text=True)
    assert "Trần Thị Ánh" not in only
    assert "Bùi Văn Kha" in only


def test_a_list_that_is_none_is_not_there(client):
    assert client.get("/declarations?list=d99").status_code == 404
    assert client.get("/declarations/d99.xlsx").status_code == 404
    assert client.get("/declarations/d05.pdf").status_code == 404
