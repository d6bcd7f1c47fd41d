"""The choke point: every change of state happens inside `run_change`.

A change buffers its writes, then writes them in bulk, adds its audit rows, and stamps the feeds
last, scopes in sorted order, so that commit order equals sequence order on both databases
(docs/protocol.md, "Feeds"). A change without an audit row is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    FromClause,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from server.audit.desk_journal import append_desk_records, mirror_desk_journal
from server.audit.models import AuditHead, AuditRow, StagedRecord
from server.audit.office_rows import OFFICE_CHANGED, OFFICE_TABLES, OfficeRows
from server.audit.staged import publish_batch, withdraw_batch
from server.audit.stamping import RecordChange, stamp_feeds
from server.bulk_rows import insert_missing, insert_rows
from server.database import DatabaseBusyError, DeadlockError, Seals, Transactions
from server.prepared import rows_of, write_rows
from sync.audit import audit_digest, audit_genesis, detail_text

_ATTEMPTS = 5
# What a change gathers, but for rows to insert and the office's own: those are copied in depth.
_BUFFERS = ("_updates", "_deletes", "_audits", "_desk_records", "_records")
# Writes what `json.dumps` would without blanks and escapes, ten times as fast.
_encode = msgspec.json.Encoder().encode
_Result = TypeVar("_Result")


class UnauditedChangeError(Exception):
    """A change wrote something and said nothing about it in the audit."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something. `chain` is installation:<id>, account:<id> or job:<name>."""

    chain: str
    worker_id: str | None = None


class Change:
    """One change of state in one transaction; see the module."""

    def __init__(
        self, connection: Connection, actor: Actor, now_ms: int, sealer: Seals | None = None
    ) -> None:
        self.connection = connection
        self.actor = actor
        self.now_ms = now_ms
        self._inserts: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._updates: list[tuple[Table, dict[str, Any], dict[str, Any]]] = []
        self._deletes: list[tuple[Table, dict[str, Any]]] = []
        self._audits: list[tuple[str, str, str]] = []
        self._desk_records: list[tuple[str, dict[str, Any]]] = []
        self._records: dict[tuple[str, str], RecordChange] = {}
        self._sealer = sealer
        self._office_rows = OfficeRows()
        self._batch: str | None = None
        self._published: list[str] = []
        self._withdrawn: list[str] = []

    def insert(self, table: FromClause, **row: Any) -> None:
        """Insert a row when the change is written. Rows of one table name the same columns."""
        self.insert_row(table, row)

    def insert_row(self, table: FromClause, row: dict[str, Any]) -> None:
        """Insert a row that is given as a dict; the change keeps it as it is."""
        assert isinstance(table, Table)
        self._inserts[table].append(row)
        if table.name in OFFICE_TABLES:
            self._office_rows.note("put", table, {}, row)

    def insert_all(self, table: FromClause, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows that are given as dicts; the change keeps them as they are."""
        assert isinstance(table, Table)
        assert table.name not in OFFICE_TABLES, "what the office sets up is noted row by row"
        self._inserts[table].extend(rows)

    def update(self, table: FromClause, key: Mapping[str, Any], **values: Any) -> None:
        """Set `values` on the rows where every column of `key` has its value, after the inserts."""
        assert isinstance(table, Table)
        self._updates.append((table, dict(key), values))
        self._office_rows.note("set", table, key, values)

    def delete(self, table: FromClause, key: Mapping[str, Any]) -> None:
        """Delete the rows where every column of `key` has its value, before the inserts."""
        assert isinstance(table, Table)
        self._deletes.append((table, dict(key)))
        self._office_rows.note("drop", table, key, {})

    def audit(self, action: str, subject: str, **detail: Any) -> None:
        """Add a row to the actor's audit chain. `detail` never holds personal data."""
        self._audits.append((action, subject, detail_text(detail)))

    def desk(self, kind: str, **content: Any) -> None:
        """Write what no tablet can bring back into the desk journal too; no personal data in the clear."""
        self._desk_records.append((kind, content))

    @property
    def has_desk_records(self) -> bool:
        """Return whether the desk journal's file has to follow before anyone is answered."""
        return bool(self._desk_records)

    def put_record(
        self, record_type: str, record_id: str, wire: Mapping[str, Any], scopes: Iterable[str]
    ) -> None:
        """Let a replicated record have this state, in exactly these scopes."""
        text = _encode(wire).decode("utf-8")
        if self._batch is not None:
            [scope] = scopes
            row = {"record_type": record_type, "record_id": record_id, "batch": self._batch, "scope": scope}
            self.insert_row(StagedRecord.__table__, row)
            scopes = ()
        self._records[record_type, record_id] = RecordChange(text, frozenset(scopes))

    def stage(self, batch: str) -> None:
        """Let the records put from now on be new ones of `batch`: in no feed until it is published."""
        self._batch = batch

    def publish(self, batch: str) -> None:
        """Let every record of `batch` come into its feed, all at once, when the change is written."""
        self._published.append(batch)

    def withdraw(self, batch: str) -> None:
        """Take every record of `batch` out of its feed and out of the world, all at once."""
        self._withdrawn.append(batch)

    def remove_record(self, record_type: str, record_id: str) -> None:
        """Take a replicated record out of every scope."""
        self._records[record_type, record_id] = RecordChange(None, frozenset())

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let all that is done inside be undone, here and in the database, where it raises."""
        kept: dict[str, Any] = {name: copy(getattr(self, name)) for name in _BUFFERS}
        inserts = {table: list(rows) for table, rows in self._inserts.items()}
        office_rows = copy(self._office_rows)
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            for name, value in kept.items():
                setattr(self, name, value)
            self._inserts.clear()
            self._inserts.update(inserts)
            self._office_rows = office_rows
            raise

    def flush(self) -> None:
        """Write what is buffered, so that later reads of this change see it."""
        for (table, names), keys in self._delete_groups().items():
            write_rows(self.connection, _delete_statement(table, names), keys)
        # No table refers to another, so any order will do that is the same for everybody.
        for table in sorted(self._inserts, key=attrgetter("name")):
            insert_rows(self.connection, table, self._inserts[table])
        for (table, names, set_names), rows in self._update_groups().items():
            write_rows(self.connection, _update_statement(table, names, set_names), rows)
        self._inserts.clear()
        self._deletes, self._updates = [], []

    def finish(self) -> None:
        """Write everything: buffered rows, audit rows, desk records, then the feeds."""
        self.flush()
        if not self._audits:
            raise UnauditedChangeError(self.actor.chain)
        self._append_audit_rows()
        office_rows = None
        if self._sealer is not None:
            office_rows = self._office_rows.content(self._records, self._sealer)
        if office_rows is not None:
            self._desk_records.append((OFFICE_CHANGED, office_rows))
        if self._desk_records:
            append_desk_records(self.connection, self.now_ms, self.actor.chain, self._desk_records)
        stamp_feeds(self.connection, self._records)
        for batch in self._published:
            publish_batch(self.connection, batch)
        for batch in self._withdrawn:
            withdraw_batch(self.connection, batch)

    def _delete_groups(self) -> dict[tuple[Table, tuple[str, ...]], list[dict[str, Any]]]:
        groups: dict[tuple[Table, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
        for table, key in self._deletes:
            groups[table, tuple(key)].append({f"key_{name}": value for name, value in key.items()})
        return groups

    def _update_groups(self) -> dict[tuple[Table, tuple[str, ...], tuple[str, ...]], list[dict[str, Any]]]:
        groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for table, key, values in self._updates:
            row = {f"key_{name}": value for name, value in key.items()}
            row |= {f"new_{name}": value for name, value in values.items()}
            groups[table, tuple(key), tuple(values)].append(row)
        return groups

    def _append_audit_rows(self) -> None:
        chain, heads = self.actor.chain, AuditHead.__table__
        genesis = {"chain": chain, "seq": 0, "digest": audit_genesis(chain)}
        insert_missing(self.connection, heads, [genesis], ["chain"])
        (found,) = rows_of(self.connection, _LOCKED_HEAD, {"chain": chain})
        seq, digest, rows = found.seq, found.digest, []
        for action, subject, detail in self._audits:
            seq += 1
            digest = audit_digest(digest, seq, self.now_ms, action, subject, detail)
            rows.append(
                {
                    "chain": chain,
                    "seq": seq,
                    "at_ms": self.now_ms,
                    "action": action,
                    "subject": subject,
                    "detail": detail,
                    "digest": digest,
                }
            )
        insert_rows(self.connection, AuditRow.__table__, rows)
        moved = {"key_chain": chain, "new_seq": seq, "new_digest": digest}
        assert isinstance(heads, Table)
        write_rows(self.connection, _update_statement(heads, ("chain",), ("seq", "digest")), [moved])


# Statements are built once for each shape: to build one costs more than to run it.
_LOCKED_HEAD = (
    select(AuditHead.seq, AuditHead.digest).where(AuditHead.chain == bindparam("chain")).with_for_update()
)


@cache
def _update_statement(table: Table, key_names: tuple[str, ...], value_names: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in value_names}
    return update(table).where(_has_key(table, key_names)).values(values)


@cache
def _delete_statement(table: Table, key_names: tuple[str, ...]) -> Delete:
    return delete(table).where(_has_key(table, key_names))


def _has_key(table: Table, names: tuple[str, ...]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == bindparam(f"key_{name}") for name in names))


def run_change(
    transactions: Transactions, actor: Actor, now_ms: int, work: Callable[[Change], _Result]
) -> _Result:
    """Run `work` as one change and commit it. On a deadlock decides again, 5 times at most.

    On a key that is taken it decides again once: on PostgreSQL another change may have put the
    same thing since `work` looked. `work` may run several times and must have no effect but
    through the change. Raises DatabaseBusyError or StorageFullError; then nothing is stored, but
    where the desk journal's file alone could not follow: that is made good by the next change.
    """
    is_key_taken = False
    for _attempt in range(_ATTEMPTS):
        try:
            with transactions.writing() as connection:
                change = Change(connection, actor, now_ms, transactions.sealer)
                result = work(change)
                change.finish()
            if change.has_desk_records:
                mirror_desk_journal(transactions)
            return result
        except DeadlockError:
            continue
        except IntegrityError:
            if is_key_taken:
                raise
            is_key_taken = True
    raise DatabaseBusyError
