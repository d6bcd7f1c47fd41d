"""The office's pages, plain HTML that needs no script, and their JSON twins: same scope, same figures."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_smorest import Blueprint as ApiBlueprint
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

from server.access.permissions import Permission
from server.access.wiring import current_account
from server.campaigns.actions import LARGEST_NUMBER
from server.dashboard.actions import IssuedCode, issue_enrolment_code
from server.dashboard.boards import BoardChoice, agent_quotas, board_page, promoted_figures
from server.dashboard.formats import percent
from server.dashboard.plan_pages import PlanChoice, plan_page
from server.dashboard.queries import (
    EntryLine,
    agent_credits,
    agent_entries,
    agent_page,
    agents_in,
    devices_page,
    incidents_page,
    quarantine_page,
    receipt_incidents,
)
from server.dashboard.rules import BOARD_ORDERS, BoardLine, Listing
from server.dashboard.schemas import (
    BoardQuery,
    BoardShown,
    EnrolmentCodeRequest,
    EnrolmentCodeShown,
    EntriesShown,
    PageQuery,
)
from server.dashboard.wiring import (
    change_in_sight,
    look,
    may,
    page_argument,
    whole_argument,
)
from server.errors import ProblemError, refuses_people
from server.quotas.rules import STATES
from server.receipts.rendering import qr_svg
from server.runtime import current_runtime
from sync.clock import local_day
from sync.codes import RequestCode
from sync.entry import UUID_PATTERN

blueprint = Blueprint("dashboard", __name__)
api_blueprint = ApiBlueprint(
    "dashboard_api", __name__, url_prefix="/api/v1", description="The office's figures, for who is logged in"
)


@blueprint.get("/")
def home() -> Any:
    """Lead to the board, and who may not see it to the funds."""
    sees_funds_alone = not may(Permission.SEE_BOARD) and may(Permission.SEE_FUNDS, office_wide=True)
    return redirect(url_for("treasury.overview" if sees_funds_alone else "dashboard.board"), 303)


@blueprint.get("/board")
def board() -> Any:
    """Show the quota board of a campaign."""
    order = request.args.get("sort", "behind")
    choice = BoardChoice(
        campaign=whole_argument("campaign", LARGEST_NUMBER),
        indicator=request.args.get("indicator"),
        holder_kind=request.args.get("holder"),
        minimum=request.args.get("minimum"),
        order=order if order in BOARD_ORDERS else "behind",
        page=page_argument(),
    )
    with look() as seen:
        zone = current_runtime().config.time_zone
        page = board_page(seen.connection, choice, seen.sight, seen.now_ms, zone)
    if page is None and choice.campaign is not None:
        abort(404)
    return render_template("dashboard/board.html", board=page)


@blueprint.get("/plans/<int:campaign>")
def plan(campaign: int) -> Any:
    """Show a campaign's plan, 0 the office's own: its versions, and the tree of one of them."""
    if campaign > LARGEST_NUMBER:
        # More than the column holds: not there, rather than an error of the database.
        abort(404)
    choice = PlanChoice.of(request.args)
    with look() as seen:
        zone = current_runtime().config.time_zone
        page = plan_page(seen.connection, campaign, choice, seen.sight, seen.now_ms, zone)
    if page is None:
        abort(404)
    return render_template("dashboard/plan.html", plan=page, number=campaign)


@blueprint.get("/agents/<uuid:worker_id>")
def agent(worker_id: UUID) -> Any:
    """Show one agent: figures with reasons, entries with verdicts, tablets, cash."""
    tab = "entries" if request.args.get("tab") == "entries" else "credits"
    state = request.args.get("state")
    state = state if state in STATES else None
    own_id = str(worker_id)
    with look() as seen:
        if not seen.sight.covers(own_id):
            abort(404)
        zone = current_runtime().config.time_zone
        found = agent_page(seen.connection, own_id, seen.now_ms, local_day(seen.now_ms, zone))
        if found is None:
            abort(404)
        quotas = agent_quotas(seen.connection, own_id, seen.now_ms, zone)
        if tab == "entries":
            entries, listing = agent_entries(seen.connection, own_id, page_argument())
            lists: dict[str, Any] = {"entries": entries, "credit_lines": None}
        else:
            promoted = promoted_figures(quotas)
            lines, listing = agent_credits(seen.connection, own_id, promoted, state, page_argument())
            lists = {"entries": None, "credit_lines": lines}
    return render_template(
        "dashboard/agent.html", agent=found, quotas=quotas, state=state, listing=listing, **lists
    )


@blueprint.get("/incidents")
def incidents() -> Any:
    """List forks, reused ids and reused receipt numbers."""
    with look() as seen:
        lines, listing = incidents_page(seen.connection, seen.sight, page_argument())
        numbers = receipt_incidents(seen.connection, seen.sight)
    return render_template("dashboard/incidents.html", lines=lines, listing=listing, numbers=numbers)


@blueprint.get("/devices")
def devices() -> Any:
    """List the tablets."""
    return _devices(None)


@blueprint.post("/devices")
def create_code() -> Any:
    """Make a one-time enrolment code and show it, this once."""
    worker_id = request.form.get("worker_id", "")
    if UUID_PATTERN.fullmatch(worker_id) is None:
        abort(404)
    account_id = current_account().account_id
    code = change_in_sight(lambda change, sight: issue_enrolment_code(change, sight, worker_id, account_id))
    if code is None:
        abort(404)
    return _devices(code)


def _devices(code: IssuedCode | None) -> str:
    may_enrol = may(Permission.ISSUE_ENROLMENT_CODE)
    with look() as seen:
        lines, listing = devices_page(seen.connection, seen.sight, page_argument(), seen.now_ms)
        workers = agents_in(seen.connection, seen.sight, seen.now_ms) if may_enrol else []
    return render_template(
        "dashboard/devices.html",
        lines=lines,
        listing=listing,
        workers=workers,
        may_enrol=may_enrol,
        code=code,
        qr_uri=None if code is None else _code_qr_uri(code),
    )


def _code_qr_uri(code: IssuedCode) -> str:
    """Return the QR code that a tablet scans: where the office is, and the one-time code."""
    drawing = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    drawing.add_data(json.dumps({"server": current_runtime().config.public_url, "code": code.text}))
    drawing.make()
    svg = qr_svg([[bool(module) for module in row] for row in drawing.modules])
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode('ascii')).decode('ascii')}"


@api_blueprint.get("/board")
@api_blueprint.arguments(BoardQuery, location="query")
@api_blueprint.response(200, BoardShown)
@refuses_people(api_blueprint, 404)
def board_shown(query: dict[str, Any]) -> dict[str, Any]:
    """Return the quota board of a campaign, within the areas that the caller oversees."""
    choice = BoardChoice(
        campaign=query["campaign"],
        indicator=query.get("indicator"),
        holder_kind=query.get("holder"),
        order=query["sort"],
        page=query["page"],
    )
    with look() as seen:
        zone = current_runtime().config.time_zone
        page = board_page(seen.connection, choice, seen.sight, seen.now_ms, zone)
    if page is None:
        raise ProblemError(RequestCode.NOT_FOUND, field="campaign")
    return {
        "campaign": asdict(page.campaign),
        "indicator": page.indicator,
        "holder_kind": page.holder_kind,
        "done": page.done,
        "totals": [asdict(figure) for figure in page.totals],
        "lines": [_line_shown(line) for line in page.lines],
        "lines_total": page.lines_total,
        "completeness": asdict(page.completeness),
        "minimums": [
            {name: getattr(each, name) for name in ("code", "name_vi", "name_en", "met", "asked")}
            for each in page.minimums
        ],
        "plan_whole": page.plan_whole,
        "has_more": page.listing.has_older,
    }


def _line_shown(line: BoardLine) -> dict[str, Any]:
    quota = line.plans[-1].quota if line.plans else None
    # Two decimals with a point: a number for programs, whatever the caller's language.
    ratio = percent(line.done, quota, "en").replace(",", "").rstrip("%") if quota else None
    return {**asdict(line), "percent": ratio}


@api_blueprint.get("/agents/<uuid:worker_id>/entries")
@api_blueprint.arguments(PageQuery, location="query")
@api_blueprint.response(200, EntriesShown)
@refuses_people(api_blueprint, 404)
def entries_shown(query: dict[str, Any], worker_id: UUID) -> dict[str, Any]:
    """Return the entries that an agent's tablets delivered, the latest received first."""
    with look() as seen:
        if not seen.sight.covers(str(worker_id)):
            raise ProblemError(RequestCode.NOT_FOUND)
        return _entries_shown(*agent_entries(seen.connection, str(worker_id), query["page"]))


@api_blueprint.get("/quarantine")
@api_blueprint.arguments(PageQuery, location="query")
@api_blueprint.response(200, EntriesShown)
@refuses_people(api_blueprint)
def quarantine_shown(query: dict[str, Any]) -> dict[str, Any]:
    """Return the entries that somebody has to settle, newest first."""
    with look() as seen:
        return _entries_shown(*quarantine_page(seen.connection, seen.sight, query["page"]))


def _entries_shown(lines: Sequence[EntryLine], listing: Listing) -> dict[str, Any]:
    shown = []
    for line in lines:
        values = asdict(line.entry)
        values["installation"] = values.pop("installation_id")
        values["id"] = values.pop("entry_id")
        shown.append({**values, "worker_name": line.worker_name})
    return {"entries": shown, "page": listing.page, "has_more": listing.has_older}


@api_blueprint.post("/enrolment-codes")
@api_blueprint.doc(security=[{"session": [], "form_token": []}])
@api_blueprint.arguments(EnrolmentCodeRequest)
@api_blueprint.response(201, EnrolmentCodeShown)
@refuses_people(api_blueprint, 400, 404, 413, 415, 507)
def create_enrolment_code(body: dict[str, Any]) -> dict[str, Any]:
    """Make a one-time code with which a worker's tablet enrols; needs the form token in X-CSRFToken."""
    account_id = current_account().account_id
    code = change_in_sight(
        lambda change, sight: issue_enrolment_code(change, sight, body["worker"], account_id)
    )
    if code is None:
        raise ProblemError(RequestCode.NOT_FOUND, field="worker")
    return {"worker": code.worker_id, "code": code.text, "expires_ms": code.expires_ms}
