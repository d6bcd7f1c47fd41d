"""The files that the office of the demo hands out, taken over HTTP and read as whoever gets them would.

What the insurer's lists come to is held against the recount over the tablets' own files, which shares
no code with the server; the office's own tables are held against what importing them again would change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from server.declarations.forms import LACK_WORDS, LIST_TITLES
from server.declarations.rules import LISTS, Lack
from server.demo.checks import Check
from server.demo.figures import DRIVE_FROM, DRIVE_TO
from server.demo.pages import form_token
from server.imports.checking import check_sheet
from server.imports.registry import SHEETS
from server.imports.sheet import KEEP
from server.receipts.wording import amount_text
from server.runtime import Runtime
from server.spreadsheets import ReadSheet, read_sheet

_YEAR = {"from": f"{DRIVE_FROM:%Y}-01-01", "to": f"{DRIVE_TO:%Y}-12-31"}
_OFFICE_SHEETS = ("areas", "organisations", "workers", "assignments", "teams")
_LACKS = {words[0]: str(lack) for lack, words in LACK_WORDS.items()}


def declared_checks(browser: httpx.Client, recount: Mapping[str, Any]) -> Iterator[Check]:
    """Take each list of the year, and hold its lines and sums against the tablets' files."""
    for name, scheme in LISTS.items():
        answer = browser.get(f"/declarations/{name}.xlsx", params=_YEAR)
        found = _sums(read_sheet(answer.content)) if answer.status_code == 200 else answer.status_code
        counted = Counter(recount["declared"][scheme])
        vietnamese, english = LIST_TITLES[name]
        yield Check(
            (
                f"{vietnamese}: {counted['lines']} dòng, đã thu {amount_text(counted['paid_vnd'])}",
                f"{english} equals the recount, line by line lacking included",
            ),
            {
                "lines": counted["lines"],
                "whole": counted["lines"] - counted["unpaid"] - counted["without_receipt"],
                "due_vnd": counted["due_vnd"],
                "paid_vnd": counted["paid_vnd"],
                str(Lack.PAYMENT): counted["unpaid"],
                str(Lack.RECEIPT): counted["without_receipt"],
            },
            found,
        )


def reimport_check(browser: httpx.Client, runtime: Runtime) -> Check:
    """Take the office's tables and check them as sheets: they are what was imported on the first day."""
    found = {}
    for name in _OFFICE_SHEETS:
        content = browser.get(f"/exports/office/{name}.xlsx").content
        checked = check_sheet(runtime, SHEETS[name], content)
        found[name] = (checked.fault_count, checked.row_count - checked.fates[KEEP])
    return Check(
        (
            "Bảng của văn phòng tải về, nhập lại: không lỗi, không đổi gì",
            "the office's tables, taken and imported again, change nothing",
        ),
        dict.fromkeys(_OFFICE_SHEETS, (0, 0)),
        found,
    )


def official_number_check(browser: httpx.Client, receipt: Mapping[str, Any]) -> Check:
    """Take down the insurer's number of a receipt; its page shows it beside ours."""
    page = browser.get("/declarations/receipts", params=_YEAR)
    form = {
        "receipt": receipt["number"],
        "series": "AA/20E",
        "number": "0000123",
        "csrf_token": form_token(page.text),
    }
    given = browser.post("/declarations/receipts", data=form)
    again = browser.post("/declarations/receipts", data={**form, "number": "0000124"})
    shown = browser.get(f"/r/{receipt['token']}").text
    return Check(
        (
            "Số biên lai của cơ quan BHXH ghi một lần, hiện cạnh số của máy",
            "the insurer's number is taken down once, and shown beside ours",
        ),
        (200, 409, True),
        (given.status_code, again.status_code, "AA/20E 0000123" in shown),
    )


def _sums(sheet: ReadSheet) -> dict[str, int]:
    """Return what a written list comes to, from its cells alone."""
    place = {title: number for number, title in enumerate(sheet.header)}
    rows = [cells for _, cells in sheet.rows]
    lacks = Counter(
        _LACKS.get(reason, reason)
        for cells in rows
        for reason in str(cells[place["Còn thiếu"]] or "").split("; ")
        if reason
    )
    return {
        "lines": len(rows),
        "whole": sum(cells[place["STT"]] is not None for cells in rows),
        "due_vnd": sum(_whole(cells[place["Người tham gia đóng (đồng)"]]) for cells in rows),
        "paid_vnd": sum(_whole(cells[place["Đã thu (đồng)"]]) for cells in rows),
        str(Lack.PAYMENT): 0,
        str(Lack.RECEIPT): 0,
        **lacks,
    }


def _whole(cell: Any) -> int:
    return cell if isinstance(cell, int) else 0
