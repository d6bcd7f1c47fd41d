"""The journal: every fact is appended in one transaction, before anyone says that it was saved.

An entry's bytes are fixed here for ever. They are stored once and placed in a journal by position,
so that enrolling again carries them over unchanged. Limits bind here, so that nothing captured can
be too big to send; `append_raw` leaves the checks out for tests and the demo's planted faults.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from field_client.identity import Identities, Identity
from field_client.store import Store
from field_client.touches import touched_records
from schemas.catalogue import KINDS, load_body
from schemas.reading import read_known
from sync.clock import Clock
from sync.codes import EntryCode
from sync.entry import Fault, UnreadableEntry, read_entry
from sync.journal import entry_sha256, genesis_digest, next_digest
from sync.limits import LIMITS
from sync.ports import IdSource
from sync.push import Hole, JournalHead


class CaptureRefusedError(Exception):
    """What was to be recorded breaks a rule of its kind; nothing was written."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.field or '-'}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Appended:
    """An entry that is in the journal."""

    entry_id: str
    seq: int
    raw: str
    local_id: int


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """An entry of this device as stored; `state` is what has become of it, None before a verdict.

    `raw` is its exact bytes, or what is kept of them where it `is_purged`.
    """

    local_id: int
    entry_id: str
    kind: str
    sha256: str
    raw: str
    captured_ms: int
    acked: bool
    reflected: bool
    state: str | None
    code: str | None
    field: str | None
    flags: tuple[str, ...]
    is_purged: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """Return the entry's body; empty when it is no object."""
        try:
            body = json.loads(self.raw)["body"]
        except (ValueError, KeyError, TypeError):
            return {}
        return body if isinstance(body, dict) else {}


@dataclass(frozen=True, slots=True)
class Batch:
    """A run of consecutive entries, and the head of the journal as it was read with them.

    `hole` is what was purged before the run; the run ends before the next purged entry.
    """

    head: JournalHead
    first_seq: int
    previous_digest: str
    entries: list[str]
    hole: Hole | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to push."""
        return not self.entries and self.hole is None

    @property
    def from_seq(self) -> int:
        """Return the first position that a push of it speaks for, purged or not."""
        return self.first_seq if self.hole is None else self.hole.from_seq

    @property
    def last_seq(self) -> int:
        """Return the position of the last entry; first_seq - 1 when there is none."""
        return self.first_seq + len(self.entries) - 1


_COLUMNS = (
    "entry.local_id, entry.entry_id, entry.kind, entry.sha256, entry.sealed, entry.captured_ms, "
    "entry.acked_ms, entry.reflected, entry.purged_ms, entry.state, entry.code, entry.field, entry.flags"
)


class Outbox:
    """The journal of the current installation."""

    def __init__(self, store: Store, identities: Identities, clock: Clock, ids: IdSource, boot: str) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self._ids = ids
        self.boot = boot

    def append(self, kind: str, body: Mapping[str, Any], entry_id: str | None = None) -> Appended:
        """Append a fact after checking it against its kind. Raises CaptureRefusedError."""
        raw, entry_id, wall_ms = self._raw(kind, body, entry_id)
        usual = read_known(raw, LIMITS)
        if usual is not None:
            return self._write(kind, entry_id, raw, wall_ms, usual[0].body)
        parsed = read_entry(raw, LIMITS)
        if isinstance(parsed, UnreadableEntry):
            raise CaptureRefusedError(parsed.fault)
        known = KINDS.get(kind)
        if known is None:
            raise CaptureRefusedError(Fault(EntryCode.KIND_UNKNOWN, "kind"))
        loaded = load_body(known, parsed.body)
        if isinstance(loaded, Fault):
            raise CaptureRefusedError(loaded)
        return self._write(kind, entry_id, raw, wall_ms, parsed.body)

    def append_raw(self, kind: str, body: Mapping[str, Any], entry_id: str | None = None) -> Appended:
        """Append a fact without checking its body, for tests and planted faults."""
        raw, entry_id, wall_ms = self._raw(kind, body, entry_id)
        return self._write(kind, entry_id, raw, wall_ms, body)

    def append_text(self, raw: str) -> Appended:
        """Append any text as an entry, for tests and planted faults."""
        return self._write("?", self._ids.new_id(), raw, self._clock.now_ms(), {})

    def head(self) -> JournalHead:
        """Return the last position of the journal and the digest there."""
        return self._head(self._identities.current())

    def digest_at(self, installation: str, seq: int) -> str | None:
        """Return the chain digest at `seq` of an installation's journal, None past its head."""
        if seq == 0:
            return genesis_digest(installation)
        found = self._store.connection.execute(
            "SELECT digest FROM journal WHERE installation_id = ? AND seq = ?", (installation, seq)
        ).fetchone()
        return None if found is None else str(found[0])

    def batch(self, installation: str, first_seq: int, most_entries: int, most_bytes: int) -> Batch:
        """Return the run from `first_seq`, as much of it as fits; one entry always does.

        Entries that are purged there are declared as a hole, and the run begins behind it.
        """
        with self._store.snapshot() as connection:
            head = self._head(self._identities.current())
            start = self._first_unpurged(installation, first_seq, head.seq)
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM journal JOIN entry USING (local_id) "  # noqa: S608 - constant
                "WHERE installation_id = ? AND seq >= ? ORDER BY seq LIMIT ?",
                (installation, start, most_entries),
            ).fetchall()
            previous = self.digest_at(installation, start - 1) or genesis_digest(installation)
        hole = None if start == first_seq else Hole(first_seq, start - 1, previous)
        entries: list[str] = []
        used_bytes = 0
        for row in rows:
            entry = self._own(row)
            if entry.is_purged:
                break
            raw = entry.raw
            used_bytes += len(json.dumps(raw, ensure_ascii=False).encode("utf-8")) + 1
            if entries and used_bytes > most_bytes:
                break
            entries.append(raw)
        return Batch(head, start, previous, entries, hole)

    def _first_unpurged(self, installation: str, first_seq: int, head_seq: int) -> int:
        """Return the first position from `first_seq` that still has its bytes, or the one after the head."""
        found = self._store.connection.execute(
            "SELECT seq FROM journal JOIN entry USING (local_id) "
            "WHERE installation_id = ? AND seq >= ? AND purged_ms IS NULL ORDER BY seq LIMIT 1",
            (installation, first_seq),
        ).fetchone()
        return max(head_seq + 1, first_seq) if found is None else int(found[0])

    def entry(self, entry_id: str) -> OwnEntry | None:
        """Return the newest own entry with this id, or None."""
        rows = self._select("WHERE entry_id = ? ORDER BY local_id DESC LIMIT 1", entry_id)
        return rows[0] if rows else None

    def entries_touching(self, record_type: str, record_id: str) -> list[OwnEntry]:
        """Return the own entries about a record, oldest first."""
        return self._select(
            "JOIN touch USING (local_id) WHERE record_type = ? AND record_id = ? ORDER BY entry.local_id",
            record_type,
            record_id,
        )

    def entries_of_kind(self, kind: str) -> list[OwnEntry]:
        """Return all own entries of a kind, oldest first."""
        return self._select("WHERE kind = ? ORDER BY local_id", kind)

    def entries_in_state(self, state: str) -> list[OwnEntry]:
        """Return the own entries that are `state` by now, oldest first."""
        return self._select("WHERE state = ? ORDER BY local_id", state)

    def unsent_count(self) -> int:
        """Return how many entries of the current journal the server has not acknowledged."""
        identity = self._identities.current()
        return self._head(identity).seq - self._identities.standing(identity.installation).acked_seq

    def _raw(self, kind: str, body: Mapping[str, Any], entry_id: str | None) -> tuple[str, str, int]:
        entry_id = entry_id or self._ids.new_id()
        wall_ms = self._clock.now_ms()
        captured = {"wall_ms": wall_ms, "boot": self.boot, "monotonic_ms": self._clock.monotonic_ms()}
        content = {"id": entry_id, "kind": kind, "captured": captured, "body": body}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")), entry_id, wall_ms

    def _write(self, kind: str, entry_id: str, raw: str, wall_ms: int, body: Mapping[str, Any]) -> Appended:
        try:
            sha256 = entry_sha256(raw)
        except UnicodeEncodeError as error:
            raise CaptureRefusedError(Fault(EntryCode.FIELD_INVALID, "body")) from error
        sealed = self._store.sealer.seal(raw, "entry.sealed", sha256)
        with self._store.transaction() as connection:
            identity = self._identities.recording()
            head = self._head(identity)
            local_id = connection.execute(
                "INSERT INTO entry (entry_id, kind, sha256, captured_ms, sealed) VALUES (?, ?, ?, ?, ?)",
                (entry_id, kind, sha256, wall_ms, sealed),
            ).lastrowid
            assert local_id is not None
            digest = next_digest(head.digest, sha256)
            connection.execute(
                "INSERT INTO journal (installation_id, seq, local_id, digest) VALUES (?, ?, ?, ?)",
                (identity.installation, head.seq + 1, local_id, digest),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO touch VALUES (?, ?, ?)",
                [(*record, local_id) for record in touched_records(kind, entry_id, body)],
            )
        return Appended(entry_id, head.seq + 1, raw, local_id)

    def _head(self, identity: Identity) -> JournalHead:
        found = self._store.connection.execute(
            "SELECT seq, digest FROM journal WHERE installation_id = ? ORDER BY seq DESC LIMIT 1",
            (identity.installation,),
        ).fetchone()
        return JournalHead(0, identity.genesis) if found is None else JournalHead(found[0], found[1])

    def _select(self, condition: str, *values: Any) -> list[OwnEntry]:
        statement = f"SELECT {_COLUMNS} FROM entry {condition}"  # noqa: S608 - conditions are constants
        return [self._own(row) for row in self._store.connection.execute(statement, values)]

    def _own(self, row: tuple[Any, ...]) -> OwnEntry:
        local_id, entry_id, kind, sha256, sealed, captured_ms, acked_ms, reflected, purged_ms, *outcome = row
        state, code, field, flags = outcome
        raw = self._store.sealer.open(sealed, "entry.sealed", sha256)
        return OwnEntry(
            local_id,
            entry_id,
            kind,
            sha256,
            raw,
            captured_ms,
            acked_ms is not None,
            bool(reflected),
            state,
            code,
            field,
            tuple(json.loads(flags)) if flags else (),
            purged_ms is not None,
        )
