"""Words for the fixed values that pages show: value → (Vietnamese, English).

Codes and flags have theirs in `schemas.messages`, credits in `server.quotas.wording`, whole sentences are in
the catalogue.
"""

from __future__ import annotations

from schemas.messages import MESSAGES
from server.quotas.wording import REASON_WORDS, STATE_WORDS
from sync.codes import EntryCode

WORDS: dict[str, tuple[str, str]] = {
    # kinds of entry, as the desk client calls them
    "household_registered": ("Hộ mới", "Household"),
    "household_amended": ("Sửa hộ", "Household change"),
    "person_registered": ("Người mới", "Person"),
    "person_amended": ("Sửa người", "Person change"),
    "visit_recorded": ("Lượt đến nhà", "Visit"),
    "vssid_installed": ("Cài VssID", "VssID install"),
    "enrolment_recorded": ("Ghi danh", "Enrolment"),
    "payment_collected": ("Khoản thu", "Payment"),
    "receipt_issued": ("Biên lai", "Receipt"),
    "entry_voided": ("Huỷ", "Void"),
    "return_answered": ("Trả lời mục bị trả lại", "Answer to a return"),
    "entry_corrected": ("Sửa tại văn phòng", "Office correction"),
    "entry_returned": ("Trả lại", "Return"),
    # verdicts and outcomes
    "applied": ("Đã ghi nhận", "Applied"),
    "merged": ("Đã gộp", "Merged"),
    "held": ("Đang chờ", "Held"),
    "quarantined": ("Bị giữ lại", "Quarantined"),
    "answered": ("Đã trả lời", "Answered"),
    # credits; "duplicate" and "voided" are the words of verdicts and outcomes too
    **STATE_WORDS,
    **{f"reason_{reason}": words for reason, words in REASON_WORDS.items()},
    # holders
    "agent": ("Nhân viên", "Agents"),
    "promoter": ("Người vận động", "Promoters"),
    "team": ("Đội", "Teams"),
    "organisation": ("Đơn vị", "Organisations"),
    "area": ("Địa bàn", "Areas"),
    # plans
    "initial": ("Kế hoạch", "Plan"),
    "initial_of_two": ("Kế hoạch ban đầu", "Initial plan"),
    "supplemented": ("Sau bổ sung", "With supplement"),
    # campaigns
    "campaign_launch_day": ("Ngày ra quân", "Launch day"),
    "campaign_drive": ("Đợt vận động", "Drive"),
    # incidents
    "incident_journal_forked": (
        "Nhật ký rẽ nhánh: máy nhân bản hoặc khôi phục",
        "Journal forked: a cloned tablet",
    ),
    "incident_entry_id_reused": MESSAGES[EntryCode.ENTRY_ID_REUSED],
    "incident_acknowledgement_forgotten": (
        "Máy chủ không nhớ xác nhận mà máy giữ",
        "Forgotten acknowledgement",
    ),
    # installations
    "installation_active": ("Đang dùng", "Active"),
    "installation_fenced": ("Bị cách ly", "Fenced"),
    "installation_superseded": ("Đã thay máy", "Replaced"),
    "installation_revoked": ("Đã thu hồi", "Revoked"),
}


def word_of(value: str, language: str) -> str:
    """Return the word for `value`; a value of a newer server stands for itself."""
    vietnamese, english = WORDS.get(value, (value.replace("_", " "),) * 2)
    return english if language == "en" else vietnamese
