"""The pages in a real browser, wide and narrow: nothing on the console, nothing wider than the screen.

With TUNGNHA_SCREENSHOTS set to a folder, every page is also photographed there.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.support.axe import violations
from tests.support.planned_office import MINIMUM, YEAR, plan_the_year
from tests.support.raw_tablet import a_household, a_tablet
from tests.support.small_office import DRIVE, LAUNCH_DAY
from tests.support.staff import PASSWORD
from tests.support.watched_office import WatchedOffice, watched_office

pytestmark = pytest.mark.browser
SCREENS = {"wide": (1440, 900), "narrow": (390, 844)}


@dataclass
class Visitor:
    """A logged-in browser page; `complaints` is what the console and failed requests said."""

    page: Page
    address: str
    watched: WatchedOffice
    screen: str
    complaints: list[str] = field(default_factory=list)

    def visit(self, path: str, name: str) -> Page:
        """Open a page, photograph it, and check what must hold of every page."""
        response = self.page.goto(self.address + path)
        assert response is not None
        assert response.status == 200, path
        self.check(name)
        return self.page

    def check(self, name: str) -> None:
        """Check that nothing complains, that axe finds nothing and that nothing is wider than the screen."""
        photograph(self.page, f"{name}-{self.screen}")
        assert violations(self.page) == [], name
        assert self.complaints == [], name
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= SCREENS[self.screen][0], f"{name} is {width} pixels wide"


def photograph(page: Page, name: str) -> None:
    """Keep a picture of the whole page, where somebody wants one."""
    folder = os.environ.get("TUNGNHA_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WatchedOffice, str]]:
    """A watched office behind a real port."""
    path = tmp_path_factory.mktemp("browser") / "office.sqlite3"
    with watched_office(f"sqlite:///{path}") as watched:
        plan_the_year(watched.office)
        server = make_server("127.0.0.1", 0, watched.office.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield watched, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=SCREENS)
def visitor(
    request: pytest.FixtureRequest, served: tuple[WatchedOffice, str], browser: Browser
) -> Iterator[Visitor]:
    """A browser of either size in which the administrator has logged in through the form."""
    watched, address = served
    width, height = SCREENS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    visitor = Visitor(page, address, watched, request.param)
    page.on("console", lambda message: visitor.complaints.append(message.text))
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    # Chromium gives up on pictures of a page that it leaves; that is nobody's fault.
    page.on(
        "requestfailed",
        lambda failed: failed.failure == "net::ERR_ABORTED" or visitor.complaints.append(failed.url),
    )
    visitor.visit("/login", "login")
    page.get_by_label("Tên đăng nhập").fill("quanly")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url("**/board")
    yield visitor
    context.close()


def test_the_supervisors_way_from_the_board_to_original_bytes(visitor):
    page = visitor.visit(f"/board?campaign={LAUNCH_DAY}&indicator=voluntary_enrolled", "board")
    page.get_by_role("link", name="Nguyễn Thị An").click()
    page.get_by_role("heading", name="Nguyễn Thị An").wait_for()
    visitor.check("agent")
    page.get_by_role("link", name="Nhật ký đã nhận").click()
    page.get_by_role("link", name="Trang sau").wait_for()
    visitor.check("agent-entries")
    page.get_by_role("link", name="Bị giữ lại").first.click()
    page.get_by_role("link", name="Mở mục").click()
    assert "99999@2004-01-01" in page.locator("pre.bytes").inner_text()
    visitor.check("evidence")


def test_a_supervisor_corrects_an_entry_with_the_keyboard_alone(visitor):
    tablet = a_tablet(visitor.watched.office, "binh")
    tablet.append("household_registered", a_household("99999@2004-01-01"))
    tablet.sync()
    address = f"/quarantine/{tablet.installation}/1"
    page = visitor.visit(address, "settle")
    content = page.get_by_label("Nội dung")
    content.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type('{"area": "99998@2004-01-01"}')
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    visitor.complaints.clear()  # the console repeats the 422
    visitor.check("settle-refused")
    page.get_by_label("Nội dung").fill(json.dumps(a_household()))
    page.get_by_role("button", name="Sửa và xét lại").click()
    page.get_by_role("status").filter(has_text="Đã sửa và xét lại").wait_for()
    visitor.check("settle-done")


def test_a_supervisor_sends_an_entry_back_and_finds_it_under_its_own_tab(visitor):
    tablet = a_tablet(visitor.watched.office, "binh")
    tablet.append("household_registered", a_household("99999@2004-01-01"))
    tablet.sync()
    page = visitor.visit(f"/quarantine/{tablet.installation}/1", "send-back")
    page.get_by_label("Lý do").fill("Sai mã địa bàn, hãy ghi lại ở Phường 4")
    page.get_by_role("button", name="Trả lại", exact=True).click()
    page.get_by_role("status").filter(has_text="Đã trả lại").wait_for()
    visitor.visit("/quarantine?tab=returned", "quarantine-returned")
    assert page.get_by_text("Sai mã địa bàn").first.is_visible()


def test_a_supervisor_settles_a_conflict(visitor):
    an, binh = (a_tablet(visitor.watched.office, agent) for agent in ("an", "binh"))
    household = an.household(members=3)
    an.sync()
    for tablet, name, members in ((an, "Lê Văn Tám", 4), (binh, "Lê Văn Tam", 5)):
        values = {"head_name": name, "members": members, "phone": f"091234567{members}"}
        tablet.append("household_amended", {"household": household, "base": household, "set": values})
        tablet.sync()
    page = visitor.visit("/conflicts", "conflicts")
    assert page.get_by_role("link", name="Chọn giá trị cho").first.is_visible()
    visitor.visit(f"/conflicts/{household}", "conflict-open")
    page.get_by_role("heading", name="Lê Văn").wait_for()
    page.get_by_role("group", name="Chủ hộ").get_by_role("radio").nth(1).check()
    page.get_by_role("group", name="Số người").get_by_label("Giá trị khác").first.check()
    page.get_by_role("group", name="Số người").get_by_role("textbox").fill("6")
    visitor.check("conflict")
    page.get_by_role("button", name="Ghi lựa chọn").click()
    page.get_by_role("status").filter(has_text="Đã ghi lựa chọn").wait_for()
    visitor.check("conflict-settled")


def test_a_supervisor_merges_two_persons_and_takes_them_apart(visitor):
    tablet = a_tablet(visitor.watched.office, "binh")
    digits = f"9991900003{SCREENS[visitor.screen][0] % 100:02}"
    first = tablet.person(national_id=digits, phone="0912345678")
    other = tablet.person(full_name="Lê Thị Bưởi (hẻm 4)", national_id=digits, birth_date="1970-02-28")
    tablet.sync()
    page = visitor.visit("/duplicates", "duplicates")
    assert page.get_by_role("link", name="So sánh").first.is_visible()
    visitor.visit(f"/duplicates/{first}/{other}", "comparison")
    page.get_by_role("button", name="Giữ Lê Thị Bưởi …").click()
    page.get_by_role("status").filter(has_text="Đã gộp").wait_for()
    visitor.check("duplicates-merged")
    page.get_by_role("button", name="Tách").first.click()
    page.get_by_role("status").filter(has_text="Đã tách").wait_for()
    visitor.check("duplicates-empty")


def test_a_supervisor_says_that_two_persons_are_two_and_takes_it_back(visitor):
    tablet = a_tablet(visitor.watched.office, "binh")
    digits = f"9991900004{SCREENS[visitor.screen][0] % 100:02}"
    first = tablet.person(national_id=digits, phone="0912345678")
    other = tablet.person(full_name="Lê Thị Bưởi Em (hẻm 4)", national_id=digits, birth_date="1970-02-28")
    tablet.sync()
    for language in ("vi", "en"):
        chosen, place = f"?lang={language}", f"/duplicates/{first}/{other}"
        page = visitor.visit(place + chosen, f"comparison-{language}")
        # Another tab is faster than the one that is about to merge the two.
        beside = page.context.new_page()
        beside.goto(visitor.address + place)
        page.locator(f"form[action='{place}/distinction'] button").click()
        page.locator(".note.good").wait_for()
        visitor.check(f"distinct-done-{language}")
        beside.locator("button[name=keep]").first.click()
        beside.get_by_role("alert").wait_for()
        assert "marked_distinct" in beside.get_by_role("alert").inner_text()
        photograph(beside, f"merge-refused-{language}-{visitor.screen}")
        beside.close()
        visitor.visit(f"/duplicates{chosen}", f"duplicates-without-{language}")
        assert page.locator(f"a[href='{place}']").count() == 0
        visitor.visit(place + chosen, f"comparison-distinct-{language}")
        assert page.locator("button[name=keep]").count() == 0
        visitor.visit(f"/duplicates?tab=distinct&lang={language}", f"distinct-{language}")
        page.locator(f"form[action='{place}/distinction/undoing'] button").click()
        page.locator(".note.good").wait_for()
        visitor.check(f"distinct-undone-{language}")
        visitor.visit(f"/duplicates{chosen}", f"duplicates-again-{language}")
        assert page.locator(f"a[href='{place}']").count() == 1


def test_the_promoters_board_flags_the_published_ratio(visitor):
    page = visitor.visit(f"/board?campaign={DRIVE}&indicator=persuaded", "promoters")
    assert page.get_by_text("Tỷ lệ đã công bố không khớp").is_visible()


def test_a_supervisor_goes_down_the_tree_of_a_plan(visitor):
    page = visitor.visit(f"/board?campaign={YEAR}&indicator=voluntary_enrolled&holder=agent", "board-of-plan")
    page.get_by_role("link", name="Kế hoạch và cây chỉ tiêu").click()
    page.get_by_role("heading", name="Kế hoạch: Năm 2020").wait_for()
    visitor.check("plan")
    page.get_by_role("link", name="Phường 5").click()
    page.get_by_role("heading", name="Phường 5").wait_for()
    visitor.check("plan-commune")
    page.get_by_role("link", name="Nguyễn Thị An").click()
    page.get_by_role("heading", name="Nguyễn Thị An").wait_for()
    visitor.check("plan-agent")
    page.get_by_role("link", name="Ban đầu, bản 3").click()
    page.get_by_text("Bản này chưa có hiệu lực").wait_for()
    visitor.check("plan-to-come")
    visitor.visit(f"/plans/{YEAR}?lang=en", "plan-english")
    visitor.visit(f"/plans/{YEAR}?lang=vi", "plan")


def test_a_minimum_is_looked_at_person_by_person(visitor):
    page = visitor.visit(f"/board?campaign={YEAR}&minimum={MINIMUM}", "minimum")
    assert page.get_by_text("Chưa đạt").first.is_visible()
    visitor.visit(f"/board?campaign={YEAR}&minimum={MINIMUM}&lang=en", "minimum-english")
    visitor.visit("/board?lang=vi", "board")


def test_the_board_can_be_sorted_and_read_in_english(visitor):
    page = visitor.visit(f"/board?campaign={LAUNCH_DAY}&indicator=voluntary_enrolled", "board")
    # Where rows are cards, their headings are out of sight and a row of choices takes their place.
    page.get_by_role("link", name="Nhân viên" if visitor.screen == "wide" else "Tên").click()
    page.wait_for_url("**sort=name**")
    assert page.locator("tbody th a").first.inner_text() == "Nguyễn Thị An"
    page.get_by_role("link", name="EN").click()
    assert page.get_by_role("button", name="Log out").is_visible()
    visitor.check("board-english")
    page.get_by_role("link", name="VI").click()


def test_a_one_time_code_comes_with_a_picture_that_loads(visitor):
    page = visitor.visit("/devices", "devices")
    page.get_by_label("Nhân viên").select_option(label="Huỳnh Thị Mỹ Hạnh")
    page.get_by_role("button", name="Tạo mã dùng một lần").click()
    picture = page.get_by_role("img", name="Mã QR đăng ký")
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 0
    visitor.check("code")


@pytest.mark.parametrize(("path", "name"), [("/quarantine", "quarantine"), ("/incidents", "incidents")])
def test_a_list_page(visitor, path, name):
    visitor.visit(path, name)


def test_a_citizen_checks_a_receipt(visitor):
    page = visitor.visit(f"/r/{visitor.watched.receipt_digits}", "receipt")
    assert page.get_by_text("891.000").first.is_visible()


def test_logging_out_ends_the_session(visitor):
    visitor.page.get_by_role("button", name="Đăng xuất").click()
    visitor.page.wait_for_url("**/login")
    visitor.page.goto(visitor.address + "/quarantine")
    assert "/login" in visitor.page.url
