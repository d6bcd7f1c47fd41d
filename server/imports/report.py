"""What a dry run says to a person: cells, titles and sentences in the person's language; and templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.imports.codes import import_message
from server.imports.kept import FaultView
from server.imports.registry import SHEETS
from server.imports.sheet import Sheet
from server.spreadsheets import written_csv, written_xlsx

TEMPLATE_FORMATS = ("xlsx", "csv")


@dataclass(frozen=True, slots=True)
class FaultShown:
    """A fault as a person reads it; `cell` is C12, a row's number alone, or nothing for the whole file."""

    cell: str
    number: int
    column: str
    title: str
    code: str
    text: str


def shown_faults(sheet_name: str, faults: Iterable[FaultView], language: str) -> list[FaultShown]:
    """Return faults in a language."""
    titles = {column.name: column.title(language) for column in SHEETS[sheet_name].columns}
    return [
        FaultShown(
            cell=f"{fault.letter}{fault.number}" if fault.number else "",
            number=fault.number,
            column=fault.column,
            title=titles.get(fault.column, "").removesuffix(" *"),
            code=fault.code,
            text=import_message(fault.code, language),
        )
        for fault in faults
    ]


def sheet_template(sheet: Sheet, file_format: str, language: str) -> bytes:
    """Return an empty sheet to fill in: its header, with a note on every column of an XLSX file.

    Columns of codes and numbers that name somebody are formatted as text, so that no zero is lost.
    """
    number = int(language == "en")
    header = [column.title(language) for column in sheet.columns]
    if file_format == "csv":
        return written_csv(header, [])
    example = ("Ví dụ", "Example")[number]
    remarks = [
        "\n".join(
            line
            for line in (column.remark[number], f"{example}: {column.example}" if column.example else "")
            if line
        )
        for column in sheet.columns
    ]
    return written_xlsx(
        sheet.title(language), header, [], text_columns=range(len(sheet.columns)), remarks=remarks
    )
