"""The words of a fund's statement: (Vietnamese, English). What it is computed with has none."""

from __future__ import annotations

from server.public_ledger.figures import CardStage, Movement

Words = tuple[str, str]

TITLE: Words = ("Sao kê quỹ", "Statement of the fund")
MOVEMENTS: dict[Movement, Words] = {
    Movement.DOOR: ("Tiền mặt thu tại hộ", "Cash at doors"),
    Movement.OFFICE: ("Tiền mặt tại văn phòng", "Cash at the office"),
    Movement.TRANSFER: ("Chuyển khoản đã đối chiếu", "Matched transfers"),
    Movement.REFUND: ("Hoàn trả người ủng hộ", "Refunded to donors"),
    Movement.BOUNCE: ("Ngân hàng báo trả lại", "Bounced transfers"),
    Movement.PREMIUM: ("Mua thẻ đã phát hành", "Premiums of issued cards"),
}
STAGES: dict[CardStage, Words] = {
    CardStage.COMMITTED: ("Đã duyệt, chưa phát hành", "Approved, not issued"),
    CardStage.ISSUED: ("Đã phát hành, chưa trao", "Issued, not handed over"),
    CardStage.HANDED: ("Đã trao tận tay", "Handed over"),
    CardStage.RETURNED: ("Không trao được, trả lại", "Came back unclaimed"),
}
OPENING: Words = ("Số dư đầu kỳ", "Opening balance")
CLOSING: Words = ("Số dư cuối kỳ", "Closing balance")
BANK: Words = ("Tiền trong tài khoản", "On the account")
OFFICE_CASH: Words = ("Tiền mặt tại văn phòng", "Cash at the office")
IN_TRANSIT: Words = ("Tiền đang nộp về", "Cash on its way")
IN_HANDS: Words = ("Tiền cán bộ đang giữ", "Cash in agents' hands")
UNIDENTIFIED: Words = ("Trừ: khoản chưa rõ trên sao kê ngân hàng", "Less: lines nobody explains yet")
DUE_INSURER: Words = ("Trừ: còn phải trả tiền mua thẻ", "Less: still owed for cards")
REFUND_DUE: Words = ("Trừ: còn phải hoàn trả", "Less: still owed to donors")
OF_THE_FUND: Words = ("Thuộc về quỹ", "Belongs to the fund")
RESERVED: Words = ("Trong đó: đã dành cho thẻ được duyệt", "Of it: reserved for approved cards")
FREE: Words = ("Trong đó: chưa phân bổ", "Of it: not promised")
RECEIVED: Words = ("Đã tiếp nhận trong kỳ", "Received in the period")
RETURNED: Words = ("Đã trả lại trong kỳ", "Given back in the period")
SPENT: Words = ("Đã chi trong kỳ", "Spent in the period")
BY_CLASS: Words = ("Tiếp nhận theo người ủng hộ", "Received by donor")
BY_RESTRICTION: Words = ("Tiếp nhận theo nơi và đối tượng chỉ định", "Received by restriction")
UNRESTRICTED: Words = ("Không chỉ định", "Not restricted")
FOR_AREA: Words = ("Chỉ định cho địa bàn", "For the area")
FOR_POOL: Words = ("Chỉ định cho nhóm", "For the pool")
CARDS: Words = ("Thẻ của quỹ, đến cuối kỳ", "Cards of the fund, at the end")
CARDS_BY_TERM: Words = ("Thẻ phát hành trong kỳ, theo nhóm và thời hạn", "Cards issued, by pool and term")
MONTHS: Words = ("tháng", "months")
CHECKS: Words = ("Đối chiếu", "Checks")
STATEMENT_BALANCE: Words = (
    "Số dư trên sao kê ngân hàng gần nhất trong kỳ",
    "Balance of the bank's newest statement of the period",
)
BOOKS_AT_STATEMENT: Words = ("Sổ quỹ ít hơn sao kê ngân hàng", "The books fall short of it by")
LEDGER_DIFFERENCE: Words = ("Chênh lệch giữa hai vế của sổ", "Difference between both sides of the ledger")
BY_DAY: Words = ("Phát sinh theo ngày", "Movements by day")
TOTAL: Words = ("Cộng", "Total")
ITEM: Words = ("Nội dung", "Item")
DONG: Words = ("Số tiền (đồng)", "Amount (đồng)")
CARDS_OR_COUNT: Words = ("Số thẻ / lượt", "Cards / count")
PERIOD: Words = ("Từ ngày {from_day} đến ngày {to_day}", "From {from_day} to {to_day}")
IN_WORDS: Words = ("Bằng chữ", "In Vietnamese words")
ACCOUNT: Words = ("Tài khoản", "Account")
SIGNATURES: tuple[Words, ...] = (
    ("Người lập", "Prepared by"),
    ("Thủ quỹ", "Treasurer"),
    ("Trưởng ban vận động", "Head of the campaign"),
)
PROVISIONAL: Words = (
    "Số liệu tạm tính: văn phòng đang khôi phục dữ liệu",
    "Provisional: the office is recovering its data",
)
