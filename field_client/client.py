"""The desk client as one value: a home directory with its journal, views, receipts and sync."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from field_client.actions import Actions
from field_client.damage import Loss, kept_loss, open_checked
from field_client.delivery import Delivery
from field_client.enrolment import Enrolment
from field_client.exchange import Exchanger
from field_client.identity import Identities, Identity
from field_client.outbox import Outbox, OwnEntry
from field_client.projection import Projection
from field_client.purging import purge_durable
from field_client.receipts import OFFICE_ZONE, CapStanding, OfflineCap, ReceiptBook
from field_client.replica import Replica
from field_client.session import Progress, Session, SyncReport, sync_lock
from field_client.transport import HttpTransport, Transport, checked_address
from schemas.rate_tables import read_rate_tables
from schemas.rates import Quote, RateFault, enrolment_quote
from sync.clock import Clock, SystemClock, VirtualClock, local_day
from sync.identifiers import ClockIds

# Set by the demo alone, whose processes share one virtual clock.
CLOCK_VARIABLE = "TUNGNHA_DEMO_CLOCK"


@dataclass(frozen=True, slots=True)
class Status:
    """What a person needs to know about this device; ages in milliseconds."""

    identity: Identity | None
    unsent: int
    last_sync_age_ms: int | None
    stopped: str | None
    counts: dict[str, int]
    needs_person: list[OwnEntry]
    held: list[OwnEntry]
    cap: CapStanding


def clock_of_environment() -> Clock:
    """Return the machine's clock, or the demo's shared one where it is named."""
    path = os.environ.get(CLOCK_VARIABLE)
    return VirtualClock(Path(path)) if path else SystemClock()


def _quiet(_phase: str, _done: int, _total: int) -> None:
    """Show nothing."""


class FieldClient:
    """Opens `home`, making it when it is new. Use from one thread and close it, or use `with`."""

    def __init__(
        self,
        home: Path,
        *,
        clock: Clock | None = None,
        transport: Callable[[str], Transport] = HttpTransport,
        sleep: Callable[[float], None] = time.sleep,
        cap: OfflineCap | None = None,
    ) -> None:
        self._clock = clock or clock_of_environment()
        self._transport, self._sleep = transport, sleep
        ids = ClockIds(self._clock)
        self.store = open_checked(home, self._clock)
        self.identities = Identities(self.store)
        # One run of this process is one run of its monotonic clock, as far as anyone can tell.
        self.outbox = Outbox(self.store, self.identities, self._clock, ids, boot=secrets.token_hex(8))
        self.replica = Replica(self.store)
        self.projection = Projection(self.store, self.outbox, self.replica)
        cap = cap or OfflineCap()
        self.receipts = ReceiptBook(self.store, self.identities, self.outbox, self._clock, cap)
        self.actions = Actions(self.store, self.outbox, self.projection, self.receipts, self._clock, ids)
        self._delivery = Delivery(self.store, self.identities, self.outbox)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    @contextmanager
    def recording(self) -> Iterator[Actions]:
        """Group several actions in one transaction: all of them are saved at its end, or none."""
        with self.store.transaction():
            yield self.actions

    def quote(self, members: Mapping[str, Any]) -> Quote | RateFault:
        """Return what an enrolment costs today by the tables that were pulled: no network is needed."""
        tables = read_rate_tables(self.replica.records("rate").values())
        return enrolment_quote(tables, members, local_day(self._clock.now_ms(), OFFICE_ZONE))

    def enrol(self, server_url: str, code: str, *, again: bool = False) -> Identity:
        """Register this installation with a one-time code.

        `again` makes a new installation that carries over everything the server may not keep
        durably. Raises AlreadyEnrolledError, AddressRefusedError and what the exchange raises.
        """
        server_url = checked_address(server_url)
        with sync_lock(self.store):
            enrolment = Enrolment(self.store, self.identities, self.outbox, self._clock)
            transport = self._transport(server_url)
            try:
                identity = enrolment.enrol(
                    code, server_url, lambda key: Exchanger(transport, key, self._sleep), again=again
                )
            finally:
                transport.close()
            self.identities.keep_copy()
            return identity

    def enrol_again(self, code: str, server_url: str | None = None) -> Identity:
        """Enrol a new installation in this one's place, by default with the same server."""
        return self.enrol(server_url or self.identities.current().server_url, code, again=True)

    def sync(self, progress: Progress = _quiet) -> SyncReport:
        """Push the journal's tail and pull every scope to its head.

        Raises SyncRunningError when another process is at it, DeviceCopiedError when this device
        must enrol again, and what the exchange raises. Safe to repeat after any of them.
        """
        identity = self.identities.current()
        with sync_lock(self.store):
            session = Session(
                self.store, self.identities, self.outbox, self._delivery, self.replica, self._clock
            )
            transport = self._transport(identity.server_url)
            try:
                report = session.run(Exchanger(transport, identity.key, self._sleep), progress)
            finally:
                transport.close()
            self.purge()
            return report

    def loss(self) -> Loss | None:
        """Return what the last damage of this home's database came to, or None."""
        return kept_loss(self.store)

    def purge(self) -> int:
        """Drop the personal details of finished work that two backups hold; return of how many entries."""
        return purge_durable(self.store, self.identities, self._clock.now_ms())

    def status(self) -> Status:
        """Return how this device stands, without asking the server."""
        identity = self.identities.current_or_none()
        counts = self._delivery.counts_by_state()
        if identity is None:
            return Status(None, 0, None, None, counts, [], [], self.receipts.cap_standing())
        standing = self.identities.standing(identity.installation)
        age_ms = None if standing.synced_ms is None else max(self._clock.now_ms() - standing.synced_ms, 0)
        return Status(
            identity,
            self.outbox.unsent_count(),
            age_ms,
            standing.stopped,
            counts,
            self.outbox.entries_in_state("quarantined"),
            self.outbox.entries_in_state("held"),
            self.receipts.cap_standing(),
        )
