"""The lists for the insurer in a real browser, wide and narrow, in both languages."""

from __future__ import annotations

import threading

import pytest
from werkzeug.serving import make_server

from tests.browser.test_pages_in_chromium import visitor  # noqa: F401 - a fixture
from tests.server.declarations.enrolled import enrolled_office

pytestmark = pytest.mark.browser
WRONG_BOOK = (
    "Số biên lai,Ký hiệu của cơ quan BHXH,Số của cơ quan BHXH\n"
    "20-00001-00009999,AA/20E,0000200\n20-00001-00000003,AA 20E,1\n"
).encode()
DAYS = "from=2020-05-01&to=2020-05-31"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """An office with enrolments behind a real port."""
    path = tmp_path_factory.mktemp("browser") / "office.sqlite3"
    with enrolled_office(f"sqlite:///{path}") as enrolled:
        server = make_server("127.0.0.1", 0, enrolled.office.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield enrolled, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_month_is_looked_at_and_taken_as_a_file(visitor):  # noqa: F811
    visitor.visit("/declarations?from=2020-01-01&to=2020-01-31", "declarations-empty")
    page = visitor.visit(f"/declarations?{DAYS}", "declarations-d05")
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename == "tungnha-d05-20200501-20200531.xlsx"
    page.get_by_role("link", name="D03-TS").click()
    page.get_by_text("Trần Văn Ngọc").wait_for()
    visitor.check("declarations-d03")
    page.get_by_role("link", name="Còn thiếu").click()
    page.get_by_text("Trần Văn Ngọc").wait_for(state="detached")
    visitor.check("declarations-lacking")
    page.get_by_label("Đơn vị").select_option(label="– Bưu điện Mỹ Tho (BD-MT)")
    page.get_by_role("button", name="Xem").click()
    visitor.visit(f"/declarations?{DAYS}&lang=en", "declarations-english")
    visitor.visit(f"/declarations?{DAYS}&lang=vi", "declarations-d05")


def test_the_insurers_number_is_taken_down_and_corrected(visitor):  # noqa: F811
    enrolled = visitor.watched
    receipt = enrolled.receipts["whole" if visitor.screen == "wide" else "formula"]
    page = visitor.visit(f"/declarations/receipts?{DAYS}", "receipts")
    page.get_by_role("link", name=f"Ghi số cho {receipt}").click()
    page.get_by_label("Ký hiệu").fill("AA/20E")
    page.get_by_label("Số", exact=True).fill("0000123" if visitor.screen == "wide" else "0000124")
    visitor.check("receipts-typed")
    page.get_by_role("button", name="Ghi số").click()
    page.get_by_role("status").filter(has_text="Đã ghi số").wait_for()
    visitor.check("receipts-taken-down")
    page.get_by_role("link", name=f"Ghi số cho {receipt}").click()
    page.get_by_label("Lý do sửa").fill("Chép nhầm")
    page.get_by_label("Ký hiệu").fill("BB/20E")
    page.get_by_label("Số", exact=True).fill("7" if visitor.screen == "wide" else "8")
    page.get_by_label("Lý do sửa").fill("Chép nhầm số ở cuống biên lai")
    page.get_by_role("button", name="Sửa số").click()
    page.get_by_text("BB/20E").first.wait_for()
    page.get_by_label("Số biên lai của máy").fill(receipt)
    page.get_by_label("Ký hiệu").fill("CC/20E")
    page.get_by_label("Số", exact=True).fill("9")
    page.get_by_role("button", name="Ghi số").click()
    page.get_by_role("alert").wait_for()
    visitor.complaints.clear()  # the console repeats the 409
    visitor.check("receipts-refused")
    book = {"name": "book.csv", "mimeType": "text/csv", "buffer": WRONG_BOOK}
    page.locator("#numbers-file").set_input_files(book)
    page.get_by_role("button", name="Ghi từ tệp").click()
    page.get_by_text("Dòng 2").wait_for()
    visitor.complaints.clear()
    visitor.check("receipts-file-refused")
    visitor.visit(f"/declarations/receipts?{DAYS}&lang=en", "receipts-english")
    visitor.visit(f"/declarations/receipts?{DAYS}&lang=vi", "receipts-corrected")
