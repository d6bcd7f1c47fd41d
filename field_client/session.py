"""One sync, from top to bottom: push the tail of the journal, pull every scope to its head.

Nothing counts as delivered before the office's signed acknowledgement matches our own chain, and
nothing is called synced while an entry waits for a person.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from field_client.delivery import Delivery, DeviceCopiedError, NotAcknowledgedError, read_acknowledgement
from field_client.exchange import Exchanger, RefusedError
from field_client.identity import STORE_DAMAGED, Identities, Identity, StoppedByDamageError
from field_client.outbox import Batch, Outbox
from field_client.replica import Replica
from field_client.store import Store, StoreError
from schemas.exchange import PROTOCOL, SyncResponse
from sync.clock import Clock
from sync.codes import RequestCode
from sync.limits import LIMITS
from sync.pull import Grant

SYNC_PATH = "/api/v1/sync"
LOCK_NAME = "sync.lock"
# The member names, the signature and the rounding of estimates.
_ENVELOPE_BYTES = 8 * 1024
_STOPPING = (
    RequestCode.JOURNAL_FORKED,
    RequestCode.INSTALLATION_FENCED,
    RequestCode.INSTALLATION_SUPERSEDED,
)
# Making a schema costs as much as reading a small answer with it.
_ANSWER = SyncResponse()
# Rounds without progress before giving up: a gap may be answered, then a batch halved, then again.
_PATIENCE_ROUNDS = 12

Progress = Callable[[str, int, int], None]


class SyncRunningError(Exception):
    """Another process is syncing this home directory."""


class NoProgressError(Exception):
    """The server answers, but the journal or the scopes do not move on."""


@dataclass
class SyncReport:
    """What one sync did. `is_clean` is the only thing that may be shown as «Đã đồng bộ»."""

    sent: int = 0
    received: int = 0
    unsent: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0
    differing_scopes: list[str] = field(default_factory=list)
    rounds: int = 0

    @property
    def is_clean(self) -> bool:
        """Return whether everything is delivered, judged and equal to the server's."""
        return not (self.unsent or self.quarantined or self.differing_scopes)


@contextmanager
def sync_lock(store: Store) -> Iterator[None]:
    """Hold the home directory's sync lock; SQLite frees it when the process dies."""
    try:
        connection = sqlite3.connect(store.home / LOCK_NAME, isolation_level=None, timeout=0)
    except sqlite3.OperationalError as error:
        raise StoreError(str(error)) from error
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise StoreError(str(error)) from error
            raise SyncRunningError from error
        yield
    finally:
        connection.close()


class Session:
    """One run of the protocol between a store and a server."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        outbox: Outbox,
        delivery: Delivery,
        replica: Replica,
        clock: Clock,
    ) -> None:
        self._store = store
        self._identities = identities
        self._outbox = outbox
        self._delivery = delivery
        self._replica = replica
        self._clock = clock
        self._report = SyncReport()
        self._most_entries = LIMITS.batch_entries
        self._resend_from: int | None = None
        self._refusals = 0
        self._changes_left = 0
        # Scopes whose sum differed: asked for from 0 with the next pull, once in a session.
        self._differing: list[str] = []
        self._refetched: set[str] = set()

    def run(self, exchanger: Exchanger, progress: Progress) -> SyncReport:
        """Sync until the outbox is empty and every scope stands at its head.

        Raises DeviceCopiedError, StoppedByDamageError, NotAcknowledgedError, NoProgressError and what
        the exchange raises.
        """
        identity = self._identities.current()
        stopped = self._identities.standing(identity.installation).stopped
        if stopped == STORE_DAMAGED:
            raise StoppedByDamageError
        if stopped is not None:
            raise DeviceCopiedError(stopped)
        at_heads, idle_rounds = False, 0
        while True:
            batch, is_last = self._next_batch(identity)
            if batch.is_empty and at_heads:
                break
            before = self._position(identity)
            try:
                content_now = partial(self._request, identity, batch, is_last)
                answer = exchanger.post(SYNC_PATH, content_now, _ANSWER)
            except RefusedError as refusal:
                self._adapt(identity, refusal, batch)
                answer = None
            self._report.rounds += 1
            if answer is not None:
                at_heads = self._take_in(identity, batch, answer)
                self._show(identity, batch, progress)
            idle_rounds = idle_rounds + 1 if self._position(identity) == before and not at_heads else 0
            if idle_rounds > _PATIENCE_ROUNDS:
                raise NoProgressError
        self._report.unsent = self._outbox.unsent_count()
        self._report.quarantined = self._delivery.counts_by_state().get("quarantined", 0)
        return self._report

    def _next_batch(self, identity: Identity) -> tuple[Batch, bool]:
        acked_seq = self._identities.standing(identity.installation).acked_seq
        first_seq = self._resend_from or acked_seq + 1
        have_bytes = 160 * len(self._replica.cursors())
        most_bytes = LIMITS.body_bytes - have_bytes - _ENVELOPE_BYTES
        batch = self._outbox.batch(identity.installation, first_seq, self._most_entries, most_bytes)
        return batch, batch.last_seq >= batch.head.seq

    def _request(self, identity: Identity, batch: Batch, is_last: bool) -> dict[str, Any]:
        push = pull = None
        if not batch.is_empty:
            push = {
                "first_seq": batch.first_seq,
                "previous_digest": batch.previous_digest,
                "entries": batch.entries,
            }
        if is_last:
            have = [held.as_wire() for held in self._replica.cursors().values()]
            pull = {"have": have, "limit": LIMITS.pull_rows, "differing": self._differing}
        return {
            "protocol": PROTOCOL,
            "installation": identity.installation,
            "journal_head": {"seq": batch.head.seq, "digest": batch.head.digest},
            "clock": {
                "wall_ms": self._clock.now_ms(),
                "boot": self._outbox.boot,
                "monotonic_ms": self._clock.monotonic_ms(),
            },
            "last_ack": self._identities.standing(identity.installation).last_ack,
            "predecessor": identity.predecessor,
            "certificate": identity.certificate,
            "hole": None if batch.hole is None else asdict(batch.hole),
            "push": push,
            "pull": pull,
        }

    def _adapt(self, identity: Identity, refusal: RefusedError, batch: Batch) -> None:
        """Change what is sent next, or stop: nothing of the refused request was stored."""
        expected_seq = refusal.problem.get("expected_seq")
        self._refusals += 1
        if self._refusals > _PATIENCE_ROUNDS:
            raise NoProgressError from refusal
        if refusal.code in _STOPPING:
            self._identities.stop(identity.installation, refusal.code)
            raise DeviceCopiedError(refusal.code) from refusal
        if refusal.code == RequestCode.JOURNAL_GAP and expected_seq is not None:
            if expected_seq > batch.head.seq + 1:
                # The server holds more of this journal than we ever wrote.
                self._identities.stop(identity.installation, RequestCode.JOURNAL_FORKED)
                raise DeviceCopiedError(RequestCode.JOURNAL_FORKED) from refusal
            self._delivery.note_rejudged(identity, expected_seq)
            self._resend_from = expected_seq
        elif refusal.code == RequestCode.BODY_TOO_LARGE and len(batch.entries) > 1:
            self._most_entries = max(len(batch.entries) // 2, 1)
        else:
            raise refusal

    def _take_in(self, identity: Identity, batch: Batch, answer: dict[str, Any]) -> bool:
        """Keep one answer in one transaction; return whether every scope stands at its head."""
        ack = read_acknowledgement(identity, answer["ack"])
        now_ms = self._clock.now_ms()
        try:
            with self._store.transaction():
                self._delivery.require_own_journal(identity, ack)
                heard_seq = min(ack.acked_seq, batch.last_seq) if batch.entries else ack.acked_seq
                heard_seq = self._delivery.heard_anew(identity, ack, batch, heard_seq)
                self._delivery.accept(identity, ack, heard_seq, now_ms)
                self._delivery.record_verdicts(identity, answer["verdicts"], ack.epoch)
                for outcome in answer["outcomes"]:
                    self._delivery.record_outcome(outcome["id"], outcome)
                at_heads = self._take_in_rows(answer, now_ms)
        except DeviceCopiedError as error:
            self._identities.stop(identity.installation, error.code)
            raise
        for verdict in answer["verdicts"]:
            self._report.verdicts[verdict["verdict"]] = self._report.verdicts.get(verdict["verdict"], 0) + 1
        if not batch.is_empty and ack.acked_seq < min(batch.first_seq, batch.last_seq):
            raise NotAcknowledgedError("the batch is not covered")
        self._resend_from, self._refusals = None, 0
        self._report.sent += len(batch.entries)
        return at_heads

    def _take_in_rows(self, answer: dict[str, Any], now_ms: int) -> bool:
        if answer["grants"] is None:
            return False
        grants = [
            Grant(grant["scope"], grant["epoch"], grant["head"], grant["count"], grant["sum"])
            for grant in answer["grants"]
        ]
        self._replica.apply(grants, answer["rows"], self._differing)
        self._refetched.update(self._differing)
        self._differing = []
        for row in answer["rows"]:
            if row["type"] == "outcome" and row["op"] == "put" and row["record"] is not None:
                self._delivery.record_outcome(row["id"], row["record"])
        self._report.received += len(answer["rows"])
        # At most this many rows: a row that changed twice is sent once.
        held = self._replica.cursors()
        self._changes_left = sum(grant.head - held[grant.scope].seq for grant in grants)
        if not self._replica.is_at_heads(grants):
            return False
        differing = self._replica.settle(
            grants, now_ms, self._refetched, keeps_everything=answer["recovering"]
        )
        self._differing = [scope for scope in differing if scope not in self._refetched]
        self._report.differing_scopes = differing
        if not differing:
            self._delivery.mark_reflected()
        return not self._differing

    def _position(self, identity: Identity) -> str:
        standing = self._identities.standing(identity.installation)
        cursors = [(held.scope, held.epoch, held.seq) for held in self._replica.cursors().values()]
        return json.dumps(
            [standing.acked_seq, standing.epoch, self._most_entries, self._resend_from, cursors]
        )

    def _show(self, identity: Identity, batch: Batch, progress: Progress) -> None:
        acked_seq = self._identities.standing(identity.installation).acked_seq
        if not batch.is_empty:
            progress("push", acked_seq, batch.head.seq)
        if self._report.received:
            progress("pull", self._report.received, self._report.received + self._changes_left)
