"""The pages of imports in a real browser, wide and narrow, in both languages."""

from __future__ import annotations

import pytest

from tests.browser.test_pages_in_chromium import served, visitor  # noqa: F401 - fixtures
from tests.server.imports.builders import a_household, a_sheet

pytestmark = pytest.mark.browser


def give(page, title: str, name: str, content: bytes) -> None:
    page.get_by_label("Bảng gì?").select_option(label=title)
    file = {"name": f"{name}.xlsx", "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label("Tệp XLSX hoặc CSV").set_input_files(file)
    page.get_by_role("button", name="Kiểm tra").click()


def test_an_administrator_imports_households_and_takes_them_back(visitor):  # noqa: F811
    page = visitor.visit("/imports", "imports-empty")
    wrong = [
        a_household(1, phone=912345678),
        a_household(2, area_code="99999"),
        a_household(3, head_name=None),
        a_household(4, members=99),
    ]
    give(page, "Hộ gia đình", "hộ gia đình phường 5", a_sheet("households", *wrong, xlsx=True))
    page.get_by_role("heading", name="Những ô cần sửa").wait_for()
    visitor.check("imports-faults")
    visitor.visit(page.url.removeprefix(visitor.address) + "?lang=en", "imports-faults-english")
    page.get_by_role("link", name="VI").click()
    visitor.visit("/imports", "imports-form")
    sheet = a_sheet("households", *[a_household(n) for n in range(1, 41)], xlsx=True)
    give(page, "Hộ gia đình", "hộ gia đình phường 5 (đã sửa)", sheet)
    page.get_by_role("button", name="Ghi 40 dòng").wait_for()
    visitor.check("imports-ready")
    page.get_by_role("button", name="Ghi 40 dòng").click()
    page.get_by_text("Đã ghi lúc").wait_for()
    visitor.check("imports-applied")
    page.get_by_role("button", name="Huỷ lần nhập này").click()
    page.get_by_text("đã được rút lại").wait_for()
    visitor.check("imports-undone")
    visitor.visit("/imports", "imports-history")
    visitor.visit("/imports?lang=en", "imports-history-english")
    visitor.visit("/imports?lang=vi", "imports-history")
