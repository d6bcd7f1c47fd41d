"""Whole numbers in Vietnamese words, as accountants write amounts. Pure."""

from __future__ import annotations

_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_GROUPS = ("", "nghìn", "triệu")
_BILLION = 1_000_000_000


def dong_in_words(amount_vnd: int) -> str:
    """Return an amount in words: 1_005_750_000 is «Một tỷ không trăm linh năm triệu … đồng»."""
    words = _number(abs(amount_vnd))
    sign = "âm " if amount_vnd < 0 else ""
    text = f"{sign}{words} đồng"
    return text[0].upper() + text[1:]


def _number(value: int) -> str:
    if value == 0:
        return _DIGITS[0]
    if value >= _BILLION:
        above, rest = divmod(value, _BILLION)
        tail = _below_billion(rest, is_first=False)
        return f"{_number(above)} tỷ{f' {tail}' if tail else ''}"
    return _below_billion(value, is_first=True)


def _below_billion(value: int, *, is_first: bool) -> str:
    words = list[str]()
    for place in (2, 1, 0):
        group = value // 1000**place % 1000
        if group == 0:
            continue
        # What follows a larger group is said with all three of its digits.
        words.append(_group(group, is_full=not is_first or bool(words)))
        if _GROUPS[place]:
            words.append(_GROUPS[place])
    return " ".join(words)


def _group(group: int, *, is_full: bool) -> str:
    hundreds, tens, ones = group // 100, group // 10 % 10, group % 10
    words = list[str]()
    if hundreds or is_full:
        words += [_DIGITS[hundreds], "trăm"]
    if tens == 0 and ones and words:
        words.append("linh")
    elif tens == 1:
        words.append("mười")
    elif tens > 1:
        words += [_DIGITS[tens], "mươi"]
    if ones:
        words.append(_ones(ones, tens))
    return " ".join(words)


def _ones(ones: int, tens: int) -> str:
    if ones == 1 and tens > 1:
        return "mốt"
    if ones == 5 and tens >= 1:
        return "lăm"
    return _DIGITS[ones]
