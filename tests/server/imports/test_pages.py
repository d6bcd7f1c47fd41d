"""The pages of imports, as the administrator sees them in both languages."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator

import openpyxl
import pytest

from tests.server.imports.builders import a_household, a_sheet
from tests.support.office_checks import count, rows
from tests.support.staff import form_token, log_in
from tests.support.watched_office import WatchedOffice, watched_office


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[WatchedOffice]:
    path = tmp_path_factory.mktemp("imports") / "office.sqlite3"
    with watched_office(f"sqlite:///{path}") as watched:
        yield watched
        watched.office.runtime.transactions.engine.dispose()


@pytest.fixture
def client(watched):
    client = watched.office.app.test_client()
    assert log_in(client, "quanly").status_code == 303
    return client


def given(client, name: str, content: bytes, file_name: str = "bảng.xlsx") -> str:
    """Give a sheet to the form and return the address of what it would do."""
    form = {"csrf_token": form_token(client, "/imports"), "sheet": name}
    answer = client.post("/imports", data=form | {"file": (io.BytesIO(content), file_name)})
    assert answer.status_code == 303
    return answer.headers["Location"]


def pressed(client, address: str, step: str):
    return client.post(f"{address}/{step}", data={"csrf_token": form_token(client, address)})


def text_of(answer) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def test_a_sheet_is_checked_applied_and_taken_back(client, watched):
    address = given(client, "households", a_sheet("households", a_household(1), a_household(2), xlsx=True))
    before = count(watched.office, "household")
    page = text_of(client.get(address))
    assert "Ghi 2 dòng" in page
    assert count(watched.office, "household") == before
    assert pressed(client, address, "apply").status_code == 303
    assert count(watched.office, "household") == before + 2
    assert "Đã ghi lúc" in text_of(client.get(address))
    assert pressed(client, address, "undo").status_code == 303
    assert "đã được rút lại" in text_of(client.get(address))
    assert count(watched.office, "household") == before


@pytest.mark.parametrize(
    ("language", "title", "sentence"),
    [
        ("vi", "Điện thoại", "Bảng tính đã làm mất số 0 ở đầu"),
        ("en", "Phone", "The spreadsheet lost leading zeros"),
    ],
)
def test_each_wrong_cell_is_named_in_the_readers_language(client, language, title, sentence):
    address = given(client, "households", a_sheet("households", a_household(1, phone=912345678), xlsx=True))
    page = text_of(client.get(f"{address}?lang={language}"))
    client.get("/board?lang=vi")
    assert re.search(rf"E2\s+{title}\s+{sentence}", page)
    assert pressed(client, address, "apply").status_code == 409


def test_the_rows_in_the_way_of_undoing_are_listed(client, watched):
    address = given(client, "workers", a_sheet("workers", {"code": "NV9", "name": "Chín"}))
    pressed(client, address, "apply")
    assignment = {"worker_code": "NV9", "role": "Giám sát viên", "from_day": "2020-05-12"}
    pressed(client, given(client, "assignments", a_sheet("assignments", assignment)), "apply")
    answer = pressed(client, address, "undo")
    assert answer.status_code == 409
    assert "Dòng 2" in text_of(answer)


def test_history_shows_files_states_and_who(client):
    given(client, "workers", a_sheet("workers", {"code": "NV77", "name": "Bảy"}), "../nguy hiểm<b>.csv")
    page = client.get("/imports").get_data(as_text=True)
    assert "nguy hiểm&lt;b&gt;.csv" in page
    assert "quanly" in page
    assert "Chờ ghi" in page


def test_what_is_no_sheet_is_told_on_the_page(client):
    address = given(client, "workers", b"\xff\xfe\x00", "x.csv")
    assert "không phải UTF-8" in text_of(client.get(address))


def test_a_form_without_a_file_leads_back(client):
    form = {"csrf_token": form_token(client, "/imports"), "sheet": "workers"}
    assert client.post("/imports", data=form).headers["Location"] == "/imports"


def test_a_file_above_the_limit_is_refused_before_it_is_read(client):
    large = io.BytesIO(b"a" * (17 * 1024 * 1024))
    boundary = "multipart/form-data; boundary=x"
    answer = client.post(
        "/imports", input_stream=large, content_type=boundary, content_length=17 * 1024 * 1024
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", ["workers", "assignments", "households"])
def test_a_template_has_the_header_that_the_import_reads(client, name, language):
    answer = client.get(f"/imports/templates/{name}.xlsx?lang={language}")
    client.get("/board?lang=vi")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    header = [cell.value for cell in sheet[1]]
    assert all(header)
    assert sheet["A1"].comment is not None
    # What is typed below keeps its zeros.
    assert sheet.column_dimensions["A"].number_format == "@"
    assert client.get(f"/imports/templates/{name}.csv").data.startswith(b"\xef\xbb\xbf")


def test_only_three_sheets_have_templates_yet(client):
    assert client.get("/imports/templates/areas.xlsx").status_code == 404
    assert client.get("/imports/templates/workers.pdf").status_code == 404


def test_imports_are_audited_without_a_word_about_anybody(client, watched):
    address = given(client, "households", a_sheet("households", a_household(3)))
    pressed(client, address, "apply")
    details = rows(
        watched.office,
        "SELECT action, detail FROM audit_row WHERE action LIKE 'import%' OR action LIKE 'sheet%'",
    )
    assert {"sheet_checked", "import_begun", "import_chunk", "import_applied"} <= {
        action for action, _ in details
    }
    assert not any("Trần" in detail or "0900" in detail for _, detail in details)
