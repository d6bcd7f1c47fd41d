"""What the treasurer's pages say of fixed values: (Vietnamese, English)."""

from __future__ import annotations

from enum import StrEnum

from server.funds.accounts import ANY
from server.funds.incoming import DOOR_CASH, DOOR_TRANSFER, OFFICE_CASH_IN, TRANSFER
from server.funds.matching import Reason
from server.funds.refusals import FundRefusal, FundRefusedError
from server.funds.rules import MatchKind
from server.funds.wording import EXCLUSION_WORDS, NOMINATION_WORDS, REFUSAL_WORDS, STAGE_WORDS
from server.treasury.rules import CashAge, PledgeState

Words = tuple[str, str]


class FormFault(StrEnum):
    """What is wrong with something that was typed, before any rule is asked."""

    FIELD_MISSING = "field_missing"
    FIELD_TOO_LONG = "field_too_long"
    TEXT_MALFORMED = "text_malformed"
    NUMBER_MALFORMED = "number_malformed"
    DAY_MALFORMED = "day_malformed"
    CHOICE_UNKNOWN = "choice_unknown"
    NOTHING_CHOSEN = "nothing_chosen"


FAULT_WORDS: dict[FormFault, Words] = {
    FormFault.FIELD_MISSING: ("Chưa điền ô này", "This field is empty"),
    FormFault.FIELD_TOO_LONG: ("Nội dung quá dài", "This text is too long"),
    FormFault.TEXT_MALFORMED: ("Có ký tự không đọc được", "It has signs that cannot be read"),
    FormFault.NUMBER_MALFORMED: ("Hãy ghi bằng số, ví dụ 1.000.000", "Write a number, for example 1,000,000"),
    FormFault.DAY_MALFORMED: ("Ngày không đúng", "This is no day"),
    FormFault.CHOICE_UNKNOWN: ("Hãy chọn một mục trong danh sách", "Choose one of the list"),
    FormFault.NOTHING_CHOSEN: ("Chưa chọn dòng nào", "No line is chosen"),
}
CHANNEL_WORDS: dict[str, Words] = {
    DOOR_CASH: ("Tiền mặt tại nhà", "Cash at the door"),
    DOOR_TRANSFER: ("Chuyển khoản tại nhà, đã khớp sao kê", "Transfers at the door, on the statement"),
    OFFICE_CASH_IN: ("Tiền mặt tại văn phòng", "Cash at the office"),
    TRANSFER: ("Chuyển khoản, đã khớp sao kê", "Transfers, on the statement"),
}
WAY_WORDS: dict[str, Words] = {"cash": ("Tiền mặt", "Cash"), "transfer": ("Chuyển khoản", "Transfer")}
PAYOUT_WORDS: dict[str, Words] = {
    "premium": ("Trả tiền thẻ", "Premiums"),
    "refund": ("Hoàn lại", "Refund"),
}
MATCH_KIND_WORDS: dict[str, Words] = {
    MatchKind.DOOR_DONATION: ("Ủng hộ thu tại nhà, chuyển khoản", "A transfer reported at a door"),
    MatchKind.OFFICE_DONATION: ("Ủng hộ chuyển khoản", "A donation by transfer"),
    MatchKind.REMITTANCE: ("Nhân viên nộp tiền", "Cash that an agent carried"),
    MatchKind.DEPOSIT: ("Văn phòng nộp tiền mặt", "Cash of the office, paid in"),
    MatchKind.PREMIUM: ("Trả tiền mua thẻ", "Premiums paid"),
    MatchKind.REFUND: ("Hoàn lại người ủng hộ", "A refund"),
    MatchKind.BOUNCE: ("Ngân hàng trả lại", "A transfer that bounced"),
    MatchKind.NOTHING: ("Không thuộc khoản nào (phí, lãi…)", "None of these (fee, interest…)"),
}
GROUND_WORDS: dict[Reason, Words] = {
    Reason.AMOUNT: ("cùng số tiền", "same amount"),
    Reason.NAME: ("có tên", "names them"),
    Reason.MARK: ("có mã", "has its mark"),
    Reason.FUND_CODE: ("có mã quỹ", "has the fund's code"),
    Reason.DEPOSIT_WORDS: ("nội dung nộp tiền", "says a deposit"),
    Reason.OWN_WORDS: ("lời của ngân hàng", "the bank's own words"),
}
CASH_AGE_WORDS: dict[CashAge, Words] = {
    CashAge.FRESH: ("Trong ngày", "Within a day"),
    CashAge.DUE: ("Cần nộp", "To be carried"),
    CashAge.LATE: ("Quá lâu", "Too long"),
}
PLEDGE_WORDS: dict[PledgeState, Words] = {
    PledgeState.OPEN: ("Đang chờ", "Awaited"),
    PledgeState.OVERDUE: ("Quá hẹn", "Overdue"),
    PledgeState.KEPT: ("Đã thực hiện", "Kept"),
    PledgeState.CANCELLED: ("Đã huỷ", "Cancelled"),
}
EVIDENCE_WORDS: dict[str, Words] = {
    "poor_book": ("Sổ hộ nghèo", "Book of poor households"),
    "near_poor_book": ("Sổ hộ cận nghèo", "Book of near-poor households"),
    "subsidy_decision": ("Quyết định thôi hỗ trợ", "Decision that ended a subsidy"),
    "return_paper": ("Giấy tờ trở về", "Papers of return"),
    "id_card": ("Căn cước", "Identity card"),
    "commune_confirmation": ("Xác nhận của xã", "Confirmation of the commune"),
    "other": ("Giấy tờ khác", "Other papers"),
}
ANYBODY: Words = ("Không giới hạn", "Unrestricted")
_DETAIL_WORDS: dict[str, Words] = {
    **{str(code): words for code, words in EXCLUSION_WORDS.items()},
    **{str(code): words for code, words in STAGE_WORDS.items()},
    **{str(code): words for code, words in NOMINATION_WORDS.items()},
}
# Details that are sums, and what is said before them.
_SUM_WORDS: dict[FundRefusal, Words] = {
    FundRefusal.MONEY_SHORT: ("còn thiếu", "short by"),
    FundRefusal.REFUND_TOO_LARGE: ("còn lại", "left"),
}


def refusal_words(error: FundRefusedError) -> Words:
    """Return why a decision was not taken, with what more there is to say."""
    vietnamese, english = REFUSAL_WORDS[error.code]
    sums, details = _SUM_WORDS.get(error.code), _DETAIL_WORDS.get(error.detail)
    if sums is not None and error.detail.isdecimal():
        amount = int(error.detail)
        return (
            f"{vietnamese}: {sums[0]} {amount:,} đ".replace(",", "."),
            f"{english}: {sums[1]} {amount:,} VND",
        )
    if details is not None:
        return f"{vietnamese}: {details[0]}", f"{english}: {details[1]}"
    return vietnamese, english


def bucket_words(bucket: str, areas: dict[str, str], pools: dict[str, Words]) -> Words:
    """Return what money of a bucket is for; a name that is not known stands for itself."""
    kind, _, key = bucket.partition(":")
    if bucket == ANY:
        return ANYBODY
    if kind == "pool":
        return pools.get(key, (key, key))
    name = areas.get(key, key)
    return name, name
