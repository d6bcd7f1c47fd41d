"""Reads of bank statements and of what their lines were matched with."""

from __future__ import annotations

from sqlalchemy import Connection, select

from server.bank.models import BankMatch


def matched_targets(connection: Connection, fund: int, kind: str) -> set[str]:
    """Return the ids of a fund's rows of one kind that a line stands matched with."""
    column = BankMatch.__table__.c
    statement = select(column.target_id).where(
        column.fund == fund, column.kind == kind, column.undone_ms.is_(None), column.target_id.is_not(None)
    )
    return set(connection.scalars(statement))
