"""Sheets as files: what is read is what was meant, and what is written opens the same elsewhere."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest

from server.spreadsheets import (
    COLUMNS_MOST,
    ROWS_MOST,
    SheetFileError,
    column_letter,
    read_sheet,
    written_csv,
    written_xlsx,
)

HEADER = ("Mã", "Tên", "Số", "Ngày")
ROWS = [
    ("007", "Nguyễn Thị Bưởi", 12, date(2025, 7, 1)),
    ("A-1", "=HYPERLINK(0)", -3, None),
    ("+84912345678", "@ai đó", None, date(2024, 2, 29)),
    ("-5", "\tthụt vào", 0, None),
]


def refused(content: bytes) -> str:
    with pytest.raises(SheetFileError) as caught:
        read_sheet(content)
    return caught.value.reason


def test_a_written_xlsx_opens_in_another_library_with_the_same_values():
    book = openpyxl.load_workbook(io.BytesIO(written_xlsx("Thử: [1]", HEADER, ROWS)))
    sheet = book.active
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert tuple(found[0]) == HEADER
    assert found[1][:3] == ["007", "Nguyễn Thị Bưởi", 12]
    assert found[1][3].date() == date(2025, 7, 1)
    assert found[2][1] == "'=HYPERLINK(0)"
    assert [row[0] for row in found[3:]] == ["'+84912345678", "'-5"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}


@pytest.mark.parametrize("write", [written_xlsx, lambda _title, *rest: written_csv(*rest)])
def test_what_was_written_is_read_again_as_it_was(write):
    found = read_sheet(write("Thử", HEADER, ROWS))
    assert found.header == HEADER
    texts = [[None if cell is None else str(cell) for cell in cells] for _, cells in found.rows]
    wanted = [[None if cell is None else str(cell).strip() for cell in row] for row in ROWS]
    assert texts == wanted
    assert [number for number, _ in found.rows] == [2, 3, 4, 5]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_is_read_with_each_separator_and_with_or_without_its_mark(separator, mark):
    text = mark + separator.join(("Mã", "Tên")) + "\r\n" + separator.join(("001", '"Xã ""A"""')) + "\r\n"
    found = read_sheet(text.encode())
    assert (found.header, found.rows) == (("Mã", "Tên"), [(2, ("001", 'Xã "A"'))])


def test_texts_are_composed_and_trimmed():
    decomposed = "Mã,Tên\n1,  Nguye\u0302\u0303n  \n"
    assert read_sheet(decomposed.encode()).rows == [(2, ("1", "Nguyễn"))]


def test_blank_rows_are_skipped_and_numbers_stay_those_of_the_spreadsheet():
    found = read_sheet(b"\n\na,b\n\n1,2\n,\n3,4\n")
    assert found.header_number == 3
    assert [number for number, _ in found.rows] == [5, 7]


def test_a_formula_gives_the_value_that_was_saved_and_is_never_computed():
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append(["=1+1", "x"])
    saved = io.BytesIO()
    book.save(saved)
    # openpyxl saves formulas without values: a program that computed them would find 2.
    assert read_sheet(saved.getvalue()).rows == [(2, (None, "x"))]


def test_an_apostrophe_is_taken_off_only_where_it_defused_a_formula():
    found = read_sheet("a,b\n'=1,'Tư\n".encode())
    assert found.rows == [(2, ("=1", "'Tư"))]


def test_whole_numbers_of_a_spreadsheet_are_whole():
    content = written_xlsx("a", ("a", "b"), [(82, 1.5)])
    assert read_sheet(content).rows == [(2, (82, 1.5))]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "sheet_empty"),
        (b"a,b\n", "sheet_empty"),
        ("Mã,Tên\n1,2\n".encode("utf-16"), "file_not_utf8"),
        (b'a,b\n"1,2\n', "file_unreadable"),
        (b"a\0,b\n1,2\n", "file_unreadable"),
        (b"PK\x03\x04 and no archive", "file_unreadable"),
        (b",".join(b"c" for _ in range(COLUMNS_MOST + 1)) + b"\n1\n", "too_many_columns"),
        (b"a\n" + b"1\n" * (ROWS_MOST + 1), "too_many_rows"),
        (b"a\n" + b"1" * (17 * 1024 * 1024), "file_too_large"),
    ],
)
def test_what_is_no_sheet_is_refused_with_a_word(content, reason):
    assert refused(content) == reason


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked():
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", b"0" * (60 * 1024 * 1024))
    assert refused(out.getvalue()) == "file_too_large"


def test_columns_are_named_as_a_spreadsheet_names_them():
    assert [column_letter(n) for n in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
