"""What the desk client says, in Vietnamese and English, and how it writes numbers and ages."""

from __future__ import annotations

from sync.clock import DAY_MS

TEXTS: dict[str, tuple[str, str]] = {
    "enrolled": (
        "Đã đăng ký thiết bị số {number:05d} cho {worker}",
        "Device {number:05d} enrolled for {worker}",
    ),
    "enrolled_again": (
        "Đã đăng ký lại: thiết bị số {number:05d}, mang theo {count} mục",
        "Enrolled again: device {number:05d}, {count} entries carried over",
    ),
    "not_enrolled": (
        "Thiết bị chưa đăng ký. Hãy chạy: tungnha-field enrol MÃ --server ĐỊA_CHỈ",
        "This device is not enrolled. Run: tungnha-field enrol CODE --server ADDRESS",
    ),
    "already_enrolled": (
        "Thiết bị đã đăng ký; để đăng ký lại hãy thêm --again",
        "This device is enrolled already; add --again to enrol it again",
    ),
    "other_worker": (
        "Mã này dành cho người khác; không chuyển nhật ký sang người khác",
        "The code is for another worker; a journal is never carried over to someone else",
    ),
    "address_refused": (
        "Địa chỉ máy chủ phải là https (trừ trên chính máy này)",
        "The server's address must be https (except on this machine)",
    ),
    "server_missing": ("Cần địa chỉ máy chủ: --server", "The server's address is needed: --server"),
    "usage_amounts": ("Cần một --amount cho mỗi lượt ghi danh", "One --amount is needed for each enrolment"),
    "code_malformed": ("Mã đăng ký không đúng mẫu", "The enrolment code is malformed"),
    "no_quote": (
        "Chưa tính được số tiền phải đóng: {reason} ({field}). Hãy ghi --amount-due",
        "The amount due cannot be computed: {reason} ({field}). Give --amount-due",
    ),
    "quote_differs": (
        "Lưu ý: theo bảng mức đóng là {amount}",
        "Note: by the rate tables it is {amount}",
    ),
    "quote_warning": ("Lưu ý: {reason}", "Note: {reason}"),
    "saved": ("Đã lưu trên máy · {id}", "Saved on this device · {id}"),
    "refused": ("Chưa lưu: {reason} ({field})", "Not saved: {reason} ({field})"),
    "not_found": ("Không tìm thấy {what}", "{what} not found"),
    "cap_warned": (
        "Sắp tới hạn mức ngoại tuyến: {count} biên lai, {amount} chưa đồng bộ. Hãy đồng bộ sớm",
        "Near the offline cap: {count} receipts, {amount} not synced. Sync soon",
    ),
    "cap_reached": (
        (
            "Đã tới hạn mức ngoại tuyến ({count} biên lai, {amount}). Hãy đồng bộ trước khi thu; "
            "tiền đã cầm thì thêm --already-taken"
        ),
        (
            "The offline cap is reached ({count} receipts, {amount}). Sync before collecting; "
            "for money already taken add --already-taken"
        ),
    ),
    "collected": ("Đã thu {amount} · biên lai {number}", "Collected {amount} · receipt {number}"),
    "donated": (
        "Đã nhận ủng hộ {amount} · {fund} · biên lai {number}",
        "Received {amount} · {fund} · receipt {number}",
    ),
    "fund_named": ("quỹ số {number}", "fund {number}"),
    "pool_named": ("nhóm hoàn cảnh {code}", "pool {code}"),
    "donor_missing": (
        "Cần tên người ủng hộ: --donor-name (hoặc loại anonymous nếu muốn ẩn danh)",
        "The donor's name is needed: --donor-name (or the class anonymous)",
    ),
    "usage_restriction": (
        "Chọn một: --for-area hoặc --for-pool",
        "Choose one: --for-area or --for-pool",
    ),
    "usage_proof": (
        "Chọn một: --id-card (quét CCCD hoặc 12 số) hoặc --witness (tên người làm chứng)",
        "Choose one: --id-card (scanned, or its 12 digits) or --witness (a name)",
    ),
    "consent_needed": (
        "Chưa ghi đồng ý nhận thẻ của người này. Hãy hỏi rồi thêm --consent spoken (hoặc signed_paper)",
        "Their consent to a donated card is not recorded. Ask, then add --consent spoken (or signed_paper)",
    ),
    "id_card_differs": (
        "Số CCCD không khớp với hồ sơ của {name}. Dùng --anyway nếu chắc chắn đúng người",
        "The identity card is not the one on record for {name}. Use --anyway if it is the right person",
    ),
    "handed_over_before": (
        "Thẻ này đã được ghi là đã trao. Dùng --anyway để vẫn ghi",
        "This card was recorded as handed over. Use --anyway to record it all the same",
    ),
    "no_waiting_cards": ("Không có thẻ nào chờ trao", "No card waits to be handed over"),
    "waiting_cards": ("Thẻ chờ trao: {count}", "Cards to hand over: {count}"),
    "card_approved": ("đã duyệt, chưa cấp", "approved, not issued"),
    "card_issued": ("đã cấp", "issued"),
    "card_months": ("{count} tháng", "{count} months"),
    "card_valid": ("hạn {first} – {last}", "valid {first} – {last}"),
    "voided": ("Đã huỷ · biên lai huỷ {number}", "Voided · void receipt {number}"),
    "stopped": (
        (
            "Thiết bị bị nhân bản, cần đăng ký lại: tungnha-field enrol --again MÃ. "
            "Mọi mục đã ghi vẫn còn nguyên"
        ),
        (
            "The device was cloned and must be enrolled again: tungnha-field enrol --again CODE. "
            "Everything recorded is kept"
        ),
    ),
    "store_damaged": (
        (
            "Dữ liệu trên máy bị hỏng (mã store_damaged). Tệp hỏng được giữ nguyên: {file}. "
            "Đọc lại được {saved} mục chưa chắc văn phòng đã có, mất ít nhất {missing} mục. "
            "Xin mã mới rồi chạy: tungnha-field enrol --again MÃ. Chưa ghi thêm được cho tới lúc đó"
        ),
        (
            "The data on this device is damaged (code store_damaged). The damaged file is kept: {file}. "
            "{saved} entries that the office may not have were saved, at least {missing} are lost. "
            "Ask for a new code and run: tungnha-field enrol --again CODE. Nothing can be recorded until then"
        ),
    ),
    "store_lost": (
        (
            "Dữ liệu trên máy bị hỏng (mã store_damaged) và không đọc lại được máy này của ai. "
            "Tệp hỏng được giữ nguyên: {file}. Hãy giao tệp cho quản trị viên, xin mã mới "
            "rồi chạy: tungnha-field enrol MÃ --server ĐỊA_CHỈ"
        ),
        (
            "The data on this device is damaged (code store_damaged), and nothing says whose it was. "
            "The damaged file is kept: {file}. Hand it to the administrator, ask for a new code "
            "and run: tungnha-field enrol CODE --server ADDRESS"
        ),
    ),
    "synced": ("Đã đồng bộ", "Synced"),
    "syncing": ("Đang đồng bộ… {done}/{total}", "Syncing… {done}/{total}"),
    "pulling": ("Đang tải về… {done}/{total}", "Fetching… {done}/{total}"),
    "not_synced": ("Chưa đồng bộ: {count} mục", "Not synced: {count} entries"),
    "needs_person": ("Cần người xem: {count} mục bị giữ lại", "Needs a person: {count} entries quarantined"),
    "sums_differ": (
        "Số liệu tải về chưa khớp ở {count} phạm vi; đã ghi lại sự cố",
        "What was fetched differs in {count} scopes; an incident is recorded",
    ),
    "offline": (
        "Ngoại tuyến: chưa gửi được, mọi mục vẫn còn trên máy",
        "Offline: nothing is lost, try again later",
    ),
    "not_our_server": (
        (
            "Nơi trả lời không phải máy chủ của văn phòng (có thể là mạng cần đăng nhập). "
            "Chưa mục nào được coi là đã gửi"
        ),
        (
            "What answered is not the office's server (perhaps a network that wants a log-in). "
            "Nothing counts as delivered"
        ),
    ),
    "server_busy": ("Máy chủ đang bận; hãy đồng bộ lại sau", "The server is busy; sync again later"),
    "no_progress": (
        "Máy chủ trả lời nhưng không tiến thêm; hãy báo quản trị viên",
        "The server answers but nothing moves on; tell the administrator",
    ),
    "sync_running": ("Đang có một lần đồng bộ khác chạy", "Another sync is running"),
    "server_refused": ("Máy chủ từ chối: {reason}", "The server refused: {reason}"),
    "no_space": (
        "Máy sắp hết chỗ: chưa thể mở phiếu mới. Hãy đồng bộ và xóa bớt tệp khác; những gì đã ghi vẫn còn",
        "Nearly full: no new form can be opened. Sync and remove other files; what was recorded is kept",
    ),
    "store_unusable": ("Không mở được kho dữ liệu: {reason}", "The store cannot be used: {reason}"),
    "device": ("Thiết bị", "Device"),
    "unsent": ("Chưa đồng bộ", "Not synced"),
    "last_sync": ("Lần đồng bộ trước", "Last sync"),
    "never": ("chưa lần nào", "never"),
    "entries": ("Các mục", "Entries"),
    "reason": ("Lý do", "Reason"),
    "receipts_unacked": ("Biên lai chưa đồng bộ", "Receipts not synced"),
    "state_unsent": ("chưa gửi", "unsent"),
    "state_delivered": ("đã gửi", "delivered"),
    "state_applied": ("đã ghi nhận", "applied"),
    "state_merged": ("đã gộp", "merged"),
    "state_duplicate": ("trùng", "duplicate"),
    "state_held": ("đang chờ", "held"),
    "state_quarantined": ("bị giữ lại", "quarantined"),
    "state_voided": ("đã huỷ", "voided"),
    "state_answered": ("đã trả lời", "answered"),
    "state_current": ("", ""),
    "nothing_returned": ("Không có mục nào bị trả lại", "Nothing was sent back"),
    "returned_because": ("Văn phòng trả lại: {reason}", "Sent back by the office: {reason}"),
    "usage_answer": (
        "Chọn một: --by MÃ (mục ghi lại) hoặc --withdrawn (bỏ)",
        "Choose one: --by ID (the entry that replaces it) or --withdrawn",
    ),
    "possible_duplicate": (
        "Có thể trùng với {id} · {name}. Dùng --anyway để vẫn ghi",
        "Possibly a duplicate of {id} · {name}. Use --anyway to record it all the same",
    ),
}

KIND_NAMES: dict[str, tuple[str, str]] = {
    "household_registered": ("hộ mới", "household"),
    "household_amended": ("sửa hộ", "household change"),
    "person_registered": ("người mới", "person"),
    "person_amended": ("sửa người", "person change"),
    "visit_recorded": ("lượt đến nhà", "visit"),
    "vssid_installed": ("cài VssID", "VssID install"),
    "enrolment_recorded": ("ghi danh", "enrolment"),
    "consent_recorded": ("đồng ý", "consent"),
    "payment_collected": ("khoản thu", "payment"),
    "donation_received": ("khoản ủng hộ", "donation"),
    "cash_remitted": ("nộp tiền quỹ", "cash carried"),
    "beneficiary_nominated": ("đề nghị tặng thẻ", "nomination"),
    "card_handed_over": ("trao thẻ", "card handed over"),
    "receipt_issued": ("biên lai", "receipt"),
    "entry_voided": ("huỷ", "void"),
    "return_answered": ("trả lời mục bị trả lại", "answer to a return"),
    "entry_corrected": ("sửa tại văn phòng", "office correction"),
    "entry_returned": ("trả lại", "return"),
    "records_merged": ("gộp hồ sơ", "merge"),
    "records_unmerged": ("tách hồ sơ", "un-merge"),
}


def say(key: str, language: str, **values: object) -> str:
    """Return the text `key` in `language` ("vi" or "en") with its values filled in."""
    return TEXTS[key][language == "en"].format(**values)


def kind_name(kind: str, language: str) -> str:
    """Return what people call a kind of entry."""
    return KIND_NAMES.get(kind, (kind, kind))[language == "en"]


def amount_text(amount_vnd: int) -> str:
    """Return an amount as it is written in Vietnam: 415.800 đ."""
    return f"{amount_vnd:,} đ".replace(",", ".")


def age_text(age_ms: int | None, language: str) -> str:
    """Return an age in the largest fitting unit."""
    if age_ms is None:
        return say("never", language)
    minutes = age_ms // 60_000
    if age_ms >= 2 * DAY_MS:
        return f"{age_ms // DAY_MS} days ago" if language == "en" else f"{age_ms // DAY_MS} ngày trước"
    if minutes >= 120:
        return f"{minutes // 60} hours ago" if language == "en" else f"{minutes // 60} giờ trước"
    if minutes >= 1:
        return f"{minutes} minutes ago" if language == "en" else f"{minutes} phút trước"
    return "just now" if language == "en" else "vừa xong"
