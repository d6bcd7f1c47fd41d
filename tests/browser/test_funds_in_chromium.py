"""The public page of a fund in a real browser: both languages, a phone and a desk, large text, no script."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from server.public_ledger.roots import seal_days
from tests.browser.test_pages_in_chromium import photograph
from tests.server.public_ledger.funded import FUND, fill, funded_office
from tests.support.axe import violations

pytestmark = pytest.mark.browser
# At 200 % a desk of 1280 pixels has room for 640.
SCREENS = {"phone": (360, 740, 1), "desk": (1280, 900, 1), "zoomed": (640, 450, 2)}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A fund with a week behind it, on a real port."""
    path = tmp_path_factory.mktemp("browser") / "office.sqlite3"
    with funded_office(f"sqlite:///{path}") as funded:
        fill(funded)
        funded.office.clock.advance(days=1)
        seal_days(funded.office.runtime)
        server = make_server("127.0.0.1", 0, funded.office.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("path", ["/quy", "/en/quy", f"/quy/{FUND}", f"/en/quy/{FUND}"])
def test_a_citizen_reads_the_page_without_scripts(address, browser: Browser, screen, path):
    width, height, scale = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale, java_script_enabled=False
    )
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda failed: complaints.append(failed.url))
    answer = page.goto(address + path)
    assert answer is not None
    assert answer.status == 200
    photograph(page, f"fund{path.replace('/', '-')}-{screen}")
    assert complaints == []
    assert context.cookies() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("path", ["/quy", "/en/quy", f"/quy/{FUND}", f"/en/quy/{FUND}"])
def test_axe_finds_nothing_wrong_with_a_public_page(address, browser: Browser, screen, path):
    width, height, scale = SCREENS[screen]
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
    page = context.new_page()
    page.goto(address + path)
    assert violations(page) == []
    context.close()
