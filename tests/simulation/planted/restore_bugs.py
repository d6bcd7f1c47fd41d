"""Bugs in backups, restores, epochs and what outlives a database."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from typing import Any
from unittest import mock

from sqlalchemy import Connection, func, select

from field_client import purging
from field_client.delivery import Delivery
from field_client.replica import Replica
from server.audit.queries import current_epoch
from server.devices import readmission
from server.devices.models import BackupMark
from server.exchange import pushing, routes
from server.recovery import jobs, replay, restore
from server.recovery.replay import REPLAYS
from sync.push import Append, Gap
from tests.simulation.planted.registry import Planting, bug, instead, nothing


def _together(*plantings: Planting) -> Planting:
    """Enter several patches as one."""

    class All:
        def __enter__(self) -> None:
            self._stack = ExitStack()
            for planting in plantings:
                self._stack.enter_context(planting)

        def __exit__(self, *error: object) -> None:
            self._stack.close()

    return All()


@bug("a restore begins no epoch")
def _no_epoch() -> Planting:
    same = lambda change, *_arguments, **_more: current_epoch(change.connection)  # noqa: E731
    return mock.patch.object(restore, "start_epoch", same)


@bug("durable is what the newest backup holds")
def _newest_is_durable() -> Planting:
    mark = BackupMark.__table__

    def newest(connection: Connection, installation_id: str) -> int:
        statement = select(func.max(mark.c.acked_seq)).where(mark.c.installation_id == installation_id)
        return connection.scalar(statement) or 0

    return mock.patch.object(routes, "durable_seq_of", newest)


@bug("backups of an earlier epoch stay durable")
def _old_backups_count() -> Planting:
    return mock.patch("server.devices.actions._forget_backups", nothing)


@bug("the desk journal is not replayed")
def _not_replayed() -> Planting:
    return mock.patch.dict(REPLAYS, dict.fromkeys(REPLAYS, nothing))


@bug("a revocation is not replayed")
def _revocation_forgotten() -> Planting:
    return mock.patch.dict(REPLAYS, {"installation_revoked": nothing})


@bug("what the office set up is not replayed")
def _office_forgotten() -> Planting:
    return mock.patch.dict(REPLAYS, {"office_changed": nothing})


@bug("numbers are counted by the restored database")
def _numbers_again() -> Planting:
    return _together(
        mock.patch.object(readmission, "raise_counter", nothing),
        mock.patch.object(replay, "raise_counter", nothing),
    )


@bug("numbers that were left out are given after the next restore")
def _left_out_given() -> Planting:
    return mock.patch.dict(REPLAYS, {"epoch_started": nothing})


@bug("a decision that waits is forgotten")
def _waiting_forgotten() -> Planting:
    return mock.patch.object(jobs, "replay_backlog", return_value=0)


@bug("an acknowledgement that was forgotten is overlooked")
def _overlooked() -> Planting:
    return mock.patch.object(pushing, "is_forgotten", return_value=False)


@bug("what had arrived before a restore arrives late")
def _late_after_restore() -> Planting:
    return mock.patch.object(pushing, "first_receipt", return_value=None)


@bug("a certificate lets nobody in")
def _nobody_let_in() -> Planting:
    return mock.patch.object(routes, "certified", return_value=None)


@bug("a declared hole is a gap all the same")
def _holes_refused() -> Planting:
    def make(place: Any) -> Any:
        def strict(pushed: Any, head: Any, acked_seq: int, *more: Any) -> Any:
            found = place(pushed, head, acked_seq, *more)
            is_hole = isinstance(found, Append) and found.hole is not None
            return Gap(expected_seq=acked_seq + 1) if is_hole else found

        return strict

    return instead(pushing, "place", make)


@bug("client: lets go of what a recovering office has forgotten")
def _removes_too_soon() -> Planting:
    def make(settle: Any) -> Any:
        def eager(self: Replica, *arguments: Any, **_more: Any) -> Any:
            return settle(self, *arguments, keeps_everything=False)

        return eager

    return instead(Replica, "settle", make)


@bug("client: the verdict of a later epoch is not believed")
def _old_verdict_kept() -> Planting:
    def make(record: Any) -> Any:
        return lambda self, identity, verdicts, _epoch: record(self, identity, verdicts, 1)

    return instead(Delivery, "record_verdicts", make)


@bug("client: outcomes of an earlier epoch are kept")
def _old_outcomes_kept() -> Planting:
    return mock.patch.object(Delivery, "_forget_outcomes", nothing)


@bug("client: verdicts of before a restore are not heard again")
def _not_heard_again() -> Planting:
    return mock.patch.object(
        Delivery, "heard_anew", lambda _self, _identity, _ack, _batch, heard_seq: heard_seq
    )


@bug("client: purges whatever is acknowledged")
def _purges_all() -> Planting:
    def eager(store: Any, identities: Any, now_ms: int) -> int:
        class Generous:
            def __getattr__(self, name: str) -> Any:
                return getattr(identities, name)

            def standing(self, installation: str) -> Any:
                found = identities.standing(installation)
                return dataclasses.replace(found, durable_seq=found.acked_seq)

        return purging.purge_durable(store, Generous(), now_ms)  # type: ignore[arg-type]

    return mock.patch("field_client.client.purge_durable", eager)
