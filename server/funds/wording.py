"""What is said of funds to the office: (Vietnamese, English)."""

from __future__ import annotations

from server.funds.eligibility import Exclusion
from server.funds.nominations import NominationStanding
from server.funds.publications import PublicationKind, PublicationState
from server.funds.refusals import FundRefusal
from server.funds.rules import DonorClass, Stage
from server.funds.statements import MatchRefusal

REFUSAL_WORDS: dict[FundRefusal, tuple[str, str]] = {
    FundRefusal.FUND_UNKNOWN: ("Không có quỹ này", "There is no such fund"),
    FundRefusal.FUND_EXISTS: ("Số quỹ này đã được dùng", "The number of this fund is taken"),
    FundRefusal.POOL_UNKNOWN: ("Không có nhóm đối tượng này", "There is no such pool"),
    FundRefusal.AREA_UNKNOWN: ("Không có địa bàn này", "There is no such area"),
    FundRefusal.RULE_MALFORMED: (
        "Điều kiện không đúng dạng",
        "These conditions cannot be applied",
    ),
    FundRefusal.PUBLISHED_ALREADY: ("Nội dung này đã được công bố", "This was published already"),
    FundRefusal.NUMBER_INVALID: ("Số quỹ từ 1 đến 999.999", "A fund's number is from 1 to 999,999"),
    FundRefusal.CODE_INVALID: (
        "Mã chỉ gồm chữ thường không dấu, số và gạch dưới",
        "A code has lower-case letters, digits and underscores only",
    ),
    FundRefusal.TEXT_INVALID: ("Nội dung trống hoặc quá dài", "A text is missing or too long"),
    FundRefusal.ACCOUNT_INVALID: (
        "Mã ngân hàng gồm 6 số; số tài khoản từ 4 đến 19 ký tự",
        "A bank's code has 6 digits, an account 4 to 19 characters",
    ),
    FundRefusal.DAYS_INVALID: ("Ngày kết thúc trước ngày bắt đầu", "It would end before it begins"),
    FundRefusal.MONTHS_INVALID: (
        "Thẻ có hạn 3, 6 hoặc 12 tháng; bậc từ 1 đến 60",
        "A card is for 3, 6 or 12 months; a step is from 1 to 60",
    ),
    FundRefusal.AMOUNT_INVALID: ("Số tiền hoặc số lượng không hợp lệ", "The amount is not valid"),
    FundRefusal.DONOR_MISSING: ("Chưa có tên người ủng hộ", "The donor is missing"),
    FundRefusal.DONOR_NOT_WANTED: (
        "Người ủng hộ ẩn danh thì không ghi tên",
        "Nothing is taken down of an anonymous donor",
    ),
    FundRefusal.DONOR_INVALID: (
        "Số điện thoại hoặc mã số thuế không đúng",
        "The phone or tax number is not valid",
    ),
    FundRefusal.DAY_IN_FUTURE: ("Ngày này chưa đến", "That day is yet to come"),
    FundRefusal.REASON_MISSING: (
        "Hãy ghi lý do hoặc nguồn (từ 5 ký tự)",
        "Say why, or from where (5 characters at least)",
    ),
    FundRefusal.PLEDGE_UNKNOWN: ("Không có lời hứa ủng hộ này", "There is no such pledge"),
    FundRefusal.PLEDGE_CANCELLED: ("Lời hứa này đã được huỷ", "This pledge was cancelled"),
    FundRefusal.DONATION_UNKNOWN: ("Không có khoản ủng hộ này", "There is no such donation"),
    FundRefusal.DONATION_REVERSED: (
        "Khoản ủng hộ này đã được đảo bút toán",
        "This donation was reversed",
    ),
    FundRefusal.DONATION_MATCHED: (
        "Khoản này đã khớp với sao kê: hãy bỏ khớp trước",
        "A line of the statement is matched with it: undo the match first",
    ),
    FundRefusal.DONATION_NOT_HERE: (
        "Sao kê chưa có khoản tiền này",
        "No statement shows this money yet",
    ),
    FundRefusal.DONATION_REFUNDED: (
        "Khoản này đã hoàn hoặc đang chờ hoàn",
        "It was given back, or is about to be",
    ),
    FundRefusal.DONATION_BOUNCED: ("Ngân hàng đã thu lại khoản này", "The bank took this money back"),
    FundRefusal.RECEIPT_GIVEN: ("Khoản này đã có biên lai", "It has its receipt"),
    FundRefusal.RECEIPT_MISSING: ("Khoản này không có biên lai", "It has no receipt that stands"),
    FundRefusal.REMITTANCE_UNKNOWN: (
        "Không có lần nộp tiền này, hoặc đã huỷ",
        "There is no such remittance, or it was voided",
    ),
    FundRefusal.REMITTANCE_ARRIVED: (
        "Lần nộp này đã được xác nhận",
        "This remittance was confirmed already",
    ),
    FundRefusal.REMITTANCE_TO_ACCOUNT: (
        "Tiền này nộp vào tài khoản: sao kê sẽ xác nhận",
        "This was carried to the account: the statement will confirm it",
    ),
    FundRefusal.NOMINATION_UNKNOWN: (
        "Không có đề cử này, hoặc đã huỷ",
        "There is no such nomination, or it was voided",
    ),
    FundRefusal.NOMINATION_DECIDED: (
        "Đề cử này đã được quyết định",
        "It is decided what becomes of this nomination",
    ),
    FundRefusal.NOT_ELIGIBLE: ("Người này chưa đủ điều kiện", "This person is not eligible"),
    FundRefusal.ALLOCATED_ALREADY: ("Đề cử này đã có thẻ", "This nomination has a card"),
    FundRefusal.ALLOCATION_UNKNOWN: ("Không có thẻ này", "There is no such card"),
    FundRefusal.STAGE_WRONG: (
        "Thẻ không ở bước cho phép việc này",
        "The card is not at a stage where this can be done",
    ),
    FundRefusal.SECOND_PERSON_NEEDED: (
        "Người khác phải duyệt, không phải người đề xuất",
        "Somebody else than the proposer has to approve",
    ),
    FundRefusal.PRICE_UNKNOWN: (
        "Chưa có bảng mức đóng cho ngày này",
        "No rate table says what a card costs on this day",
    ),
    FundRefusal.MONEY_SHORT: (
        "Nguồn tiền này không đủ",
        "There is not enough money that may be spent on this",
    ),
    FundRefusal.CARD_NUMBER_INVALID: (
        "Số thẻ gồm 10 hoặc 12 số, hoặc 2 chữ và 13 số",
        "A card's number has 10 or 12 digits, or 2 letters and 13 digits",
    ),
    FundRefusal.NOTHING_OWED: ("Không còn thẻ nào phải trả", "No card is owed for"),
    FundRefusal.PAYOUT_UNKNOWN: ("Không có lệnh chi này", "There is no such payout"),
    FundRefusal.PAYOUT_DECIDED: (
        "Lệnh chi này đã được quyết định",
        "It is decided what becomes of this payout",
    ),
    FundRefusal.PAYOUT_PAID: (
        "Lệnh chi này đã có trên sao kê",
        "The statement shows that this was paid",
    ),
    FundRefusal.REFUND_TOO_LARGE: (
        "Số tiền hoàn lớn hơn phần còn lại của khoản ủng hộ",
        "More than what is left of the donation",
    ),
}
EXCLUSION_WORDS: dict[Exclusion, tuple[str, str]] = {
    Exclusion.PERSON_UNKNOWN: ("Chưa có hồ sơ của người này", "The person's record is not here"),
    Exclusion.CONSENT_MISSING: (
        "Chưa đồng ý nhận thẻ tặng, hoặc đã rút",
        "No consent to a donated card, or it was withdrawn",
    ),
    Exclusion.RULE_MISSING: (
        "Nhóm này chưa có điều kiện cho ngày này",
        "The pool has no conditions on this day",
    ),
    Exclusion.BIRTH_DATE_MISSING: ("Chưa có ngày sinh", "The day of birth is missing"),
    Exclusion.TOO_YOUNG: ("Chưa đủ tuổi của nhóm", "Too young for the pool"),
    Exclusion.TOO_OLD: ("Quá tuổi của nhóm", "Too old for the pool"),
    Exclusion.EVIDENCE_NOT_ACCEPTED: (
        "Nhóm này không nhận loại giấy tờ đó",
        "The pool does not accept this evidence",
    ),
    Exclusion.ALREADY_INSURED: ("Đang có bảo hiểm y tế", "Has health insurance"),
    Exclusion.HOLDS_A_CARD: ("Đang giữ một thẻ được tặng", "Holds a donated card"),
    Exclusion.ALLOCATED_BEFORE: (
        "Đã có thẻ đang chờ từ đề cử khác",
        "Another nomination has a card coming",
    ),
    Exclusion.NOMINATED_BEFORE: ("Đã được đề cử trước đó", "Was nominated before"),
}
NOMINATION_WORDS: dict[NominationStanding, tuple[str, str]] = {
    NominationStanding.VOIDED: ("Đã huỷ", "Voided"),
    NominationStanding.REJECTED: ("Từ chối", "Rejected"),
    NominationStanding.EXCLUDED: ("Không đủ điều kiện", "Excluded"),
    NominationStanding.ALLOCATED: ("Đã có thẻ", "Has a card"),
    NominationStanding.WAITING: ("Chờ quyết định", "Waiting"),
}
STAGE_WORDS: dict[Stage, tuple[str, str]] = {
    Stage.PROPOSED: ("Đề xuất", "Proposed"),
    Stage.APPROVED: ("Đã duyệt", "Approved"),
    Stage.ISSUED: ("Đã cấp thẻ", "Issued"),
    Stage.HANDED_OVER: ("Đã trao tận tay", "Handed over"),
    Stage.CANCELLED: ("Đã huỷ", "Cancelled"),
    Stage.RETURNED: ("Trả lại", "Returned"),
}
DONOR_CLASS_WORDS: dict[DonorClass, tuple[str, str]] = {
    DonorClass.STAFF: ("Cán bộ, viên chức", "Staff"),
    DonorClass.COMPANY: ("Doanh nghiệp, đơn vị", "Company"),
    DonorClass.BENEFACTOR: ("Nhà hảo tâm", "Benefactor"),
    DonorClass.ANONYMOUS: ("Ẩn danh", "Anonymous"),
}
PUBLICATION_WORDS: dict[PublicationKind, tuple[str, str]] = {
    PublicationKind.CALL: ("Lời kêu gọi và tài khoản nhận", "The call and the account"),
    PublicationKind.RECEIVED: ("Tổng số đã tiếp nhận", "What was received"),
    PublicationKind.DISTRIBUTED: ("Tổng số đã phân phối", "What was given out"),
}
PUBLICATION_STATE_WORDS: dict[PublicationState, tuple[str, str]] = {
    PublicationState.DUE: ("Phải công bố", "Due"),
    PublicationState.OVERDUE: ("Quá hạn", "Overdue"),
    PublicationState.DONE: ("Đã công bố", "Published"),
}
MATCH_WORDS: dict[MatchRefusal, tuple[str, str]] = {
    MatchRefusal.FUND_UNKNOWN: ("Không có quỹ này", "There is no such fund"),
    MatchRefusal.MAPPING_UNKNOWN: ("Không có mẫu cột này", "There is no such column mapping"),
    MatchRefusal.LINE_UNKNOWN: ("Không có dòng sao kê này", "There is no such line"),
    MatchRefusal.LINE_MATCHED: ("Dòng này đã được đối chiếu", "This line is matched already"),
    MatchRefusal.TARGET_GONE: (
        "Khoản này không còn chờ đối chiếu",
        "What was chosen waits for no line any more",
    ),
    MatchRefusal.AMOUNTS_DIFFER: ("Số tiền không bằng nhau", "The amounts differ"),
    MatchRefusal.OFFICE_CASH_SHORT: (
        "Tiền mặt tại văn phòng không đủ số này",
        "There is not as much cash at the office",
    ),
    MatchRefusal.MATCH_UNKNOWN: (
        "Không có lần đối chiếu này, hoặc đã huỷ",
        "There is no such match, or it was undone",
    ),
    MatchRefusal.BOUNCED_SINCE: (
        "Khoản này đã bị ngân hàng trả lại; huỷ đối chiếu đó trước",
        "The bank has taken it back since; undo that first",
    ),
    MatchRefusal.REASON_MISSING: ("Lý do từ 10 đến 500 ký tự", "A reason has 10 to 500 characters"),
}
