"""The one table of words for states and reasons of credits: (Vietnamese, English). Pages take theirs here."""

from __future__ import annotations

STATE_WORDS: dict[str, tuple[str, str]] = {
    "counted": ("Đã tính", "Counted"),
    "pending": ("Chờ đóng tiền", "Awaiting payment"),
    "duplicate": ("Trùng", "Duplicate"),
    "over_limit": ("Vượt mức tính", "Over the limit"),
    "out_of_area": ("Ngoài địa bàn", "Out of area"),
    "voided": ("Đã huỷ", "Voided"),
    "late": ("Ngoài thời gian", "Out of time"),
}

REASON_WORDS: dict[str, tuple[str, str]] = {
    "counted": ("Được tính cho chỉ tiêu này", "Counts for this indicator"),
    "not_paid_yet": ("Chưa đóng tiền", "Not paid yet"),
    "subject_already_counted": ("Đã tính ở một mục khác", "Already counted through another entry"),
    "subject_cap_reached": (
        "Người hoặc hộ này đã đủ số lần được tính",
        "This person or household has counted as often as it may",
    ),
    "holder_cap_reached": ("Đã đủ số được tính tối đa", "As many as may count have counted already"),
    "not_assigned_there": (
        "Lúc ghi, nhân viên không được phân công ở địa bàn này",
        "The agent was not assigned to this area at the time",
    ),
    "entry_voided": ("Mục đã được huỷ", "The entry was voided"),
    "before_campaign": ("Trước ngày bắt đầu chiến dịch", "Before the campaign began"),
    "after_campaign": ("Sau ngày kết thúc chiến dịch", "After the campaign ended"),
    "captured_after_close": (
        "Không chứng minh được đã ghi trong vòng 15 ngày sau khi chiến dịch kết thúc",
        "It cannot be shown that this was recorded within 15 days of the campaign's end",
    ),
    "campaign_unknown": ("Văn phòng không có chiến dịch này", "The office has no such campaign"),
}
