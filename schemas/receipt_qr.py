"""The QR code of a receipt: its modules, and how a terminal shows them.

Shared, since the desk client prints what the server also draws. The fixed version and mask make it
fast, and decode as well as the best mask does: a signature is near random.
"""

from __future__ import annotations

from collections.abc import Sequence

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError
from qrcode.util import MODE_8BIT_BYTE, MODE_NUMBER, QRData

QUIET_MODULES = 4
_VERSION = 9
_MASK = 2
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
    code.add_data(QRData(receipt_url.encode("ascii"), mode=MODE_8BIT_BYTE))
    code.add_data(QRData(digits.encode("ascii"), mode=MODE_NUMBER))
    code.make(fit=version is None)
    return [[bool(module) for module in row] for row in code.modules]


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
