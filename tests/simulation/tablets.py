"""Tablets: the real client over real files, with clocks that the world turns and deaths it plans."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from field_client.client import FieldClient
from field_client.store import KEY_NAME, STORE_NAME
from field_client.transport import Transport
from tests.support.clocks import FakeClock


class TabletKilledError(BaseException):
    """The app is gone in the middle of something: nothing after this statement is written."""


class TabletClock:
    """A tablet's clocks: a wall clock that may be wrong, and a monotonic one of this boot."""

    is_virtual = True

    def __init__(self, world_clock: FakeClock) -> None:
        self._world = world_clock
        self.offset_ms = 0
        self._booted_ms = world_clock.now_ms()

    def now_ms(self) -> int:
        return self._world.now_ms() + self.offset_ms

    def monotonic_ms(self) -> int:
        return self._world.now_ms() - self._booted_ms

    def boot(self) -> None:
        """Start the monotonic clock anew."""
        self._booted_ms = self._world.now_ms()


class MortalConnection:
    """The store's connection, dead from a chosen statement on."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self.left: int | None = None
        self.is_dead = False

    def _pass(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0 and not self.is_dead:
                self.is_dead = True
                self._real.close()
        if self.is_dead:
            raise TabletKilledError

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self._pass()
        return self._real.execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        self._pass()
        return self._real.executemany(*arguments)

    @property
    def in_transaction(self) -> bool:
        return not self.is_dead and self._real.in_transaction

    def close(self) -> None:
        if not self.is_dead:
            self._real.close()


@dataclass(frozen=True)
class Heard:
    """What a tablet heard of restores, by its last sync that came to rest.

    `era` is the oracle's count of restores and epochs, `epoch` the tablet's. `is_misled`: the office
    was set back by hand and began no epoch since, so that outcomes of before may still be shown.
    """

    era: int = 0
    epoch: int = 1
    is_misled: bool = False


class Tablet:
    """One device: its home, its clocks, its line, and the entries that its agent was told are saved."""

    def __init__(self, name: str, home: Path, worker: str, world: Any) -> None:
        self.name, self.home, self.worker = name, home, worker
        self.world = world
        self.clock = TabletClock(world.clock)
        # What the line does with the next requests; when it is empty the line is up.
        self.line: list[str] = []
        # sha256 of every entry that was said to be saved.
        self.saved: list[str] = []
        self.code: str | None = None
        self.last_answer: bytes | None = None
        self.backup: dict[str, bytes] | None = None
        self.heard = self.heard_at_backup = Heard()
        self.purged = 0
        self.client: FieldClient
        self.connection: MortalConnection
        self.open()

    def open(self) -> None:
        """Start the app: a new boot, as far as anyone can tell."""
        self.clock.boot()
        self.client = FieldClient(
            self.home, clock=self.clock, transport=self._transport, sleep=self.world.sleep
        )
        self.connection = MortalConnection(self.client.store.connection)
        self.client.store.connection = self.connection  # type: ignore[assignment]

    def _transport(self, _url: str) -> Transport:
        return self.world.line_of(self)

    def reopen(self) -> None:
        """Close the app, or find it dead, and start it."""
        self.client.close()
        self.open()

    def close(self) -> None:
        self.client.close()

    @property
    def installation(self) -> str | None:
        identity = self.client.identities.current_or_none()
        return None if identity is None else identity.installation

    @property
    def epoch(self) -> int:
        """Return the newest epoch that this installation has heard of; 0 before the first."""
        installation = self.installation
        return 0 if installation is None else self.client.identities.standing(installation).epoch

    def has_rested(self, era: int) -> None:
        """Note that a sync came to rest in `era`."""
        if era != self.heard.era:
            self.heard = Heard(era, self.epoch, is_misled=self.epoch <= self.heard.epoch)
        elif self.epoch != self.heard.epoch:
            self.heard = Heard(era, self.epoch, self.heard.is_misled)

    @property
    def stopped(self) -> str | None:
        installation = self.installation
        return None if installation is None else self.client.identities.standing(installation).stopped

    def entries(self) -> Iterator[tuple[str, str, bool]]:
        """Return (sha256, kind, acknowledged) of every entry in the store, oldest first."""
        rows = self.connection.execute("SELECT sha256, kind, acked_ms FROM entry ORDER BY local_id")
        return ((sha256, kind, acked_ms is not None) for sha256, kind, acked_ms in rows.fetchall())

    def copied_files(self) -> dict[str, bytes]:
        """Return the files as a backup of the tablet takes them."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {name: (self.home / name).read_bytes() for name in (STORE_NAME, KEY_NAME)}

    def back_up(self) -> None:
        """Keep a copy of the tablet as it is now."""
        self.backup, self.heard_at_backup = self.copied_files(), self.heard

    def restored(self, files: dict[str, bytes]) -> None:
        """Put older files in place of the tablet's own."""
        self.close()
        place_files(self.home, files)
        self.open()
        self.saved = [sha256 for sha256, _, _ in self.entries()]
        self.heard = self.heard_at_backup


def place_files(home: Path, files: dict[str, bytes]) -> None:
    """Write a tablet's files into a fresh home."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    for name, content in files.items():
        (home / name).write_bytes(content)
        (home / name).chmod(0o600)
