"""Reads of the feeds and of the audit chains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select, tuple_

from server.audit.models import (
    AuditHead,
    AuditRow,
    DeskRecord,
    FeedRow,
    OfficeState,
    Record,
    ScopeHead,
)
from server.audit.wire_rows import wire_row
from server.bulk_rows import QUERY_KEYS, among, chunks, rows_among
from server.prepared import rows_of
from sync.audit import audit_digest, audit_genesis
from sync.feed import EMPTY_SUM, sum_changed
from sync.pull import Grant

FIRST_EPOCH = 1
# Names of the office's single values; the second one says since when a restored office recovers.
EPOCH, RECOVERING = "epoch", "recovering"


_OFFICE_VALUE = select(OfficeState.value).where(OfficeState.name == bindparam("name"))
_OFFICE_VALUES = select(OfficeState.name, OfficeState.value).where(
    or_(OfficeState.name == EPOCH, OfficeState.name == RECOVERING)
)
_HEADS = select(
    ScopeHead.scope, ScopeHead.epoch, ScopeHead.seq, ScopeHead.row_count, ScopeHead.row_sum
).where(among(ScopeHead.__table__.c.scope))


_FEED, _RECORD = FeedRow.__table__.c, Record.__table__.c
_FEED_AFTER = (
    select(_FEED.wire_row)
    .where(_FEED.scope == bindparam("scope"), _FEED.seq > bindparam("after"))
    .order_by(_FEED.seq)
    .limit(bindparam("most"))
)
_SPELLED = (
    select(FeedRow.__table__, _RECORD.wire_json)
    .join(
        Record.__table__,
        and_(_RECORD.record_type == _FEED.record_type, _RECORD.record_id == _FEED.record_id),
    )
    .where(_FEED.scope == bindparam("scope"), _FEED.seq > bindparam("after"))
    .order_by(_FEED.seq)
    .limit(QUERY_KEYS)
)


def current_epoch(connection: Connection) -> int:
    """Return the office's epoch; restores start new ones."""
    return epoch_and_recovery(connection)[0]


def is_recovering(connection: Connection) -> bool:
    """Return whether the office was restored from a backup and devices have yet to push again."""
    return recovering_since(connection) is not None


def recovering_since(connection: Connection) -> int | None:
    """Return when the office was restored, in Unix milliseconds; None once its recovery is closed."""
    rows = rows_of(connection, _OFFICE_VALUE, {"name": RECOVERING})
    return int(rows[0][0]) if rows else None


def change_count(connection: Connection) -> int:
    """Return a number that every change makes larger: none is without a row in some audit chain."""
    return int(connection.scalar(select(func.sum(AuditHead.__table__.c.seq))) or 0)


def epoch_and_recovery(connection: Connection) -> tuple[int, bool]:
    """Return the office's epoch, and whether it recovers, by one statement: every sync asks for both."""
    values = dict(rows_of(connection, _OFFICE_VALUES, {}))
    return int(values.get(EPOCH, FIRST_EPOCH)), RECOVERING in values


def scope_heads(connection: Connection, scopes: Iterable[str]) -> dict[str, Grant]:
    """Return the head, count and sum of each scope that has any row."""
    return {row[0]: Grant(*row) for row in rows_among(connection, _HEADS, scopes)}


def feed_rows(connection: Connection, scope: str, after: int, limit: int) -> list[str]:
    """Return the rows of a feed after a cursor as they travel, in their order."""
    found = rows_of(connection, _FEED_AFTER, {"scope": scope, "after": after, "most": limit})
    return [text for (text,) in found]


def broken_audit_chains(connection: Connection) -> list[str]:
    """Return the chains whose rows do not add up to their head."""
    broken = []
    heads = connection.execute(AuditHead.__table__.select().order_by(AuditHead.chain)).all()
    table = AuditRow.__table__
    for head in heads:
        digest, seq = audit_genesis(head.chain), 0
        rows = connection.execute(table.select().where(table.c.chain == head.chain).order_by(table.c.seq))
        for row in rows:
            seq += 1
            digest = audit_digest(digest, seq, row.at_ms, row.action, row.subject, row.detail)
            if row.seq != seq or row.digest != digest:
                break
        if (seq, digest) != (head.seq, head.digest):
            broken.append(head.chain)
    return broken


def moved_audit_heads(connection: Connection, since_kind: str) -> list[tuple[str, int, str]]:
    """Return (chain, seq, digest) of every head that moved since the last desk record of `since_kind`."""
    head, row, desk = AuditHead.__table__.c, AuditRow.__table__.c, DeskRecord.__table__.c
    since_ms = connection.scalar(select(func.max(desk.at_ms)).where(desk.kind == since_kind)) or 0
    statement = (
        select(head.chain, head.seq, head.digest)
        .join(AuditRow.__table__, and_(row.chain == head.chain, row.seq == head.seq))
        .where(row.at_ms >= since_ms)
    )
    return [tuple(found) for found in connection.execute(statement.order_by(head.chain))]


def audit_digests(connection: Connection, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return the digests of audit rows by (chain, seq), where they exist."""
    row, found = AuditRow.__table__.c, {}
    for part in chunks(sorted(places)):
        statement = select(row.chain, row.seq, row.digest).where(tuple_(row.chain, row.seq).in_(part))
        found.update({(chain, seq): digest for chain, seq, digest in connection.execute(statement)})
    return found


def feeds_that_disagree(connection: Connection) -> list[str]:
    """Return the scopes whose head, count or sum is not that of their rows, or a row not what it spells."""
    wrong = []
    for head in connection.execute(ScopeHead.__table__.select().order_by(ScopeHead.scope)).all():
        count, total, last, is_spelled = 0, EMPTY_SUM, 0, True
        for row in _feed_in_order(connection, head.scope):
            if row.op == "put":
                count, total = count + 1, sum_changed(total, added=[row.row_hash])
            last = row.seq
            is_spelled = is_spelled and _is_spelled(row)
        if (head.row_count, head.row_sum) != (count, total) or last > head.seq or not is_spelled:
            wrong.append(head.scope)
    return wrong


def _is_spelled(row: Any) -> bool:
    """Return whether a row of a feed travels as what it is, escaped in whatever way JSON allows."""
    spelled = wire_row(row._mapping, row.wire_json)  # noqa: SLF001 - SQLAlchemy's name for a public thing
    return bool(row.wire_row == spelled or json.loads(row.wire_row or "null") == json.loads(spelled))


def _feed_in_order(connection: Connection, scope: str) -> Iterator[Any]:
    """Yield a feed's rows with their records' JSON; in pages, since a commune's may be large."""
    after = 0
    while page := connection.execute(_SPELLED, {"scope": scope, "after": after}).all():
        yield from page
        after = page[-1].seq


def wire_records(
    connection: Connection, record_type: str, record_ids: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Return replicated records of a type as they travel, by id; those that are gone are left out."""
    record, found = Record.__table__.c, {}
    for part in chunks(sorted(set(record_ids))):
        statement = select(record.record_id, record.wire_json).where(
            record.record_type == record_type, record.record_id.in_(part), record.wire_json.is_not(None)
        )
        found.update({record_id: json.loads(text) for record_id, text in connection.execute(statement)})
    return found
