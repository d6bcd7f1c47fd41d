"""The forms D05-TS and D03-TS as tables: the insurer's columns first, then what the office checks by.

Headings and words are Vietnamese whoever asks: the file is handed to the insurer.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.messages import MESSAGES, message
from server.declarations.rules import Declared, Lack
from server.exports.table import ExportedTable
from server.imports.codes import import_message
from server.receipts.rules import OfficialRefusal
from server.spreadsheets import Cell

LIST_TITLES = {
    "d05": ("D05-TS BHXH tự nguyện", "D05-TS voluntary insurance"),
    "d03": ("D03-TS BHYT hộ gia đình", "D03-TS household health insurance"),
}
LACK_WORDS: dict[str, tuple[str, str]] = {
    Lack.NUMBER: ("Thiếu mã số BHXH và số CCCD", "Neither insurance number nor national id"),
    Lack.BIRTH_DATE: ("Thiếu ngày sinh", "No date of birth"),
    Lack.SEX: ("Thiếu giới tính", "No sex"),
    Lack.ADDRESS: ("Thiếu địa chỉ (chưa thuộc hộ nào)", "No address (in no household)"),
    Lack.HOSPITAL: ("Thiếu nơi đăng ký khám chữa bệnh", "No hospital"),
    Lack.PAYMENT: ("Chưa thu đủ tiền", "Not paid in full"),
    Lack.RECEIPT: ("Chưa có biên lai hợp lệ", "No valid receipt"),
    Lack.COLLECTOR: ("Nhân viên chưa có mã", "The agent has no code"),
}
REFUSAL_WORDS: dict[str, tuple[str, str]] = {
    OfficialRefusal.NO_SUCH_RECEIPT: (
        "Không có biên lai thu tiền nào mang số này",
        "No receipt of money has this number",
    ),
    OfficialRefusal.RECEIPT_IN_DISPUTE: (
        "Biên lai này đang được kiểm tra; chưa ghi số cho nó được",
        "This receipt is under review; it takes no number yet",
    ),
    OfficialRefusal.MALFORMED: (
        "Ký hiệu gồm chữ, số và . / - (nhiều nhất 20); số gồm 1 đến 12 chữ số",
        "A series is of letters, digits and . / - (20 at most), a number of 1 to 12 digits",
    ),
    OfficialRefusal.HAS_A_NUMBER: (
        "Biên lai này đã có số; muốn sửa thì ghi lý do",
        "This receipt has a number; give a reason to correct it",
    ),
    OfficialRefusal.NOTHING_TO_CORRECT: (
        "Biên lai này chưa có số nào để sửa",
        "This receipt has no number to correct",
    ),
    OfficialRefusal.REASON_MISSING: (
        "Lý do sửa cần từ 10 đến 500 ký tự",
        "A correction needs a reason of 10 to 500 characters",
    ),
    OfficialRefusal.NUMBER_TAKEN: (
        "Số này của ký hiệu này đã ghi cho một biên lai khác",
        "Another receipt has this number of the series",
    ),
}
# What can be wrong with a file of numbers as a whole.
FILE_WORDS: dict[str, tuple[str, str]] = {
    "columns_missing": (
        "Không thấy đủ cột: hãy tải sổ biên lai, điền ký hiệu và số rồi gửi lại",
        "Columns are missing: take the book's file, fill in series and number, and give it back",
    ),
    "too_many_rows": (
        "Quá 1.000 số trong một tệp; hãy chia nhỏ",
        "More than 1,000 numbers in a file; divide it",
    ),
}
_SEXES = {"female": "Nữ", "male": "Nam"}
_STATUSES = {"new": "Đóng mới", "renewal": "Đóng tiếp"}
_VND = "(đồng)"
_WHO = ("STT", "Họ và tên", "Mã số BHXH", "Số CCCD / định danh")
_D05 = (
    *_WHO,
    "Địa chỉ",
    "Ngày biên lai",
    "Số biên lai",
    # The form has one number; the insurer's own stands beside ours where the office has it.
    "Số biên lai của cơ quan BHXH",
    f"Mức thu nhập {_VND}",
    "Số tháng đóng",
    "Đóng từ tháng",
    f"Số tiền phải đóng {_VND}",
    f"Người tham gia đóng {_VND}",
    "NSNN hỗ trợ (%)",
    f"NSNN hỗ trợ {_VND}",
    "NSĐP hỗ trợ (%)",
    f"NSĐP hỗ trợ {_VND}",
    "Hỗ trợ khác (%)",
    f"Hỗ trợ khác {_VND}",
    "Mã nhân viên thu",
    "Ghi chú",
)
_D03 = (
    *_WHO,
    "Ngày sinh",
    "Giới tính",
    "Địa chỉ",
    "Nơi đăng ký KCB",
    "Ngày biên lai",
    "Số biên lai",
    "Số biên lai của cơ quan BHXH",
    f"Số tiền phải đóng {_VND}",
    f"NSĐP hỗ trợ {_VND}",
    f"Hỗ trợ khác {_VND}",
    "Thời hạn từ tháng",
    "Số tháng đóng",
    "Mã nhân viên thu",
    "Ghi chú",
    # The form has no column of its own for these two; without them its amounts do not add up.
    f"NSNN hỗ trợ {_VND}",
    f"Người tham gia đóng {_VND}",
)
_CHECKED_BY = (f"Đã thu {_VND}", f"Chênh lệch {_VND}", "Còn thiếu")


def form_table(name: str, lines: Sequence[Declared]) -> ExportedTable:
    """Return a list: the whole lines, numbered; below them those that lack something, with the reason."""
    cells = _d05_cells if name == "d05" else _d03_cells
    titles = (*(_D05 if name == "d05" else _D03), *_CHECKED_BY)
    whole = [line for line in lines if not line.lacks]
    rows = [(number, *cells(line), *_checked_by(line)) for number, line in enumerate(whole, start=1)]
    rows += [(None, *cells(line), *_checked_by(line)) for line in lines if line.lacks]
    vietnamese = LIST_TITLES[name][0]
    return ExportedTable((vietnamese, vietnamese), tuple((title, title) for title in titles), rows)


def lack_text(lack: str, language: str = "vi") -> str:
    """Return in words what a line lacks."""
    words = LACK_WORDS.get(lack)
    return message(lack, language) if words is None else words[language == "en"]


def refusal_text(code: str, language: str = "vi") -> str:
    """Return in words why a number, or a file of numbers, is not taken."""
    words = REFUSAL_WORDS.get(code) or FILE_WORDS.get(code)
    return import_message(code, language) if words is None else words[language == "en"]


def _d05_cells(line: Declared) -> tuple[Cell, ...]:
    found, quote = line.gathered, line.quote
    return (
        *_who(line),
        found.address,
        *_receipt(line),
        found.terms.get("income_vnd"),
        found.terms["months"],
        _month(line),
        None if quote is None else quote.gross_vnd,
        line.participant_vnd,
        line.state_percent,
        None if quote is None else quote.state_support_vnd,
        line.local_percent,
        None if quote is None else quote.local_support_vnd,
        # What others give is known as an amount alone.
        None,
        line.other_vnd,
        found.collector_code,
        _note(line),
    )


def _d03_cells(line: Declared) -> tuple[Cell, ...]:
    found, quote = line.gathered, line.quote
    return (
        *_who(line),
        found.birth_date,
        _SEXES.get(found.sex or ""),
        found.address,
        found.terms.get("hospital"),
        *_receipt(line),
        None if quote is None else quote.gross_vnd,
        None if quote is None else quote.local_support_vnd,
        line.other_vnd,
        _month(line),
        found.terms["months"],
        found.collector_code,
        _note(line),
        None if quote is None else quote.state_support_vnd,
        line.participant_vnd,
    )


def _who(line: Declared) -> tuple[Cell, ...]:
    found = line.gathered
    return found.name, found.insurance_number, found.national_id


def _receipt(line: Declared) -> tuple[Cell, ...]:
    """Return the day of the last receipt, the numbers of all of them, and those of the insurer."""
    receipts = line.gathered.receipts
    if not receipts:
        return None, None, None
    officials = "; ".join(each.official for each in receipts if each.official is not None)
    last = max(each.issued_on for each in receipts)
    return last, "; ".join(each.number for each in receipts), officials or None


def _month(line: Declared) -> str:
    year, month = str(line.gathered.terms["from_month"]).split("-")
    return f"{month}/{year}"


def _note(line: Declared) -> str:
    flags = [message(flag) for flag in line.gathered.flags if flag in MESSAGES]
    return "; ".join([_STATUSES[line.gathered.status], *flags])


def _checked_by(line: Declared) -> tuple[Cell, ...]:
    lacks = "; ".join(lack_text(lack) for lack in line.lacks)
    return line.gathered.paid_vnd, line.difference_vnd, lacks or None
