"""The text of a transfer's QR code."""

from __future__ import annotations

import pytest

from schemas.vietqr import PURPOSE_MOST, crc16, fund_purpose, vietqr_text


def test_the_checksum_is_ccitt_false():
    assert crc16(b"123456789") == 0x29B1


# As published. Its account has 13 digits and says 12, which a reader that goes by lengths cannot read, so
# that the text made here says 13 and has another checksum; nothing else differs.
PUBLISHED = "00020101021138570010A00000072701270006970403011200110123456780208QRIBFTTA53037045802VN6304F4E5"


def test_the_published_vector_has_the_checksum_that_is_computed_here():
    assert f"{crc16(PUBLISHED[:-4].encode()):04X}" == PUBLISHED[-4:]


def test_a_code_without_amount_is_the_published_one_but_for_the_accounts_length():
    made = vietqr_text("970403", "0011012345678")
    assert made[:-4] == PUBLISHED[:-4].replace("970403" + "0112", "970403" + "0113")
    assert made[-4:] == "9E6F"


def test_an_amount_makes_a_code_for_one_transfer_and_the_purpose_stands_in_it():
    text = vietqr_text("970403", "0011012345678", amount_vnd=500_000, purpose="TN12C3F9A0B12")
    assert text.startswith("000201010212")
    assert "5406500000" in text
    assert "62170813TN12C3F9A0B12" in text
    assert int(text[-4:], 16) == crc16(text[:-4].encode())


@pytest.mark.parametrize(
    ("bank_bin", "account", "more"),
    [
        ("97040", "0011012345678", {}),
        ("970403", "", {}),
        ("970403", "1" * 20, {}),
        ("970403", "1", {"amount_vnd": 0}),
        ("970403", "1", {"purpose": "ủng hộ"}),
        ("970403", "1", {"purpose": "a" * 26}),
    ],
)
def test_what_no_bank_could_read_is_refused(bank_bin, account, more):
    with pytest.raises(ValueError, match="no "):
        vietqr_text(bank_bin, account, **more)


def test_the_longest_purpose_of_a_fund_fits():
    purpose = fund_purpose(999_999, "01890a5d-ac96-774b-bcce-b302099a8057")
    assert purpose == "TN999999C099A8057"
    assert len(purpose) <= PURPOSE_MOST
    assert fund_purpose(12) == "TN12"
