"""Bugs in the tablet's client."""

from __future__ import annotations

import itertools
import json
from typing import Any
from unittest import mock

from field_client.delivery import Delivery
from field_client.enrolment import Enrolment
from field_client.identity import Identities
from field_client.replica import Replica
from field_client.session import Session
from tests.simulation.planted.registry import Planting, bug, instead, nothing

# --- the client ---


@bug("client: delivered without a signed echo")
def _unsigned_echo() -> Planting:
    return mock.patch(
        "field_client.delivery.statement_content", lambda _key, _context, shown: json.loads(shown["text"])
    )


@bug("client: another journal's acknowledgement is its own")
def _any_journal() -> Planting:
    return mock.patch.object(Delivery, "require_own_journal", nothing)


@bug("client: an answer is taken in piece by piece")
def _torn_answer() -> Planting:
    def make(accept: Any) -> Any:
        def torn(self: Delivery, *arguments: Any) -> None:
            accept(self, *arguments)
            self._store.connection.execute("COMMIT")
            self._store.connection.execute("BEGIN IMMEDIATE")

        return torn

    return instead(Delivery, "accept", make)


@bug("client: an old verdict overwrites a newer outcome")
def _verdict_overwrites() -> Planting:
    later = itertools.count(1_000)

    def make(take_in: Any) -> Any:
        def blunt(self: Session, identity: Any, batch: Any, answer: Any) -> Any:
            done = take_in(self, identity, batch, answer)
            with self._store.transaction():
                self._delivery.record_verdicts(identity, answer["verdicts"], next(later))
            return done

        return blunt

    return instead(Session, "_take_in", make)


@bug("client: what is quarantined is dropped")
def _drops_quarantined() -> Planting:
    def make(record: Any) -> Any:
        def tidy(self: Delivery, *arguments: Any, **more: Any) -> None:
            record(self, *arguments, **more)
            self._store.connection.execute("DELETE FROM entry WHERE state = 'quarantined'")

        return tidy

    return instead(Delivery, "record_verdicts", make)


@bug("client: the carry-over forgets the last entry")
def _carries_less() -> Planting:
    def make(carry_over: Any) -> Any:
        def forgetful(self: Enrolment, old: Any, new: Any) -> None:
            carry_over(self, old, new)
            self._store.connection.execute(
                "DELETE FROM journal WHERE installation_id = ?1 AND seq = "
                "(SELECT max(seq) FROM journal WHERE installation_id = ?1)",
                (new.installation,),
            )

        return forgetful

    return instead(Enrolment, "_carry_over", make)


@bug("client: carries over only what was not acknowledged, and says so of all")
def _nothing_unsent() -> Planting:
    def make(put: Any) -> Any:
        def forgetful(self: Identities, identity: Any) -> None:
            old = self.current_or_none()
            put(self, identity)
            if old is not None:
                head = self._store.connection.execute(
                    "SELECT coalesce(max(seq), 0) FROM journal WHERE installation_id = ?", (old.installation,)
                ).fetchone()[0]
                self._store.connection.execute(
                    "UPDATE installation SET durable_seq = ? WHERE id = ?", (head, old.installation)
                )

        return forgetful

    return instead(Identities, "put", make)


@bug("client: at the head before the last page")
def _early_heads() -> Planting:
    return mock.patch.object(Replica, "is_at_heads", return_value=True)


@bug("client: a receipt is not linked to the one before")
def _unlinked() -> Planting:
    return mock.patch("field_client.receipts.ReceiptBook._last_signed", return_value=None)
