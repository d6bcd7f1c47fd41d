"""What the public page says, in Vietnamese and English side by side: it does not ask who reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from schemas.receipt_token import ReceiptContent, ReceiptKind
from server.receipts.queries import ShownReceipt
from server.receipts.rules import Standing


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in both languages."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the page answers: `tone` is good, wait, bad, gone or void, and picks colour and sign."""

    tone: str
    title: Bilingual
    explanation: Bilingual


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the receipt. `value` is set as it is, `words` in both languages."""

    label: Bilingual
    value: str | None = None
    words: Bilingual | None = None
    is_number: bool = False


_VERDICTS = {
    Standing.RECONCILED: Verdict(
        "good",
        Bilingual("Biên lai hợp lệ", "Valid receipt"),
        Bilingual("Văn phòng đã ghi nhận khoản tiền này.", "The office has recorded this payment."),
    ),
    Standing.PENDING: Verdict(
        "wait",
        Bilingual("Chữ ký hợp lệ – đang đối soát", "Genuine signature – being reconciled"),
        Bilingual(
            "Văn phòng đã nhận biên lai và đang đối soát khoản tiền.",
            "The office has this receipt and is reconciling the payment.",
        ),
    ),
    Standing.UNKNOWN: Verdict(
        "wait",
        Bilingual("Chữ ký hợp lệ – chưa đối soát", "Genuine signature – not reconciled yet"),
        Bilingual(
            "Văn phòng chưa ghi nhận biên lai này. Hãy giữ biên lai và xem lại sau vài ngày.",
            "The office has not recorded this receipt yet. Keep it; look again in a few days.",
        ),
    ),
    Standing.RECOVERING: Verdict(
        "wait",
        Bilingual("Văn phòng đang khôi phục dữ liệu", "The office is recovering its records"),
        Bilingual(
            "Máy chủ vừa được khôi phục từ bản sao lưu và chưa nhận lại đủ. Hãy giữ biên lai và xem lại sau.",
            "The server was restored from a backup and has not got everything back yet. Keep it; look again.",
        ),
    ),
    Standing.VOIDED: Verdict(
        "gone",
        Bilingual("Biên lai đã huỷ", "Voided receipt"),
        Bilingual(
            "Biên lai này không còn giá trị. Nếu bạn chưa nhận lại tiền, hãy báo văn phòng.",
            "This receipt no longer stands. If your money was not returned, tell the office.",
        ),
    ),
    Standing.REPLACED: Verdict(
        "gone",
        Bilingual("Biên lai đã được thay", "Replaced receipt"),
        Bilingual("Một biên lai khác đã thay biên lai này.", "Another receipt has taken its place."),
    ),
    Standing.QUARANTINED: Verdict(
        "wait",
        Bilingual("Văn phòng đang kiểm tra", "Under review by the office"),
        Bilingual(
            "Chữ ký đúng, nhưng số liệu chưa khớp. Hãy giữ biên lai và liên hệ văn phòng.",
            "The signature is genuine but the figures do not match yet. Keep it and contact the office.",
        ),
    ),
    Standing.AFTER_CUT_OFF: Verdict(
        "wait",
        Bilingual("Cần văn phòng xác nhận", "The office has to confirm this"),
        Bilingual(
            "Máy ký biên lai này đã bị thu hồi. Hãy giữ biên lai và liên hệ văn phòng.",
            "The device that signed this was revoked. Keep the receipt and contact the office.",
        ),
    ),
    Standing.SIGNATURE_INVALID: Verdict(
        "bad",
        Bilingual("Biên lai không hợp lệ", "Not a valid receipt"),
        Bilingual(
            "Chữ ký không khớp với nội dung: biên lai này đã bị sửa hoặc làm giả. Hãy báo văn phòng.",
            "The signature does not match: this was altered or forged. Please tell the office.",
        ),
    ),
    Standing.KEY_UNKNOWN: Verdict(
        "bad",
        Bilingual("Không do văn phòng này cấp", "Not issued by this office"),
        Bilingual(
            "Không máy nào của văn phòng này đã ký biên lai. Hãy hỏi văn phòng trước khi tin.",
            "No device of this office signed it. Ask the office before you trust it.",
        ),
    ),
    Standing.NOT_A_RECEIPT: Verdict(
        "bad",
        Bilingual("Không phải mã biên lai", "Not a receipt code"),
        Bilingual(
            "Dãy số trong địa chỉ này không phải là biên lai, hoặc bị thiếu. Hãy quét lại mã QR.",
            "The digits in this address are no receipt, or some are missing. Scan the QR code again.",
        ),
    ),
}
_VALID_VOID = Verdict(
    "void",
    Bilingual("Biên lai huỷ", "Cancellation"),
    Bilingual(
        "Biên lai này xác nhận rằng một biên lai khác đã được huỷ.",
        "This confirms that another receipt was cancelled.",
    ),
)
_KINDS = {
    ReceiptKind.VOLUNTARY: Bilingual("BHXH tự nguyện", "Voluntary social insurance"),
    ReceiptKind.HEALTH: Bilingual("BHYT hộ gia đình", "Household health insurance"),
    ReceiptKind.DONATION: Bilingual("Ủng hộ thẻ BHYT", "Card donation"),
    ReceiptKind.CORRECTION: Bilingual("Điều chỉnh biên lai", "Correction"),
    ReceiptKind.VOID: Bilingual("Huỷ biên lai", "Cancellation"),
    ReceiptKind.DAY_CLOSE: Bilingual("Chốt sổ trong ngày", "Day close"),
}
_METHODS = {"cash": Bilingual("Tiền mặt", "Cash"), "transfer": Bilingual("Chuyển khoản", "Bank transfer")}


def verdict_of(shown: ShownReceipt) -> Verdict:
    """Return what the page answers."""
    is_void = shown.content is not None and shown.content.kind == ReceiptKind.VOID
    return _VALID_VOID if is_void and shown.standing is Standing.RECONCILED else _VERDICTS[shown.standing]


def amount_text(amount_vnd: int) -> str:
    """Return an amount as it is written in Việt Nam: `1.234.567 đ` (the space does not break)."""
    return f"{amount_vnd:,}".replace(",", ".") + "\N{NO-BREAK SPACE}đ"


def facts_of(shown: ShownReceipt, zone: tzinfo) -> list[Fact]:
    """Return the lines under the amount, none unless the signature is true."""
    content = shown.content
    if content is None or shown.number is None:
        return []
    facts = [
        Fact(Bilingual("Số biên lai", "Receipt number"), shown.number, is_number=True),
        Fact(Bilingual("Ngày giờ thu", "Issued"), _moment_text(content, zone)),
        Fact(Bilingual("Khoản thu", "For"), words=_KINDS[ReceiptKind(content.kind)]),
    ]
    if content.kind == ReceiptKind.DONATION and content.campaign:
        facts.append(Fact(Bilingual("Quỹ số", "Fund number"), str(content.campaign), is_number=True))
    if shown.method in _METHODS and content.kind != ReceiptKind.VOID:
        facts.append(Fact(Bilingual("Hình thức", "Paid by"), words=_METHODS[shown.method]))
    if shown.payer_initials is not None:
        facts.append(Fact(Bilingual("Người nộp (chữ cái đầu)", "Payer (initials)"), shown.payer_initials))
    if shown.office_name is not None:
        taker = Bilingual("Đơn vị thu", "Collected by")
        if content.kind == ReceiptKind.DONATION:
            taker = Bilingual("Đơn vị nhận", "Received by")
        facts.append(Fact(taker, shown.office_name))
    if shown.official is not None:
        label = Bilingual("Số biên lai của cơ quan BHXH", "The insurer's receipt number")
        facts.append(Fact(label, str(shown.official), is_number=True))
    if shown.related_number is not None:
        facts.append(Fact(_relation(content, shown.standing), shown.related_number, is_number=True))
    return facts


def _relation(content: ReceiptContent, standing: Standing) -> Bilingual:
    """Return what the other receipt that is named is to this one."""
    if content.kind == ReceiptKind.VOID:
        return Bilingual("Huỷ biên lai số", "Cancels receipt")
    if standing is Standing.REPLACED:
        return Bilingual("Được thay bằng biên lai số", "Replaced by")
    if content.kind == ReceiptKind.CORRECTION and standing is not Standing.VOIDED:
        return Bilingual("Thay biên lai số", "Replaces receipt")
    return Bilingual("Biên lai huỷ số", "Cancelled by")


def _moment_text(content: ReceiptContent, zone: tzinfo) -> str:
    issued_at = datetime.fromtimestamp(content.issued_at_s, UTC).astimezone(zone)
    return f"{issued_at:%d/%m/%Y %H:%M}"
