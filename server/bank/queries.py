"""Reads of bank statements and of what their lines were matched with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, func, select

from schemas.signatures import from_base64url, to_base64url
from server.bank.models import BankImport, BankLine, BankMapping, BankMatch
from server.bank.rules import Period, PeriodCheck, checked_periods
from server.bulk_rows import among, rows_among
from server.sealing import Sealer

_LINE, _MATCH, _IMPORT = BankLine.__table__.c, BankMatch.__table__.c, BankImport.__table__.c
_PLACE = "bank_line.sealed"
_View = TypeVar("_View")


@dataclass(frozen=True, slots=True)
class LineWords:
    """What a line says of people: kept sealed as one value."""

    description: str = ""
    counterparty: str | None = None


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line that is kept, its words still sealed."""

    id: str
    fund: int
    day: date
    amount_vnd: int
    balance_vnd: int | None
    reference: str | None
    sealed: str


@dataclass(frozen=True, slots=True)
class KeptMatch:
    """What a line was matched with; `undone_ms` is None while it stands."""

    id: str
    line_id: str
    fund: int
    kind: str
    target_id: str | None
    actor: str
    at_ms: int
    undone_by: str | None
    undone_ms: int | None
    undone_reason: str | None


@dataclass(frozen=True, slots=True)
class KeptImport:
    """A statement that was read."""

    id: str
    fund: int
    layout: str
    from_day: date
    to_day: date
    opening_vnd: int | None
    closing_vnd: int | None
    line_count: int
    actor: str
    at_ms: int


_LINES = select(*(_LINE[name] for name in KeptLine.__dataclass_fields__))
_MATCHES = select(*(_MATCH[name] for name in KeptMatch.__dataclass_fields__))
_IMPORTS = select(*(_IMPORT[name] for name in KeptImport.__dataclass_fields__))
_STANDING = select(_MATCH.line_id).where(_MATCH.undone_ms.is_(None), _MATCH.line_id == _LINE.id).exists()
_MATCHES_OF_LINES = _MATCHES.where(among(_MATCH.line_id)).order_by(_MATCH.at_ms, _MATCH.id)
_KNOWN_LINES = select(_LINE.id).where(among(_LINE.id))


def sealed_words(sealer: Sealer, words: Iterable[tuple[str, LineWords]]) -> list[str]:
    """Return the words of lines, each sealed for its line's id."""
    texts = [
        (
            line_id,
            json.dumps(
                {"description": each.description, "counterparty": each.counterparty}, ensure_ascii=False
            ),
        )
        for line_id, each in words
    ]
    return [to_base64url(sealed) for sealed in sealer.seal_all(texts, _PLACE)]


def opened_words(sealer: Sealer, line: KeptLine) -> LineWords:
    """Return what a line says. Raises SealBrokenError."""
    return LineWords(**json.loads(sealer.open(from_base64url(line.sealed), _PLACE, line.id)))


def matched_targets(connection: Connection, fund: int, kind: str) -> set[str]:
    """Return the ids of a fund's rows of one kind that a line stands matched with."""
    column = BankMatch.__table__.c
    statement = select(column.target_id).where(
        column.fund == fund, column.kind == kind, column.undone_ms.is_(None), column.target_id.is_not(None)
    )
    return set(connection.scalars(statement))


def line_of(connection: Connection, line_id: str) -> KeptLine | None:
    """Return a line by its id."""
    return _one(connection, _LINES.where(_LINE.id == line_id), KeptLine)


def known_line_ids(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Return which of these lines are kept already."""
    return {row.id for row in rows_among(connection, _KNOWN_LINES, ids)}


def unmatched_lines(
    connection: Connection, fund: int, *, limit: int | None = None, offset: int = 0
) -> list[KeptLine]:
    """Return the lines that no match stands of, oldest first."""
    statement = (
        _LINES.where(_LINE.fund == fund, ~_STANDING).order_by(_LINE.day, _LINE.id).limit(limit).offset(offset)
    )
    return [KeptLine(*row) for row in connection.execute(statement)]


def unmatched_sums(connection: Connection, fund: int) -> tuple[int, int, int]:
    """Return how many lines no match stands of, and what they brought and took, both above zero."""
    amounts = list(connection.scalars(select(_LINE.amount_vnd).where(_LINE.fund == fund, ~_STANDING)))
    return (
        len(amounts),
        sum(each for each in amounts if each > 0),
        -sum(each for each in amounts if each < 0),
    )


def matches_of_lines(connection: Connection, line_ids: Iterable[str]) -> dict[str, list[KeptMatch]]:
    """Return the matches of each line that has any, undone ones too, oldest first."""
    found: dict[str, list[KeptMatch]] = {}
    for row in rows_among(connection, _MATCHES_OF_LINES, line_ids):
        found.setdefault(row.line_id, []).append(KeptMatch(*row))
    return found


def match_of(connection: Connection, match_id: str) -> KeptMatch | None:
    """Return a match by its id."""
    return _one(connection, _MATCHES.where(_MATCH.id == match_id), KeptMatch)


def standing_match(connection: Connection, kind: str, target_id: str) -> KeptMatch | None:
    """Return the match that stands of a row, None where no line is it."""
    statement = _MATCHES.where(_MATCH.kind == kind, _MATCH.target_id == target_id, _MATCH.undone_ms.is_(None))
    return _one(connection, statement, KeptMatch)


def standing_matches(
    connection: Connection, fund: int, *, limit: int | None = None, offset: int = 0
) -> list[tuple[KeptLine, KeptMatch]]:
    """Return a fund's matches that stand with their lines, the newest decision first."""
    statement = (
        select(
            *(_LINE[name].label(f"line_{name}") for name in KeptLine.__dataclass_fields__),
            *(_MATCH[name].label(f"match_{name}") for name in KeptMatch.__dataclass_fields__),
        )
        .join_from(BankMatch.__table__, BankLine.__table__, _MATCH.line_id == _LINE.id)
        .where(_MATCH.fund == fund, _MATCH.undone_ms.is_(None))
        .order_by(_MATCH.at_ms.desc(), _MATCH.id)
        .limit(limit)
        .offset(offset)
    )
    width = len(KeptLine.__dataclass_fields__)
    return [(KeptLine(*row[:width]), KeptMatch(*row[width:])) for row in connection.execute(statement)]


def matched_lines(connection: Connection, fund: int, kinds: Iterable[str]) -> list[tuple[KeptLine, str, str]]:
    """Return (line, kind, target id) of the matches of these kinds that stand."""
    statement = (
        select(
            *(_LINE[name] for name in KeptLine.__dataclass_fields__),
            _MATCH.kind.label("match_kind"),
            _MATCH.target_id.label("match_target"),
        )
        .join_from(BankMatch.__table__, BankLine.__table__, _MATCH.line_id == _LINE.id)
        .where(
            _MATCH.fund == fund,
            _MATCH.undone_ms.is_(None),
            _MATCH.kind.in_(sorted(kinds)),
            _MATCH.target_id.is_not(None),
        )
    )
    return [(KeptLine(*row[:-2]), row[-2], row[-1]) for row in connection.execute(statement)]


def imports_of(connection: Connection, fund: int) -> list[KeptImport]:
    """Return a fund's statements, the last day first."""
    statement = _IMPORTS.where(_IMPORT.fund == fund).order_by(_IMPORT.to_day.desc(), _IMPORT.at_ms.desc())
    return [KeptImport(*row) for row in connection.execute(statement)]


def import_of_file(connection: Connection, fund: int, file_sha256: str) -> KeptImport | None:
    """Return the statement of a fund that was read from the same file."""
    statement = _IMPORTS.where(_IMPORT.fund == fund, _IMPORT.file_sha256 == file_sha256).order_by(
        _IMPORT.at_ms
    )
    return _one(connection, statement.limit(1), KeptImport)


def statement_checks(connection: Connection, fund: int) -> list[PeriodCheck]:
    """Return every statement of a fund beside the lines that are kept, oldest first."""
    moved = connection.execute(
        select(_LINE.day, func.sum(_LINE.amount_vnd)).where(_LINE.fund == fund).group_by(_LINE.day)
    )
    periods = [
        Period(each.id, each.from_day, each.to_day, each.opening_vnd, each.closing_vnd, each.at_ms)
        for each in imports_of(connection, fund)
    ]
    return checked_periods(periods, [(day, int(amount)) for day, amount in moved])


def mappings(connection: Connection) -> dict[str, Mapping[str, str]]:
    """Return the saved column mappings by name: the title of each field's column."""
    column = BankMapping.__table__.c
    rows = connection.execute(select(column.name, BankMapping.__table__.c["columns"]).order_by(column.name))
    return {name: json.loads(text) for name, text in rows}


def _one(connection: Connection, statement: Select[Any], view: type[_View]) -> _View | None:
    row = connection.execute(statement).one_or_none()
    return None if row is None else view(*row)
