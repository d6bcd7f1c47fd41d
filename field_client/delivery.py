"""What the server said about our entries: acknowledgements, verdicts, outcomes.

Only a statement that the office key signed is an acknowledgement, and only when its head equals
our own chain digest: a captive portal's 200 acknowledges nothing, and a device that hears of
entries it never wrote is a copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from field_client.identity import Identities, Identity
from field_client.outbox import Batch, Outbox
from field_client.store import Store
from schemas.signatures import ACKNOWLEDGEMENT_CONTEXT, statement_content
from sync.codes import RequestCode
from sync.verdict import Decision, OutcomeState

_WHOLE_MEMBERS = ("acked_seq", "durable_seq", "epoch", "server_ms")


class NotAcknowledgedError(Exception):
    """The reply carries no acknowledgement of the office; nothing counts as delivered."""


class DeviceCopiedError(Exception):
    """Another copy of this device has synced; it stops, keeps everything and must enrol again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A verified acknowledgement; `statement` is kept and shown back verbatim."""

    acked_seq: int
    head: str
    durable_seq: int
    epoch: int
    server_ms: int
    statement: dict[str, str]


def read_acknowledgement(identity: Identity, statement: dict[str, str]) -> Acknowledgement:
    """Return what the office acknowledged to `identity`. Raises NotAcknowledgedError."""
    content = statement_content(identity.office_key, ACKNOWLEDGEMENT_CONTEXT, statement)
    if content is None or content.get("installation") != identity.installation:
        raise NotAcknowledgedError("not signed by the office for this device")
    if any(type(content.get(name)) is not int or content[name] < 0 for name in _WHOLE_MEMBERS):
        raise NotAcknowledgedError("a member is missing")
    if not isinstance(content.get("head"), str):
        raise NotAcknowledgedError("a member is missing")
    return Acknowledgement(
        content["acked_seq"],
        content["head"],
        content["durable_seq"],
        content["epoch"],
        content["server_ms"],
        {name: statement[name] for name in ("text", "kid", "signature")},
    )


class Delivery:
    """Keeps what the server said. Each method belongs inside the transaction of one reply."""

    def __init__(self, store: Store, identities: Identities, outbox: Outbox) -> None:
        self._store = store
        self._identities = identities
        self._outbox = outbox

    def require_own_journal(self, identity: Identity, ack: Acknowledgement) -> None:
        """Raise DeviceCopiedError when the acknowledged journal is not the one in this store.

        Raises NotAcknowledgedError when it is of an earlier epoch than one already heard of.
        """
        if ack.epoch < self._identities.standing(identity.installation).epoch:
            raise NotAcknowledgedError("of an earlier epoch")
        if self._outbox.digest_at(identity.installation, ack.acked_seq) != ack.head:
            raise DeviceCopiedError(RequestCode.JOURNAL_FORKED)

    def note_rejudged(self, identity: Identity, from_seq: int) -> None:
        """Note that the server judges from `from_seq` on anew what it may have judged before a restore."""
        self._store.connection.execute(
            "UPDATE installation SET rejudged_from = min(coalesce(rejudged_from, ?), ?) WHERE id = ?",
            (from_seq, from_seq, identity.installation),
        )

    def heard_anew(self, identity: Identity, ack: Acknowledgement, batch: Batch, heard_seq: int) -> int:
        """Return up to where the verdicts of an answer are known; in a new epoch that may be less.

        Which of its verdicts a restored server holds depends on the backup, and on what a copy of this
        device or a request that the network kept back has brought it since: of what more than one epoch
        may have judged, they are only heard when it is sent again (`[R2.5]`). What two backups held as the
        first epoch ended is the same in whatever is restored.
        """
        standing = self._identities.standing(identity.installation)
        if ack.acked_seq < standing.acked_seq:
            self.note_rejudged(identity, ack.acked_seq + 1)
        if not 0 < standing.epoch < ack.epoch:
            return heard_seq
        if standing.rejudged_from is None:
            self.note_rejudged(identity, standing.durable_seq + 1)
        rejudged_from = self._identities.standing(identity.installation).rejudged_from
        if rejudged_from is not None and rejudged_from < batch.from_seq:
            return min(heard_seq, rejudged_from - 1)
        return heard_seq

    def accept(self, identity: Identity, ack: Acknowledgement, acked_seq: int, now_ms: int) -> None:
        """Keep a verified acknowledgement and mark what it covers, up to `acked_seq`.

        That is the end of what was sent where the server has more already: an answer got lost, and
        with it the verdicts of what comes after. They are heard when those entries are sent again.
        """
        connection, installation = self._store.connection, identity.installation
        standing = self._identities.standing(installation)
        acked_before = standing.acked_seq
        if self._is_other_epoch(identity, standing.epoch, ack.epoch):
            self._forget_outcomes(installation, ack.acked_seq)
        sealed = self._store.sealer.seal(json.dumps(ack.statement), "installation.last_ack", installation)
        connection.execute(
            "UPDATE installation SET acked_seq = ?, durable_seq = ?, epoch = ?, synced_ms = ?, last_ack = ? "
            "WHERE id = ?",
            (acked_seq, ack.durable_seq, ack.epoch, now_ms, sealed, installation),
        )
        covered = (
            "local_id IN (SELECT local_id FROM journal WHERE installation_id = ? AND seq > ? AND seq <= ?)"
        )
        span = (installation, acked_seq, acked_before)
        if acked_seq < acked_before:
            # The server was restored: what it has forgotten is unsent again until it is sent again.
            connection.execute(
                f"UPDATE entry SET acked_ms = NULL, reflected = 0 WHERE {covered}",  # noqa: S608
                span,
            )
            connection.execute(f"UPDATE receipt SET acked = 0 WHERE {covered}", span)  # noqa: S608
        span = (installation, acked_before, acked_seq)
        connection.execute(
            f"UPDATE entry SET acked_ms = ? WHERE acked_ms IS NULL AND {covered}",  # noqa: S608 - constant
            (now_ms, *span),
        )
        connection.execute(f"UPDATE receipt SET acked = 1 WHERE {covered}", span)  # noqa: S608 - constant

    def _is_other_epoch(self, identity: Identity, epoch: int, heard: int) -> bool:
        """Return whether outcomes that are known are of another epoch than the one just heard of.

        A new installation has heard of none itself; the one that it replaces may have.
        """
        if epoch:
            return epoch < heard
        before = self._store.connection.execute(
            "SELECT max(epoch) FROM installation WHERE id <> ?", (identity.installation,)
        ).fetchone()[0]
        return bool(before) and before != heard

    def _forget_outcomes(self, installation: str, acked_seq: int) -> None:
        """In a new epoch what the server remembers stands as it was judged, until it is pulled again.

        The newest verdict counts that says something: one of a journal before this one, where this one has
        the entry as a duplicate, or not at all because two backups held it. What is sent again is told anew.
        """
        connection = self._store.connection
        moved = connection.execute(
            # With max() SQLite takes the other columns from the row that has it.
            "SELECT verdict, journal.code, journal.field, local_id, state, max(journal.epoch) "
            "FROM journal JOIN entry USING (local_id) WHERE verdict <> ? AND local_id NOT IN "
            "(SELECT local_id FROM journal WHERE installation_id = ? AND seq > ?) "
            "GROUP BY local_id HAVING verdict <> state",
            (str(Decision.DUPLICATE), installation, acked_seq),
        ).fetchall()
        connection.executemany(
            "UPDATE entry SET state = ?, code = ?, field = ? WHERE local_id = ?", [row[:4] for row in moved]
        )

    def record_verdicts(self, identity: Identity, verdicts: Iterable[Mapping[str, Any]], epoch: int) -> None:
        """Keep verdicts by position, and as the entry's state where nothing newer is known.

        A replay brings the old verdict again, when its outcome may have moved on; a carried-over
        entry is a duplicate of itself, which says nothing of what became of it. A verdict of a
        later `epoch` stands for the one before, from which it may differ.
        """
        for verdict in verdicts:
            where = (identity.installation, verdict["seq"])
            row = self._store.connection.execute(
                "SELECT local_id, state, journal.epoch FROM journal JOIN entry USING (local_id) "
                "WHERE installation_id = ? AND seq = ?",
                where,
            ).fetchone()
            if row is None:
                continue
            local_id, state, epoch_before = row
            decision = verdict["verdict"]
            self._store.connection.execute(
                "UPDATE journal SET verdict = ?, code = ?, field = ?, epoch = ? "
                "WHERE installation_id = ? AND seq = ?",
                (decision, verdict["code"], verdict["field"], epoch, *where),
            )
            if state is not None and (epoch <= epoch_before or decision == Decision.DUPLICATE):
                continue
            self._store.connection.execute(
                "UPDATE entry SET state = ?, code = ?, field = ?, flags = ? WHERE local_id = ?",
                (decision, verdict["code"], verdict["field"], json.dumps(verdict["flags"]), local_id),
            )

    def record_outcome(self, entry_id: str, outcome: Mapping[str, Any]) -> None:
        """Keep what has become of an entry by now; a stand-in names it by its bytes (`[E5]`)."""
        state = outcome.get("state")
        if state not in set(OutcomeState):
            return
        values = (state, outcome.get("code"), outcome.get("field"))
        _, is_stand_in, sha256_start = entry_id.partition("/")
        if is_stand_in:
            self._store.connection.execute(
                "UPDATE entry SET state = ?, code = ?, field = ? WHERE substr(sha256, 1, 32) = ?",
                (*values, sha256_start),
            )
        else:
            self._store.connection.execute(
                "UPDATE entry SET state = ?, code = ?, field = ? WHERE entry_id = ?", (*values, entry_id)
            )

    def mark_reflected(self) -> None:
        """Everything judged by now shows in the pulled rows: all scopes stood at their heads."""
        self._store.connection.execute(
            "UPDATE entry SET reflected = 1 WHERE reflected = 0 AND acked_ms IS NOT NULL "
            "AND state IN ('applied', 'merged', 'duplicate', 'voided')"
        )

    def counts_by_state(self) -> dict[str, int]:
        """Return how many own entries are in each state; "unsent" for those without a verdict."""
        rows = self._store.connection.execute(
            "SELECT coalesce(state, CASE WHEN acked_ms IS NULL THEN 'unsent' ELSE 'delivered' END), count(*) "
            "FROM entry GROUP BY 1"
        )
        return dict(rows.fetchall())
