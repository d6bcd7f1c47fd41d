"""Writes of bank statements: lines, saved mappings, matches. What they post is of server.funds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from server.audit.changes import Change
from server.bank.layouts import is_usable
from server.bank.models import BankImport, BankLine, BankMapping, BankMatch
from server.bank.queries import LineWords, known_line_ids, sealed_words
from server.bank.rules import Statement, StatementLine, line_ids
from server.sealing import Sealer
from sync.ports import IdSource

_NAME_MOST, _TITLE_MOST = 40, 120


class MappingRefusedError(Exception):
    """The mapping names no day, no description, or not one amount; nothing was written."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that was not known before, under its id."""

    id: str
    said: StatementLine


def new_lines(change: Change, sealer: Sealer, fund: int, statement: Statement) -> list[NewLine]:
    """Return the lines of a statement that are not kept yet. The fund's name must be locked."""
    ids = line_ids(fund, statement.lines, lambda said: sealer.blind_index("bank_line", said))
    known = known_line_ids(change.connection, ids)
    return [
        NewLine(line_id, line)
        for line_id, line in zip(ids, statement.lines, strict=True)
        if line_id not in known
    ]


def keep_statement(
    change: Change,
    ids: IdSource,
    sealer: Sealer,
    fund: int,
    statement: Statement,
    file_sha256: str,
    lines: list[NewLine],
) -> str:
    """Write a statement and those lines of it that are new; return its id."""
    import_id = ids.new_id()
    change.insert(
        BankImport.__table__,
        id=import_id,
        fund=fund,
        layout=statement.layout,
        file_sha256=file_sha256,
        from_day=statement.from_day,
        to_day=statement.to_day,
        opening_vnd=statement.opening_vnd,
        closing_vnd=statement.closing_vnd,
        line_count=len(statement.lines),
        actor=change.actor.chain,
        at_ms=change.now_ms,
    )
    words = ((line.id, LineWords(line.said.description, line.said.counterparty)) for line in lines)
    for number, (line, sealed) in enumerate(zip(lines, sealed_words(sealer, words), strict=True), start=1):
        change.insert(
            BankLine.__table__,
            id=line.id,
            import_id=import_id,
            number=number,
            fund=fund,
            day=line.said.day,
            amount_vnd=line.said.amount_vnd,
            balance_vnd=line.said.balance_vnd,
            reference=line.said.reference,
            sealed=sealed,
        )
    return import_id


def put_match(
    change: Change, match_id: str, line_id: str, fund: int, kind: str, target_id: str | None
) -> None:
    """Write what a line is. The table's keys refuse a second one of the line, or of the target."""
    change.insert(
        BankMatch.__table__,
        id=match_id,
        line_id=line_id,
        fund=fund,
        kind=kind,
        target_id=target_id,
        actor=change.actor.chain,
        at_ms=change.now_ms,
        undone_by=None,
        undone_ms=None,
        undone_reason=None,
    )


def undo_match(change: Change, match_id: str, reason: str) -> None:
    """Let a match stand no longer, and keep why."""
    values = {"undone_by": change.actor.chain, "undone_ms": change.now_ms, "undone_reason": reason}
    change.update(BankMatch.__table__, {"id": match_id}, **values)


def save_mapping(change: Change, name: str, columns: Mapping[str, str]) -> None:
    """Save a column mapping under a name, in place of the one before. Raises MappingRefusedError."""
    given = {field: " ".join(title.split()) for field, title in columns.items() if title.strip()}
    name = " ".join(name.split())
    if not 1 <= len(name) <= _NAME_MOST or not is_usable(given):
        raise MappingRefusedError
    if any(len(title) > _TITLE_MOST for title in given.values()):
        raise MappingRefusedError
    change.delete(BankMapping.__table__, {"name": name})
    change.insert(
        BankMapping.__table__,
        name=name,
        columns=json.dumps(given, ensure_ascii=False),
        actor=change.actor.chain,
        at_ms=change.now_ms,
    )
    change.audit("bank_mapping_saved", name)
