"""The office's receipt book: our receipts of money beside the insurer's numbers, as page and as file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.receipt_token import ReceiptKind
from server.dashboard.queries import names_of
from server.dashboard.rules import LIST_LINES, Listing, paged
from server.dashboard.wiring import Look
from server.exports.table import ExportedTable
from server.receipts.queries import ListedReceipt, listed_receipts
from server.receipts.rules import ReceiptState

SCHEMES = {
    ReceiptKind.VOLUNTARY: ("BHXH tự nguyện", "Voluntary insurance"),
    ReceiptKind.HEALTH: ("BHYT hộ gia đình", "Household health"),
}
STATES = {
    ReceiptState.PENDING: ("Đang đối soát", "Being reconciled"),
    ReceiptState.RECONCILED: ("Đã đối soát", "Reconciled"),
    ReceiptState.VOIDED: ("Đã huỷ", "Voided"),
    ReceiptState.REPLACED: ("Đã được thay", "Replaced"),
    ReceiptState.QUARANTINED: ("Đang kiểm tra", "Under review"),
}
BOOK_TITLES = (
    ("Số biên lai", "Receipt number"),
    ("Ngày", "Day"),
    ("Khoản thu", "For"),
    ("Số tiền (đồng)", "Amount (đồng)"),
    ("Nhân viên", "Agent"),
    ("Tình trạng", "State"),
    ("Ký hiệu của cơ quan BHXH", "The insurer's series"),
    ("Số của cơ quan BHXH", "The insurer's number"),
)


@dataclass(frozen=True, slots=True)
class BookLine:
    """A receipt as the book shows it: `words` are (Vietnamese, English) of what it is for and its state."""

    listed: ListedReceipt
    issued_on: date
    agent_name: str
    scheme: tuple[str, str]
    state: tuple[str, str]


def receipt_page(
    seen: Look, zone: ZoneInfo, days: tuple[date, date], page: int, *, is_missing: bool
) -> tuple[list[BookLine], Listing]:
    """Return a page of the receipts issued on these days (both included), the newest first."""
    first = int(datetime.combine(days[0], time(0), zone).timestamp())
    after = int(datetime.combine(days[1] + timedelta(days=1), time(0), zone).timestamp())
    found = listed_receipts(
        seen.connection,
        zone,
        (first, after - 1),
        seen.sight.worker_ids,
        is_missing=is_missing,
        limit=LIST_LINES + 1,
        offset=(page - 1) * LIST_LINES,
    )
    shown, listing = paged(found, page, LIST_LINES)
    names = names_of(seen.connection, {each.receipt.worker_id for each in shown})
    return [
        BookLine(
            listed=each,
            issued_on=datetime.fromtimestamp(each.receipt.issued_at_s, zone).date(),
            agent_name=names.get(each.receipt.worker_id, "–"),
            scheme=SCHEMES[ReceiptKind(each.receipt.kind)],
            state=STATES[each.receipt.state],
        )
        for each in shown
    ], listing


def receipts_table(lines: Sequence[BookLine], language: str) -> ExportedTable:
    """Return the book as a table."""
    number = int(language == "en")
    rows = [
        (
            line.listed.number,
            line.issued_on,
            line.scheme[number],
            line.listed.receipt.amount_vnd,
            line.agent_name,
            line.state[number],
            None if line.listed.official is None else line.listed.official.series,
            None if line.listed.official is None else line.listed.official.number,
        )
        for line in lines
    ]
    return ExportedTable(("Biên lai", "Receipts"), BOOK_TITLES, rows)
