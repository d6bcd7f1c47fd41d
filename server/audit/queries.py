"""Reads of the feeds and of the audit chains."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, and_, func, select, tuple_

from server.audit.models import (
    AuditHead,
    AuditRow,
    DeskRecord,
    FeedRow,
    OfficeState,
    Record,
    ScopeHead,
)
from server.database import chunks
from sync.audit import audit_digest, audit_genesis
from sync.feed import EMPTY_SUM, sum_changed
from sync.pull import Grant

FIRST_EPOCH = 1
# Names of the office's single values; the second one says since when a restored office recovers.
EPOCH, RECOVERING = "epoch", "recovering"


def current_epoch(connection: Connection) -> int:
    """Return the office's epoch; restores start new ones."""
    value = _office_value(connection, EPOCH)
    return FIRST_EPOCH if value is None else int(value)


def is_recovering(connection: Connection) -> bool:
    """Return whether the office was restored from a backup and devices have yet to push again."""
    return recovering_since(connection) is not None


def recovering_since(connection: Connection) -> int | None:
    """Return when the office was restored, in Unix milliseconds; None once its recovery is closed."""
    value = _office_value(connection, RECOVERING)
    return None if value is None else int(value)


def _office_value(connection: Connection, name: str) -> str | None:
    state = OfficeState.__table__
    return connection.scalar(select(state.c.value).where(state.c.name == name))


def scope_heads(connection: Connection, scopes: Iterable[str]) -> dict[str, Grant]:
    """Return the head, count and sum of each scope that has any row."""
    head, found = ScopeHead.__table__.c, {}
    for part in chunks(scopes):
        rows = connection.execute(
            select(head.scope, head.epoch, head.seq, head.row_count, head.row_sum).where(head.scope.in_(part))
        )
        found.update({row.scope: Grant(*row) for row in rows})
    return found


def feed_rows(
    connection: Connection, scope: str, after: int, limit: int
) -> list[tuple[int, str, str, int, str, str, str | None]]:
    """Return the feed after a cursor: (seq, type, id, version, op, row hash, wire JSON)."""
    feed, record = FeedRow.__table__, Record.__table__
    statement = (
        select(
            feed.c.seq,
            feed.c.record_type,
            feed.c.record_id,
            feed.c.version,
            feed.c.op,
            feed.c.row_hash,
            record.c.wire_json,
        )
        .join(
            record,
            and_(record.c.record_type == feed.c.record_type, record.c.record_id == feed.c.record_id),
        )
        .where(feed.c.scope == scope, feed.c.seq > after)
        .order_by(feed.c.seq)
        .limit(limit)
    )
    return [tuple(row) for row in connection.execute(statement).all()]


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
    """Return the scopes whose head, count or sum is not that of their rows."""
    feed = FeedRow.__table__
    wrong = []
    for head in connection.execute(ScopeHead.__table__.select().order_by(ScopeHead.scope)).all():
        rows = connection.execute(
            select(feed.c.seq, feed.c.op, feed.c.row_hash).where(feed.c.scope == head.scope)
        ).all()
        live = [row.row_hash for row in rows if row.op == "put"]
        total = sum_changed(EMPTY_SUM, added=live)
        last = max((row.seq for row in rows), default=0)
        if (head.row_count, head.row_sum) != (len(live), total) or last > head.seq:
            wrong.append(head.scope)
    return wrong


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
