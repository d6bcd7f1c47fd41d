"""The pages of imports: give a sheet, read what it would do, apply it, take it back. No scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from server.access.actions import account_actor
from server.access.queries import logins_by_account
from server.access.wiring import current_account
from server.audit.changes import Actor
from server.dashboard.rules import paged
from server.dashboard.wiring import language, look, page_argument
from server.imports.applying import ImportRefusedError, apply_import
from server.imports.checking import check_sheet, stage_sheet
from server.imports.codes import import_message
from server.imports.kept import FaultView, Run, faults_of, run_of, runs
from server.imports.registry import SHEETS
from server.imports.report import TEMPLATE_FORMATS, sheet_template, shown_faults
from server.imports.undoing import UndoRefusedError, undo_import
from server.runtime import current_runtime

blueprint = Blueprint("imports", __name__)
_PAGE_ROWS, _FAULTS_SHOWN = 20, 100
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """An import in the history, with who gave it."""

    run: Run
    title: str
    by: str


@blueprint.get("/imports")
def overview() -> Any:
    """Show the form for a sheet, the templates, and what was imported before."""
    number = page_argument()
    with look() as seen:
        found = runs(seen.connection, limit=_PAGE_ROWS + 1, offset=(number - 1) * _PAGE_ROWS)
        names = logins_by_account(seen.connection, {run.actor.partition(":")[2] for run in found})
    shown, listing = paged(found, number, _PAGE_ROWS)
    lines = [
        _Line(run, SHEETS[run.sheet].title(language()), names.get(run.actor.partition(":")[2], "–"))
        for run in shown
    ]
    chosen = request.args.get("sheet", "")
    return render_template(
        "imports/overview.html",
        sheets=[(sheet.name, sheet.title(language())) for sheet in SHEETS.values()],
        templates=[(sheet.name, sheet.title(language())) for sheet in SHEETS.values() if sheet.has_template],
        chosen=chosen if chosen in SHEETS else None,
        lines=lines,
        listing=listing,
    )


@blueprint.post("/imports")
def check() -> Any:
    """Check a sheet and keep what it would do, until somebody decides."""
    sheet, file = SHEETS.get(request.form.get("sheet", "")), request.files.get("file")
    if sheet is None or file is None or not file.filename:
        return redirect(url_for("imports.overview"), 303)
    with file.stream:
        content = file.read()
    runtime = current_runtime()
    found = check_sheet(runtime, sheet, content)
    run = stage_sheet(runtime, _actor(), found, file.filename, content)
    return redirect(url_for("imports.run", import_id=run.id), 303)


@blueprint.get("/imports/<uuid:import_id>")
def run(import_id: UUID) -> Any:
    """Show what a sheet would do or has done, and everything that is wrong with it."""
    return _shown(str(import_id), None, [])


def _shown(import_id: str, refusal: str | None, obstacles: list[FaultView]) -> Any:
    number = page_argument()
    with look() as seen:
        found = run_of(seen.connection, import_id)
        if found is None:
            abort(404)
        offset = (number - 1) * _FAULTS_SHOWN
        faults = faults_of(seen.connection, import_id, limit=_FAULTS_SHOWN + 1, offset=offset)
    sheet = SHEETS[found.sheet]
    faults, listing = paged(faults, number, _FAULTS_SHOWN)
    shown = render_template(
        "imports/run.html",
        run=found,
        title=sheet.title(language()),
        is_chunked=sheet.is_chunked,
        faults=shown_faults(found.sheet, faults, language()),
        listing=listing,
        refusal=None if refusal is None else import_message(refusal, language()),
        failure=None if found.code is None else import_message(found.code, language()),
        obstacles=shown_faults(found.sheet, obstacles, language()),
    )
    return shown, 409 if refusal else 200


@blueprint.post("/imports/<uuid:import_id>/apply")
def apply(import_id: UUID) -> Any:
    """Apply a checked sheet."""
    try:
        apply_import(current_runtime(), _actor(), str(import_id))
    except ImportRefusedError as refused:
        return _shown(str(import_id), str(refused.code), [])
    return redirect(url_for("imports.run", import_id=import_id), 303)


@blueprint.post("/imports/<uuid:import_id>/undo")
def undo(import_id: UUID) -> Any:
    """Take an import back, or show the rows that stand in the way."""
    try:
        undo_import(current_runtime(), _actor(), str(import_id))
    except UndoRefusedError as refused:
        return _shown(str(import_id), str(refused.code), list(refused.obstacles))
    except ImportRefusedError as refused:
        return _shown(str(import_id), str(refused.code), [])
    return redirect(url_for("imports.run", import_id=import_id), 303)


@blueprint.get("/imports/templates/<name>.<file_format>")
def template(name: str, file_format: str) -> Any:
    """Give the empty sheet to fill in."""
    sheet = SHEETS.get(name)
    if sheet is None or not sheet.has_template or file_format not in TEMPLATE_FORMATS:
        abort(404)
    content = sheet_template(sheet, file_format, language())
    headers = {"Content-Disposition": f'attachment; filename="tungnha-{name}.{file_format}"'}
    return Response(content, content_type=_TYPES[file_format], headers=headers)


def _actor() -> Actor:
    account = current_account()
    return account_actor(account.account_id, account.worker_id)
