"""Scheduled work of recoveries: audit heads at night, and what a restore could not replay yet."""

from __future__ import annotations

from server.audit.desk_journal import DeskJournalError, read_desk_file
from server.audit.queries import is_recovering
from server.recovery.audit_heads import audit_findings, gather_audit_heads
from server.recovery.replay import post_fund_decisions, replay_backlog
from server.runtime import Runtime


def gather_heads_nightly(runtime: Runtime) -> list[str]:
    """Compare the audit chains with the heads gathered before, then gather them anew."""
    findings: list[str] = []
    path = runtime.transactions.desk_journal
    if path is not None:
        try:
            lines = list(read_desk_file(path))
        except DeskJournalError as error:
            return [str(error)]
        with runtime.transactions.reading() as connection:
            findings = audit_findings(connection, runtime.config.office_key.public, lines)
    gather_audit_heads(runtime)
    return findings


def replay_what_waits(runtime: Runtime) -> int:
    """Replay the decisions whose entries tablets have brought back by now; return how many still wait.

    While the office recovers, what it decided about donations that came back since is posted too.
    """
    left = replay_backlog(runtime)
    with runtime.transactions.reading() as connection:
        is_open = is_recovering(connection)
    if is_open:
        post_fund_decisions(runtime)
    return left
