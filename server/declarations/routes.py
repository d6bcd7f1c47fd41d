"""The page of the lists for the insurer, numbers masked, and their files, numbers in the clear.

Both show who is insured and what they were supported for, so that both are audited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from schemas.names import masked
from server.access.permissions import Permission
from server.audit.changes import Change
from server.dashboard.queries import Sight
from server.dashboard.rules import Listing, paged
from server.dashboard.wiring import (
    Look,
    change_in_sight,
    language,
    look,
    may,
    page_argument,
    whole_argument,
)
from server.declarations.book import receipt_page, receipts_table
from server.declarations.forms import LIST_TITLES, form_table, lack_text, refusal_text
from server.declarations.numbers import NUMBERS_MOST, NumbersRefusedError, give_numbers, numbers_in
from server.declarations.queries import LINES_MOST, ListAsked, ListTooLongError, declared_list
from server.declarations.rules import LISTS, Declared, totals_of
from server.exports.table import FORMATS, every_page
from server.office.queries import all_organisations, organisations_by_key
from server.receipts.actions import (
    OfficialGiven,
    OfficialRefusedError,
    give_official_number,
    receipt_of_number,
)
from server.receipts.rules import OfficialRefusal
from server.runtime import current_runtime
from server.workbench.queries import area_keys_in
from sync.clock import local_day

blueprint = Blueprint("declarations", __name__, url_prefix="/declarations")
_PAGE_LINES = 50
_FAULTS_SHOWN = 50
_SHOWN = ("all", "whole", "lacking")
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as the page shows it."""

    declared: Declared
    number: str | None
    lacks: list[str]


@blueprint.get("")
def overview() -> Any:
    """Show a list: what it adds up to, what each line lacks, numbers masked."""
    name = request.args.get("list", "d05")
    if name not in LISTS:
        abort(404)
    shown, lines, is_too_long = request.args.get("show", "all"), list[Declared](), False
    with look() as seen:
        asked = _asked(name, seen)
        organisations = all_organisations(seen.connection)
        try:
            lines = _lines(seen, asked)
        except ListTooLongError:
            is_too_long = True
    if lines:
        _note("declaration_shown", name, asked, lines)
    wanted = [
        line
        for line in lines
        if shown not in ("whole", "lacking") or bool(line.lacks) is (shown == "lacking")
    ]
    # What somebody has to do something about comes first on the page, and last in the file.
    wanted.sort(key=lambda line: not line.lacks)
    page, listing = _page(wanted)
    return render_template(
        "declarations/overview.html",
        name=name,
        titles={each: LIST_TITLES[each][language() == "en"] for each in LISTS},
        asked=asked,
        organisations=organisations,
        lines=page,
        listing=listing,
        totals=totals_of(lines),
        shown=shown if shown in _SHOWN else "all",
        is_too_long=is_too_long,
        lines_most=LINES_MOST,
        may_export=may(Permission.EXPORT_DECLARATIONS),
    )


@blueprint.get("/<name>.<file_format>")
def list_file(name: str, file_format: str) -> Response:
    """Give a list as the form wants it, numbers in the clear."""
    if name not in LISTS or file_format not in FORMATS:
        abort(404)
    with look() as seen:
        asked = _asked(name, seen)
        try:
            lines = _lines(seen, asked)
        except ListTooLongError:
            abort(404)
    _note("declaration_exported", name, asked, lines)
    span = f"{asked.from_day:%Y%m%d}-{asked.to_day:%Y%m%d}"
    headers = {"Content-Disposition": f'attachment; filename="tungnha-{name}-{span}.{file_format}"'}
    content = form_table(name, lines).written(file_format, "vi")
    return Response(content, content_type=_TYPES[file_format], headers=headers)


@blueprint.get("/receipts")
def receipts() -> Any:
    """Show receipts of money beside the insurer's own numbers, and the form to take one down."""
    return _receipts(None, _Typed(request.args.get("receipt", "")))


@dataclass(frozen=True, slots=True)
class _Typed:
    """What somebody typed, or the receipt that they chose."""

    receipt: str = ""
    series: str = ""
    number: str = ""
    reason: str | None = None


def _receipts(refusal: OfficialRefusal | None, typed: _Typed, faults: Sequence[tuple[int, str]] = ()) -> str:
    number, zone = page_argument(), current_runtime().config.time_zone
    with look() as seen:
        from_day, to_day = _days(seen)
        is_missing = request.args.get("show") == "missing"
        lines, listing = receipt_page(seen, zone, (from_day, to_day), number, is_missing=is_missing)
        has_standing = typed.reason is not None or refusal is OfficialRefusal.HAS_A_NUMBER
        chosen = next((line for line in lines if line.listed.number == typed.receipt), None)
    shown: str = render_template(
        "declarations/receipts.html",
        titles={each: LIST_TITLES[each][language() == "en"] for each in LISTS},
        from_day=from_day,
        to_day=to_day,
        is_missing=is_missing,
        lines=lines,
        listing=listing,
        typed=typed,
        corrects=has_standing or (chosen is not None and chosen.listed.has_standing),
        refusal=None if refusal is None else refusal_text(refusal, language()),
        faults=faults[:_FAULTS_SHOWN],
        fault_count=len(faults),
        given=whole_argument("given", NUMBERS_MOST) if not faults and refusal is None else None,
        done=request.args.get("done") if refusal is None else None,
        may_give=may(Permission.ENTER_OFFICIAL_NUMBERS),
    )
    return shown


@blueprint.post("/receipts")
def give_number() -> Any:
    """Take down the insurer's number of a receipt, or correct it with a reason."""
    typed = _Typed(_typed("receipt"), _typed("series"), _typed("number"), request.form.get("reason"))
    ids = current_runtime().ids

    def work(change: Change, sight: Sight) -> None:
        receipt = receipt_of_number(change, typed.receipt)
        if not sight.covers(receipt.worker_id):
            raise OfficialRefusedError(OfficialRefusal.NO_SUCH_RECEIPT)
        given = OfficialGiven(typed.receipt, typed.series, typed.number, typed.reason)
        give_official_number(change, ids, receipt, given)

    try:
        change_in_sight(work)
    except OfficialRefusedError as refused:
        return _receipts(refused.code, typed), 409
    kept: dict[str, Any] = {name: request.args.get(name) for name in ("from", "to", "show")}
    return redirect(url_for("declarations.receipts", done=typed.receipt, **kept), 303)


@blueprint.post("/receipts/file")
def give_numbers_of_file() -> Any:
    """Take down the numbers of a filled-in receipt book: all of them, or none and every row that is wrong."""
    file, ids = request.files.get("file"), current_runtime().ids
    if file is None or not file.filename:
        return redirect(url_for("declarations.receipts"), 303)
    with file.stream:
        content = file.read()
    try:
        rows = numbers_in(content)

        def work(change: Change, sight: Sight) -> int:
            count = give_numbers(change, ids, rows, sight.covers)
            change.audit("official_numbers_file", "receipts", rows=len(rows), given=count)
            return count

        count = change_in_sight(work)
    except NumbersRefusedError as refused:
        faults = [(fault.row, refusal_text(fault.code, language())) for fault in refused.faults]
        return _receipts(None, _Typed(), faults), 409
    return redirect(url_for("declarations.receipts", given=count), 303)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()


@blueprint.get("/receipts.<file_format>")
def receipts_file(file_format: str) -> Response:
    """Give the receipts of a period with the insurer's numbers."""
    if file_format not in FORMATS:
        abort(404)
    is_missing, zone = request.args.get("show") == "missing", current_runtime().config.time_zone
    with look() as seen:
        days = _days(seen)
        lines = every_page(lambda number: receipt_page(seen, zone, days, number, is_missing=is_missing))
    headers = {"Content-Disposition": f'attachment; filename="tungnha-receipts.{file_format}"'}
    content = receipts_table(lines, language()).written(file_format, language())
    return Response(content, content_type=_TYPES[file_format], headers=headers)


def _days(seen: Look) -> tuple[date, date]:
    """Return the days that the address asks for; without them the office's month so far."""
    today = local_day(seen.now_ms, current_runtime().config.time_zone)
    from_day, to_day = _day("from"), _day("to")
    return from_day or (to_day or today).replace(day=1), to_day or today


def _asked(name: str, seen: Look) -> ListAsked:
    """Return which list the address asks for."""
    from_day, to_day = _days(seen)
    key = request.args.get("organisation") or None
    if key is not None and key not in organisations_by_key(seen.connection, [key]):
        abort(404)
    return ListAsked(LISTS[name], from_day, to_day, key)


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _lines(seen: Look, asked: ListAsked) -> list[Declared]:
    runtime = current_runtime()
    areas = area_keys_in(seen.connection, seen.sight)
    return declared_list(seen.connection, runtime.sealer, runtime.config.time_zone, asked, areas)


def _note(action: str, name: str, asked: ListAsked, lines: list[Declared]) -> None:
    def note(change: Change, _sight: Sight) -> None:
        days = {"from_day": asked.from_day.isoformat(), "to_day": asked.to_day.isoformat()}
        change.audit(action, name, rows=len(lines), organisation=asked.organisation_key, **days)

    change_in_sight(note)


def _page(lines: list[Declared]) -> tuple[list[_Line], Listing]:
    number = page_argument()
    start = (number - 1) * _PAGE_LINES
    shown, listing = paged(lines[start : start + _PAGE_LINES + 1], number, _PAGE_LINES)
    return [
        _Line(
            line,
            masked(line.gathered.insurance_number or line.gathered.national_id),
            [lack_text(lack, language()) for lack in line.lacks],
        )
        for line in shown
    ], listing
