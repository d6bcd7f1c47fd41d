"""Bugs planted in production code from here alone, and how soon the simulation catches each.

Each changes behaviour that docs/protocol.md promises; `python -m tests.simulation --planted` prints
the table. A bug that nothing catches within 500 histories is a hole in the simulation.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from field_client.delivery import Delivery
from field_client.enrolment import Enrolment
from field_client.identity import Identities
from field_client.replica import Replica
from server.audit.changes import Change
from server.database import DatabaseBusyError, StorageFullError
from server.errors import ProblemError
from server.exchange import judging, pushing, routes
from server.exchange.intake import Candidate, stand_in_id
from server.exchange.judging import Judge
from server.journals.models import HeldWait
from server.money.workspace import MoneyWorkspace
from server.people.edits import EditLog
from server.people.workspace import PeopleWorkspace
from server.quotas.workspace import QuotaWorkspace
from server.receipts.workspace import ReceiptsWorkspace
from sync.clock import CorrectedTime
from sync.codes import RequestCode
from sync.journal import chain
from sync.push import Append, Fork
from sync.verdict import Decision, Verdict
from tests.simulation import plan
from tests.simulation.history import Simulation, run_seeded

MOST_HISTORIES = 500
_Planting = Any
BUGS: dict[str, Callable[[], _Planting]] = {}


def bug(name: str) -> Callable[[Callable[[], _Planting]], Callable[[], _Planting]]:
    """Register a bug: a function that returns the patch to enter."""

    def register(make: Callable[[], _Planting]) -> Callable[[], _Planting]:
        BUGS[name] = make
        return make

    return register


def _instead(owner: Any, name: str, make: Callable[[Any], Any]) -> _Planting:
    """Replace `owner.name` with what `make` makes of the original."""
    return mock.patch.object(owner, name, make(getattr(owner, name)))


def _nothing(*_arguments: Any, **_more: Any) -> None:
    """Do what a forgotten call does."""


# --- journals and verdicts ---


@bug("the digest check is skipped")
def _no_digest_check() -> _Planting:
    def make(place: Any) -> Any:
        def lenient(pushed: Any, head: Any, acked_seq: int, stored: Any) -> Any:
            found = place(pushed, head, acked_seq, stored)
            if not isinstance(found, Fork):
                return found
            digests = chain(pushed.previous_digest, pushed.sha256s)
            return Append(min(len(digests), max(acked_seq - pushed.first_seq + 1, 0)), digests)

        return lenient

    return _instead(pushing, "place", make)


@bug("acknowledged although the commit failed")
def _acknowledged_before_commit() -> _Planting:
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

    return _instead(pushing, "run_change", make)


@bug("a batch is committed in parts")
def _committed_in_parts() -> _Planting:
    def make(flush: Any) -> Any:
        def eager(change: Change) -> None:
            flush(change)
            change.connection.exec_driver_sql("COMMIT")
            change.connection.exec_driver_sql("BEGIN IMMEDIATE")

        return eager

    return _instead(Change, "flush", make)


@bug("a replay gets no stored verdicts")
def _no_stored_verdicts() -> _Planting:
    return mock.patch.object(pushing, "verdicts_between", lambda *_arguments: [])


@bug("a replay is judged again, as duplicates")
def _replay_judged_again() -> _Planting:
    def make(verdicts_between: Any) -> Any:
        def judged(*arguments: Any) -> list[Verdict]:
            stored = verdicts_between(*arguments)
            return [
                Verdict(one.seq, one.entry_id, Decision.DUPLICATE, "entry_already_received") for one in stored
            ]

        return judged

    return _instead(pushing, "verdicts_between", make)


@bug("the same id with other bytes is a duplicate")
def _any_bytes_are_duplicates() -> _Planting:
    def make(judge: Any) -> Any:
        def lenient(self: Judge, position: Any) -> Any:
            known = self._batch.known.get(position.incoming.shown_id)
            if known is not None:
                self._batch.known[known.entry_id] = dataclasses.replace(
                    known, sha256=position.incoming.sha256
                )
            return judge(self, position)

        return lenient

    return _instead(Judge, "judge", make)


@bug("a fork does not fence")
def _no_fence() -> _Planting:
    return mock.patch.object(pushing, "fence_installation", _nothing)


@bug("a superseded or fenced tablet may go on")
def _nobody_is_unfit() -> _Planting:
    return mock.patch.object(pushing, "_refuse_unfit", _nothing)


@bug("a bad entry stops the batch")
def _poison_stops_the_batch() -> _Planting:
    class Busy(DatabaseBusyError):
        """What asks the tablet to try again, for ever."""

        def __init__(self, *_arguments: Any) -> None:
            super().__init__()

    return mock.patch.object(judging, "JudgementError", Busy)


@bug("an enrolment asked for again is refused")
def _enrolment_not_repeatable() -> _Planting:
    def make(enrol: Any) -> Any:
        def strict(change: Change, *arguments: Any, **more: Any) -> Any:
            found = change.connection.exec_driver_sql(
                "SELECT 1 FROM installation WHERE id = ?", (more["installation_id"],)
            ).first()
            if found is not None:
                raise ProblemError(RequestCode.ENROLMENT_CODE_INVALID)
            return enrol(change, *arguments, **more)

        return strict

    return _instead(routes, "enrol_installation", make)


# --- held entries and edits ---


@bug("held entries are never released")
def _never_released() -> _Planting:
    return mock.patch.object(Judge, "_release", _nothing)


@bug("what expires no longer waits")
def _expired_waits_dropped() -> _Planting:
    from server.exchange import jobs

    def make(move_outcome: Any) -> Any:
        def final(change: Change, known: Any, state: Any, fault: Any) -> None:
            move_outcome(change, known, state, fault)
            change.delete(HeldWait.__table__, {"entry_id": known.entry_id})

        return final

    return _instead(jobs, "move_outcome", make)


@bug("the last writer wins")
def _last_writer_wins() -> _Planting:
    return mock.patch("server.people.edits.standing_fields", lambda _log, edit: set(edit.fields))


@bug("a conflict is overwritten in silence")
def _silent_overwrite() -> _Planting:
    def make(add: Any) -> Any:
        def silent(self: EditLog, *arguments: Any) -> Any:
            return [], add(self, *arguments)[1]

        return silent

    return _instead(EditLog, "add", make)


@bug("a household moves without its people")
def _people_stay_behind() -> _Planting:
    return mock.patch.object(PeopleWorkspace, "_move_members", _nothing)


# --- money and receipts ---


@bug("cash of an unreadable entry is not posted")
def _cash_only_when_sound() -> _Planting:
    def make(post: Any) -> Any:
        def choosy(
            self: MoneyWorkspace, entry_id: str, worker: str, installation: str, body: Any, *more: Any
        ) -> Any:
            if body is None or "payment" not in body:
                return None
            return post(self, entry_id, worker, installation, body, *more)

        return choosy

    return _instead(MoneyWorkspace, "post_on_arrival", make)


@bug("cash is posted again on a carry-over")
def _cash_posted_twice() -> _Planting:
    def make(judge: Any) -> Any:
        def eager(self: Judge, position: Any) -> Any:
            verdict = judge(self, position)
            if verdict.decision is Decision.DUPLICATE and position.incoming.is_cash:
                self._post_cash(position, stand_in_id(self._installation.worker_id, position.incoming))
            return verdict

        return eager

    return _instead(Judge, "judge", make)


@bug("voiding a payment leaves its postings")
def _void_leaves_postings() -> _Planting:
    return mock.patch("server.money.workspace.void_lines", lambda _payment: ())


@bug("a receipt's number may be used twice")
def _receipt_numbers_unchecked() -> _Planting:
    def make(fault_of: Any) -> Any:
        def lenient(self: ReceiptsWorkspace, arrival: Any, parsed: Any, key: Any) -> Any:
            number = (parsed.content.installation, parsed.content.counter)
            others = self._by_number.pop(number, [])
            try:
                return fault_of(self, arrival, parsed, key)
            finally:
                self._by_number[number].extend(others)

        return lenient

    return _instead(ReceiptsWorkspace, "_fault", make)


# --- figures and time ---


@bug("voided facts still count")
def _voided_counts() -> _Planting:
    return mock.patch.object(QuotaWorkspace, "void_fact", _nothing)


@bug("a voided payment still pays")
def _voided_pays() -> _Planting:
    return mock.patch.object(QuotaWorkspace, "mark_unpaid", _nothing)


@bug("a holder's cap is ignored")
def _cap_ignored() -> _Planting:
    return mock.patch("server.quotas.settling.capped_by_holder", lambda _indicator, judged: list(judged))


@bug("figures follow the order of arrival")
def _arrival_order() -> _Planting:
    from server.quotas.rules import Fact

    return mock.patch.object(Fact, "captured_order", property(lambda self: (0, self.fact_id[::-1])))


@bug("rights are judged at arrival")
def _rights_at_arrival() -> _Planting:
    return mock.patch.object(Candidate, "capture_ms", property(lambda self: self.received_ms))


@bug("the claimed time is believed")
def _claimed_time_believed() -> _Planting:
    believed = lambda captured, *_marks: CorrectedTime(captured.wall_ms, captured.wall_ms)  # noqa: E731
    return mock.patch.object(pushing, "correct_time", believed)


@bug("clock marks of predecessors are ignored")
def _own_marks_only() -> _Planting:
    return mock.patch.object(pushing, "lineage_of", lambda _connection, installation: [installation])


# --- scopes and feeds ---


@bug("the scope filter is gone")
def _no_scope_filter() -> _Planting:
    def make(granted: Any) -> Any:
        def generous(*arguments: Any) -> list[str]:
            return sorted({*granted(*arguments), *(f"area:{key}" for key in plan.COMMUNES)})

        return generous

    return _instead(routes, "granted_scopes", make)


@bug("a revoked tablet may read")
def _revoked_reads() -> _Planting:
    def make(installation_by_id: Any) -> Any:
        def forgiving(*arguments: Any, **more: Any) -> Any:
            return dataclasses.replace(installation_by_id(*arguments, **more), state="active")

        return forgiving

    return _instead(routes, "installation_by_id", make)


@bug("entries after a revocation are applied")
def _revocation_ignored() -> _Planting:
    return mock.patch.object(judging, "is_revoked_at", lambda *_arguments: False)


@bug("the cursor skips a row")
def _cursor_skips() -> _Planting:
    def make(starting_points: Any) -> Any:
        def hasty(have: Any, granted: Any) -> dict[str, int]:
            points = starting_points(have, granted)
            return {scope: after + 1 if after else 0 for scope, after in points.items()}

        return hasty

    return mock.patch(
        "server.exchange.pulling.starting_points",
        make(_original("server.exchange.pulling", "starting_points")),
    )


@bug("sums are not kept")
def _sums_not_kept() -> _Planting:
    return mock.patch("server.audit.stamping.sum_changed", lambda total, **_changes: total)


@bug("a row is stamped into the wrong scope")
def _wrong_scope() -> _Planting:
    return mock.patch("server.outreach.workspace.area_scope", lambda _key: f"area:{plan.COMMUNES[0]}")


@bug("a record that leaves a scope stays in it")
def _never_leaves() -> _Planting:
    def make(feed_row: Any) -> Any:
        def kept(scope: str, key: Any, version: int, op: str, hash_: str) -> Any:
            return feed_row(scope, key, version, "put" if op == "remove" else op, hash_)

        return kept

    return mock.patch(
        "server.audit.stamping._feed_row", make(_original("server.audit.stamping", "_feed_row"))
    )


@bug("numbers of persons travel in the clear")
def _unmasked() -> _Planting:
    return mock.patch("server.people.workspace.masked", lambda number: number)


@bug("outcomes are not replicated")
def _no_outcome_records() -> _Planting:
    def make(put_record: Any) -> Any:
        def forgetful(self: Change, record_type: str, *more: Any) -> None:
            if record_type != "outcome":
                put_record(self, record_type, *more)

        return forgetful

    return _instead(Change, "put_record", make)


@bug("an audit row is left out")
def _audit_left_out() -> _Planting:
    def make(append: Any) -> Any:
        def careless(self: Change) -> None:
            self._audits = self._audits[:-1] or self._audits
            append(self)

        return careless

    return _instead(Change, "_append_audit_rows", make)


@bug("audit rows are not chained")
def _audit_unchained() -> _Planting:
    unchained = lambda _previous, *row: _original("sync.audit", "audit_digest")("0" * 64, *row)  # noqa: E731
    return mock.patch("server.audit.changes.audit_digest", unchained)


# --- the client ---


@bug("client: delivered without a signed echo")
def _unsigned_echo() -> _Planting:
    return mock.patch(
        "field_client.delivery.statement_content", lambda _key, _context, shown: json.loads(shown["text"])
    )


@bug("client: another journal's acknowledgement is its own")
def _any_journal() -> _Planting:
    return mock.patch.object(Delivery, "require_own_journal", _nothing)


@bug("client: an answer is taken in piece by piece")
def _torn_answer() -> _Planting:
    def make(accept: Any) -> Any:
        def torn(self: Delivery, *arguments: Any) -> None:
            accept(self, *arguments)
            self._store.connection.execute("COMMIT")
            self._store.connection.execute("BEGIN IMMEDIATE")

        return torn

    return _instead(Delivery, "accept", make)


@bug("client: an old verdict overwrites a newer outcome")
def _verdict_overwrites() -> _Planting:
    def make(record: Any) -> Any:
        def blunt(self: Delivery, identity: Any, verdicts: Any, *, afresh: bool) -> None:
            record(self, identity, verdicts, afresh=True)

        return blunt

    return _instead(Delivery, "record_verdicts", make)


@bug("client: what is quarantined is dropped")
def _drops_quarantined() -> _Planting:
    def make(record: Any) -> Any:
        def tidy(self: Delivery, *arguments: Any, **more: Any) -> None:
            record(self, *arguments, **more)
            self._store.connection.execute("DELETE FROM entry WHERE state = 'quarantined'")

        return tidy

    return _instead(Delivery, "record_verdicts", make)


@bug("client: the carry-over forgets the last entry")
def _carries_less() -> _Planting:
    def make(carry_over: Any) -> Any:
        def forgetful(self: Enrolment, old: Any, new: Any) -> None:
            carry_over(self, old, new)
            self._store.connection.execute(
                "DELETE FROM journal WHERE installation_id = ?1 AND seq = "
                "(SELECT max(seq) FROM journal WHERE installation_id = ?1)",
                (new.installation,),
            )

        return forgetful

    return _instead(Enrolment, "_carry_over", make)


@bug("client: carries over only what was not acknowledged, and says so of all")
def _nothing_unsent() -> _Planting:
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

    return _instead(Identities, "put", make)


@bug("client: at the head before the last page")
def _early_heads() -> _Planting:
    return mock.patch.object(Replica, "is_at_heads", lambda *_arguments: True)


@bug("client: a receipt is not linked to the one before")
def _unlinked() -> _Planting:
    return mock.patch("field_client.receipts.ReceiptBook._last_signed", lambda *_arguments: None)


def _original(module: str, name: str) -> Any:
    """Return a function before anything is planted in its place."""
    return getattr(sys.modules[module], name)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Let the bug `name` be in production code."""
    with BUGS[name]():
        yield


def histories_until_caught(name: str, seed: int, most: int = MOST_HISTORIES) -> tuple[int | None, str]:
    """Return after how many histories of `seed` the bug is caught, and by which invariant."""
    with Simulation() as simulation, planted(name):
        for number in range(most):
            violation = run_seeded(simulation, seed, number).violation
            if violation is not None:
                return number + 1, violation.split("\n")[0][:90]
    return None, "NOT CAUGHT"


def _caught(work: tuple[str, int, int]) -> tuple[str, int, int | None, str]:
    return (work[0], work[1], *histories_until_caught(*work))


def print_table(seeds: Sequence[int], workers: int, most: int = MOST_HISTORIES) -> int:
    """Print after how many histories each bug is caught with each seed; return the exit status."""
    works = [(name, seed, most) for name in BUGS for seed in seeds]
    found: dict[tuple[str, int], tuple[int | None, str]] = {}
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool:
        for name, seed, count, violation in pool.imap(_caught, works):
            found[name, seed] = (count, violation)
            if seed == seeds[-1]:
                counts = [found[name, each][0] for each in seeds]
                shown = " ".join(f"{'NEVER' if count is None else count:>6}" for count in counts)
                sys.stdout.write(f"{name:<55} {shown}  {found[name, seeds[0]][1]}\n")
                sys.stdout.flush()
    missed = sum(count is None for count, _ in found.values())
    sys.stdout.write(f"{len(BUGS)} bugs, {len(works)} hunts, {missed} not caught within {most} histories\n")
    return 1 if missed else 0
