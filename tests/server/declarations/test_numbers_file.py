"""The receipt book taken as a file, filled in and given back: all of its numbers, or none."""

from __future__ import annotations

import io

import openpyxl
import pytest
from click.testing import CliRunner

from server.cli import main
from tests.server.declarations.enrolled import EnrolledOffice, enrolled_office
from tests.support.office_checks import rows
from tests.support.offices import office_environment
from tests.support.staff import form_token, log_in

PAGE, DAYS = "/declarations/receipts", "from=2020-05-01&to=2020-05-31"
SERIES, NUMBER = 7, 8


@pytest.fixture
def enrolled(tmp_path):
    with enrolled_office(f"sqlite:///{tmp_path / 'office.sqlite3'}") as found:
        yield found
        found.office.runtime.transactions.engine.dispose()


@pytest.fixture
def client(enrolled):
    client = enrolled.office.app.test_client()
    log_in(client, "quanly")
    return client


def filled(client, numbers: dict[str, tuple[object, object]]) -> bytes:
    """Return the book as another program saves it, with numbers beside these receipts."""
    answer = client.get(f"{PAGE}.xlsx?{DAYS}")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    for line in book.active.iter_rows(min_row=2):
        if line[0].value in numbers:
            line[SERIES - 1].value, line[NUMBER - 1].value = numbers[line[0].value]
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def given_back(client, content: bytes):
    fields = {"file": (io.BytesIO(content), "so-bien-lai.xlsx"), "csrf_token": form_token(client, PAGE)}
    return client.post(f"{PAGE}/file", data=fields, content_type="multipart/form-data")


def standing(enrolled: EnrolledOffice) -> list[tuple]:
    return sorted(rows(enrolled.office, "SELECT counter, series, number FROM official_number"))


def test_a_filled_in_book_gives_its_numbers_and_once_more_changes_nothing(enrolled, client):
    receipts = enrolled.receipts
    content = filled(client, {receipts["whole"]: ("AA/20E", "0000123"), receipts["formula"]: ("AA/20E", 124)})
    assert given_back(client, content).headers["Location"].endswith("given=2")
    assert standing(enrolled) == [(1, "AA/20E", "0000123"), (2, "AA/20E", "124")]
    again = filled(client, {})
    given_back(client, again)
    given_back(client, content)
    assert len(standing(enrolled)) == 2
    page = client.get(f"{PAGE}?{DAYS}&given=2").get_data(as_text=True)
    assert "Đã ghi 2 số từ tệp." in page


def test_with_one_wrong_row_none_is_taken_and_each_is_named(enrolled, client):
    receipts = enrolled.receipts
    content = filled(
        client,
        {
            receipts["whole"]: ("AA/20E", "1"),
            receipts["formula"]: ("AA/20E", "0001"),
            receipts["nobody"]: ("AA 20E", "2"),
            receipts["wrong"]: (None, "3"),
        },
    )
    answer = given_back(client, content)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "3 chỗ sai trong tệp" in page
    assert "Số này của ký hiệu này đã ghi cho một biên lai khác" in page
    assert page.count("Ký hiệu gồm chữ, số") == 2
    assert standing(enrolled) == []


def test_a_number_that_differs_from_what_stands_is_no_correction(enrolled, client):
    receipt = enrolled.receipts["whole"]
    given_back(client, filled(client, {receipt: ("AA/20E", "1")}))
    answer = given_back(client, filled(client, {receipt: ("AA/20E", "2")}))
    assert "Biên lai này đã có số" in answer.get_data(as_text=True)
    assert standing(enrolled) == [(1, "AA/20E", "1")]


def test_a_file_that_is_no_book_is_told_as_a_whole(enrolled, client):
    for content, words in ((b"a,b\n1,2\n", "Không thấy đủ cột"), (b"", "Bảng không có dòng nào")):
        assert words in given_back(client, content).get_data(as_text=True)


def test_who_sees_one_area_takes_down_no_number_of_another(enrolled, client, tmp_path):
    content = filled(client, {enrolled.receipts["whole"]: ("AA/20E", "1")})
    auditor = enrolled.office.app.test_client()
    log_in(auditor, "kiemtoan")
    fields = {"file": (io.BytesIO(content), "x.xlsx"), "csrf_token": form_token(auditor, "/board")}
    assert auditor.post(f"{PAGE}/file", data=fields).status_code == 403


def test_the_command_does_the_same(enrolled, client, tmp_path, monkeypatch):
    for name, value in office_environment(f"sqlite:///{tmp_path / 'office.sqlite3'}").items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "book.xlsx"
    path.write_bytes(filled(client, {enrolled.receipts["whole"]: ("AA/20E", "0000123")}))
    run = CliRunner().invoke
    done = run(main, ["official-numbers", str(path), "--by", "quanly"])
    assert (done.exit_code, "1 numbers taken down, 0 there already" in done.output) == (0, True), done.output
    assert (
        "0 numbers taken down, 1 there already"
        in run(main, ["official-numbers", str(path), "--by", "quanly"]).output
    )
    path.write_bytes(filled(client, {enrolled.receipts["whole"]: ("AA/20E", "7")}))
    refused = run(main, ["official-numbers", str(path), "--by", "quanly"])
    assert (refused.exit_code, "receipt_has_a_number" in refused.output) == (1, True)
