"""Batches of records that become visible, or vanish, all at once.

What is new in a batch is written down beforehand, in as many changes as it takes; no feed lists it, so
no pull and no page shows it. Publishing then writes one feed row a record in one statement, which is
what keeps the write lock short however long the batch took (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from server.audit.models import FeedRow, Record, ScopeHead, StagedRecord
from server.audit.queries import current_epoch
from server.bulk_rows import insert_missing
from sync.feed import EMPTY_SUM, sum_changed

_STAGED, _RECORD = StagedRecord.__table__.c, Record.__table__.c
_FEED, _HEAD = FeedRow.__table__.c, ScopeHead.__table__.c
_IS_RECORD = and_(_RECORD.record_type == _STAGED.record_type, _RECORD.record_id == _STAGED.record_id)


def staged_ids(batch: str, record_type: str) -> Select[Any]:
    """Return the query of the ids of a batch's records of one type."""
    return select(_STAGED.record_id).where(_STAGED.batch == batch, _STAGED.record_type == record_type)


def is_anything_hidden(connection: Connection, scope: str) -> bool:
    """Return whether some batch that is not published yet holds records for `scope`."""
    listed = exists().where(_FEED.record_type == _STAGED.record_type, _FEED.record_id == _STAGED.record_id)
    hidden = select(literal(1)).where(
        _STAGED.scope == scope, ~listed, _IS_RECORD, _RECORD.wire_json.is_not(None)
    )
    return connection.execute(hidden.limit(1)).first() is not None


def publish_batch(connection: Connection, batch: str) -> None:
    """Give every record of the batch its row in the feed that it is for."""
    _lock_heads(connection, batch)
    numbered = (
        select(
            _STAGED.scope,
            _STAGED.record_type,
            _STAGED.record_id,
            (_HEAD.seq + _position()).label("seq"),
            _RECORD.version,
            literal("put").label("op"),
            _RECORD.row_hash,
            _RECORD.wire_json,
        )
        .join(Record.__table__, _IS_RECORD)
        .join(ScopeHead.__table__, _HEAD.scope == _STAGED.scope)
        .where(_STAGED.batch == batch)
        .subquery("numbered")
    ).c
    names = ["scope", "record_type", "record_id", "seq", "version", "op", "row_hash"]
    rows = select(*(numbered[name] for name in names), _spelled(numbered, numbered.wire_json))
    names.append("wire_row")
    came = _hashes(connection, batch)
    connection.execute(insert(FeedRow).from_select(names, rows))
    _advance_heads(connection, came, is_added=True)


def withdraw_batch(connection: Connection, batch: str) -> None:
    """Let every record of the batch be gone; where it was published, tablets hear it like any removal."""
    _lock_heads(connection, batch)
    listed = exists().where(
        _FEED.scope == _STAGED.scope,
        _FEED.record_type == _STAGED.record_type,
        _FEED.record_id == _STAGED.record_id,
    )
    if connection.scalar(select(literal(1)).where(_STAGED.batch == batch, listed).limit(1)) is not None:
        gone = _hashes(connection, batch)
        rows = (
            select(
                _STAGED.scope,
                _STAGED.record_type,
                _STAGED.record_id,
                (_HEAD.seq + _position()).label("fresh_seq"),
            )
            .join(ScopeHead.__table__, _HEAD.scope == _STAGED.scope)
            .where(_STAGED.batch == batch)
            .subquery("withdrawn")
        )
        gone_row = {
            "scope": _FEED.scope,
            "record_type": _FEED.record_type,
            "record_id": _FEED.record_id,
            "seq": rows.c.fresh_seq,
            "version": _FEED.version + 1,
            "op": literal("remove"),
            "row_hash": literal(""),
        }
        values: dict[str, Any] = {"seq": rows.c.fresh_seq, "version": _FEED.version + 1}
        connection.execute(
            update(FeedRow)
            .values(op="remove", row_hash="", wire_row=_spelled(gone_row, literal("null")), **values)
            .where(
                _FEED.scope == rows.c.scope,
                _FEED.record_type == rows.c.record_type,
                _FEED.record_id == rows.c.record_id,
            )
        )
        _advance_heads(connection, gone, is_added=False)
    of_batch = select(_STAGED.record_type, _STAGED.record_id).where(_STAGED.batch == batch)
    connection.execute(
        update(Record)
        .values(wire_json=None, row_hash="", version=_RECORD.version + 1)
        .where(tuple_(_RECORD.record_type, _RECORD.record_id).in_(of_batch))
    )


def _spelled(row: Any, record: Any) -> Any:
    """Return the expression of a feed row as it travels, as `wire_rows.wire_row` spells one.

    Scopes and ids of batches are keys of areas and UUIDs, which JSON never escapes.
    """
    spelled: Any = literal('{"scope":"') + row["scope"]
    for name, before in (
        ("seq", '","seq":'),
        ("record_type", ',"type":"'),
        ("record_id", '","id":"'),
        ("version", '","version":'),
        ("op", ',"op":"'),
        ("row_hash", '","row_hash":"'),
    ):
        spelled = spelled + literal(before) + cast(row[name], Text)
    return spelled + literal('","record":') + record + literal("}")


def _position() -> Any:
    return func.row_number().over(
        partition_by=_STAGED.scope, order_by=(_STAGED.record_type, _STAGED.record_id)
    )


def _hashes(connection: Connection, batch: str) -> dict[str, list[str]]:
    """Return the row hashes of the batch by scope."""
    query = (
        select(_STAGED.scope, _RECORD.row_hash)
        .join(Record.__table__, _IS_RECORD)
        .where(_STAGED.batch == batch)
        .order_by(_STAGED.scope)
    )
    found: Iterable[Any] = connection.execute(query)
    return {scope: [row[1] for row in rows] for scope, rows in groupby(found, itemgetter(0))}


def _lock_heads(connection: Connection, batch: str) -> None:
    query = select(_STAGED.scope).where(_STAGED.batch == batch).distinct().order_by(_STAGED.scope)
    scopes = list(connection.scalars(query))
    blank = {"epoch": current_epoch(connection), "seq": 0, "row_count": 0, "row_sum": EMPTY_SUM}
    insert_missing(
        connection, ScopeHead.__table__, [{"scope": scope, **blank} for scope in scopes], ["scope"]
    )
    connection.execute(
        select(_HEAD.scope).where(_HEAD.scope.in_(scopes)).order_by(_HEAD.scope).with_for_update()
    ).all()


def _advance_heads(connection: Connection, hashes: dict[str, list[str]], *, is_added: bool) -> None:
    for scope, changed in sorted(hashes.items()):
        head = connection.execute(select(ScopeHead.__table__).where(_HEAD.scope == scope)).one()
        added, removed = (changed, []) if is_added else ([], changed)
        connection.execute(
            update(ScopeHead)
            .where(_HEAD.scope == scope)
            .values(
                seq=head.seq + len(changed),
                row_count=head.row_count + len(added) - len(removed),
                row_sum=sum_changed(head.row_sum, added=added, removed=removed),
            )
        )
