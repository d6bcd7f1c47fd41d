"""The pages of participants: net change against a baseline, and figures from outside. No scripts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from server.access.permissions import Permission
from server.dashboard.wiring import look, may, page_argument
from server.participants.queries import Choice, outside_page, participants_page
from server.runtime import current_runtime

blueprint = Blueprint("participants", __name__)


@blueprint.get("/participants")
def overview() -> Any:
    """Show what a scheme has gained and lost since a baseline, and which enrolments are new."""
    choice = Choice(request.args.get("scheme"), request.args.get("baseline"), page_argument())
    with look() as seen:
        zone = current_runtime().config.time_zone
        page = participants_page(seen.connection, choice, seen.sight, seen.now_ms, zone)
    return render_template(
        "participants/overview.html",
        found=page,
        may_import=may(Permission.IMPORT_SHEETS, office_wide=True),
        may_export=may(Permission.EXPORT_PARTICIPANTS),
    )


@blueprint.get("/outside")
def outside() -> Any:
    """Show what others published beside the office's own figures."""
    with look() as seen:
        zone = current_runtime().config.time_zone
        page = outside_page(seen.connection, seen.sight, seen.now_ms, zone)
    return render_template(
        "participants/outside.html",
        found=page,
        may_import=may(Permission.IMPORT_SHEETS, office_wide=True),
    )
