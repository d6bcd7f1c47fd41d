"""The input files of a fund's year: statements as the bank hands them out, the office's book, agents' lists.

A recount reads these and the tablets' own files, and nothing of the server. They hold no number of a
person: what identifies somebody goes to the tablets through a pipe.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from server.demo.fund.plan import FundPlan
from server.demo.fund.statements import SIGNED, XLSX
from server.demo.fund.steps import BankRow, OfficeStep, Statement
from server.spreadsheets import Cell, written_xlsx

BOOK, DOORS, STATEMENTS = "so-van-phong.csv", "dai-ly", "sao-ke"
_BOTH_SIDES = ("Ngày giao dịch", "Số tham chiếu", "Diễn giải", "Ghi nợ", "Ghi có", "Số dư")
_ONE_SIDE = ("Ngày", "Mã giao dịch", "Nội dung", "Số tiền", "Số dư")
_AT_DOORS = ("ref", "day", "what", "amount_vnd", "method", "donor_class", "bucket", "destination", "target")
_NAMED = ("pool", "area", "months", "member")


def write_files(plan: FundPlan, folder: Path) -> None:
    """Write all files of a year into a fresh folder."""
    for part in (STATEMENTS, DOORS):
        (folder / part).mkdir(parents=True)
    for statement in plan.statements:
        statement_path(folder, statement.name, statement.layout).write_bytes(statement_bytes(statement))
    names = [each.name for each in fields(OfficeStep)]
    steps = [step for stretch in plan.stretches for step in stretch.office]
    _write(folder / BOOK, names, ([getattr(step, name) for name in names] for step in steps))
    for agent in plan.agents:
        path = folder / DOORS / f"agent-{agent.index + 1:02}.csv"
        _write(path, [*_AT_DOORS, *_NAMED], _rows_of_agent(plan, agent.index))


def statement_path(folder: Path, name: str, layout: str) -> Path:
    """Return where a statement lies."""
    return folder / STATEMENTS / f"{name}.{layout.rpartition('.')[2]}"


def statement_bytes(statement: Statement) -> bytes:
    """Return a statement as the bank's file."""
    if statement.layout == XLSX:
        rows: list[Sequence[Cell]] = [_both_sides(row) for row in statement.rows]
        return written_xlsx("Sao kê", list(_BOTH_SIDES), rows)
    is_signed = statement.layout == SIGNED
    lines = [";".join(_ONE_SIDE if is_signed else _BOTH_SIDES)]
    for row in statement.rows:
        cells = _one_side(row) if is_signed else _both_sides(row)
        lines.append(";".join("" if cell is None else str(cell) for cell in cells))
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def _both_sides(row: BankRow) -> tuple[Cell, ...]:
    out, into = (-row.amount_vnd, None) if row.amount_vnd < 0 else (None, row.amount_vnd)
    return row.day.strftime("%d/%m/%Y"), row.reference, row.description, out, into, row.balance_vnd


def _one_side(row: BankRow) -> tuple[Cell, ...]:
    amount = f"{row.amount_vnd:+,}".replace(",", ".")
    balance = f"{row.balance_vnd:,}".replace(",", ".")
    return row.day.strftime("%d/%m/%Y"), row.reference, row.description, amount, balance


def _rows_of_agent(plan: FundPlan, agent: int) -> Iterable[list[Any]]:
    outings = [one for stretch in plan.stretches for one in stretch.outings if one.agent == agent]
    for step in (step for outing in outings for step in outing.steps):
        members = step.members
        target = members.get("target") or members.get("nominee") or ""
        said = [members.get(name, "") for name in _AT_DOORS[3:-1]]
        if step.what != "household":
            yield [step.ref, step.day, step.what, *said, target, "", "", "", ""]
            continue
        for one in (plan.nominees[ref] for ref in members["nominees"]):
            named = [one.pool, one.area, one.months, one.member]
            yield [one.ref, step.day, "nomination", *said, target, *named]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(rows)
