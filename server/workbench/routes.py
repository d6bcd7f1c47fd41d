"""The workbench's pages: the list of what is quarantined, one entry's evidence, and what settles it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for

from server.audit.changes import Change
from server.dashboard.formats import visible_text
from server.dashboard.queries import Sight
from server.dashboard.wiring import LARGEST_SEQ, change_in_sight, look, page_argument, whole_argument
from server.exchange.desk import DeskRefusedError
from server.runtime import current_runtime
from server.workbench.actions import correct_entry as correct
from server.workbench.actions import open_evidence
from server.workbench.actions import return_entry as send_back
from server.workbench.queries import quarantine_list
from server.workbench.rules import AGES_DAYS, QuarantineChoice, may_be_corrected, readable, shown_body
from sync.codes import EntryCode
from sync.entry import UUID_PATTERN, Fault, strict_json

blueprint = Blueprint("workbench", __name__)
_PLACE = f"<uuid:installation_id>/<int(min=1,max={LARGEST_SEQ}):seq>"
_DONE = {"corrected", "returned"}


@blueprint.get("/quarantine")
def quarantine() -> Any:
    """List the entries that somebody has to settle."""
    older_days = whole_argument("older", max(AGES_DAYS))
    code, worker_id = request.args.get("code"), request.args.get("agent", "")
    choice = QuarantineChoice(
        code=code if code in set(EntryCode) else None,
        worker_id=worker_id if UUID_PATTERN.fullmatch(worker_id) else None,
        older_days=older_days if older_days in AGES_DAYS else None,
        is_returned=request.args.get("tab") == "returned",
    )
    with look() as seen:
        found = quarantine_list(seen.connection, seen.sight, choice, page_argument(), seen.now_ms)
    return render_template("workbench/quarantine.html", found=found, choice=choice, ages=AGES_DAYS)


@blueprint.get(f"/quarantine/{_PLACE}")
def evidence(installation_id: UUID, seq: int) -> Any:
    """Show the original bytes of one entry. The look itself becomes a row of the audit."""
    done = request.args.get("done")
    return _evidence(installation_id, seq, done=done if done in _DONE else None)


@blueprint.post(f"/quarantine/{_PLACE}/correction")
def correct_entry(installation_id: UUID, seq: int) -> Any:
    """Judge an entry again with the body that was typed."""
    text, runtime = request.form.get("body", ""), current_runtime()
    return _settled(
        installation_id,
        seq,
        lambda change, sight: correct(runtime, change, sight, str(installation_id), seq, text),
        done="corrected",
        typed_body=text,
    )


@blueprint.post(f"/quarantine/{_PLACE}/return")
def return_entry(installation_id: UUID, seq: int) -> Any:
    """Send an entry back to its agent."""
    reason, runtime = request.form.get("reason", ""), current_runtime()
    return _settled(
        installation_id,
        seq,
        lambda change, sight: send_back(runtime, change, sight, str(installation_id), seq, reason),
        done="returned",
        typed_reason=reason,
    )


def _settled(
    installation_id: UUID, seq: int, work: Callable[[Change, Sight], bool], *, done: str, **typed: str
) -> Any:
    """Make a decision and lead back to the entry; show it again with the fault where it is refused."""
    try:
        is_there = change_in_sight(work)
    except DeskRefusedError as refused:
        return _evidence(installation_id, seq, fault=refused.fault, **typed), 422
    if not is_there:
        abort(404)
    return redirect(url_for(".evidence", installation_id=installation_id, seq=seq, done=done), 303)


def _evidence(
    installation_id: UUID,
    seq: int,
    *,
    done: str | None = None,
    fault: Fault | None = None,
    typed_body: str | None = None,
    typed_reason: str = "",
) -> str:
    sealer = current_runtime().sealer
    found = change_in_sight(
        lambda change, sight: open_evidence(change, sealer, sight, str(installation_id), seq)
    )
    if found is None:
        abort(404)
    entry = found.line.entry
    body = shown_body(found.raw)
    return render_template(
        "workbench/evidence.html",
        line=found.line,
        raw=visible_text(found.raw),
        sha256=found.sha256,
        bytes_count=len(found.raw.encode("utf-8")),
        pretty=_pretty(found.raw),
        corrected=None if found.corrected is None else readable(found.corrected),
        body=(typed_body or body) if may_be_corrected(entry.state, entry.entry_id) else None,
        typed_reason=typed_reason,
        done=done,
        fault=fault,
    )


def _pretty(raw: str) -> str | None:
    """Return the entry set out for reading, or None where it is no JSON."""
    try:
        return readable(strict_json(raw))
    except (ValueError, RecursionError):
        return None
