"""Words for the fixed values that pages show: value → (Vietnamese, English).

Codes and flags have theirs in `schemas.messages`, whole sentences are in the catalogue.
"""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # kinds of entry
    "household_registered": ("Lập hộ", "Household registered"),
    "household_amended": ("Sửa hộ", "Household amended"),
    "person_registered": ("Lập nhân khẩu", "Person registered"),
    "person_amended": ("Sửa nhân khẩu", "Person amended"),
    "visit_recorded": ("Thăm hộ", "Visit"),
    "vssid_installed": ("Cài VssID", "VssID install"),
    "enrolment_recorded": ("Ghi danh", "Enrolment"),
    "payment_collected": ("Thu tiền", "Payment collected"),
    "receipt_issued": ("Biên lai", "Receipt issued"),
    "entry_voided": ("Huỷ một mục", "Entry voided"),
    # verdicts and outcomes
    "applied": ("Đã áp dụng", "Applied"),
    "merged": ("Đã gộp", "Merged"),
    "duplicate": ("Trùng", "Duplicate"),
    "held": ("Đang chờ", "Waiting"),
    "quarantined": ("Bị giữ lại", "Quarantined"),
    "voided": ("Đã huỷ", "Voided"),
    # credits
    "counted": ("Được tính", "Counted"),
    "pending": ("Chờ", "Pending"),
    "over_limit": ("Quá hạn mức", "Over the limit"),
    "out_of_area": ("Ngoài địa bàn", "Out of area"),
    "late": ("Về muộn", "Late"),
    # holders
    "agent": ("Nhân viên", "Agents"),
    "promoter": ("Người vận động", "Promoters"),
    "team": ("Đội", "Teams"),
    "organisation": ("Đơn vị", "Organisations"),
    "area": ("Địa bàn", "Areas"),
    # why a credit is what it is
    "reason_counted": ("", ""),
    "reason_entry_voided": ("Mục đã bị huỷ", "The entry was voided"),
    "reason_not_assigned_there": ("Lúc ghi không được giao địa bàn này", "Not assigned there when captured"),
    "reason_campaign_unknown": ("Văn phòng không có chiến dịch này", "The office has no such campaign"),
    "reason_before_campaign": ("Trước ngày bắt đầu chiến dịch", "Before the campaign began"),
    "reason_after_campaign": ("Sau ngày kết thúc chiến dịch", "After the campaign ended"),
    "reason_captured_after_close": ("Ghi sau khi chiến dịch khoá sổ", "Captured after the campaign closed"),
    "reason_not_paid_yet": ("Chưa thu tiền", "Not paid yet"),
    "reason_subject_already_counted": ("Đã tính ở một mục khác", "Already counted through another entry"),
    "reason_subject_cap_reached": ("Đã đủ hạn mức cho người này", "The limit for this person is used up"),
    "reason_holder_cap_reached": ("Đã đủ hạn mức được giao", "The holder's limit is used up"),
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
    "incident_entry_id_reused": ("Mã việc dùng lại với nội dung khác", "Entry id reused with other content"),
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
