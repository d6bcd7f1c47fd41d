"""VietQR: the text of a QR code that asks a bank's app for a transfer, and the purpose that names a fund.

EMVCo's tag-length-value. Such a code is an instruction: money came only where the statement says so.
"""

from __future__ import annotations

import re

_NAPAS, _TO_ACCOUNT = "A000000727", "QRIBFTTA"
_DONG, _COUNTRY = "704", "VN"
PURPOSE_MOST = 25
_PURPOSE = re.compile(r"[A-Za-z0-9 ]{1,25}")
_ACCOUNT = re.compile(r"[A-Za-z0-9]{1,19}")
_LARGEST_VND = 9_999_999_999_999
_POLYNOMIAL, _FIRST = 0x1021, 0xFFFF
_PLEDGE_DIGITS = 8


def crc16(data: bytes) -> int:
    """Return the CRC-16/CCITT-FALSE of `data`; of b"123456789" it is 0x29B1."""
    register = _FIRST
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ _POLYNOMIAL if register & 0x8000 else register << 1
            register &= 0xFFFF
    return register


def vietqr_text(
    bank_bin: str, account: str, *, amount_vnd: int | None = None, purpose: str | None = None
) -> str:
    """Return the text of a code for a transfer to an account; with an amount it is for one transfer alone.

    `bank_bin` has 6 digits, `purpose` up to 25 letters, digits and blanks of ASCII. Raises ValueError.
    """
    if not re.fullmatch(r"[0-9]{6}", bank_bin) or not _ACCOUNT.fullmatch(account):
        raise ValueError("no bank or no account")
    if amount_vnd is not None and not 1 <= amount_vnd <= _LARGEST_VND:
        raise ValueError("no amount")
    if purpose is not None and not _PURPOSE.fullmatch(purpose):
        raise ValueError("no purpose")
    receiver = _field("00", bank_bin) + _field("01", account)
    text = _field("00", "01")
    text += _field("01", "11" if amount_vnd is None else "12")
    text += _field("38", _field("00", _NAPAS) + _field("01", receiver) + _field("02", _TO_ACCOUNT))
    text += _field("53", _DONG)
    if amount_vnd is not None:
        text += _field("54", str(amount_vnd))
    text += _field("58", _COUNTRY)
    if purpose is not None:
        text += _field("62", _field("08", purpose))
    text += "6304"
    return f"{text}{crc16(text.encode('ascii')):04X}"


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02}{value}"


def fund_purpose(fund: int, pledge_id: str | None = None) -> str:
    """Return what a transfer to a fund says: `TN12`, and `TN12C3F9A0B12` where it fulfils a pledge.

    The letters behind C are the last of the pledge's id, which are random; banks keep letters and digits.
    """
    if pledge_id is None:
        return f"TN{fund}"
    return f"TN{fund}C{re.sub('[^0-9a-zA-Z]', '', pledge_id)[-_PLEDGE_DIGITS:].upper()}"
