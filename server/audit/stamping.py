"""Stamping of feeds: the last step of every change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, select, update

from server.audit.models import FeedRow, Record, ScopeHead
from server.audit.queries import current_epoch
from server.audit.wire_rows import wire_row
from server.bulk_rows import among, insert_missing, insert_rows, rows_among, upsert
from server.prepared import write_rows
from sync.feed import EMPTY_SUM, row_hash, sum_changed


class RecordChange(Struct, frozen=True, gc=False):
    """What a change makes of a record: its wire JSON (None: it is gone) and its scopes."""

    wire_json: str | None
    scopes: frozenset[str]


_Key = tuple[str, str]
_RECORD, _FEED, _HEAD = Record.__table__.c, FeedRow.__table__.c, ScopeHead.__table__.c
# Statements of every change are built once: to build one costs more than to run it.
_LOCKED_RECORDS = (
    select(_RECORD.record_id, _RECORD.version, _RECORD.wire_json)
    .where(_RECORD.record_type == bindparam("record_type"), among(_RECORD.record_id))
    .order_by(_RECORD.record_id)
    .with_for_update()
)
_LISTED = select(_FEED.scope, _FEED.record_id, _FEED.op, _FEED.row_hash).where(
    _FEED.record_type == bindparam("record_type"), among(_FEED.record_id)
)
_LOCKED_HEADS = select(ScopeHead.__table__).where(among(_HEAD.scope)).order_by(_HEAD.scope).with_for_update()
_MOVED: dict[str, Any] = {
    "seq": bindparam("new_seq"),
    "row_count": bindparam("new_count"),
    "row_sum": bindparam("new_sum"),
}
_MOVED_HEAD = update(ScopeHead).where(_HEAD.scope == bindparam("of_scope")).values(_MOVED)


def stamp_feeds(connection: Connection, changes: Mapping[_Key, RecordChange]) -> None:
    """Store new states of records and stamp them into their scopes, scopes in sorted order.

    A record that stays as it was, in the scopes it was in, is not stamped again.
    """
    if not changes:
        return
    records, listed = _present(connection, changes)
    stamps: dict[str, list[dict[str, Any]]] = defaultdict(list)
    gone: dict[str, list[str]] = defaultdict(list)
    came: dict[str, list[str]] = defaultdict(list)
    states: list[dict[str, Any]] = []
    first_states: list[dict[str, Any]] = []
    for key in sorted(changes):
        change, old = changes[key], records.get(key)
        live: dict[str, str] = {}
        if old is not None:
            live = {scope: hash_ for scope, (op, hash_) in listed[key].items() if op == "put"}
        if old is not None and old[1] == change.wire_json and set(live) == change.scopes:
            continue
        version = 1 if old is None else old[0] + 1
        fresh = row_hash(*key, version, change.wire_json) if change.wire_json is not None else ""
        (first_states if old is None else states).append(_record_row(key, version, change.wire_json, fresh))
        for scope in change.scopes:
            stamps[scope].append(_feed_row(scope, key, version, "put", fresh))
            came[scope].append(fresh)
        for scope, hash_ in live.items():
            gone[scope].append(hash_)
            if scope not in change.scopes:
                stamps[scope].append(_feed_row(scope, key, version, "remove", ""))
    # A record that two changes make at once breaks the key; the second one decides again.
    insert_rows(connection, Record.__table__, first_states)
    upsert(connection, Record.__table__, states, ["record_type", "record_id"])
    _advance_heads(connection, stamps, came, gone)
    # What is stamped for the first time is in no feed yet.
    first_keys = {(row["record_type"], row["record_id"]) for row in first_states}
    first_rows: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for scope in sorted(stamps):
        for row in stamps[scope]:
            key = row["record_type"], row["record_id"]
            row["wire_row"] = wire_row(row, changes[key].wire_json)
            (first_rows if key in first_keys else rows).append(row)
    insert_rows(connection, FeedRow.__table__, first_rows)
    upsert(connection, FeedRow.__table__, rows, ["scope", "record_type", "record_id"])


def _present(
    connection: Connection, changes: Mapping[_Key, RecordChange]
) -> tuple[dict[_Key, tuple[int, str | None]], dict[_Key, dict[str, tuple[str, str]]]]:
    ids_of: dict[str, list[str]] = defaultdict(list)
    for record_type, record_id in changes:
        ids_of[record_type].append(record_id)
    records: dict[_Key, tuple[int, str | None]] = {}
    listed: dict[_Key, dict[str, tuple[str, str]]] = defaultdict(dict)
    for record_type, ids in sorted(ids_of.items()):
        # Locked before the feed is read: what another change stamps meanwhile would miss in the sums.
        found = rows_among(connection, _LOCKED_RECORDS, ids, record_type=record_type)
        for record_id, version, wire_json in found:
            records[record_type, record_id] = (version, wire_json)
        known = [record_id for record_id, _, _ in found]
        for scope, record_id, op, hash_ in rows_among(connection, _LISTED, known, record_type=record_type):
            listed[record_type, record_id][scope] = (op, hash_)
    return records, listed


def _record_row(key: _Key, version: int, wire_json: str | None, hash_: str) -> dict[str, Any]:
    return {
        "record_type": key[0],
        "record_id": key[1],
        "version": version,
        "wire_json": wire_json,
        "row_hash": hash_,
    }


def _feed_row(scope: str, key: _Key, version: int, op: str, hash_: str) -> dict[str, Any]:
    return {
        "scope": scope,
        "record_type": key[0],
        "record_id": key[1],
        "version": version,
        "op": op,
        "row_hash": hash_,
    }


def _advance_heads(
    connection: Connection,
    stamps: Mapping[str, list[dict[str, Any]]],
    came: Mapping[str, list[str]],
    gone: Mapping[str, list[str]],
) -> None:
    """Lock the heads in sorted order and give every stamped row its sequence number."""
    scopes = sorted(stamps)
    if not scopes:
        return
    epoch = current_epoch(connection)
    blank = {"epoch": epoch, "seq": 0, "row_count": 0, "row_sum": EMPTY_SUM}
    insert_missing(
        connection, ScopeHead.__table__, [{"scope": scope, **blank} for scope in scopes], ["scope"]
    )
    found = {row.scope: row for row in rows_among(connection, _LOCKED_HEADS, scopes)}
    fresh = []
    for scope in scopes:
        head = found[scope]
        for position, row in enumerate(stamps[scope], start=1):
            row["seq"] = head.seq + position
        fresh.append(
            {
                "of_scope": scope,
                "new_seq": head.seq + len(stamps[scope]),
                "new_count": head.row_count + len(came[scope]) - len(gone[scope]),
                "new_sum": sum_changed(head.row_sum, added=came[scope], removed=gone[scope]),
            }
        )
    write_rows(connection, _MOVED_HEAD, fresh)
