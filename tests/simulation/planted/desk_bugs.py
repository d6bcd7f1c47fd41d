"""Bugs in what the office decides, and in what follows from it."""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

from server.exchange import judging, merging
from server.exchange.judging import Judge
from server.exchange.registry import HANDLERS
from server.exchange.returns import apply_entry_returned
from server.money.models import LedgerLine
from server.money.rules import arrival_lines
from server.people.edits import EditLog
from server.people.workspace import PeopleWorkspace
from sync.codes import EntryCode
from tests.simulation.planted.registry import Planting, bug, instead, nothing


def _handled_otherwise(kind: str, make: Any) -> Planting:
    handler = HANDLERS[kind]
    return mock.patch.dict(HANDLERS, {kind: dataclasses.replace(handler, apply=make(handler.apply))})


def _without_following(apply: Any) -> Any:
    def careless(batch: Any, arrival: Any) -> Any:
        with mock.patch.object(merging, "_follow", nothing):
            return apply(batch, arrival)

    return careless


@bug("a merge does not move credits")
def _merge_moves_nothing() -> Planting:
    return _handled_otherwise("records_merged", _without_following)


@bug("an un-merge leaves credits where they are")
def _unmerge_moves_nothing() -> Planting:
    return _handled_otherwise("records_unmerged", _without_following)


@bug("an un-merge dissolves the whole cluster")
def _unmerge_takes_all() -> Planting:
    def make(unmerge: Any) -> Any:
        def thorough(self: PeopleWorkspace, record_type: str, record_id: str) -> None:
            for member in self.cluster_of(record_type, record_id):
                unmerge(self, record_type, member)

        return thorough

    return instead(PeopleWorkspace, "unmerge", make)


@bug("a merge between communes is let through")
def _merge_anywhere() -> Planting:
    def make(merge_fault: Any) -> Any:
        def lenient(self: PeopleWorkspace, *arguments: Any) -> Any:
            fault = merge_fault(self, *arguments)
            return None if fault is not None and fault.code == EntryCode.MERGE_ACROSS_AREAS else fault

        return lenient

    return instead(PeopleWorkspace, "merge_fault", make)


@bug("a correction posts the cash again")
def _posted_by_correction() -> Planting:
    def make(judge_corrected: Any) -> Any:
        def eager(self: Judge, target_id: str, by_entry_id: str) -> Any:
            fault = judge_corrected(self, target_id, by_entry_id)
            payment = self._batch.money.payment(target_id)
            if fault is None and payment is not None:
                lines = arrival_lines(payment.worker_id, payment.method, payment.amount_vnd)
                for number, line in enumerate(lines, start=11):
                    self._change.insert(
                        LedgerLine.__table__,
                        entry_id=target_id,
                        step="arrival",
                        line_number=number,
                        account=line.account,
                        debit_vnd=line.debit_vnd,
                        credit_vnd=line.credit_vnd,
                        business_day=payment.business_day,
                        posted_ms=self._change.now_ms,
                        caused_by=by_entry_id,
                    )
            return fault

        return eager

    return instead(Judge, "_judge_corrected", make)


@bug("a correction releases nothing")
def _releases_nothing() -> Planting:
    def make(judge_corrected: Any) -> Any:
        def alone(self: Judge, *arguments: Any) -> Any:
            with mock.patch.object(Judge, "_release", nothing):
                return judge_corrected(self, *arguments)

        return alone

    return instead(Judge, "_judge_corrected", make)


@bug("an entry is sent back without a word")
def _silent_return() -> Planting:
    return mock.patch.object(judging, "return_entry", lambda _change, known, _reason: known)


@bug("anybody may answer what was sent back")
def _anybody_answers() -> Planting:
    return _handled_otherwise("return_answered", lambda _apply: apply_entry_returned)


@bug("an answer settles nothing")
def _answer_ignored() -> Planting:
    def make(settle: Any) -> Any:
        def deaf(self: Judge, candidate: Any) -> Any:
            return None if candidate.kind.name == "return_answered" else settle(self, candidate)

        return deaf

    return instead(Judge, "_settle_target", make)


@bug("a decision leaves the conflict open")
def _conflict_stays_open() -> Planting:
    return mock.patch.object(EditLog, "_close_conflicts", nothing)


@bug("a decision closes conflicts that it did not see")
def _closes_unseen() -> Planting:
    def make(close: Any) -> Any:
        def blind(self: EditLog, record_id: str, amendment: Any, fields: set[str]) -> None:
            newest = self._logs[record_id][-1].entry_id
            close(self, record_id, dataclasses.replace(amendment, base=newest), fields)

        return blind

    return instead(EditLog, "_close_conflicts", make)
