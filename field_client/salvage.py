"""Reads what a damaged database still gives, and writes it into a fresh one.

Nothing is believed that does not prove itself: an entry counts where its sealed bytes open under
their own digest, an identity where it opens under its own id. SQLite is asked for rows from both
ends and one by one in between, because an unreadable page ends every scan that meets it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from field_client.identity import STORE_DAMAGED, Identities, Identity, identity_from_json
from field_client.sealing import RowSealer, SealBrokenError
from field_client.store import Store
from field_client.touches import touched_records
from schemas.receipt_token import ReceiptMalformedError, parse_receipt
from sync.journal import chain, entry_sha256, genesis_digest
from sync.verdict import Decision, OutcomeState

_PAGE_BYTES = 4096
_PAGES_AT = 28
# No row of the table is shorter, sealed as they are: so many there can be at most.
_ROW_BYTES_LEAST = 100
_STATES = {str(state) for state in (*Decision, *OutcomeState)}


@dataclass(frozen=True, slots=True)
class SavedEntry:
    """An entry whose bytes proved themselves, with what is known of its delivery."""

    local_id: int
    sha256: str
    raw: str
    sealed: bytes
    entry_id: str
    kind: str
    captured_ms: int
    acked_ms: int | None
    purged_ms: int | None
    state: str | None


@dataclass
class Salvage:
    """What could be read. `positions`: local id → position, of the current journal alone."""

    identity: Identity | None = None
    durable_seq: int = 0
    entries: dict[int, SavedEntry] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    elsewhere: set[int] = field(default_factory=set)
    head_seq: int = 0

    def carried(self) -> list[SavedEntry]:
        """Return what goes into the next journal, in order: all that the office may not keep durably."""
        return [
            entry
            for local_id, entry in sorted(self.entries.items())
            if entry.purged_ms is None and self._is_above_durable(local_id)
        ]

    def _is_above_durable(self, local_id: int) -> bool:
        seq = self.positions.get(local_id)
        return local_id not in self.elsewhere if seq is None else seq > self.durable_seq

    @property
    def missing(self) -> int:
        """Return how many entries above the durable mark there were, and cannot be read any more."""
        return max(self.head_seq - self.durable_seq - len(self.carried()), 0)


def read_damaged(database: Path, sealer: RowSealer, scratch: Path, sound: Path) -> Salvage:
    """Read a copy of `database`, made in `scratch`, so that the original stays as it is.

    Where its first page is beyond reading, the one of the `sound` empty store takes its place: the
    tables of every store begin on the same pages.
    """
    best = Salvage()
    for number, is_mended in enumerate((False, True)):
        copy = scratch / f"copy-{number}.sqlite3"
        shutil.copyfile(database, copy)
        wal = database.with_name(f"{database.name}-wal")
        if wal.exists():
            shutil.copyfile(wal, copy.with_name(f"{copy.name}-wal"))
        if is_mended:
            _mend_first_page(copy, sound)
        with suppress(sqlite3.Error), closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            # Lets SQLite go on where the file is shorter than it says.
            connection.execute("PRAGMA writable_schema=ON")
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            found = _read(connection, sealer, copy.stat().st_size)
            if len(found.entries) >= len(best.entries) or best.identity is None:
                found.identity = found.identity or best.identity
                best = found
        if best.identity is not None and best.entries:
            break
    return best


def _mend_first_page(copy: Path, sound: Path) -> None:
    page = bytearray(sound.read_bytes()[:_PAGE_BYTES])
    with copy.open("r+b") as file:
        pages = file.seek(0, 2) // _PAGE_BYTES
        page[_PAGES_AT : _PAGES_AT + 4] = pages.to_bytes(4, "big")
        file.seek(0)
        file.write(page)


def _read(connection: sqlite3.Connection, sealer: RowSealer, size_bytes: int) -> Salvage:
    found = Salvage()
    found.identity, found.durable_seq = _current(connection, sealer)
    current = None if found.identity is None else found.identity.installation
    for installation, seq, local_id in _from_both_ends(
        connection,
        "SELECT installation_id, seq, local_id FROM journal ORDER BY installation_id {0}, seq {0}",
    ):
        if type(seq) is not int or type(local_id) is not int:
            continue
        if installation == current:
            found.positions[local_id] = seq
            found.head_seq = max(found.head_seq, seq)
        else:
            found.elsewhere.add(local_id)
    found.elsewhere -= found.positions.keys()
    for row in _entry_rows(connection, size_bytes):
        entry = _proven(row, sealer)
        if entry is not None:
            found.entries[entry.local_id] = entry
    return found


def _current(connection: sqlite3.Connection, sealer: RowSealer) -> tuple[Identity | None, int]:
    """Return the installation that was in use and its durable mark, as the office signed it."""
    rows = _from_both_ends(
        connection, "SELECT id, sealed, last_ack FROM installation WHERE state = 'current' ORDER BY id {0}"
    )
    for installation, sealed, last_ack in rows:
        try:
            content = json.loads(sealer.open(sealed, "installation.sealed", installation))
        except (SealBrokenError, TypeError):
            continue
        durable_seq = 0
        with suppress(SealBrokenError, TypeError):
            statement = json.loads(sealer.open(last_ack, "installation.last_ack", installation))
            durable_seq = json.loads(statement["text"])["durable_seq"]
        return identity_from_json(installation, content), durable_seq
    return None, 0


def _from_both_ends(connection: sqlite3.Connection, statement: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows up to the first unreadable page, and then those from the end back to the last one."""
    for order in ("ASC", "DESC"):
        try:
            yield from connection.execute(statement.format(order))
        except sqlite3.Error:
            continue
        return


def _entry_rows(connection: sqlite3.Connection, size_bytes: int) -> Iterator[tuple[Any, ...]]:
    """Yield every readable row, those between two unreadable pages one by one."""
    columns = "local_id, sha256, sealed, entry_id, kind, captured_ms, acked_ms, purged_ms, state"
    seen: set[int] = set()
    for row in _from_both_ends(connection, f"SELECT {columns} FROM entry ORDER BY local_id {{0}}"):  # noqa: S608
        seen.add(row[0])
        yield row
    with suppress(sqlite3.Error):
        if len(seen) == connection.execute("SELECT count(*) FROM entry NOT INDEXED").fetchone()[0]:
            return
    for local_id in range(1, size_bytes // _ROW_BYTES_LEAST + 1):
        if local_id not in seen:
            with suppress(sqlite3.Error):
                yield from connection.execute(
                    f"SELECT {columns} FROM entry WHERE local_id = ?",  # noqa: S608 - constants
                    (local_id,),
                )


def _proven(row: tuple[Any, ...], sealer: RowSealer) -> SavedEntry | None:
    """Return the entry of a row whose sealed bytes open; what is not sealed is taken where it makes sense."""
    local_id, sha256, sealed, entry_id, kind, captured_ms, acked_ms, purged_ms, state = row
    try:
        raw = sealer.open(sealed, "entry.sealed", sha256)
    except (SealBrokenError, TypeError):
        return None
    with suppress(ValueError, KeyError, TypeError):
        content = json.loads(raw)
        entry_id, kind, captured_ms = content["id"], content["kind"], content["captured"]["wall_ms"]
    if not (isinstance(entry_id, str) and isinstance(kind, str)):
        return None
    if type(purged_ms) is not int:
        # What was purged of its details has other bytes than those that its digest is of.
        purged_ms = None if entry_sha256(raw) == sha256 else captured_ms
    return SavedEntry(
        local_id,
        sha256,
        raw,
        sealed,
        entry_id,
        kind,
        captured_ms if type(captured_ms) is int else 0,
        acked_ms if type(acked_ms) is int else None,
        purged_ms,
        state if state in _STATES else None,
    )


def write_salvage(store: Store, salvage: Salvage, identity: Identity) -> None:
    """Write what was saved into an empty store, stopped until it is enrolled again.

    The journal holds what has to be carried over. Pulled rows are left out: they are fetched anew.
    """
    with store.transaction() as connection:
        Identities(store).put(identity)
        connection.execute(
            "UPDATE installation SET stopped = ? WHERE id = ?", (STORE_DAMAGED, identity.installation)
        )
        entries = [entry for _, entry in sorted(salvage.entries.items())]
        connection.executemany(
            "INSERT INTO entry (local_id, entry_id, kind, sha256, captured_ms, sealed, acked_ms, purged_ms, "
            "state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(each.local_id, each.entry_id, each.kind, each.sha256, each.captured_ms, each.sealed),
                    *(each.acked_ms, each.purged_ms, each.state),
                )
                for each in entries
            ],
        )
        carried = salvage.carried()
        digests = chain(genesis_digest(identity.installation), (each.sha256 for each in carried))
        connection.executemany(
            "INSERT INTO journal (installation_id, seq, local_id, digest) VALUES (?, ?, ?, ?)",
            [
                (identity.installation, seq, each.local_id, digest)
                for seq, (each, digest) in enumerate(zip(carried, digests, strict=True), start=1)
            ],
        )
        connection.executemany("INSERT OR IGNORE INTO touch VALUES (?, ?, ?)", _touches(entries))
        connection.executemany(
            "INSERT OR IGNORE INTO receipt (installation_number, counter, local_id, payment_id, kind, "
            "amount_vnd, issued_ms, acked) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            _receipts(entries),
        )


def _touches(entries: Iterable[SavedEntry]) -> Iterator[tuple[str, str, int]]:
    for entry in entries:
        with suppress(ValueError, KeyError, TypeError):
            body = json.loads(entry.raw)["body"]
            for record in touched_records(entry.kind, entry.entry_id, body):
                yield (*record, entry.local_id)


def _receipts(entries: Iterable[SavedEntry]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the receipt book, which the entries themselves tell."""
    for entry in entries:
        if entry.kind != "receipt_issued":
            continue
        with suppress(ValueError, KeyError, TypeError, ReceiptMalformedError):
            body = json.loads(entry.raw)["body"]
            content = parse_receipt(body["token"]).content
            yield (
                *(content.installation, content.counter, entry.local_id, body["payment"], content.kind),
                *(content.amount_vnd, entry.captured_ms, int(entry.acked_ms is not None)),
            )
