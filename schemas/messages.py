"""What every code means, for people: code → (Vietnamese, English).

A text names the field's meaning and what to do next, never a value. The codes themselves are in
`sync.codes`; a code without a text here fails a test.
"""

from __future__ import annotations

from sync.codes import EntryCode, Flag, RateCode, RequestCode

_REQUEST_TEXTS: dict[str, tuple[str, str]] = {
    RequestCode.BODY_UNREADABLE: ("Máy chủ không đọc được nội dung gửi lên", "The request could not be read"),
    RequestCode.BODY_INVALID: (
        "Nội dung gửi lên không đúng mẫu; hãy cập nhật ứng dụng",
        "The request does not follow the contract; update the app",
    ),
    RequestCode.BODY_TOO_LARGE: ("Gửi quá nhiều trong một lần", "Too much was sent at once"),
    RequestCode.CONTENT_TYPE_UNSUPPORTED: (
        "Máy chủ không nhận kiểu nội dung này",
        "The content type is not supported",
    ),
    RequestCode.PROTOCOL_UNSUPPORTED: (
        "Phiên bản ứng dụng không còn được hỗ trợ; hãy cập nhật",
        "This version of the app is no longer served; update it",
    ),
    RequestCode.SIGNATURE_MISSING: ("Yêu cầu thiếu chữ ký của thiết bị", "The device's signature is missing"),
    RequestCode.SIGNATURE_INVALID: ("Chữ ký của thiết bị không đúng", "The device's signature is not valid"),
    RequestCode.INSTALLATION_UNKNOWN: (
        "Máy chủ chưa biết thiết bị này; hãy báo giám sát viên",
        "The server does not know this device; tell the supervisor",
    ),
    RequestCode.INSTALLATION_FENCED: (
        "Thiết bị bị nhân bản, cần đăng ký lại",
        "The device was cloned and must be enrolled again",
    ),
    RequestCode.INSTALLATION_SUPERSEDED: (
        "Thiết bị đã được đăng ký lại ở nơi khác, cần đăng ký lại",
        "The device was enrolled again elsewhere and must be enrolled again",
    ),
    RequestCode.PREDECESSOR_MISMATCH: (
        "Thiết bị trước đó không thuộc về người này",
        "The earlier device does not belong to this worker",
    ),
    RequestCode.HEAD_MISMATCH: (
        "Chuỗi nhật ký gửi lên không khớp; hãy thử lại",
        "The journal's digest does not match what was sent; try again",
    ),
    RequestCode.JOURNAL_GAP: ("Nhật ký gửi lên bị thiếu một đoạn", "A part of the journal is missing"),
    RequestCode.JOURNAL_FORKED: (
        "Thiết bị bị nhân bản, cần đăng ký lại",
        "The device was cloned and must be enrolled again",
    ),
    RequestCode.HOLE_MISMATCH: (
        "Đoạn nhật ký khai báo mất không nối với phần gửi lên; hãy thử lại",
        "The declared hole does not end where the sent part begins; try again",
    ),
    RequestCode.ENROLMENT_CODE_INVALID: (
        "Mã đăng ký sai, đã dùng hoặc đã hết hạn; hãy xin mã mới",
        "The enrolment code is wrong, used or expired; ask for a new one",
    ),
    RequestCode.KEY_ID_TAKEN: (
        "Mã của khoá đã có thiết bị khác dùng; thiết bị sẽ tạo khoá mới",
        "Another device's key has this id; the device makes a new key",
    ),
    RequestCode.NOT_LOGGED_IN: ("Bạn cần đăng nhập", "You need to log in"),
    RequestCode.LOGIN_REFUSED: ("Tên đăng nhập hoặc mật khẩu không đúng", "Wrong user name or password"),
    RequestCode.CSRF_INVALID: (
        "Trang đã cũ; hãy tải lại rồi thử lại",
        "The page is too old; reload and try again",
    ),
    RequestCode.FORBIDDEN: ("Bạn không có quyền làm việc này", "You are not allowed to do this"),
    RequestCode.NOT_FOUND: ("Không tìm thấy", "Not found"),
    RequestCode.METHOD_NOT_ALLOWED: ("Cách gọi không được phép", "Method not allowed"),
    RequestCode.RATE_LIMITED: ("Quá nhiều yêu cầu; sẽ thử lại sau", "Too many requests; try again later"),
    RequestCode.DATABASE_BUSY: ("Máy chủ đang bận; sẽ thử lại sau", "The server is busy; try again later"),
    RequestCode.STORAGE_FULL: (
        "Máy chủ hết chỗ lưu; hãy báo quản trị viên",
        "The server's storage is full; tell the administrator",
    ),
    RequestCode.INTERNAL_ERROR: ("Máy chủ gặp lỗi; sẽ thử lại sau", "The server failed; try again later"),
}

_ENTRY_TEXTS: dict[str, tuple[str, str]] = {
    EntryCode.ENTRY_UNREADABLE: ("Không đọc được mục này", "The entry cannot be read"),
    EntryCode.ENTRY_TOO_LARGE: ("Mục này quá lớn", "The entry is too large"),
    EntryCode.ENTRY_TOO_DEEP: ("Mục này lồng quá nhiều lớp", "The entry is nested too deeply"),
    EntryCode.ENTRY_ID_MALFORMED: ("Mã của mục không đúng mẫu", "The entry's id is malformed"),
    EntryCode.ENTRY_ID_REUSED: (
        "Mã của mục đã dùng cho một nội dung khác",
        "The entry's id was used for other content",
    ),
    EntryCode.ENTRY_ALREADY_RECEIVED: ("Mục này đã được nhận trước đó", "The entry was received before"),
    EntryCode.KIND_UNKNOWN: ("Máy chủ không biết loại mục này", "The kind of entry is unknown"),
    EntryCode.KIND_NOT_FOR_DEVICES: (
        "Loại mục này chỉ văn phòng được ghi",
        "Only the office may record this kind of entry",
    ),
    EntryCode.FIELD_MISSING: ("Thiếu một ô bắt buộc", "A required field is missing"),
    EntryCode.FIELD_UNKNOWN: ("Có một ô không được biết tới", "A field is unknown"),
    EntryCode.FIELD_WRONG_TYPE: ("Một ô có kiểu không đúng", "A field has the wrong type"),
    EntryCode.FIELD_INVALID: ("Một ô có giá trị không hợp lệ", "A field has an invalid value"),
    EntryCode.TEXT_TOO_LONG: ("Một ô chữ quá dài", "A text is too long"),
    EntryCode.TEXT_HAS_NUL: ("Một ô chữ có ký tự cấm", "A text holds a forbidden character"),
    EntryCode.BIRTH_DATE_IN_FUTURE: ("Ngày sinh ở tương lai", "The birth date is in the future"),
    EntryCode.AMOUNT_INVALID: (
        "Số tiền phải là số đồng nguyên, lớn hơn 0 và trong giới hạn",
        "The amount must be whole đồng, above 0 and within the limit",
    ),
    EntryCode.AREA_UNKNOWN: ("Văn phòng không có địa bàn này", "The office has no such area"),
    EntryCode.CAMPAIGN_UNKNOWN: ("Văn phòng không có chiến dịch này", "The office has no such campaign"),
    EntryCode.PROMOTER_UNKNOWN: ("Không tìm thấy người vận động", "The promoter is unknown"),
    EntryCode.REFERENCE_NOT_SEEN: (
        "Đang chờ một mục khác mà máy chủ chưa nhận được",
        "Waiting for another entry that the server has not received",
    ),
    EntryCode.REFERENCE_WRONG_KIND: (
        "Mục được dẫn tới không đúng loại",
        "The entry referred to is of another kind",
    ),
    EntryCode.HELD_TOO_LONG: (
        "Chờ quá lâu một mục khác; vẫn tiếp tục chờ",
        "Has waited too long for another entry, and still waits",
    ),
    EntryCode.NOT_OWN_ENTRY: ("Chỉ được huỷ mục của chính mình", "Only one's own entries can be voided"),
    EntryCode.ALREADY_VOIDED: ("Mục này đã được huỷ", "The entry is voided already"),
    EntryCode.NOT_QUARANTINED: (
        "Mục này không còn bị giữ lại",
        "The entry is not quarantined any more",
    ),
    EntryCode.NOT_CORRECTABLE: (
        "Mục này không sửa được tại văn phòng; chỉ có thể trả lại",
        "The entry cannot be corrected at the office, only sent back",
    ),
    EntryCode.NOT_RETURNED: ("Mục này chưa được trả lại", "The entry was not sent back"),
    EntryCode.ALREADY_MERGED: ("Hồ sơ này đã được gộp", "The record is merged already"),
    EntryCode.MERGE_CYCLE: (
        "Hồ sơ giữ lại đã được gộp vào hồ sơ này",
        "The record to keep is merged into this one",
    ),
    EntryCode.MERGE_ACROSS_AREAS: (
        "Hai hồ sơ ở hai địa bàn khác nhau; hãy chuyển một hồ sơ trước",
        "The two records are in different areas; move one of them first",
    ),
    EntryCode.NOT_MERGED: ("Lần gộp này đã được tách ra", "The merge is undone already"),
    EntryCode.RECEIPT_MALFORMED: ("Biên lai không đúng mẫu", "The receipt is malformed"),
    EntryCode.RECEIPT_SIGNATURE_INVALID: (
        "Chữ ký trên biên lai không đúng",
        "The receipt's signature is not valid",
    ),
    EntryCode.RECEIPT_NOT_OF_THIS_DEVICE: (
        "Biên lai không do thiết bị này lập",
        "The receipt was not made by this device",
    ),
    EntryCode.RECEIPT_DIGEST_MISMATCH: (
        "Biên lai không khớp với khoản thu",
        "The receipt does not match the payment",
    ),
    EntryCode.RECEIPT_AMOUNT_MISMATCH: (
        "Số tiền trên biên lai không khớp với khoản thu",
        "The receipt's amount does not match the payment",
    ),
    EntryCode.RECEIPT_NUMBER_REUSED: (
        "Số biên lai đã dùng cho một nội dung khác",
        "The receipt's number was used for other content",
    ),
    EntryCode.ALLOCATION_MISMATCH: (
        "Phân bổ tiền không khớp với các lượt ghi danh",
        "The allocations do not match the enrolments",
    ),
    EntryCode.FUND_UNKNOWN: ("Văn phòng không có quỹ này", "The office has no such fund"),
    EntryCode.POOL_UNKNOWN: (
        "Văn phòng không có nhóm hoàn cảnh này",
        "The office has no such group of beneficiaries",
    ),
    EntryCode.ALLOCATION_UNKNOWN: (
        "Văn phòng không có suất thẻ này",
        "The office has no such allocation of a card",
    ),
    EntryCode.CARD_NOT_ISSUED: (
        "Thẻ của suất này chưa được cấp, hoặc đã thu về",
        "This card is not issued, or was taken back",
    ),
    EntryCode.NOT_THE_BENEFICIARY: (
        "Suất thẻ này được cấp cho người khác",
        "The card was allocated to another person",
    ),
    EntryCode.INSTALLATION_REVOKED: ("Thiết bị đã bị thu hồi", "The device was revoked"),
    EntryCode.JUDGEMENT_FAILED: (
        "Máy chủ không xử lý được mục này; văn phòng sẽ xem lại",
        "The server could not judge the entry; the office will look at it",
    ),
}

_FLAG_TEXTS: dict[str, tuple[str, str]] = {
    Flag.CLOCK_AHEAD: ("Đồng hồ thiết bị chạy nhanh", "The device's clock is ahead"),
    Flag.CLOCK_BEFORE_PREVIOUS: ("Giờ ghi trước mục liền trước", "Captured before the previous entry"),
    Flag.OUT_OF_AREA: ("Ngoài địa bàn được giao", "Outside the assigned area"),
    Flag.OUT_OF_CAMPAIGN: ("Ngoài thời gian chiến dịch", "Outside the campaign"),
    Flag.LATE_ARRIVAL: ("Về muộn", "Arrived late"),
    Flag.NO_ASSIGNMENT: ("Chưa được phân công", "No assignment"),
    Flag.IN_GRACE: ("Trong thời gian gia hạn", "Within the grace period"),
    Flag.CONFLICT: (
        "Trùng với một sửa đổi khác; giám sát viên sẽ xem",
        "Met another edit; the supervisor will look",
    ),
    Flag.POSSIBLE_DUPLICATE: ("Có thể trùng", "Possibly a duplicate"),
    Flag.RECEIPT_GAP: ("Số biên lai bị nhảy", "A receipt number is missing before this one"),
    Flag.RECEIPT_LINK_BROKEN: (
        "Biên lai không nối với biên lai trước",
        "The receipt does not link to the one before",
    ),
    Flag.AMOUNT_UNKNOWN: (
        "Chưa rõ số tiền; cần đối chiếu với người thu",
        "The amount is unknown; settle it with the collector",
    ),
    Flag.AMOUNT_DIFFERS: (
        "Số tiền phải đóng khác với bảng mức đóng",
        "The amount due differs from the rate tables",
    ),
    Flag.AMOUNT_UNCHECKED: (
        "Chưa có bảng mức đóng để kiểm tra số tiền phải đóng",
        "No rate table covers the amount due",
    ),
    Flag.INCOME_NOT_ALLOWED: (
        "Mức thu nhập không chọn được theo bảng mức đóng",
        "The income cannot be chosen by the rate tables",
    ),
    Flag.FIRST_MEMBER_TWICE: (
        "Hộ này đã có người thứ nhất trong năm",
        "The household has another first member this year",
    ),
    Flag.HANDED_OVER_TWICE: (
        "Thẻ này đã được ghi là trao ở một lần khác; giám sát viên sẽ xem",
        "The card was recorded as handed over another time; the supervisor will look",
    ),
    Flag.FUND_NOT_OPEN: ("Ngoài thời gian vận động của quỹ", "Outside the days of the fund"),
    Flag.CONSENT_MISSING: (
        "Người này chưa đồng ý nhận thẻ được tặng, hoặc đã rút lại",
        "The person has not consented to a donated card, or no longer does",
    ),
}

_RATE_TEXTS: dict[str, tuple[str, str]] = {
    RateCode.TERMS_MISSING: (
        "Chưa khai đủ để tính số tiền phải đóng",
        "What the amount depends on is not declared",
    ),
    RateCode.RATE_TABLE_MISSING: (
        "Chưa có bảng mức đóng cho ngày, kỳ hạn hoặc đối tượng này",
        "No rate table covers this day, period or category",
    ),
    RateCode.INCOME_BELOW_FLOOR: (
        "Thu nhập thấp hơn chuẩn nghèo khu vực nông thôn",
        "The income is below the rural poverty line",
    ),
    RateCode.INCOME_ABOVE_CEILING: (
        "Thu nhập cao hơn mức trần",
        "The income is above the ceiling",
    ),
    RateCode.INCOME_OFF_STEP: (
        "Thu nhập không đúng bước tính từ mức sàn",
        "The income is not on a step above the floor",
    ),
    RateCode.SUPPORT_UNKNOWN: (
        "Không có đối tượng được hỗ trợ này",
        "There is no such category of support",
    ),
    RateCode.LOCAL_SUPPORT_INVALID: (
        "Hỗ trợ của địa phương nhiều hơn phần còn phải đóng",
        "The local support is more than what is left to pay",
    ),
    RateCode.SUPPORT_USED_UP: (
        "Hết số tháng được Nhà nước hỗ trợ trong kỳ này",
        "The months that the state supports end within this period",
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {
    str(code): texts
    for table in (_REQUEST_TEXTS, _ENTRY_TEXTS, _FLAG_TEXTS, _RATE_TEXTS)
    for code, texts in table.items()
}


def message(code: str, language: str = "vi") -> str:
    """Return the text of `code` in `language` ("vi" or "en"); a code of a newer server stands for itself."""
    vietnamese, english = MESSAGES.get(code, (code, code))
    return english if language == "en" else vietnamese
