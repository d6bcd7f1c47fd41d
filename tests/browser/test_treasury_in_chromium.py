"""The treasurer's pages in a real browser without scripts: a phone and a desk, both languages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from server.funds.allocating import propose_card
from server.funds.giving import confirm_remittance, take_pledge
from server.funds.rules import MatchKind
from server.funds.statements import import_statement
from server.runtime import runtime_of
from tests.browser.test_pages_in_chromium import photograph
from tests.server.bank.statements import Moved, as_xlsx, debit_credit_rows
from tests.support.axe import violations
from tests.support.clocks import FakeClock
from tests.support.fund_decisions import CARD, approved, issued
from tests.support.funds import FUND, FundOffice, a_fund_office
from tests.support.offices import create_schema
from tests.support.staff import PASSWORD, an_account, an_app

pytestmark = pytest.mark.browser
SCREENS = {"phone": (360, 740), "desk": (1280, 900)}
HOUR_MS = 60 * 60 * 1000
PAGES = {
    "overview": "",
    "fund": f"/{FUND}",
    "donations": f"/{FUND}/donations",
    "doors": f"/{FUND}/donations?from=doors",
    "pledges": f"/{FUND}/pledges",
    "remittances": f"/{FUND}/remittances",
    "bank": f"/{FUND}/bank",
    "nominations": f"/{FUND}/nominations",
    "cards": f"/{FUND}/cards",
    "issued": f"/{FUND}/cards?stage=issued",
    "payouts": f"/{FUND}/payouts",
    "settings": f"/{FUND}/settings",
    "new": "/new",
}


def fill(office: FundOffice) -> None:
    """Let every page have something to show."""
    now_ms = office.runtime.clock.now_ms()
    office.cash(20 * CARD)
    office.transfer(10 * CARD, ("pool", "elderly"))
    for hours, worker in ((80, "an"), (30, "binh"), (2, "chi")):
        office.upper_ms = now_ms - hours * HOUR_MS
        office.door_donation(2 * CARD, worker=worker)
    matched = office.door_donation(3 * CARD, method="transfer")
    office.line(3 * CARD, MatchKind.DOOR_DONATION, matched)
    office.door_donation(CARD, method="transfer")
    office.line(1_234_567)
    office.act(confirm_remittance, office.remit(CARD, worker="binh"))
    office.remit(CARD, worker="an")
    office.act(take_pledge, office.given(90 * CARD), office.day, None)
    office.nominate(evidence="other")
    for _ in SCREENS:
        office.nominate()
    approved(office)
    issued(office)
    office.act(propose_card, office.nominate())
    lines = [
        Moved(office.day, CARD, "NGUYEN VAN MAU CK UNG HO TN7", "FT2013355512"),
        Moved(office.day, 750_000, "CONG TY MAU UNG HO QUY THE", "FT2013355513"),
        Moved(office.day, -11_000, "THU PHI QUAN LY TAI KHOAN", "FT2013355514"),
    ]
    office.act(import_statement, FUND, as_xlsx(debit_credit_rows(lines, 0, "0112345678")))


@dataclass
class Visitor:
    """A browser page of somebody; `complaints` is what the console and failed requests said."""

    page: Page
    address: str
    screen: str
    complaints: list[str] = field(default_factory=list)

    def check(self, name: str) -> None:
        """Photograph the page, and check that nothing complains or is wider than the screen."""
        photograph(self.page, f"treasury-{name}-{self.screen}")
        assert self.complaints == [], name
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= SCREENS[self.screen][0], f"{name} is {width} pixels wide"

    def log_in(self, login: str) -> None:
        """Fill in the form."""
        self.page.goto(f"{self.address}/login")
        self.page.get_by_label("Tên đăng nhập").fill(login)
        self.page.get_by_label("Mật khẩu").fill(PASSWORD)
        self.page.get_by_role("button", name="Đăng nhập").click()
        self.page.wait_for_url("**/treasury")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fund with a past, two treasurers, on a real port."""
    url = f"sqlite:///{tmp_path_factory.mktemp('browser') / 'office.sqlite3'}"
    create_schema(url)
    with an_app(url, FakeClock()) as app:
        office = a_fund_office(runtime_of(app))
        fill(office)
        for login in ("thuquy", "thuquy2"):
            an_account(runtime_of(app), login, "treasurer")
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=SCREENS)
def visitor(request: pytest.FixtureRequest, address: str, browser: Browser) -> Iterator[Visitor]:
    """Somebody without scripts, on either screen."""
    width, height = SCREENS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=False)
    page = context.new_page()
    found = Visitor(page, address, request.param)
    # Chromium gives up on pictures of a page that it leaves; that is nobody's fault.
    page.on(
        "requestfailed",
        lambda failed: failed.failure == "net::ERR_ABORTED" or found.complaints.append(failed.url),
    )
    page.on(
        "console",
        # A refused form answers 409 or 422, which Chromium counts among the errors.
        lambda said: " 409 " in said.text or " 422 " in said.text or found.complaints.append(said.text),
    )
    yield found
    context.close()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_page_fits_its_screen_in_both_languages(visitor, lang):
    visitor.log_in("thuquy")
    for name, path in PAGES.items():
        sign = "&" if "?" in path else "?"
        answer = visitor.page.goto(f"{visitor.address}/treasury{path}{sign}lang={lang}")
        assert answer is not None
        assert answer.status == 200, path
        visitor.check(f"{name}-{lang}")


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_wrong(address, browser: Browser, screen, lang):
    width, height = SCREENS[screen]
    # axe itself is a script.
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    Visitor(page, address, screen).log_in("thuquy")
    for path in PAGES.values():
        page.goto(f"{address}/treasury{path}{'&' if '?' in path else '?'}lang={lang}")
        assert violations(page) == [], path
    page.goto(f"{address}/treasury/{FUND}/donations")
    page.locator("#donor_phone").fill("x")
    page.locator("#amount_vnd").fill("x")
    page.locator("form[action$='/donations'] button").click()
    page.get_by_role("alert").wait_for()
    assert violations(page) == [], "a refused form"
    context.close()


def test_a_donation_is_typed_refused_corrected_and_has_its_receipt(visitor):
    visitor.log_in("thuquy")
    page = visitor.page
    page.goto(f"{visitor.address}/treasury/{FUND}/donations")
    page.get_by_label("Tên người ủng hộ").fill("Trần Thị Mẫu")
    page.get_by_label("Số tiền").fill("1.500.000")
    page.get_by_label("Điện thoại").fill("không có")
    page.get_by_role("button", name="Ghi khoản ủng hộ").click()
    page.get_by_role("alert").get_by_text("Số điện thoại hoặc mã số thuế không đúng").wait_for()
    visitor.check("donation-refused")
    assert page.get_by_label("Số tiền").input_value() == "1.500.000"
    page.get_by_label("Điện thoại").fill("")
    page.get_by_role("button", name="Ghi khoản ủng hộ").click()
    page.get_by_text("Đã ghi khoản ủng hộ.").wait_for()
    page.get_by_role("img", name="Mã QR của biên lai").wait_for()
    visitor.check("donation")
    page.get_by_role("link", name="Mở tên và sửa").click()
    assert page.get_by_label("Tên người ủng hộ").input_value() == "Trần Thị Mẫu"
    visitor.check("donor")


def test_who_proposed_is_refused_to_approve_and_another_may(visitor):
    visitor.log_in("thuquy")
    page = visitor.page
    page.goto(f"{visitor.address}/treasury/{FUND}/nominations")
    # The first of them brought papers that the pool does not accept.
    page.get_by_label("Chọn Nguyễn Văn Mẫu").nth(1).check()
    page.get_by_role("button", name="Đề xuất tặng thẻ").click()
    page.get_by_text("Đã đề xuất. Một người khác phải duyệt.").wait_for()
    for tick in page.get_by_label("Chọn thẻ của").all():
        tick.check()
    page.get_by_role("button", name="Duyệt các thẻ đã chọn").click()
    page.get_by_role("alert").wait_for()
    visitor.check("approval-refused")
