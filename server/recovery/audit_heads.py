"""The heads of all audit chains, gathered each night into the desk journal and signed.

Whoever rewrote an audit chain in the database would have to rewrite the file as well, and could not
sign it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from sqlalchemy import Connection

from schemas.signatures import AUDIT_HEADS_CONTEXT, PublicKey, sign_statement, statement_content
from server.audit.changes import Actor, Change, run_change
from server.audit.desk_journal import DeskLine
from server.audit.queries import audit_digests, moved_audit_heads
from server.recovery.rules import forgotten_spans, is_forgotten
from server.runtime import Runtime

AUDIT_HEADS = "audit_heads"


def gather_audit_heads(runtime: Runtime) -> int:
    """Write the heads of the chains that moved since the last time; return how many."""
    now_ms = runtime.clock.now_ms()

    def work(change: Change) -> int:
        heads = [list(head) for head in moved_audit_heads(change.connection, AUDIT_HEADS)]
        content = {"at_ms": now_ms, "chains": len(heads), "sha256": _sha256(heads)}
        statement = sign_statement(runtime.config.office_key, AUDIT_HEADS_CONTEXT, content)
        change.audit("audit_heads_gathered", "office", chains=len(heads))
        change.desk(AUDIT_HEADS, heads=heads, statement=statement)
        return len(heads)

    return run_change(runtime.transactions, Actor("job:gather_audit_heads"), now_ms, work)


def audit_findings(connection: Connection, office_key: PublicKey, lines: Iterable[DeskLine]) -> list[str]:
    """Compare the gathered heads with the chains in the database; return a line a finding.

    What a restore has forgotten since is left out.
    """
    lines = list(lines)
    started = [(line.seq, line.members) for line in lines if line.kind == "epoch_started"]
    spans, findings = forgotten_spans(started), []
    for line in lines:
        if line.kind != AUDIT_HEADS:
            continue
        content, heads = line.members, line.members["heads"]
        signed = statement_content(office_key, AUDIT_HEADS_CONTEXT, content["statement"])
        if signed is None or signed.get("sha256") != _sha256(heads):
            findings.append(f"desk record {line.seq}: the audit heads are not signed by the office")
        if is_forgotten(line.seq, spans):
            continue
        known = audit_digests(connection, [(chain, seq) for chain, seq, _ in heads])
        findings += [
            f"audit chain {chain} differs at {seq} from desk record {line.seq}"
            for chain, seq, digest in heads
            if known.get((chain, seq)) != digest
        ]
    return findings


def _sha256(heads: object) -> str:
    return hashlib.sha256(json.dumps(heads, separators=(",", ":")).encode()).hexdigest()
