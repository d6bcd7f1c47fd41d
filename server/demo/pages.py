"""What the served pages say, asked over HTTP as anybody would: a receipt, and the board after a log-in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from server.demo.checks import Check
from server.demo.figures import DRIVE, QUOTED_PERCENT, Scale
from server.demo.office import LogIn
from server.quotas.pace import percent_of
from server.quotas.rules import OFFICE_CAMPAIGN
from server.receipts.wording import amount_text

# What every page says while the clock is the demo's.
_BANNER = "Đồng hồ diễn tập"
_FORM_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def receipt_check(url: str, receipt: dict[str, Any]) -> Check:
    """Fetch a receipt's page as its payer would; it names number and amount and says valid."""
    answer = httpx.get(f"{url}/r/{receipt['token']}", timeout=30)
    standing = httpx.get(f"{url}/api/v1/receipts/{receipt['token']}", timeout=30).json()["standing"]
    wanted = (receipt["number"], amount_text(receipt["amount_vnd"]), "2020")
    missing = [text for text in wanted if text not in answer.text]
    return Check(
        ("Trang biên lai xác nhận biên lai hợp lệ", "the receipt's page says that it is valid"),
        (200, "reconciled", []),
        (answer.status_code, standing, missing),
    )


def board_page_check(url: str, log_in: LogIn, scale: Scale) -> Check:
    """Log in, open the officers' board and look for the computed ratio beside the quoted one."""
    ratio = str(percent_of(scale.persuaded, scale.officers_quota)).replace(".", ",")
    wanted = (ratio, QUOTED_PERCENT, _BANNER)
    name = (
        f"Trang bảng chỉ tiêu hiện {ratio} % bên cạnh {QUOTED_PERCENT} %",
        "the board's page shows both ratios",
    )
    query = {"campaign": str(DRIVE), "indicator": "persuaded", "holder": "promoter"}
    return _page_check(url, log_in, name, "/board", query, wanted)


def plan_page_check(url: str, log_in: LogIn) -> Check:
    """Log in, open the office's own plan and look for both published ratios and what follows from them."""
    name = (
        "Trang kế hoạch hiện 113 % và 107 % cạnh nhau, cùng khoảng suy ra",
        "the plan's page shows both ratios side by side with their bounds",
    )
    wanted = ("113", "107", "16.578", "16.725", "17.504", "17.667", "suy từ tỷ lệ công bố")
    return _page_check(url, log_in, name, f"/plans/{OFFICE_CAMPAIGN}", {}, wanted)


def outside_page_check(url: str, log_in: LogIn) -> Check:
    """Log in, open the figures from outside and look for what was published, computed and derived."""
    name = (
        "Trang số liệu ngoài hiện 18.816 = 7.262 + 11.554 và các tỷ lệ tính lại",
        "the page of figures from outside shows the published stock and every ratio computed anew",
    )
    wanted = ("18.816", "7.262", "11.554", "159,10", "281.909", "184.829", "88,97", "16.578", "17.667")
    return _page_check(url, log_in, name, "/outside", {}, wanted)


def form_token(page: str) -> str:
    """Return the token of a page's form, nothing where it has none: the form is refused then."""
    found = _FORM_TOKEN.search(page)
    return "" if found is None else found.group(1)


@contextmanager
def logged_in(url: str, log_in: LogIn) -> Iterator[tuple[httpx.Client, int]]:
    """Give a browser in which somebody has filled in the form, and the status that answered it."""
    with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as browser:
        token = form_token(browser.get("/login").text)
        form = {"login": log_in.login, "password": log_in.password, "next": "", "csrf_token": token}
        yield browser, browser.post("/login", data=form).status_code


def _page_check(
    url: str,
    log_in: LogIn,
    name: tuple[str, str],
    path: str,
    query: dict[str, str],
    wanted: tuple[str, ...],
) -> Check:
    with logged_in(url, log_in) as (browser, entered):
        answer = browser.get(path, params=query)
    missing = [text for text in wanted if text not in answer.text]
    return Check(name, (200, 200, []), (entered, answer.status_code, missing))
