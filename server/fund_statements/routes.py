"""The page of a fund's statement over a period, and its files. There is no name of a donor in it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from server.audit.queries import is_recovering
from server.dashboard.wiring import language, look
from server.fund_statements.figures import FundStatement, fund_statement
from server.fund_statements.files import heading, statement_pdf, statement_xlsx
from server.funds.office_queries import fund_by_number
from server.runtime import current_runtime
from sync.clock import local_day

blueprint = Blueprint("fund_statements", __name__, url_prefix="/funds")
_FUND = "/<int(min=1, max=999999):number>/statement"
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


@blueprint.get(_FUND)
def page(number: int) -> Any:
    """Show the statement of the days that the address names, from the fund's first day to today otherwise."""
    statement, _ = _statement(number)
    return render_template(
        "fund_statements/page.html",
        statement=statement,
        heading=heading(statement, language()),
        spoken=int(language() == "en"),
    )


@blueprint.get(f"{_FUND}.<file_format>")
def file(number: int, file_format: str) -> Response:
    """Give the statement as XLSX in the page's language, or as PDF in Vietnamese."""
    if file_format not in _TYPES:
        abort(404)
    statement, is_provisional = _statement(number)
    if file_format == "pdf":
        content = statement_pdf(statement, is_provisional=is_provisional)
    else:
        content = statement_xlsx(statement, language())
    span = f"{statement.from_day:%Y%m%d}-{statement.to_day:%Y%m%d}"
    name = f"tungnha-fund-{number}-{span}.{file_format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=_TYPES[file_format], headers=headers)


def _statement(number: int) -> tuple[FundStatement, bool]:
    """Return the statement that was asked for, and whether its figures are provisional."""
    with look() as seen:
        fund = fund_by_number(seen.connection, number)
        if fund is None:
            abort(404)
        today = local_day(seen.now_ms, current_runtime().config.time_zone)
        from_day = _day("from") or fund.opens_on
        to_day = max(_day("to") or today, from_day)
        found = fund_statement(seen.connection, number, from_day, to_day)
        assert found is not None, "the fund was just read in this snapshot"
        return found, is_recovering(seen.connection)


def _day(name: str) -> date | None:
    """Return a day of the address; None where it is none."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
