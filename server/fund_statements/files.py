"""A fund's statement as XLSX, and as PDF in Vietnamese. Data goes into the PDF as data, never as markup."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import typst

from server.dashboard.formats import day, number
from server.fund_statements import wording
from server.fund_statements.figures import FundStatement, Line
from server.fund_statements.in_words import dong_in_words
from server.fund_statements.wording import Words
from server.spreadsheets import Cell, written_xlsx

_TEMPLATE = Path(__file__).parent / "statement.typ"


def statement_xlsx(statement: FundStatement, language: str) -> bytes:
    """Return the statement as one sheet: a row a line, a section's heading above its lines."""
    spoken = int(language == "en")
    header = [words[spoken] for words in (wording.ITEM, wording.DONG, wording.CARDS_OR_COUNT)]
    rows: list[tuple[Cell, ...]] = [(heading(statement, language), None, None)]
    for section in statement.sections:
        rows.append((section.title[spoken], None, None))
        rows += [(f"    {line.words[spoken]}", line.amount_vnd, line.cards) for line in section.lines]
    return written_xlsx(wording.TITLE[spoken], header, rows)


def statement_pdf(statement: FundStatement, *, is_provisional: bool) -> bytes:
    """Return the statement as an A4 document in Vietnamese."""
    fund = statement.fund
    data = {
        "title": wording.TITLE[0],
        "fund": f"{fund.name} (số {fund.number})",
        "purpose": fund.purpose,
        "period": _period(statement, "vi"),
        "account": f"{wording.ACCOUNT[0]}: {fund.bank_account} – {fund.bank_holder}",
        "provisional": wording.PROVISIONAL[0] if is_provisional else "",
        "columns": [wording.ITEM[0], wording.DONG[0], wording.CARDS_OR_COUNT[0]],
        "sections": [
            {"title": section.title[0], "lines": [_shown(line) for line in section.lines]}
            for section in statement.sections
        ],
        "words": f"{wording.CLOSING[0]}: {number(statement.closing_vnd, 'vi')} đồng. "
        f"{wording.IN_WORDS[0]}: {dong_in_words(statement.closing_vnd)}.",
        "signatures": [words[0] for words in wording.SIGNATURES],
    }
    written: bytes = typst.compile(
        _template(), sys_inputs={"data": json.dumps(data, ensure_ascii=False)}, ignore_system_fonts=True
    )
    return written


def heading(statement: FundStatement, language: str) -> str:
    """Return whose statement it is and of which days."""
    name = statement.fund.name_en if language == "en" else statement.fund.name
    return f"{name} – {_period(statement, language)}"


def _period(statement: FundStatement, language: str) -> str:
    words: Words = wording.PERIOD
    return words[language == "en"].format(
        from_day=day(statement.from_day, language), to_day=day(statement.to_day, language)
    )


def _shown(line: Line) -> dict[str, Any]:
    return {
        "words": line.words[0],
        "amount": "" if line.amount_vnd is None else number(line.amount_vnd, "vi"),
        "cards": "" if line.cards is None else number(line.cards, "vi"),
        "total": line.is_total,
    }


@cache
def _template() -> bytes:
    return _TEMPLATE.read_bytes()
