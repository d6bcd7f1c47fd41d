"""A damaged database: noticed, set aside under a name of its own, and replaced by what it still gives.

Nothing is ever deleted. The fresh file knows who this device is and holds every entry that could be
read; it records and syncs nothing before the device is enrolled again in its predecessor's place, since
receipt numbers and positions that are lost must not be given twice. How much is missing at the office
is seen there: every sync says how far the journal reaches.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from field_client.identity import Identities, read_copy
from field_client.salvage import Salvage, read_damaged, write_salvage
from field_client.sealing import RowSealer, SealBrokenError, read_key_file
from field_client.store import KEY_NAME, STORE_NAME, DamagedStoreError, Store, is_damage, store_lock
from sync.clock import DAY_MS, Clock
from sync.journal import entry_sha256, next_digest

CHECKED_NAME = "field.checked"
_MARKER_NAME = "field.damaged"
_FRESH_NAME = "field.fresh.sqlite3"
_LOSS = "loss"
# Reading the whole file takes about a second for 200 MiB: once a day is enough, and often enough.
CHECKED_EVERY_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Loss:
    """What became of a damaged database. `missing` is what is known to be lost; it may be more.

    `is_known` says whether the device still knows whose it is, and can be enrolled again.
    """

    file: str
    saved: int
    missing: int
    is_known: bool


def open_checked(home: Path, clock: Clock) -> Store:
    """Open the store of `home`, and read all of it where that was not done for a day.

    Raises DamagedStoreError, KeyFileError and StoreError.
    """
    _require_file(home)
    store = Store(home)
    try:
        identities = Identities(store)
        _check_when_due(store, identities, clock)
        identities.keep_copy()
    except BaseException:
        store.close()
        raise
    return store


def _require_file(home: Path) -> None:
    """Raise DamagedStoreError where a device that was enrolled has lost its database."""
    path = home / STORE_NAME
    if (home / _MARKER_NAME).exists():
        raise DamagedStoreError("set aside only in part")
    if path.exists() and path.stat().st_size:
        return
    wal = path.with_name(f"{STORE_NAME}-wal")
    is_new = wal.exists() and wal.stat().st_size
    if not is_new and (home / KEY_NAME).exists() and read_copy(home, read_key_file(home / KEY_NAME)):
        raise DamagedStoreError("the database is gone")


def _check_when_due(store: Store, identities: Identities, clock: Clock) -> None:
    """Read the whole file where that was not done for a day. Raises DamagedStoreError."""
    path, now_ms = store.home / CHECKED_NAME, clock.now_ms()
    try:
        age_ms = now_ms - int(path.read_text("ascii"))
    except (OSError, ValueError):
        age_ms = CHECKED_EVERY_MS
    if 0 <= age_ms < CHECKED_EVERY_MS:
        return
    check(store, identities)
    path.write_text(str(now_ms), "ascii")


def check(store: Store, identities: Identities) -> None:
    """Read the whole file, and prove whatever the office does not have. Raises DamagedStoreError."""
    try:
        with store.snapshot() as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise DamagedStoreError(found)
            _require_sound_tail(store, identities)
    except (SealBrokenError, sqlite3.DatabaseError) as error:
        if is_damaged_by(error, store.home):
            raise DamagedStoreError(str(error)) from error
        raise


def _require_sound_tail(store: Store, identities: Identities) -> None:
    """Open every entry that is not delivered, and follow the chain through them."""
    identity = identities.current_or_none()
    if identity is None:
        return
    acked_seq = identities.standing(identity.installation).acked_seq
    rows = store.connection.execute(
        "SELECT seq, digest, sha256, sealed, purged_ms FROM journal LEFT JOIN entry USING (local_id) "
        "WHERE installation_id = ? AND seq >= ? ORDER BY seq",
        (identity.installation, acked_seq),
    )
    expected_seq, digest = acked_seq, identity.genesis
    for seq, stored, sha256, sealed, purged_ms in rows:
        if seq != expected_seq and not (expected_seq == 0 and seq == 1):
            raise DamagedStoreError(f"no entry at {expected_seq}")
        if sha256 is None:
            raise DamagedStoreError(f"no bytes at {seq}")
        if seq > acked_seq:
            raw = store.sealer.open(sealed, "entry.sealed", sha256)
            is_altered = purged_ms is None and entry_sha256(raw) != sha256
            if is_altered or next_digest(digest, sha256) != stored:
                raise DamagedStoreError(f"another entry at {seq}")
        expected_seq, digest = seq + 1, stored


def is_damaged_by(error: Exception, home: Path) -> bool:
    """Return whether what an operation raised says that the database is damaged.

    A seal that does not open is damage only where the key is the right one.
    """
    if isinstance(error, SealBrokenError):
        return read_copy(home, read_key_file(home / KEY_NAME)) is not None
    return isinstance(error, DamagedStoreError) or (isinstance(error, sqlite3.Error) and is_damage(error))


def set_aside(home: Path, clock: Clock) -> Loss:
    """Set the database aside and put a fresh one in its place, with everything that could be read.

    Can be done again after it was interrupted at any point. Raises StoreError while another program
    has the store open, and OSError where the disk is full; nothing is lost by either.
    """
    with store_lock(home, alone=True):
        marker = home / _MARKER_NAME
        if not marker.exists():
            when = datetime.fromtimestamp(clock.now_ms() / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
            _write_whole(marker, json.dumps({"aside": _unused(home, f"{STORE_NAME}.damaged-{when}")}))
        aside = home / json.loads(marker.read_text("utf-8"))["aside"]
        _move_aside(home, aside)
        if not (home / STORE_NAME).exists():
            _replace(home, aside, clock)
        marker.unlink()
        fresh = Store(home, is_locking=False)
        try:
            return Loss(**fresh.setting(_LOSS))
        finally:
            fresh.close()


def kept_loss(store: Store) -> Loss | None:
    """Return what the last damage of this home came to, or None."""
    kept = store.setting(_LOSS)
    return None if kept is None else Loss(**kept)


def _unused(home: Path, name: str) -> str:
    number, candidate = 1, name
    while (home / candidate).exists():
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def _move_aside(home: Path, aside: Path) -> None:
    """Move file and log under the new name; what was moved before is left where it is."""
    for end in ("-shm", "-wal", ""):
        source, target = home / f"{STORE_NAME}{end}", aside.with_name(f"{aside.name}{end}")
        if source.exists() and not aside.exists():
            source.rename(target)
    _sync_folder(home)


def _replace(home: Path, aside: Path, clock: Clock) -> None:
    for end in ("", "-wal", "-shm"):
        (home / f"{_FRESH_NAME}{end}").unlink(missing_ok=True)
    sealer: RowSealer = read_key_file(home / KEY_NAME)
    with tempfile.TemporaryDirectory(dir=home, prefix="field.reading-") as scratch:
        Store(home, name=_FRESH_NAME, is_locking=False).close()
        sound = Path(scratch) / "sound.sqlite3"
        shutil.copyfile(home / _FRESH_NAME, sound)
        salvage = read_damaged(aside, sealer, Path(scratch), sound) if aside.exists() else Salvage()
    fresh = Store(home, name=_FRESH_NAME, is_locking=False)
    try:
        with fresh.transaction():
            identity = salvage.identity or read_copy(home, sealer)
            saved = missing = 0
            if identity is not None:
                write_salvage(fresh, salvage, identity)
                saved, missing = len(salvage.carried()), salvage.missing
            fresh.put_setting(_LOSS, asdict(Loss(aside.name, saved, missing, identity is not None)))
    finally:
        fresh.close()
    (home / _FRESH_NAME).rename(home / STORE_NAME)
    _write_whole(home / CHECKED_NAME, str(clock.now_ms()))
    _sync_folder(home)


def _write_whole(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.fresh")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
