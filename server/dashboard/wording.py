"""Words for the fixed values that pages show: value → (Vietnamese, English).

Codes and flags have theirs in `schemas.messages`, credits in `server.quotas.wording`, whole sentences are in
the catalogue.
"""

from __future__ import annotations

from schemas.messages import MESSAGES
from server.outside.wording import FIGURE_WORDS
from server.quotas.wording import REASON_WORDS, STATE_WORDS
from server.register.wording import LAPSE_WORDS, SCHEME_WORDS, STANDING_REASON_WORDS, STANDING_WORDS
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
    "consent_recorded": ("Đồng ý", "Consent"),
    "payment_collected": ("Khoản thu", "Payment"),
    "donation_received": ("Khoản ủng hộ", "Donation"),
    "cash_remitted": ("Nộp tiền quỹ", "Cash carried"),
    "beneficiary_nominated": ("Đề nghị tặng thẻ", "Nomination"),
    "card_handed_over": ("Trao thẻ", "Card handed over"),
    "receipt_issued": ("Biên lai", "Receipt"),
    "entry_voided": ("Huỷ", "Void"),
    "return_answered": ("Trả lời mục bị trả lại", "Answer to a return"),
    "entry_corrected": ("Sửa tại văn phòng", "Office correction"),
    "entry_returned": ("Trả lại", "Return"),
    "records_merged": ("Gộp hồ sơ", "Merge"),
    "records_unmerged": ("Tách hồ sơ", "Un-merge"),
    # verdicts and outcomes
    "applied": ("Đã ghi nhận", "Applied"),
    "merged": ("Đã gộp", "Merged"),
    "held": ("Đang chờ", "Held"),
    "quarantined": ("Bị giữ lại", "Quarantined"),
    "answered": ("Đã trả lời", "Answered"),
    # records and their fields
    "record_household": ("Hộ", "Household"),
    "record_person": ("Người", "Person"),
    "field_area": ("Địa bàn", "Area"),
    "field_head_name": ("Chủ hộ", "Head of household"),
    "field_address": ("Địa chỉ", "Address"),
    "field_hamlet": ("Ấp, khu phố", "Hamlet"),
    "field_phone": ("Điện thoại", "Phone"),
    "field_members": ("Số người", "Members"),
    "field_household": ("Hộ", "Household"),
    "field_full_name": ("Họ tên", "Full name"),
    "field_birth_date": ("Ngày sinh", "Date of birth"),
    "field_sex": ("Giới tính", "Sex"),
    "field_national_id": ("Số CCCD", "National id"),
    "field_insurance_number": ("Mã số BHXH", "Insurance number"),
    "field_consents": ("Đồng ý", "Consents"),
    "consent_to_enrolment": ("Ghi danh", "Enrolment"),
    "consent_to_renewal_reminders": ("Nhắc gia hạn", "Renewal reminders"),
    "consent_to_card_donation": ("Tặng thẻ", "Card donation"),
    "consent_to_sensitive_data": ("Dữ liệu nhạy cảm", "Sensitive data"),
    "consent_given": ("đồng ý", "given"),
    "consent_withdrawn": ("rút lại", "withdrawn"),
    "shared_national_id": ("Cùng số CCCD", "Same national id"),
    "shared_insurance_number": ("Cùng mã số BHXH", "Same insurance number"),
    "shared_phone": ("Cùng điện thoại", "Same phone"),
    "shared_name_and_address": ("Cùng chủ hộ và địa chỉ", "Same head and address"),
    "sex_female": ("Nữ", "Female"),
    "sex_male": ("Nam", "Male"),
    # what has become of an import
    "import_checked": ("Chờ ghi", "Waits"),
    "import_applying": ("Đang ghi", "Being applied"),
    "import_applied": ("Đã ghi", "Applied"),
    "import_failed": ("Dừng giữa chừng", "Stopped half-way"),
    "import_undone": ("Đã huỷ", "Undone"),
    "import_expired": ("Quá hạn", "Expired"),
    # credits; "duplicate" and "voided" are the words of verdicts and outcomes too
    **STATE_WORDS,
    **{f"reason_{reason}": words for reason, words in REASON_WORDS.items()},
    # the participant register, and figures from outside
    **{f"scheme_{scheme}": words for scheme, words in SCHEME_WORDS.items()},
    **{f"lapse_{reason}": words for reason, words in LAPSE_WORDS.items()},
    "lapse_unstated": ("Chưa rõ lý do", "No reason stated"),
    **{f"standing_of_{standing}": words for standing, words in STANDING_WORDS.items()},
    **{f"standing_because_{reason}": words for reason, words in STANDING_REASON_WORDS.items()},
    **{f"figure_{figure}": words for figure, words in FIGURE_WORDS.items()},
    # holders
    "agent": ("Nhân viên", "Agents"),
    "promoter": ("Người vận động", "Promoters"),
    "team": ("Đội", "Teams"),
    "organisation": ("Đơn vị", "Organisations"),
    "area": ("Địa bàn", "Areas"),
    "office": ("Văn phòng", "Office"),
    # one holder of a plan
    "one_agent": ("Nhân viên", "Agent"),
    "one_promoter": ("Người vận động", "Promoter"),
    "one_team": ("Đội", "Team"),
    "one_organisation": ("Đơn vị", "Organisation"),
    "one_area": ("Địa bàn", "Area"),
    "one_office": ("Văn phòng", "Office"),
    # plans
    "initial": ("Kế hoạch", "Plan"),
    "initial_of_two": ("Kế hoạch ban đầu", "Initial plan"),
    "supplemented": ("Sau bổ sung", "With supplement"),
    "plan_initial": ("Ban đầu", "Initial"),
    "plan_supplementary": ("Bổ sung", "Supplementary"),
    "bounded_initial": ("Kế hoạch ban đầu", "Initial plan"),
    "bounded_supplementary": ("Sau bổ sung", "With supplement"),
    "plan_in_force": ("Đang hiệu lực", "In force"),
    "plan_to_come": ("Chưa đến ngày", "To come"),
    "plan_replaced": ("Đã thay thế", "Replaced"),
    "phase_year": ("Năm", "Year"),
    "phase_quarter": ("Quý", "Quarter"),
    "phase_month": ("Tháng", "Month"),
    "phase_week": ("Tuần", "Week"),
    "phase_launch_day": ("Ngày ra quân", "Launch day"),
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
    "incident_scope_differed": (
        "Số liệu trên máy lệch với máy chủ; máy đã tải lại",
        "What the tablet held differed from the server; it fetched it again",
    ),
    # how sure a figure is
    "standing_final": ("Đã chốt", "Final"),
    "standing_may_move": ("Có thể thay đổi", "May move"),
    "standing_provisional": ("Tạm tính", "Provisional"),
    # why a tablet has not delivered a period
    "outstanding_silent": ("Chưa đồng bộ sau khi kết thúc", "Not heard since the end"),
    "outstanding_never_heard": ("Chưa đồng bộ lần nào", "Never synced"),
    "outstanding_unsent": ("Còn mục chưa gửi", "Kept entries back"),
    "outstanding_unproven": ("Đã gửi, chờ lần đồng bộ sau xác nhận", "Heard; its next sync will tell"),
    "outstanding_fenced": ("Bị cách ly", "Fenced"),
    "outstanding_not_carried_over": (
        "Đã thay máy, còn mục chưa chuyển sang",
        "Replaced, and not everything was carried over",
    ),
    # why a period cannot be accepted, or a tablet given up
    "refused_not_complete": (
        "Đợt này chưa đủ số liệu: hãy ghi lý do (ít nhất 10 ký tự) nếu vẫn nghiệm thu",
        "This period is not complete: give a reason (10 characters at least) to accept it all the same",
    ),
    "refused_not_over": ("Ngày cuối phải là ngày đã qua", "The last day has to be over"),
    "refused_not_open": ("Những ngày này đã được nghiệm thu", "These days have been accepted already"),
    "refused_after_campaign": ("Ngày cuối nằm sau chiến dịch", "The last day lies after the campaign"),
    "refused_campaign_unknown": ("Không có chiến dịch này", "There is no such campaign"),
    "refused_day_invalid": ("Ngày không hợp lệ", "This is no day"),
    "refused_reason_missing": ("Hãy ghi lý do, ít nhất 10 ký tự", "Give a reason of 10 characters at least"),
    "refused_already_proposed": ("Đã có người đề nghị xoá sổ máy này", "Somebody has proposed this already"),
    "refused_already_written_off": ("Máy này đã được xoá sổ", "This tablet has been given up already"),
    "refused_not_proposed": ("Chưa ai đề nghị xoá sổ máy này", "Nobody has proposed to give this tablet up"),
    "refused_same_person": (
        "Người xác nhận phải khác người đề nghị",
        "Another person than the one who proposed it has to confirm",
    ),
    "refused_own_tablet": ("Không ai tự xoá sổ máy của mình", "Nobody gives up the own tablet"),
    # why two records can be neither merged nor called two
    "refused_marked_distinct": (
        "Hai hồ sơ đã được quyết định là không trùng: hãy bỏ quyết định đó trước khi gộp",
        "It was decided that the two are no duplicates: undo that decision before merging them",
    ),
    "refused_are_merged": (
        "Hai hồ sơ đang được gộp làm một: hãy tách ra trước",
        "The two are merged into one: un-merge them first",
    ),
    "incident_journal_hole": (
        "Mất một đoạn nhật ký: máy đã xoá, máy chủ không còn",
        "Part of a journal is lost",
    ),
    "incident_installation_readmitted": (
        "Máy chủ đã quên máy này, nhận lại theo giấy đăng ký",
        "Readmitted by its certificate",
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
