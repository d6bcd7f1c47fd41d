"""The names of figures from outside: (Vietnamese, English)."""

from __future__ import annotations

FIGURE_WORDS: dict[str, tuple[str, str]] = {
    "voluntary_participants": ("Người tham gia BHXH tự nguyện", "Voluntary participants"),
    "household_health_participants": (
        "Người tham gia BHYT hộ gia đình",
        "Household health participants",
    ),
    "health_participants": ("Người tham gia BHYT", "Health participants"),
    "compulsory_participants": ("Người tham gia BHXH bắt buộc", "Compulsory participants"),
    "unemployment_participants": ("Người tham gia BH thất nghiệp", "Unemployment participants"),
    "voluntary_increase": ("Tăng BHXH tự nguyện", "Voluntary increase"),
    "health_increase": ("Tăng BHYT", "Health increase"),
    "insurance_coverage": ("Độ bao phủ BHXH", "Insurance coverage"),
    "e_transaction_employers": ("Đơn vị giao dịch điện tử", "Employers on e-transactions"),
    "satisfaction": ("Mức hài lòng", "Satisfaction"),
    "other": ("Số liệu khác", "Another figure"),
}
