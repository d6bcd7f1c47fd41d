"""The one way in which lines come into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from server.audit.changes import Change
from server.money.models import LedgerLine
from server.money.rules import Line, is_balanced


def post(
    change: Change,
    source_id: str,
    step: str,
    lines: Sequence[Line],
    business_day: date,
    caused_by: str,
) -> None:
    """Post the lines of one step of a source's life; a step posts once, or the table's key refuses it."""
    assert is_balanced(lines), "a posting has as much debit as credit"
    for number, line in enumerate(lines, start=1):
        change.insert(
            LedgerLine.__table__,
            entry_id=source_id,
            step=step,
            line_number=number,
            account=line.account,
            fund=line.fund,
            bucket=line.bucket,
            debit_vnd=line.debit_vnd,
            credit_vnd=line.credit_vnd,
            debit_cards=line.debit_cards,
            credit_cards=line.credit_cards,
            business_day=business_day,
            posted_ms=change.now_ms,
            caused_by=caused_by,
        )
