"""The QR code is read back, whole, by software that is not ours."""

from __future__ import annotations

import io
import re

import pytest
import zxingcpp
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import MODE_8BIT_BYTE, MODE_NUMBER, QRData

from schemas.receipt_qr import QUIET_MODULES, receipt_matrix, terminal_text, with_quiet_zone
from schemas.receipt_token import ReceiptContent, ReceiptKind, is_signed_by, parse_receipt, sign_receipt
from server.receipts.rendering import qr_png, qr_svg
from tests.server.receipts.a_signing_tablet import KEY

SHORT_URL = "https://bhxh.tgg.vn/r/"
# 27 characters, the longest that the configuration admits.
LONG_URL = "https://tungnha.example/r/x"


def a_token(counter: int = 48_213, *, is_void: bool = False) -> str:
    content = ReceiptContent(
        installation=4807,
        counter=counter,
        issued_at_s=1_590_202_800,
        kind=ReceiptKind.VOID if is_void else ReceiptKind.VOLUNTARY,
        amount_vnd=2**53 - 1 if is_void else 1_234_567,
        campaign=2**32 - 1 if is_void else 3,
        link=counter.to_bytes(8, "big"),
        digest=b"d" * 16,
        refers=(2**32 - 1, 2**32 - 1) if is_void else None,
    )
    return sign_receipt(content, KEY)


def read_back(image: Image.Image) -> str:
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(found) == 1
    return found[0].text


@pytest.mark.parametrize("counter", [1, 7, 48_213, 99_999_999])
def test_the_png_reads_back_and_its_token_verifies(counter: int) -> None:
    digits = a_token(counter)
    image = Image.open(io.BytesIO(qr_png(receipt_matrix(SHORT_URL, digits))))
    assert image.mode == "1"
    assert image.size == (366, 366)
    text = read_back(image)
    assert text == SHORT_URL + digits
    assert is_signed_by(parse_receipt(text.removeprefix(SHORT_URL)), KEY.public)


def test_the_worst_case_still_fits_version_9() -> None:
    digits = a_token(2**32 - 1, is_void=True)
    matrix = receipt_matrix(LONG_URL, digits)
    assert len(matrix) == 53
    assert read_back(Image.open(io.BytesIO(qr_png(matrix)))) == LONG_URL + digits


def test_what_does_not_fit_gets_a_larger_code() -> None:
    matrix = receipt_matrix(SHORT_URL, "1" * 400)
    assert len(matrix) > 53
    assert read_back(Image.open(io.BytesIO(qr_png(matrix)))) == SHORT_URL + "1" * 400


@given(
    address=st.text("abcdefghijklmnopqrstuvwxyz0123456789.:/", max_size=27),
    digits=st.text("123456789", min_size=1),
)
@example(address=LONG_URL, digits="10" * 170)
@example(address="", digits="7" * 428)
@example(address="", digits="7" * 429)
def test_the_modules_are_those_of_the_library(address: str, digits: str) -> None:
    code = QRCode(version=9, error_correction=ERROR_CORRECT_M, mask_pattern=2)
    code.add_data(QRData(address.encode(), mode=MODE_8BIT_BYTE))
    code.add_data(QRData(digits.encode(), mode=MODE_NUMBER))
    code.make(fit=False)
    assert receipt_matrix(address, digits) == code.modules


def test_the_svg_draws_the_same_modules() -> None:
    digits = a_token()
    matrix = receipt_matrix(SHORT_URL, digits)
    svg = qr_svg(matrix)
    assert svg.count("<path") == 2
    size = len(matrix) + 2 * QUIET_MODULES
    image = Image.new("1", (size * 4, size * 4), 1)
    pen = ImageDraw.Draw(image)
    strokes = re.findall(r"M(\d+) (\d+)\.5h(\d+)", svg)
    for x, y, width in ((int(x), int(y), int(width)) for x, y, width in strokes):
        pen.rectangle((x * 4, y * 4, (x + width) * 4 - 1, y * 4 + 3), fill=0)
    assert read_back(image) == SHORT_URL + digits


def test_the_terminal_shows_the_same_modules() -> None:
    digits = a_token()
    matrix = receipt_matrix(SHORT_URL, digits)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in terminal_text(matrix).split("\n")]
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    rows: list[list[bool]] = []
    for line in lines:
        rows.append([bool(halves[letter][0]) for letter in line])
        rows.append([bool(halves[letter][1]) for letter in line])
    expected = with_quiet_zone(matrix)
    assert rows[: len(expected)] == expected
    assert not any(any(row) for row in rows[len(expected) :])
