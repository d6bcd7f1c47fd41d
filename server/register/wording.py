"""The tables of words for the register: (Vietnamese, English). Sheets and pages take theirs here."""

from __future__ import annotations

SCHEME_WORDS: dict[str, tuple[str, str]] = {
    "voluntary": ("BHXH tự nguyện", "Voluntary insurance"),
    "health": ("BHYT hộ gia đình", "Household health insurance"),
}
LAPSE_WORDS: dict[str, tuple[str, str]] = {
    "not_renewed": ("Hết hạn, không đóng tiếp", "Ended, not renewed"),
    "cannot_afford": ("Không đủ tiền đóng", "Cannot afford it"),
    "moved": ("Chuyển đi nơi khác", "Moved away"),
    "other_scheme": ("Sang loại hình khác", "Joined another scheme"),
    "deceased": ("Đã mất", "Deceased"),
    "other": ("Lý do khác", "Another reason"),
}
STANDING_WORDS: dict[str, tuple[str, str]] = {
    "new": ("Mới", "New"),
    "renewal": ("Tái tục", "Renewal"),
    "pending": ("Chờ đối chiếu", "Pending"),
    "repeat": ("Ghi trùng kỳ", "Same period again"),
}
STANDING_REASON_WORDS: dict[str, tuple[str, str]] = {
    "not_listed": ("Không có trong sổ đủ của ngày trước đó", "Not in a whole register of an earlier day"),
    "returned": ("Từng tham gia, đã hết hạn lâu hơn", "Was insured, and that ended longer ago"),
    "valid_before": (
        "Còn hạn, hoặc vừa hết hạn, ngay trước khi ghi danh",
        "Insured, or just not any more, before enrolling",
    ),
    "same_period": ("Kỳ này đã ghi danh trước đó", "The same period was enrolled before"),
    "no_window": ("Chưa có quy tắc tái tục cho ngày đó", "No rule of renewals for that day"),
    "no_number": ("Chưa có mã số BHXH hay số định danh", "No insurance number or personal id yet"),
    "no_register": ("Chưa có sổ đủ của ngày trước đó", "No whole register of an earlier day"),
    "not_comparable": (
        "Sổ và hồ sơ không có chung loại số",
        "Register and record have no kind of number in common",
    ),
}
