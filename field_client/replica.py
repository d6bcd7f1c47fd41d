"""The pulled side: rows of the granted scopes, their cursors, counts and sums.

A record leaves when no held scope lists it, and only while all scopes stand at their heads: then
a record that moved between two scopes is never missing in between.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from field_client.store import Store
from sync.feed import EMPTY_SUM, sum_changed
from sync.pull import Grant


@dataclass(frozen=True, slots=True)
class Held:
    """Where the device stands in one scope, and what it holds there."""

    scope: str
    epoch: int
    seq: int
    row_count: int
    row_sum: str

    def as_wire(self) -> dict[str, Any]:
        """Return the cursor as a member of a pull's `have`."""
        return {
            "scope": self.scope,
            "epoch": self.epoch,
            "seq": self.seq,
            "count": self.row_count,
            "sum": self.row_sum,
        }


class Replica:
    """The pulled rows of one store. Writing methods belong inside the transaction of one reply."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def cursors(self) -> dict[str, Held]:
        """Return every cursor by scope."""
        rows = self._store.connection.execute(
            "SELECT scope, epoch, seq, row_count, row_sum FROM cursor ORDER BY scope"
        )
        return {row[0]: Held(*row) for row in rows}

    def record(self, record_type: str, record_id: str) -> dict[str, Any] | None:
        """Return the pulled state of a record, or None."""
        found = self._store.connection.execute(
            "SELECT sealed FROM record WHERE record_type = ? AND record_id = ?", (record_type, record_id)
        ).fetchone()
        return None if found is None else self._opened(record_type, record_id, found[0])

    def records(self, record_type: str) -> dict[str, dict[str, Any]]:
        """Return every pulled record of a type by id."""
        rows = self._store.connection.execute(
            "SELECT record_id, sealed FROM record WHERE record_type = ? ORDER BY record_id", (record_type,)
        )
        return {record_id: self._opened(record_type, record_id, sealed) for record_id, sealed in rows}

    def apply(
        self, grants: Sequence[Grant], rows: Sequence[Mapping[str, Any]], afresh: Collection[str] = ()
    ) -> None:
        """Apply one page of a pull, in the order it came; scopes of `afresh` come from 0."""
        held = self.cursors()
        for grant in grants:
            cursor = held.get(grant.scope)
            is_void = cursor is None or cursor.epoch != grant.epoch or cursor.seq > grant.head
            if is_void or grant.scope in afresh:
                # The server reads this scope from its beginning, so what was held of it is void.
                held[grant.scope] = Held(grant.scope, grant.epoch, 0, 0, EMPTY_SUM)
                self._store.connection.execute("DELETE FROM listed WHERE scope = ?", (grant.scope,))
        granted = {grant.scope for grant in grants}
        for row in rows:
            if row["scope"] in granted:
                held[row["scope"]] = self._apply_row(held[row["scope"]], row)
        if not rows:
            # Nothing is left to read: a head whose last rows have moved on is reached all the same.
            heads = {grant.scope: grant.head for grant in grants}
            for scope, head in heads.items():
                old = held[scope]
                held[scope] = Held(scope, old.epoch, head, old.row_count, old.row_sum)
        self._store.connection.executemany(
            "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?, ?)",
            [
                (cursor.scope, cursor.epoch, cursor.seq, cursor.row_count, cursor.row_sum)
                for cursor in held.values()
            ],
        )

    def is_at_heads(self, grants: Iterable[Grant]) -> bool:
        """Return whether every granted scope stands at its head."""
        held = self.cursors()
        stands = {scope: (cursor.epoch, cursor.seq) for scope, cursor in held.items()}
        return all(stands.get(grant.scope) == (grant.epoch, grant.head) for grant in grants)

    def settle(
        self,
        grants: Sequence[Grant],
        now_ms: int,
        refetched: Collection[str] = (),
        *,
        keeps_everything: bool = False,
    ) -> list[str]:
        """At the heads: drop what is no longer granted, let unlisted records leave, compare sums.

        `keeps_everything`: the office recovers from a restore, and may only have forgotten them.
        Returns the scopes whose count or sum differs from the server's; each is an incident, of
        another kind where it differs though it was `refetched`.
        """
        connection, held = self._store.connection, self.cursors()
        granted = {grant.scope: grant for grant in grants}
        if not keeps_everything:
            for scope in held.keys() - granted.keys():
                connection.execute("DELETE FROM listed WHERE scope = ?", (scope,))
                connection.execute("DELETE FROM cursor WHERE scope = ?", (scope,))
            connection.execute(
                "DELETE FROM record WHERE NOT EXISTS (SELECT 1 FROM listed WHERE "
                "listed.record_type = record.record_type AND listed.record_id = record.record_id)"
            )
        differing = [
            scope
            for scope, grant in granted.items()
            if (held[scope].row_count, held[scope].row_sum) != (grant.count, grant.sum)
        ]
        connection.executemany(
            "INSERT INTO incident (at_ms, kind, scope) VALUES (?, ?, ?)",
            [
                (now_ms, "sum_mismatch_again" if scope in refetched else "sum_mismatch", scope)
                for scope in differing
            ],
        )
        return differing

    def _apply_row(self, cursor: Held, row: Mapping[str, Any]) -> Held:
        connection = self._store.connection
        key = (row["scope"], row["type"], row["id"])
        found = connection.execute(
            "SELECT row_hash FROM listed WHERE scope = ? AND record_type = ? AND record_id = ?", key
        ).fetchone()
        removed = [] if found is None else [found[0]]
        added = []
        if row["op"] == "put" and row["record"] is not None:
            added = [row["row_hash"]]
            connection.execute("INSERT OR REPLACE INTO listed VALUES (?, ?, ?, ?)", (*key, row["row_hash"]))
            self._put_record(row)
        elif removed:
            connection.execute(
                "DELETE FROM listed WHERE scope = ? AND record_type = ? AND record_id = ?", key
            )
        return Held(
            cursor.scope,
            cursor.epoch,
            max(cursor.seq, row["seq"]),
            cursor.row_count + len(added) - len(removed),
            sum_changed(cursor.row_sum, added=added, removed=removed),
        )

    def _put_record(self, row: Mapping[str, Any]) -> None:
        place = f"{row['type']}|{row['id']}"
        sealed = self._store.sealer.seal(
            json.dumps(row["record"], ensure_ascii=False), "record.sealed", place
        )
        self._store.connection.execute(
            "INSERT INTO record VALUES (?, ?, ?, ?) ON CONFLICT (record_type, record_id) "
            "DO UPDATE SET version = excluded.version, sealed = excluded.sealed",
            (row["type"], row["id"], row["version"], sealed),
        )

    def _opened(self, record_type: str, record_id: str, sealed: bytes) -> dict[str, Any]:
        text = self._store.sealer.open(sealed, "record.sealed", f"{record_type}|{record_id}")
        record: dict[str, Any] = json.loads(text)
        return record
