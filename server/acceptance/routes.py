"""Pages of acceptance and their JSON twins: plain HTML that needs no script."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_smorest import Blueprint as ApiBlueprint

from server.acceptance.queries import StatementPage, acceptance_page, statement_page
from server.acceptance.schemas import PeriodQuery, PeriodShown, StatementShown
from server.access.permissions import Permission
from server.access.wiring import current_account
from server.audit.changes import Change
from server.campaigns.queries import campaigns_by_number
from server.dashboard.boards import period_standing
from server.dashboard.queries import Sight
from server.dashboard.wiring import change_in_sight, look, may, whole_argument
from server.devices.queries import installation_by_id
from server.devices.write_offs import (
    WriteOffRefusedError,
    confirm_write_off,
    propose_write_off,
    withdraw_write_off,
)
from server.errors import ProblemError, refuses
from server.quotas.acceptance import AcceptanceRefusedError, accept_period, post_adjustments
from server.quotas.completeness import completeness_at
from server.runtime import current_runtime
from sync.clock import local_day
from sync.codes import RequestCode

_CAMPAIGN_MOST = 999_999
_NUMBER_MOST = 999_999_999

blueprint = Blueprint("acceptance", __name__)
api_blueprint = ApiBlueprint(
    "acceptance_api", __name__, url_prefix="/api/v1", description="How complete periods are, and statements"
)


@blueprint.get("/acceptance")
def overview() -> Any:
    """Show a campaign's open period, how complete it is, its statements and outstanding tablets."""
    return _overview(whole_argument("campaign", _CAMPAIGN_MOST), None)


def _overview(campaign: int | None, refusal: str | None) -> Any:
    account_id, zone = current_account().account_id, current_runtime().config.time_zone
    with look() as seen:
        page = acceptance_page(seen.connection, seen.sight, account_id, campaign, seen.now_ms, zone)
    if page is None and campaign is not None:
        abort(404)
    shown = render_template(
        "acceptance/overview.html",
        acceptance=page,
        refusal=refusal,
        may_accept=may(Permission.ACCEPT_PERIOD, office_wide=True),
        may_write_off=may(Permission.WRITE_OFF_TABLET),
    )
    return shown, 409 if refusal else 200


def _campaign_of_form() -> int:
    text = request.form.get("campaign", "")
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(_CAMPAIGN_MOST)):
        abort(404)
    return int(text)


@blueprint.post("/acceptance")
def accept() -> Any:
    """Accept the open period of a campaign up to a day."""
    campaign, zone = _campaign_of_form(), current_runtime().config.time_zone
    reason = request.form.get("reason", "")
    try:
        to_day = date.fromisoformat(request.form.get("to_day", ""))
    except ValueError:
        return _overview(campaign, "day_invalid")
    try:
        statement = change_in_sight(
            lambda change, _sight: accept_period(change, zone, campaign, to_day, reason)
        )
    except AcceptanceRefusedError as refusal:
        return _overview(campaign, refusal.code)
    return redirect(url_for("acceptance.statement", number=statement.number), 303)


@blueprint.post("/acceptance/adjustments")
def post() -> Any:
    """Post what a campaign's accepted lines have moved by."""
    campaign = _campaign_of_form()
    change_in_sight(lambda change, _sight: post_adjustments(change, campaign))
    return redirect(url_for("acceptance.overview", campaign=campaign or None), 303)


@blueprint.get(f"/acceptance/<int(min=1,max={_NUMBER_MOST}):number>")
def statement(number: int) -> Any:
    """Show one statement: accepted, adjusted since, and the difference to what counts now."""
    return render_template("acceptance/statement.html", shown=_statement(number) or abort(404))


def _statement(number: int) -> StatementPage | None:
    with look() as seen:
        return statement_page(seen.connection, seen.sight, number)


@blueprint.post("/acceptance/tablets/<uuid:installation_id>")
def write_off(installation_id: UUID) -> Any:
    """Propose to give a lost tablet up, confirm what another person proposed, or take it back."""
    wanted, reason = str(installation_id), request.form.get("reason", "")
    step, ids = request.form.get("step", ""), current_runtime().ids
    campaign = whole_argument("campaign", _CAMPAIGN_MOST)

    def work(change: Change, sight: Sight) -> bool:
        found = installation_by_id(change.connection, wanted)
        if found is None or not sight.covers(found.worker_id) or step not in _STEPS:
            change.audit("write_off_refused", wanted)
            return False
        if step == "propose":
            propose_write_off(change, ids, wanted, reason[:500])
        elif step == "confirm":
            confirm_write_off(change, wanted)
        else:
            withdraw_write_off(change, wanted)
        return True

    try:
        is_done = change_in_sight(work)
    except WriteOffRefusedError as refusal:
        if not may(Permission.SEE_ACCEPTANCE):
            abort(409)
        return _overview(campaign, refusal.code)
    if not is_done:
        abort(404)
    return redirect(url_for("acceptance.overview", campaign=campaign), 303)


_STEPS = frozenset({"propose", "confirm", "withdraw"})


@api_blueprint.get("/completeness")
@api_blueprint.arguments(PeriodQuery, location="query")
@api_blueprint.response(200, PeriodShown)
@api_blueprint.doc(security=[{"session": []}])
@refuses(api_blueprint, 401, 403, 404, 422, 503)
def completeness_shown(query: dict[str, Any]) -> dict[str, Any]:
    """Return how complete a period is, with the outstanding tablets in the caller's sight."""
    zone = current_runtime().config.time_zone
    with look() as seen:
        to_day = query["to_day"]
        if query["campaign"] is not None:
            campaign = campaigns_by_number(seen.connection, [query["campaign"]]).get(query["campaign"])
            if campaign is None:
                raise ProblemError(RequestCode.NOT_FOUND, field="campaign")
            to_day = to_day or campaign.to_day
        to_day = to_day or local_day(seen.now_ms, zone)
        known = completeness_at(seen.connection, to_day, seen.now_ms, zone)
        shown = asdict(period_standing(seen.connection, seen.sight, known))
    return {"campaign": query["campaign"], "to_day": to_day, "completeness": shown}


@api_blueprint.get(f"/statements/<int(min=1,max={_NUMBER_MOST}):number>")
@api_blueprint.response(200, StatementShown)
@api_blueprint.doc(security=[{"session": []}])
@refuses(api_blueprint, 401, 403, 404, 503)
def statement_shown(number: int) -> dict[str, Any]:
    """Return a statement with its lines, adjustments and the difference to what counts now."""
    page = _statement(number)
    if page is None:
        raise ProblemError(RequestCode.NOT_FOUND)
    lines = [
        asdict(each.line)
        | {
            "name": each.name,
            "paid": each.line.paid,
            "adjusted": each.adjusted,
            "recounted": each.recounted,
            "difference": each.difference,
        }
        for each in page.lines
    ]
    return asdict(page.statement) | {"difference": page.difference, "lines": lines}
