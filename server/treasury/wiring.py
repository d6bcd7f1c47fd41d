"""What every page of the treasurer shares: one blueprint, one way to decide and to say why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from sqlalchemy import Connection

from server.access.permissions import Permission
from server.audit.changes import Change
from server.dashboard.wiring import change_in_sight, language, look, may
from server.funds.desk import FundDesk
from server.funds.office_queries import FundState, fund_by_number
from server.funds.refusals import FundRefusedError
from server.funds.setting_up import LARGEST_NUMBER
from server.runtime import current_runtime
from server.treasury.forms import FormRefusedError, Typed, field_of
from server.treasury.wording import FAULT_WORDS, Words, refusal_words

blueprint = Blueprint("treasury", __name__, url_prefix="/treasury")
FUND = f"<int(min=1,max={LARGEST_NUMBER}):number>"
# Where a fund's statement is shown: by a part of its own, which stands above this one.
_STATEMENTS = ("treasury.statement", "fund_statements.page")
_Result = TypeVar("_Result")


class _OfFund(Protocol):
    """A row that belongs to one fund."""

    @property
    def fund(self) -> int:
        """Return the fund's number."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was done: in words, and at which field. `row`: of which line of a list."""

    code: str
    words: Words
    field: str | None
    row: str | None = None


def shown(template: str, status: int = 200, **values: Any) -> Any:
    """Return one of the treasurer's pages."""
    page = render_template(
        f"treasury/{template}.html",
        say=said,
        may_manage=may(Permission.MANAGE_FUNDS, office_wide=True),
        statement_at=next((each for each in _STATEMENTS if each in current_app.view_functions), None),
        done=request.args.get("done", ""),
        **{"refusal": None, "typed": {}, **values},
    )
    return page, status


def said(words: Words) -> str:
    """Return the words of this request's language."""
    return words[1 if language() == "en" else 0]


def known_fund(number: int) -> FundState:
    """Return a fund; the request ends with 404 where there is none."""
    with look() as seen:
        return fund_by_number(seen.connection, number) or abort(404)


def require_of_fund(query: Callable[[Connection, str], _OfFund | None], number: int, row_id: str) -> None:
    """End the request with 404 where a row is not there, or is another fund's."""
    with look() as seen:
        found = query(seen.connection, row_id)
    if found is None or found.fund != number:
        abort(404)


def decide(work: Callable[[Change, FundDesk], _Result]) -> _Result:
    """Run one decision as a change of the logged-in account."""
    desk = FundDesk.of(current_runtime())
    return change_in_sight(lambda change, _sight: work(change, desk))


def typed() -> Typed:
    """Return the form of this request."""
    return Typed(request.form)


def refusal_of(error: FundRefusedError | FormRefusedError, row: str | None = None) -> Refusal:
    """Return why nothing was done, as a page says it."""
    if isinstance(error, FormRefusedError):
        return Refusal(error.fault.value, FAULT_WORDS[error.fault], error.field, row)
    return Refusal(error.code.value, refusal_words(error), field_of(error.code, request.form), row)


def answered(
    work: Callable[[], Any],
    again: Callable[[Refusal, Mapping[str, str]], Any],
    leads_to: str,
    *,
    row: str | None = None,
    **address: Any,
) -> Any:
    """Do what was asked and lead to a page; where it is refused, show the form again as it was typed."""
    try:
        work()
    except (FundRefusedError, FormRefusedError) as error:
        page, _status = again(refusal_of(error, row), request.form)
        return page, 422 if isinstance(error, FormRefusedError) else 409
    return redirect(url_for(leads_to, **address), 303)
