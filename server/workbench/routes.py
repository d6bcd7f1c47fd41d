"""The workbench's pages: the list of what is quarantined, one entry's evidence, and what settles it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_smorest import Blueprint as ApiBlueprint

from schemas.kinds import SEXES
from server.audit.changes import Change
from server.dashboard.formats import visible_text
from server.dashboard.queries import Sight
from server.dashboard.schemas import PageQuery
from server.dashboard.wiring import LARGEST_SEQ, change_in_sight, look, page_argument
from server.errors import ProblemError, refuses_people
from server.exchange.desk import DeskRefusedError
from server.people.actions import DistinctionRefusedError
from server.people.rules import HOUSEHOLD_POLICIES, PERSON_POLICIES, PairCode
from server.runtime import current_runtime
from server.workbench.actions import correct_entry as correct
from server.workbench.actions import distinguish_records, open_evidence, undo_distinction
from server.workbench.actions import merge_records as merge
from server.workbench.actions import return_entry as send_back
from server.workbench.actions import unmerge_records as unmerge
from server.workbench.disputes import Dispute, DisputePage, open_dispute, resolve_disputes
from server.workbench.queries import (
    comparison_of,
    dispute_list,
    distinct_list,
    duplicate_list,
    merged_list,
    quarantine_list,
)
from server.workbench.rules import (
    AGES_DAYS,
    TYPED_FIELDS,
    may_be_corrected,
    quarantine_choice,
    readable,
    shown_body,
    typed_value,
)
from server.workbench.schemas import ConflictShown, ConflictsShown, Resolution
from sync.codes import RequestCode
from sync.entry import UUID_PATTERN, Fault, strict_json

blueprint = Blueprint("workbench", __name__)
api_blueprint = ApiBlueprint(
    "workbench_api", __name__, url_prefix="/api/v1", description="What waits for a supervisor's decision"
)
_PLACE = f"<uuid:installation_id>/<int(min=1,max={LARGEST_SEQ}):seq>"
_POLICIES = HOUSEHOLD_POLICIES | PERSON_POLICIES
_DONE = {"corrected", "returned"}
_DONE_TO_PAIRS = {"merged", "unmerged", "distinct", "undistinct"}
_PAIR_LISTS = {"merged": merged_list, "distinct": distinct_list}


@blueprint.get("/quarantine")
def quarantine() -> Any:
    """List the entries that somebody has to settle."""
    choice = quarantine_choice(request.args)
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


@blueprint.get("/duplicates")
def duplicates() -> Any:
    """List the records that may be one, those that were merged, or those that were called two."""
    wanted, done = request.args.get("tab"), request.args.get("done")
    tab = wanted if wanted in _PAIR_LISTS else None
    listed = duplicate_list if tab is None else _PAIR_LISTS[tab]
    with look() as seen:
        found = listed(seen.connection, seen.sight, page_argument())
    return render_template(
        "workbench/duplicates.html", found=found, tab=tab, done=done if done in _DONE_TO_PAIRS else None
    )


@blueprint.get("/duplicates/<uuid:first_id>/<uuid:other_id>")
def comparison(first_id: UUID, other_id: UUID) -> Any:
    """Show two records side by side, numbers masked."""
    return _comparison(str(first_id), str(other_id))


@blueprint.post("/duplicates/<uuid:first_id>/<uuid:other_id>")
def merge_records(first_id: UUID, other_id: UUID) -> Any:
    """Merge the one into the other, whichever is to be kept."""
    runtime, ids = current_runtime(), [str(first_id), str(other_id)]
    kept = request.form.get("keep", "")
    if kept not in ids or ids[0] == ids[1]:
        abort(404)
    ids.remove(kept)
    try:
        is_there = change_in_sight(lambda change, sight: merge(runtime, change, sight, ids[0], kept))
    except DeskRefusedError as refused:
        return _comparison(str(first_id), str(other_id), refused.fault), 422
    except DistinctionRefusedError as refused:
        return _comparison(str(first_id), str(other_id), refusal=refused.code), 409
    if not is_there:
        abort(404)
    return redirect(url_for(".duplicates", tab="merged", done="merged"), 303)


@blueprint.post("/duplicates/<uuid:first_id>/<uuid:other_id>/distinction")
def mark_distinct(first_id: UUID, other_id: UUID) -> Any:
    """Call the two records two: the pair leaves the list."""
    ids = str(first_id), str(other_id)
    try:
        is_there = change_in_sight(lambda change, sight: distinguish_records(change, sight, *ids))
    except DistinctionRefusedError as refused:
        return _comparison(*ids, refusal=refused.code), 409
    if not is_there:
        abort(404)
    return redirect(url_for(".duplicates", done="distinct"), 303)


@blueprint.post("/duplicates/<uuid:first_id>/<uuid:other_id>/distinction/undoing")
def unmark_distinct(first_id: UUID, other_id: UUID) -> Any:
    """Call the two records two no longer: the pair returns to the list."""
    ids = str(first_id), str(other_id)
    if not change_in_sight(lambda change, sight: undo_distinction(change, sight, *ids)):
        abort(404)
    return redirect(url_for(".duplicates", tab="distinct", done="undistinct"), 303)


@blueprint.post("/merges/<uuid:merge_id>/undoing")
def unmerge_records(merge_id: UUID) -> Any:
    """Take a merge apart."""
    runtime = current_runtime()
    try:
        is_there = change_in_sight(lambda change, sight: unmerge(runtime, change, sight, str(merge_id)))
    except DeskRefusedError:
        # Somebody else was faster.
        is_there = False
    if not is_there:
        abort(404)
    return redirect(url_for(".duplicates", tab="merged", done="unmerged"), 303)


def _comparison(
    first_id: str, other_id: str, fault: Fault | None = None, *, refusal: PairCode | None = None
) -> str:
    with look() as seen:
        found = comparison_of(seen.connection, seen.sight, first_id, other_id)
    if found is None or first_id == other_id:
        abort(404)
    return render_template("workbench/comparison.html", found=found, fault=fault, refusal=refusal)


@blueprint.get("/conflicts")
def conflicts() -> Any:
    """List the records of which two agents have said different things."""
    with look() as seen:
        lines, listing = dispute_list(seen.connection, seen.sight, page_argument())
    return render_template("workbench/conflicts.html", lines=lines, listing=listing)


@blueprint.get("/conflicts/<uuid:record_id>")
def conflict(record_id: UUID) -> Any:
    """Show the values in dispute. The look itself becomes a row of the audit."""
    return _conflict(record_id, is_done="done" in request.args)


@blueprint.post("/conflicts/<uuid:record_id>")
def resolve_conflict(record_id: UUID) -> Any:
    """Settle fields: by one of the values in dispute, or by another one."""
    runtime, form = current_runtime(), request.form
    picked = {name: form.get(f"pick-{name}", "") for name in _POLICIES}
    chosen = {name: entry_id for name, entry_id in picked.items() if UUID_PATTERN.fullmatch(entry_id)}
    typed = {
        name: typed_value(name, form.get(f"value-{name}", ""))
        for name, choice in picked.items()
        if choice == "other" and name in TYPED_FIELDS
    }
    base = form.get("base", "")
    try:
        is_there = change_in_sight(
            lambda change, sight: resolve_disputes(
                runtime, change, sight, str(record_id), base, chosen, typed
            )
        )
    except DeskRefusedError as refused:
        return _conflict(record_id, fault=refused.fault), 422
    if not is_there:
        abort(404)
    return redirect(url_for(".conflict", record_id=record_id, done=1), 303)


def _conflict(record_id: UUID, *, fault: Fault | None = None, is_done: bool = False) -> str:
    sealer = current_runtime().sealer
    found = change_in_sight(lambda change, sight: open_dispute(change, sealer, sight, str(record_id)))
    if found is None:
        abort(404)
    return render_template(
        "workbench/conflict.html",
        found=found,
        fault=fault,
        is_done=is_done,
        typed_fields=TYPED_FIELDS,
        sexes=SEXES,
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


@api_blueprint.get("/conflicts")
@api_blueprint.arguments(PageQuery, location="query")
@api_blueprint.response(200, ConflictsShown)
@refuses_people(api_blueprint)
def conflicts_shown(query: dict[str, Any]) -> dict[str, Any]:
    """Return the records of which two agents have said different things, the longest waiting first."""
    with look() as seen:
        lines, listing = dispute_list(seen.connection, seen.sight, query["page"])
    shown = [
        {
            "record_type": line.record.record_type,
            "record": line.record.record_id,
            "name": line.record.name,
            "area": line.record.area_key,
            "fields": line.record.fields,
            "found_ms": line.record.found_ms,
        }
        for line in lines
    ]
    return {"conflicts": shown, "page": listing.page, "has_more": listing.has_older}


@api_blueprint.get("/conflicts/<uuid:record_id>")
@api_blueprint.response(200, ConflictShown)
@refuses_people(api_blueprint, 404, 507)
def conflict_shown(record_id: UUID) -> dict[str, Any]:
    """Return the values in dispute, numbers masked; the look becomes a row of the audit."""
    return _dispute_shown(str(record_id))


@api_blueprint.post("/conflicts/<uuid:record_id>")
@api_blueprint.doc(security=[{"session": [], "form_token": []}])
@api_blueprint.arguments(Resolution)
@api_blueprint.response(200, ConflictShown)
@refuses_people(api_blueprint, 400, 404, 413, 415, 507)
def conflict_resolved(body: dict[str, Any], record_id: UUID) -> dict[str, Any]:
    """Settle fields and return the disputes that are left; needs the form token in X-CSRFToken."""
    runtime = current_runtime()
    chosen = {name: str(value) for name, value in body["choose"].items()}
    try:
        is_there = change_in_sight(
            lambda change, sight: resolve_disputes(
                runtime, change, sight, str(record_id), body["base"], chosen, body["set"]
            )
        )
    except DeskRefusedError as refused:
        detail = str(refused.fault.code)
        raise ProblemError(RequestCode.BODY_INVALID, field=refused.fault.field, detail=detail) from refused
    if not is_there:
        raise ProblemError(RequestCode.NOT_FOUND)
    return _dispute_shown(str(record_id))


def _dispute_shown(record_id: str) -> dict[str, Any]:
    sealer = current_runtime().sealer
    found: DisputePage | None = change_in_sight(
        lambda change, sight: open_dispute(change, sealer, sight, record_id)
    )
    if found is None:
        raise ProblemError(RequestCode.NOT_FOUND)
    return {
        "record_type": found.record.record_type,
        "record": found.record.record_id,
        "name": found.record.name,
        "area": found.record.area_key,
        "base": found.base,
        "disputes": _disputes_shown(found.disputes),
    }


def _disputes_shown(disputes: Sequence[Dispute]) -> list[dict[str, Any]]:
    return [
        {
            "field": dispute.field,
            "claims": [
                {**asdict(claim), "entry": claim.entry_id, "value": claim.shown} for claim in dispute.claims
            ],
        }
        for dispute in disputes
    ]
