"""Scheduled work over delivered entries: nightly verification, and expiry of held entries."""

from __future__ import annotations

import structlog

from server.audit.changes import Actor, Change, run_change
from server.audit.queries import broken_audit_chains, feeds_that_disagree
from server.exchange.batch import Batch
from server.exchange.derivation import quota_differences
from server.exchange.fund_derivation import door_differences
from server.funds.verification import fund_differences
from server.journals.actions import lock_names, move_outcome
from server.journals.queries import held_since, known_entries
from server.money.queries import unbalanced_entries
from server.quotas.statements import altered_statements
from server.runtime import Runtime
from sync.clock import DAY_MS
from sync.codes import EntryCode
from sync.entry import Fault
from sync.verdict import OutcomeState

HELD_LIFE_MS = 30 * DAY_MS
# Jobs stamp few scopes a transaction, so that no tablet waits long behind them.
_ENTRIES_A_CHANGE = 50
_log = structlog.get_logger("tungnha.jobs")


def expire_held_entries(runtime: Runtime) -> int:
    """Show entries held for 30 days as quarantined; they still wait. Return how many.

    The receipts of payments among them follow.
    """
    now_ms = runtime.clock.now_ms()
    expired = 0

    def work(change: Change) -> int:
        overdue = held_since(change.connection, now_ms - HELD_LIFE_MS)[:_ENTRIES_A_CHANGE]
        # Lock first, then read: a push may be releasing one of them right now.
        ids = [known.entry_id for known in overdue]
        lock_names(change.connection, [f"entry:{entry_id}" for entry_id in ids])
        known_now = known_entries(change.connection, ids)
        receipts = Batch(runtime, change).receipts
        receipts.want_payments(ids)
        receipts.load()
        for known in (known_now[entry_id] for entry_id in ids):
            if known.state != OutcomeState.HELD:
                continue
            fault = Fault(EntryCode.HELD_TOO_LONG, known.field)
            move_outcome(change, known, OutcomeState.QUARANTINED, fault)
            receipts.payment_quarantined(known.entry_id)
        receipts.finish()
        change.audit("held_entries_expired", "office", count=len(overdue))
        return len(overdue)

    while True:
        count = run_change(runtime.transactions, Actor("job:expire_held_entries"), now_ms, work)
        expired += count
        if count < _ENTRIES_A_CHANGE:
            return expired


def verify_nightly(runtime: Runtime) -> list[str]:
    """Check what must always hold; return a line a finding and log how many there are."""
    with runtime.transactions.reading() as connection:
        findings = [f"audit chain {chain} is broken" for chain in broken_audit_chains(connection)]
        findings += [f"feed {scope} disagrees with its head" for scope in feeds_that_disagree(connection)]
        findings += [f"payment {entry} is not balanced" for entry in unbalanced_entries(connection)]
        findings += [str(item) for item in quota_differences(connection, runtime)]
        findings += [str(item) for item in door_differences(connection, runtime.sealer)]
        findings += [f"statement {number} was altered" for number in altered_statements(connection)]
        findings += [str(item) for item in fund_differences(connection, runtime.config.time_zone)]
    if findings:
        _log.error("verification_found", findings=len(findings))
    else:
        _log.info("verification_clean")
    return findings
