"""Bugs in money, receipts, figures, times, scopes, feeds and the audit."""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

from server.audit.changes import Change
from server.exchange import judging, pushing, routes
from server.exchange.intake import Candidate, stand_in_id
from server.exchange.judging import Judge
from server.quotas.workspace import QuotaWorkspace
from server.receipts.workspace import ReceiptsWorkspace
from sync.clock import CorrectedTime, Timeline
from sync.verdict import Decision
from tests.simulation import plan
from tests.simulation.planted.registry import Planting, bug, instead, nothing, original

# --- money and receipts ---


@bug("cash of an unreadable entry is not posted")
def _cash_only_when_sound() -> Planting:
    def make(post: Any) -> Any:
        def choosy(self: Judge, position: Any, entry_id: str) -> Any:
            body = position.incoming.raw_body
            if body is None or "payment" not in body:
                return ()
            return post(self, position, entry_id)

        return choosy

    return instead(Judge, "_post_cash", make)


@bug("cash is posted again on a carry-over")
def _cash_posted_twice() -> Planting:
    def make(judge: Any) -> Any:
        def eager(self: Judge, position: Any) -> Any:
            verdict = judge(self, position)
            if verdict.decision is Decision.DUPLICATE and position.incoming.is_cash:
                self._post_cash(position, stand_in_id(self._installation.worker_id, position.incoming))
            return verdict

        return eager

    return instead(Judge, "judge", make)


@bug("voiding a payment leaves its postings")
def _void_leaves_postings() -> Planting:
    return mock.patch("server.money.workspace.void_lines", return_value=())


@bug("a receipt's number may be used twice")
def _receipt_numbers_unchecked() -> Planting:
    def make(fault_of: Any) -> Any:
        def lenient(self: ReceiptsWorkspace, arrival: Any, parsed: Any, key: Any) -> Any:
            number = (parsed.content.installation, parsed.content.counter)
            others = self._by_number.pop(number, [])
            try:
                return fault_of(self, arrival, parsed, key)
            finally:
                self._by_number[number].extend(others)

        return lenient

    return instead(ReceiptsWorkspace, "_fault", make)


@bug("the receipt of a refused entry is not kept")
def _refused_receipt_lost() -> Planting:
    return mock.patch.object(ReceiptsWorkspace, "keep_refused", nothing)


# --- figures and time ---


@bug("voided facts still count")
def _voided_counts() -> Planting:
    return mock.patch.object(QuotaWorkspace, "void_fact", nothing)


@bug("a voided payment still pays")
def _voided_pays() -> Planting:
    return mock.patch.object(QuotaWorkspace, "mark_unpaid", nothing)


@bug("a holder's cap is ignored")
def _cap_ignored() -> Planting:
    return mock.patch("server.quotas.settling.capped_by_holder", lambda _indicator, judged: list(judged))


@bug("figures follow the order of arrival")
def _arrival_order() -> Planting:
    from server.quotas.rules import Fact

    return mock.patch.object(Fact, "captured_order", property(lambda self: (0, self.fact_id[::-1])))


@bug("rights are judged at arrival")
def _rights_at_arrival() -> Planting:
    return mock.patch.object(Candidate, "capture_ms", property(lambda self: self.received_ms))


@bug("the claimed time is believed")
def _claimed_time_believed() -> Planting:
    believed = lambda _self, captured, *_more: CorrectedTime(captured.wall_ms, captured.wall_ms)  # noqa: E731
    return mock.patch.object(Timeline, "corrected", believed)


@bug("clock marks of predecessors are ignored")
def _own_marks_only() -> Planting:
    return mock.patch.object(pushing, "lineage_of", lambda _connection, installation: [installation])


# --- scopes and feeds ---


@bug("the scope filter is gone")
def _no_scope_filter() -> Planting:
    def make(granted: Any) -> Any:
        def generous(*arguments: Any) -> list[str]:
            return sorted({*granted(*arguments), *(f"area:{key}" for key in plan.COMMUNES)})

        return generous

    return instead(routes, "granted_scopes", make)


@bug("a revoked tablet may read")
def _revoked_reads() -> Planting:
    def make(installation_by_id: Any) -> Any:
        def forgiving(*arguments: Any, **more: Any) -> Any:
            return dataclasses.replace(installation_by_id(*arguments, **more), state="active")

        return forgiving

    return instead(routes, "installation_by_id", make)


@bug("entries after a revocation are applied")
def _revocation_ignored() -> Planting:
    return mock.patch.object(judging, "is_revoked_at", return_value=False)


@bug("the cursor skips a row")
def _cursor_skips() -> Planting:
    def make(starting_points: Any) -> Any:
        def hasty(have: Any, granted: Any) -> dict[str, int]:
            points = starting_points(have, granted)
            return {scope: after + 1 if after else 0 for scope, after in points.items()}

        return hasty

    return mock.patch(
        "server.exchange.pulling.starting_points",
        make(original("server.exchange.pulling", "starting_points")),
    )


@bug("sums are not kept")
def _sums_not_kept() -> Planting:
    return mock.patch("server.audit.stamping.sum_changed", lambda total, **_changes: total)


@bug("a row is stamped into the wrong scope")
def _wrong_scope() -> Planting:
    return mock.patch("server.outreach.workspace.area_scope", return_value=f"area:{plan.COMMUNES[0]}")


@bug("a record that leaves a scope stays in it")
def _never_leaves() -> Planting:
    def make(feed_row: Any) -> Any:
        def kept(scope: str, key: Any, version: int, op: str, hash_: str) -> Any:
            return feed_row(scope, key, version, "put" if op == "remove" else op, hash_)

        return kept

    return mock.patch("server.audit.stamping._feed_row", make(original("server.audit.stamping", "_feed_row")))


@bug("numbers of persons travel in the clear")
def _unmasked() -> Planting:
    return mock.patch("server.people.workspace.masked", lambda number: number)


@bug("outcomes are not replicated")
def _no_outcome_records() -> Planting:
    def make(put_record: Any) -> Any:
        def forgetful(self: Change, record_type: str, *more: Any) -> None:
            if record_type != "outcome":
                put_record(self, record_type, *more)

        return forgetful

    return instead(Change, "put_record", make)


@bug("an audit row is left out")
def _audit_left_out() -> Planting:
    def make(append: Any) -> Any:
        def careless(self: Change) -> None:
            self._audits = self._audits[:-1] or self._audits
            append(self)

        return careless

    return instead(Change, "_append_audit_rows", make)


@bug("audit rows are not chained")
def _audit_unchained() -> Planting:
    unchained = lambda _previous, *row: original("sync.audit", "audit_digest")("0" * 64, *row)  # noqa: E731
    return mock.patch("server.audit.changes.audit_digest", unchained)
