"""Bugs in how a journal is received, judged, held and merged."""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

from server.audit.changes import Change
from server.database import DatabaseBusyError, StorageFullError
from server.errors import ProblemError
from server.exchange import judging, pushing, routes
from server.exchange.judging import Judge
from server.journals.models import HeldWait
from server.people.edits import EditLog
from server.people.workspace import PeopleWorkspace
from sync.codes import RequestCode
from sync.journal import chain
from sync.push import Append, Fork
from sync.verdict import Decision, Verdict
from tests.simulation.planted.registry import Planting, bug, instead, nothing

# --- journals and verdicts ---


@bug("the digest check is skipped")
def _no_digest_check() -> Planting:
    def make(place: Any) -> Any:
        def lenient(pushed: Any, head: Any, acked_seq: int, stored: Any) -> Any:
            found = place(pushed, head, acked_seq, stored)
            if not isinstance(found, Fork):
                return found
            digests = chain(pushed.previous_digest, pushed.sha256s)
            return Append(min(len(digests), max(acked_seq - pushed.first_seq + 1, 0)), digests)

        return lenient

    return instead(pushing, "place", make)


@bug("acknowledged although the commit failed")
def _acknowledged_before_commit() -> Planting:
    def make(run: Any) -> Any:
        def hasty(transactions: Any, actor: Any, now_ms: int, work: Any) -> Any:
            done: list[Any] = []

            def remembered(change: Change) -> Any:
                done.append(work(change))
                return done[-1]

            try:
                return run(transactions, actor, now_ms, remembered)
            except (DatabaseBusyError, StorageFullError):
                if not done:
                    raise
                return done[-1]

        return hasty

    return instead(pushing, "run_change", make)


@bug("a batch is committed in parts")
def _committed_in_parts() -> Planting:
    def make(flush: Any) -> Any:
        def eager(change: Change) -> None:
            flush(change)
            change.connection.exec_driver_sql("COMMIT")
            change.connection.exec_driver_sql("BEGIN IMMEDIATE")

        return eager

    return instead(Change, "flush", make)


@bug("a replay gets no stored verdicts")
def _no_stored_verdicts() -> Planting:
    return mock.patch.object(pushing, "verdicts_between", return_value=[])


@bug("a replay is judged again, as duplicates")
def _replay_judged_again() -> Planting:
    def make(verdicts_between: Any) -> Any:
        def judged(*arguments: Any) -> list[Verdict]:
            stored = verdicts_between(*arguments)
            return [
                Verdict(one.seq, one.entry_id, Decision.DUPLICATE, "entry_already_received") for one in stored
            ]

        return judged

    return instead(pushing, "verdicts_between", make)


@bug("the same id with other bytes is a duplicate")
def _any_bytes_are_duplicates() -> Planting:
    def make(judge: Any) -> Any:
        def lenient(self: Judge, position: Any) -> Any:
            known = self._batch.known.get(position.incoming.shown_id)
            if known is not None:
                self._batch.known[known.entry_id] = dataclasses.replace(
                    known, sha256=position.incoming.sha256
                )
            return judge(self, position)

        return lenient

    return instead(Judge, "judge", make)


@bug("a fork does not fence")
def _no_fence() -> Planting:
    return mock.patch.object(pushing, "fence_installation", nothing)


@bug("a superseded or fenced tablet may go on")
def _nobody_is_unfit() -> Planting:
    return mock.patch.object(pushing, "_refuse_unfit", nothing)


@bug("a bad entry stops the batch")
def _poison_stops_the_batch() -> Planting:
    class AlwaysBusyError(DatabaseBusyError):
        """What asks the tablet to try again, for ever."""

        def __init__(self, *_arguments: Any) -> None:
            super().__init__()

    return mock.patch.object(judging, "JudgementError", AlwaysBusyError)


@bug("an enrolment asked for again is refused")
def _enrolment_not_repeatable() -> Planting:
    def make(enrol: Any) -> Any:
        def strict(change: Change, *arguments: Any, **more: Any) -> Any:
            found = change.connection.exec_driver_sql(
                "SELECT 1 FROM installation WHERE id = ?", (more["installation_id"],)
            ).first()
            if found is not None:
                raise ProblemError(RequestCode.ENROLMENT_CODE_INVALID)
            return enrol(change, *arguments, **more)

        return strict

    return instead(routes, "enrol_installation", make)


# --- held entries and edits ---


@bug("held entries are never released")
def _never_released() -> Planting:
    return mock.patch.object(Judge, "_release", nothing)


@bug("what expires no longer waits")
def _expired_waits_dropped() -> Planting:
    from server.exchange import jobs

    def make(move_outcome: Any) -> Any:
        def final(change: Change, known: Any, state: Any, fault: Any) -> None:
            move_outcome(change, known, state, fault)
            change.delete(HeldWait.__table__, {"entry_id": known.entry_id})

        return final

    return instead(jobs, "move_outcome", make)


@bug("the last writer wins")
def _last_writer_wins() -> Planting:
    return mock.patch("server.people.edits.standing_fields", lambda _log, edit: set(edit.fields))


@bug("a conflict is overwritten in silence")
def _silent_overwrite() -> Planting:
    def make(add: Any) -> Any:
        def silent(self: EditLog, *arguments: Any) -> Any:
            return [], add(self, *arguments)[1]

        return silent

    return instead(EditLog, "add", make)


@bug("a household moves without its people")
def _people_stay_behind() -> Planting:
    return mock.patch.object(PeopleWorkspace, "_move_members", nothing)
