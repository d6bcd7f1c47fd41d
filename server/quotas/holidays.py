"""Vietnam's public holidays as data, for the seed of the `holiday` table.

Each row: day, name in Vietnamese and English, whether it is *worked* (a Saturday in place of a day
off, as announced for public offices), and the source. Sundays and Saturdays off by the weekly rule
are left out. Checked against the list of PyPI's `holidays` 0.109 (Vietnam) on 2026-11-23.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

_CODE_2012 = "Bộ luật Lao động 2012, Điều 115"
_CODE_2019 = "Bộ luật Lao động 2019, Điều 112"
_TET_2025 = "Thông báo 6150/TB-BLĐTBXH (2024)"
_SWAP_2025 = "Thông báo 6150/TB-BLĐTBXH (2024): hoán đổi với thứ Bảy 26/4/2025"
_SWAP_2026 = "Lịch nghỉ Quốc khánh 2026: hoán đổi với thứ Bảy 22/8/2026"
_CULTURE = "Nghị quyết 80-NQ/TW (2026)"
_TET = ("Tết Nguyên Đán", "Lunar New Year")
_NEW_YEAR = ("Tết Dương lịch", "New Year's Day")
_KINGS = ("Giỗ Tổ Hùng Vương", "Hùng Kings' Festival")
_VICTORY = ("Ngày Chiến thắng", "Reunification Day")
_LABOUR = ("Ngày Quốc tế Lao động", "International Labour Day")
_NATIONAL = ("Quốc khánh", "National Day")
_SWAP = ("Nghỉ hoán đổi", "Day off in exchange")
_WORKED = ("Làm bù", "Worked in exchange")


class Holiday(NamedTuple):
    """A day that breaks the rule of Monday to Friday."""

    day: date
    name_vi: str
    name_en: str
    is_worked: bool
    source: str


def _off(year: int, month: int, day: int, names: tuple[str, str], source: str) -> Holiday:
    return Holiday(date(year, month, day), *names, is_worked=False, source=source)


HOLIDAYS: tuple[Holiday, ...] = (
    _off(2020, 1, 1, _NEW_YEAR, _CODE_2012),
    *(_off(2020, 1, day, _TET, _CODE_2012) for day in (23, 24, 27, 28, 29)),
    _off(2020, 4, 2, _KINGS, _CODE_2012),
    _off(2020, 4, 30, _VICTORY, _CODE_2012),
    _off(2020, 5, 1, _LABOUR, _CODE_2012),
    _off(2020, 9, 2, _NATIONAL, _CODE_2012),
    _off(2025, 1, 1, _NEW_YEAR, _CODE_2019),
    *(_off(2025, 1, day, _TET, _TET_2025) for day in range(27, 32)),
    _off(2025, 4, 7, _KINGS, _CODE_2019),
    Holiday(date(2025, 4, 26), *_WORKED, is_worked=True, source=_SWAP_2025),
    _off(2025, 4, 30, _VICTORY, _CODE_2019),
    _off(2025, 5, 1, _LABOUR, _CODE_2019),
    _off(2025, 5, 2, _SWAP, _SWAP_2025),
    _off(2025, 9, 1, _NATIONAL, _CODE_2019),
    _off(2025, 9, 2, _NATIONAL, _CODE_2019),
    _off(2026, 1, 1, _NEW_YEAR, _CODE_2019),
    *(_off(2026, 2, day, _TET, _CODE_2019) for day in range(16, 21)),
    # The festival is on Sunday 26 April; the day off moves to Monday.
    _off(2026, 4, 27, _KINGS, _CODE_2019),
    _off(2026, 4, 30, _VICTORY, _CODE_2019),
    _off(2026, 5, 1, _LABOUR, _CODE_2019),
    Holiday(date(2026, 8, 22), *_WORKED, is_worked=True, source=_SWAP_2026),
    _off(2026, 8, 31, _SWAP, _SWAP_2026),
    _off(2026, 9, 1, _NATIONAL, _CODE_2019),
    _off(2026, 9, 2, _NATIONAL, _CODE_2019),
    _off(2026, 11, 24, ("Ngày Văn hóa Việt Nam", "Vietnamese Culture Day"), _CULTURE),
)
