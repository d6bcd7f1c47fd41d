"""How numbers, days and ages are written: 1.234,56 and dd/MM/yyyy in Vietnamese, 1,234.56 in English.

Pure: the language, the office's zone and the time are arguments. A percentage is always computed
here from its two numbers and never read from anywhere.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo

# What a bar is drawn in; the number beside it is never cut.
BAR_WIDTH = 1000
# The space that never breaks a line, between a number and its sign.
_NBSP = "\u00a0"
_MINUTE_MS = 60 * 1000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_AGES = {
    "vi": (("vừa xong", "vừa xong"), ("%s phút trước",) * 2, ("%s giờ trước",) * 2, ("%s ngày trước",) * 2),
    "en": (
        ("just now", "just now"),
        ("%s minute ago", "%s minutes ago"),
        ("%s hour ago", "%s hours ago"),
        ("%s day ago", "%s days ago"),
    ),
}


def number(value: int, language: str) -> str:
    """Return a whole number with its groups of three."""
    grouped = f"{abs(value):,}"
    if language == "vi":
        grouped = grouped.replace(",", ".")
    return f"−{grouped}" if value < 0 else grouped


def hundredths_of_percent(done: int, quota: int) -> int:
    """Return done ÷ quota in hundredths of a percent, halves rounded up."""
    return (done * 20_000 + quota) // (2 * quota)


def percent(done: int, quota: int | None, language: str) -> str:
    """Return done ÷ quota with two decimals, or a dash where there is no quota."""
    if not quota:
        return "–"
    whole, rest = divmod(hundredths_of_percent(done, quota), 100)
    return f"{number(whole, language)}{_comma(language)}{rest:02}{_percent_sign(language)}"


def given_percent(text: str, language: str) -> str:
    """Return a percentage as somebody else published it ("107", "26,9 %"), with its own decimals."""
    whole, _, decimals = text.replace("%", "").strip().replace(",", ".").partition(".")
    return whole + (_comma(language) + decimals if decimals else "") + _percent_sign(language)


def share(done: int, quota: int | None) -> int:
    """Return how much of a bar is filled, from 0 to BAR_WIDTH."""
    if not quota:
        return 0
    return min(max(done * BAR_WIDTH // quota, 0), BAR_WIDTH)


def day(value: date, language: str) -> str:
    """Return a calendar day."""
    return value.strftime("%d/%m/%Y") if language == "vi" else f"{value.day} {value:%b} {value.year}"


def moment(at_ms: int, zone: tzinfo, language: str) -> str:
    """Return a moment of the office's time zone, to the minute."""
    # A broken tablet clock may claim a year that no calendar has.
    seconds = min(max(at_ms // 1000, -62_135_510_400), 253_402_214_400)
    local = datetime.fromtimestamp(seconds, tz=UTC).astimezone(zone)
    return f"{local:%H:%M}{_NBSP}{day(local.date(), language)}"


def age(at_ms: int, now_ms: int, language: str) -> str:
    """Return how long ago something was, in its largest whole unit."""
    passed_ms = max(now_ms - at_ms, 0)
    words = _AGES[language]
    if passed_ms < _MINUTE_MS:
        return words[0][0]
    for position, unit_ms, next_ms in ((1, _MINUTE_MS, _HOUR_MS), (2, _HOUR_MS, _DAY_MS)):
        if passed_ms < next_ms:
            return _counted(words[position], passed_ms // unit_ms, language)
    return _counted(words[3], passed_ms // _DAY_MS, language)


def clock_offset(offset_ms: int | None, language: str) -> str:
    """Return how far a tablet's clock is from the server's, in seconds or minutes."""
    if offset_ms is None:
        return "–"
    sign = "+" if offset_ms > 0 else ""
    unit_ms, units = (
        (1000, ("giây", "s")) if abs(offset_ms) < 2 * _MINUTE_MS else (_MINUTE_MS, ("phút", "min"))
    )
    return f"{sign}{number(round(offset_ms / unit_ms), language)}{_NBSP}{units[language == 'en']}"


def installation_number(value: int) -> str:
    """Return an installation's number as its receipts print it."""
    return f"{value:05}"


def short_id(value: str) -> str:
    """Return the end of an id, which tells two of them apart: a UUIDv7 begins with its time."""
    return f"…{value[-8:]}" if len(value) > 12 else value


def visible_text(raw: str) -> str:
    """Return text with its control characters as visible signs; a line's end and tabs stay."""
    signs = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
    return raw.translate({**signs, 0x7F: "\u2421"})


def _counted(forms: tuple[str, ...], count: int, language: str) -> str:
    return forms[0 if count == 1 else 1] % number(count, language)


def _comma(language: str) -> str:
    return "," if language == "vi" else "."


def _percent_sign(language: str) -> str:
    return f"{_NBSP}%" if language == "vi" else "%"
