"""The addresses of exported tables: each has the permission and the sight of the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, request

from server.access.wiring import current_account
from server.dashboard.plan_pages import PlanChoice
from server.dashboard.wiring import Look, change_in_sight, language, look, whole_argument
from server.exports.households import households_table
from server.exports.office_tables import OF_PEOPLE, OFFICE_TABLES, OfficeTables
from server.exports.participants import net_change_table, outside_table, participants_table
from server.exports.table import FORMATS, ExportedTable
from server.exports.tables import Tables
from server.participants.queries import Choice
from server.quotas.rules import STATES
from server.runtime import current_runtime
from server.workbench.queries import area_keys_in
from server.workbench.rules import quarantine_choice

blueprint = Blueprint("exports", __name__, url_prefix="/exports")
_CAMPAIGN_MOST, _NUMBER_MOST = 999_999, 999_999_999
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


@blueprint.get("/board.<file_format>")
def board(file_format: str) -> Response:
    """Give a campaign's board."""
    campaign = whole_argument("campaign", _CAMPAIGN_MOST)
    chosen = (request.args.get("indicator"), request.args.get("holder"))
    return _sent("board", file_format, lambda tables: tables.board(campaign, *chosen))


@blueprint.get(f"/plans/<int(max={_CAMPAIGN_MOST}):campaign>.<file_format>")
def plan(campaign: int, file_format: str) -> Response:
    """Give what a campaign's plan asks for, 0 the office's own: the node that the page shows."""
    choice = PlanChoice.of(request.args)
    return _sent("plan", file_format, lambda tables: tables.plan(campaign, choice))


@blueprint.get("/agents/<uuid:worker_id>/entries.<file_format>")
def agent_entries(worker_id: UUID, file_format: str) -> Response:
    """Give what an agent's tablets delivered."""
    _require_sight(str(worker_id))
    return _sent("entries", file_format, lambda tables: tables.agent_entries(str(worker_id)))


@blueprint.get("/agents/<uuid:worker_id>/credits.<file_format>")
def agent_credits(worker_id: UUID, file_format: str) -> Response:
    """Give what an agent's facts count."""
    _require_sight(str(worker_id))
    state = request.args.get("state")
    state = state if state in STATES else None
    return _sent("credits", file_format, lambda tables: tables.agent_credits(str(worker_id), state))


@blueprint.get("/devices.<file_format>")
def devices(file_format: str) -> Response:
    """Give the tablets."""
    return _sent("devices", file_format, Tables.devices)


@blueprint.get("/incidents.<file_format>")
def incidents(file_format: str) -> Response:
    """Give the incidents."""
    return _sent("incidents", file_format, Tables.incidents)


@blueprint.get("/quarantine.<file_format>")
def quarantine(file_format: str) -> Response:
    """Give what is quarantined, as the page's filters have it."""
    choice = quarantine_choice(request.args)
    return _sent("quarantine", file_format, lambda tables: tables.quarantine(choice))


@blueprint.get("/conflicts.<file_format>")
def conflicts(file_format: str) -> Response:
    """Give the records in dispute: names, so it is audited."""
    return _sent("conflicts", file_format, Tables.conflicts, is_personal=True)


@blueprint.get("/duplicates.<file_format>")
def duplicates(file_format: str) -> Response:
    """Give the records that may be one, or those that were merged: names, so it is audited."""
    if request.args.get("tab") == "merged":
        return _sent("duplicates_merged", file_format, Tables.merged_records, is_personal=True)
    return _sent("duplicates", file_format, Tables.duplicates, is_personal=True)


@blueprint.get("/distinct.<file_format>")
def distinct(file_format: str) -> Response:
    """Give the records that were called two: names, so it is audited."""
    return _sent("distinct", file_format, Tables.distinct, is_personal=True)


@blueprint.get("/statements.<file_format>")
def statements(file_format: str) -> Response:
    """Give a campaign's statements."""
    campaign, account_id = whole_argument("campaign", _CAMPAIGN_MOST), current_account().account_id
    return _sent("statements", file_format, lambda tables: tables.statements(account_id, campaign))


@blueprint.get(f"/statements/<int(min=1,max={_NUMBER_MOST}):number>.<file_format>")
def statement_lines(number: int, file_format: str) -> Response:
    """Give the lines of a statement."""
    return _sent(f"statement-{number}", file_format, lambda tables: tables.statement_lines(number))


@blueprint.get("/office/<name>.<file_format>")
def office_table(name: str, file_format: str) -> Response:
    """Give a table that the office set up, most of them as imports read them; those of people audited."""
    make, runtime = OFFICE_TABLES.get(name), current_runtime()
    if make is None:
        abort(404)

    def table(seen: Look) -> ExportedTable:
        return make(OfficeTables(seen.connection, runtime.sealer, runtime.config.time_zone, language()))

    return _answered(name, file_format, table, is_personal=name in OF_PEOPLE)


@blueprint.get("/imports/<uuid:import_id>.<file_format>")
def import_faults(import_id: UUID, file_format: str) -> Response:
    """Give everything that is wrong with a sheet, cell by cell."""
    return _sent("import-faults", file_format, lambda tables: tables.import_faults(str(import_id)))


@blueprint.get("/households.<file_format>")
def households(file_format: str) -> Response:
    """Give the households in sight, numbers masked; audited."""
    return _households(file_format, has_full_numbers=False)


@blueprint.get("/full/households.<file_format>")
def households_full(file_format: str) -> Response:
    """Give the households with their telephone numbers; it takes a permission of its own, and is audited."""
    return _households(file_format, has_full_numbers=True)


def _households(file_format: str, *, has_full_numbers: bool) -> Response:
    sealer = current_runtime().sealer

    def table(seen: Look) -> ExportedTable:
        keys = area_keys_in(seen.connection, seen.sight)
        return households_table(seen.connection, sealer, keys, has_full_numbers=has_full_numbers)

    name = "households_full" if has_full_numbers else "households"
    return _answered(name, file_format, table, is_personal=True)


@blueprint.get("/participants.<file_format>")
def participants(file_format: str) -> Response:
    """Give the register's lines in sight, numbers masked; names, so it is audited."""
    return _participants(file_format, has_full_numbers=False)


@blueprint.get("/full/participants.<file_format>")
def participants_full(file_format: str) -> Response:
    """Give the register with its numbers; it takes a permission of its own, and is audited."""
    return _participants(file_format, has_full_numbers=True)


def _participants(file_format: str, *, has_full_numbers: bool) -> Response:
    sealer = current_runtime().sealer

    def table(seen: Look) -> ExportedTable:
        return participants_table(seen, sealer, language(), has_full_numbers=has_full_numbers)

    name = "participants_full" if has_full_numbers else "participants"
    return _answered(name, file_format, table, is_personal=True)


@blueprint.get("/net_change.<file_format>")
def net_change(file_format: str) -> Response:
    """Give the net change of a scheme by area."""
    choice, zone = Choice(request.args.get("scheme"), request.args.get("baseline")), _zone()
    return _answered(
        "net_change", file_format, lambda seen: net_change_table(seen, zone, choice), is_personal=False
    )


@blueprint.get("/outside_figures.<file_format>")
def outside_figures(file_format: str) -> Response:
    """Give the figures from outside."""
    zone = _zone()
    return _answered(
        "outside_figures", file_format, lambda seen: outside_table(seen, zone, language()), is_personal=False
    )


def _zone() -> ZoneInfo:
    return current_runtime().config.time_zone


def _require_sight(worker_id: str) -> None:
    with look() as seen:
        if not seen.sight.covers(worker_id):
            abort(404)


def _sent(
    name: str,
    file_format: str,
    make: Callable[[Tables], ExportedTable | None],
    *,
    is_personal: bool = False,
) -> Response:
    zone = current_runtime().config.time_zone
    return _answered(
        name, file_format, lambda seen: make(Tables(seen, zone, language())), is_personal=is_personal
    )


def _answered(
    name: str, file_format: str, make: Callable[[Look], ExportedTable | None], *, is_personal: bool
) -> Response:
    """Answer with a table's file; one of personal data leaves only once the audit has it."""
    if file_format not in FORMATS:
        abort(404)
    with look() as seen:
        table = make(seen)
    if table is None:
        abort(404)
    if is_personal:
        rows = len(table.rows)

        def note(change: Any, _sight: Any) -> None:
            change.audit("table_exported", name, rows=rows, format=file_format)

        change_in_sight(note)
    headers = {"Content-Disposition": f'attachment; filename="tungnha-{name}.{file_format}"'}
    content = table.written(file_format, language())
    return Response(content, content_type=_TYPES[file_format], headers=headers)
