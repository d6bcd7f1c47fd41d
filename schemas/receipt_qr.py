"""The QR code of a receipt: its modules, and how a terminal shows them.

Shared, since the desk client prints what the server also draws. The fixed version and mask make it
fast, and decode as well as the best mask does: a signature is near random.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain, zip_longest

from qrcode import QRCode
from qrcode.base import gexp, glog, rs_blocks
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError
from qrcode.LUT import rsPoly_LUT
from qrcode.util import MODE_8BIT_BYTE, MODE_NUMBER, QRData, length_in_bits

QUIET_MODULES = 4
_VERSION = 9
_MASK = 2
_BITS_OF_DIGITS = (0, 4, 7, 10)
_PADDING = b"\xec\x11"
# Black on white whatever the terminal's colours: scanners want the quiet zone bright.
_INK_ON_PAPER = "\x1b[38;5;16;48;5;231m"
_RESET = "\x1b[0m"

Matrix = Sequence[Sequence[bool]]


def receipt_matrix(receipt_url: str, digits: str) -> Matrix:
    """Return the dark modules of the code, row by row, without the quiet zone.

    The address goes in byte mode and the digits in numeric mode. Version 9 (53×53), unless the
    content needs a larger one.
    """
    try:
        return _matrix(receipt_url, digits, _VERSION)
    except DataOverflowError:
        return _matrix(receipt_url, digits, None)


def _matrix(receipt_url: str, digits: str, version: int | None) -> Matrix:
    code = QRCode(version=version, error_correction=ERROR_CORRECT_M, border=QUIET_MODULES, mask_pattern=_MASK)
    if version is None:
        code.add_data(QRData(receipt_url.encode("ascii"), mode=MODE_8BIT_BYTE))
        code.add_data(QRData(digits.encode("ascii"), mode=MODE_NUMBER))
    else:
        # The library works out the same codewords bit by bit: half of the time that a code takes.
        code.data_cache = _codewords(receipt_url, digits, version)
    code.make(fit=version is None)
    return [list(map(bool, row)) for row in code.modules]


def _codewords(receipt_url: str, digits: str, version: int) -> list[int]:
    """Return the code's bytes, blocks and their corrections interleaved. Raises DataOverflowError."""
    blocks = rs_blocks(version, ERROR_CORRECT_M)
    data = _data_bytes(receipt_url, digits, version, sum(block.data_count for block in blocks))
    parts, corrections, start = [], [], 0
    for block in blocks:
        part = data[start : start + block.data_count]
        start += block.data_count
        parts.append(part)
        corrections.append(_correction(part, block.total_count - block.data_count))
    columns = chain(zip_longest(*parts), zip(*corrections, strict=True))
    return [byte for column in columns for byte in column if byte is not None]


def _data_bytes(receipt_url: str, digits: str, version: int, capacity: int) -> bytes:
    address = receipt_url.encode("ascii")
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    bits = "".join(
        (
            f"{MODE_8BIT_BYTE:04b}{len(address):0{length_in_bits(MODE_8BIT_BYTE, version)}b}",
            *(f"{byte:08b}" for byte in address),
            f"{MODE_NUMBER:04b}{len(digits):0{length_in_bits(MODE_NUMBER, version)}b}",
            *(f"{int(group):0{_BITS_OF_DIGITS[len(group)]}b}" for group in groups),
        )
    )
    if len(bits) > capacity * 8:
        raise DataOverflowError
    bits += "0" * min(4, capacity * 8 - len(bits))
    bits += "0" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return data + (_PADDING * capacity)[: capacity - len(data)]


def _correction(data: bytes, length: int) -> bytes:
    """Return the Reed-Solomon bytes of a block: the remainder of a division, a byte at a time."""
    steps, kept, remainder = _division_steps(length), 8 * (length - 1), 0
    for byte in data:
        remainder = ((remainder & ((1 << kept) - 1)) << 8) ^ steps[(remainder >> kept) ^ byte]
    return remainder.to_bytes(length, "big")


@cache
def _division_steps(length: int) -> tuple[int, ...]:
    """Return, for each leading byte, what the division takes from the bytes behind it."""
    _, *generator = rsPoly_LUT[length]
    products = ([gexp(glog(factor) + glog(byte)) for factor in generator] for byte in range(1, 256))
    return (0, *(int.from_bytes(product, "big") for product in products))


def with_quiet_zone(matrix: Matrix) -> list[list[bool]]:
    """Return the matrix inside its quiet zone of 4 light modules."""
    margin = [False] * QUIET_MODULES
    blank = [[False] * (len(matrix) + 2 * QUIET_MODULES) for _ in range(QUIET_MODULES)]
    return [*blank, *([*margin, *row, *margin] for row in matrix), *(list(row) for row in blank)]


def terminal_text(matrix: Matrix) -> str:
    """Return the code for a terminal, two modules a character, in colours of its own."""
    rows = with_quiet_zone(matrix)
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    blocks = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    lines = [
        "".join(blocks[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
    return "\n".join(f"{_INK_ON_PAPER}{line}{_RESET}" for line in lines)
