"""Refusals of whole requests: one exception, one table code → status, one place that renders them.

Under /api an error is RFC 9457 problem details; elsewhere it is a small page. Neither ever repeats
a value that came in.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, current_app, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from schemas.base import first_fault
from schemas.exchange import Problem
from server.database import DatabaseBusyError, StorageFullError
from sync.codes import RequestCode
from sync.limits import LIMITS

_log = structlog.get_logger("tungnha.errors")
_RETRY_AFTER_S = 5
PROBLEM_TYPE = "application/problem+json"
_Route = TypeVar("_Route", bound=Callable[..., Any])

STATUS_OF: dict[RequestCode, int] = {
    RequestCode.BODY_UNREADABLE: 400,
    RequestCode.BODY_INVALID: 422,
    RequestCode.BODY_TOO_LARGE: 413,
    RequestCode.CONTENT_TYPE_UNSUPPORTED: 415,
    RequestCode.PROTOCOL_UNSUPPORTED: 400,
    RequestCode.SIGNATURE_MISSING: 401,
    RequestCode.SIGNATURE_INVALID: 401,
    RequestCode.INSTALLATION_UNKNOWN: 401,
    RequestCode.INSTALLATION_FENCED: 403,
    RequestCode.INSTALLATION_SUPERSEDED: 403,
    RequestCode.PREDECESSOR_MISMATCH: 409,
    RequestCode.HEAD_MISMATCH: 409,
    RequestCode.JOURNAL_GAP: 409,
    RequestCode.JOURNAL_FORKED: 409,
    RequestCode.HOLE_MISMATCH: 422,
    RequestCode.ENROLMENT_CODE_INVALID: 403,
    RequestCode.KEY_ID_TAKEN: 409,
    RequestCode.NOT_LOGGED_IN: 401,
    RequestCode.LOGIN_REFUSED: 401,
    RequestCode.CSRF_INVALID: 403,
    RequestCode.FORBIDDEN: 403,
    RequestCode.NOT_FOUND: 404,
    RequestCode.METHOD_NOT_ALLOWED: 405,
    RequestCode.RATE_LIMITED: 429,
    RequestCode.DATABASE_BUSY: 503,
    RequestCode.STORAGE_FULL: 507,
    RequestCode.INTERNAL_ERROR: 500,
}

_CODE_OF_STATUS: dict[int, RequestCode] = {
    400: RequestCode.BODY_UNREADABLE,
    401: RequestCode.NOT_LOGGED_IN,
    403: RequestCode.FORBIDDEN,
    404: RequestCode.NOT_FOUND,
    405: RequestCode.METHOD_NOT_ALLOWED,
    413: RequestCode.BODY_TOO_LARGE,
    415: RequestCode.CONTENT_TYPE_UNSUPPORTED,
    422: RequestCode.BODY_INVALID,
    429: RequestCode.RATE_LIMITED,
    503: RequestCode.DATABASE_BUSY,
    507: RequestCode.STORAGE_FULL,
}


class ProblemError(Exception):
    """The whole request is refused with `code`; nothing was stored."""

    def __init__(
        self,
        code: RequestCode,
        *,
        detail: str | None = None,
        field: str | None = None,
        expected_seq: int | None = None,
        limits: dict[str, int] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(str(code))
        self.code = code
        self.detail = detail
        self.field = field
        self.expected_seq = expected_seq
        self.limits = limits
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """Return the HTTP status of the code."""
        return STATUS_OF[self.code]


def problem_body(problem: ProblemError, status: int) -> dict[str, Any]:
    """Return the problem details of `problem`, members without a value left out."""
    title = HTTPStatus(status).phrase
    body: dict[str, Any] = {
        "type": f"urn:tungnha:problem:{problem.code}",
        "title": title,
        "status": status,
        "code": str(problem.code),
    }
    for name in ("detail", "field", "expected_seq", "limits"):
        value = getattr(problem, name)
        if value is not None:
            body[name] = value
    return body


def refuses(blueprint: Any, *statuses: int) -> Callable[[_Route], _Route]:
    """Document the statuses with which a route of `blueprint` can answer problem details."""

    def decorate(route: _Route) -> _Route:
        documented = route
        for status in statuses:
            described = blueprint.alt_response(status, schema=Problem, content_type=PROBLEM_TYPE)
            documented = described(documented)
        # What describes does nothing else: a request need not pass through a wrapper for each status.
        about = {name: value for name, value in vars(documented).items() if name != "__wrapped__"}
        vars(route).update(about)
        return route

    return decorate


def refuses_people(blueprint: Any, *statuses: int) -> Callable[[_Route], _Route]:
    """Document how a route for logged-in people can refuse, and that it wants a session."""

    def decorate(route: _Route) -> _Route:
        route = blueprint.doc(security=[{"session": []}])(route)
        return refuses(blueprint, 401, 403, 422, 503, *statuses)(route)

    return decorate


def install_error_handlers(app: Flask) -> None:
    """Let `app` answer every error in the one form of its kind of route."""
    app.register_error_handler(ProblemError, _render)
    app.register_error_handler(DatabaseBusyError, _busy)
    app.register_error_handler(StorageFullError, _full)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _is_page() -> bool:
    return not request.path.startswith(("/api/", "/healthz", "/readyz", "/metrics"))


def _render(problem: ProblemError, status: int | None = None) -> Any:
    status = problem.status if status is None else status
    if problem.code is RequestCode.NOT_LOGGED_IN and _is_page():
        # Only the path: a query may hold what nobody should be sent back to.
        following = request.path if request.method == "GET" else None
        return redirect(url_for("access.login_page", next=following), 303)
    if _is_page():
        response = Response(_page(problem, status), status)
    else:
        text = json.dumps(problem_body(problem, status), ensure_ascii=False)
        response = Response(text, status, content_type=PROBLEM_TYPE)
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response


def _page(problem: ProblemError, status: int) -> str:
    try:
        return render_template("error.html", problem=problem, status=status)
    except Exception as error:  # noqa: BLE001  # a page's frame may need what has just failed
        _log.error("error_page_failed", error=type(error).__name__, frames=frames_of(error))
        return f"<!doctype html><title>{status}</title><p>Từng Nhà: {problem.code}</p>"


def _busy(_error: DatabaseBusyError) -> Any:
    return _render(ProblemError(RequestCode.DATABASE_BUSY, retry_after_s=_RETRY_AFTER_S))


def _full(_error: StorageFullError) -> Any:
    return _render(ProblemError(RequestCode.STORAGE_FULL, retry_after_s=60))


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error
    otherwise = RequestCode.INTERNAL_ERROR if status >= 500 else RequestCode.BODY_UNREADABLE
    code = _CODE_OF_STATUS.get(status, otherwise)
    problem = ProblemError(code, field=_field_of(error))
    if code is RequestCode.BODY_TOO_LARGE:
        problem.limits = LIMITS.as_wire()
    response = _render(problem, status)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _field_of(error: HTTPException) -> str | None:
    """Return the field that a schema refused, where flask-smorest attached its messages."""
    messages = getattr(error, "data", None) or {}
    by_place = messages.get("messages")
    if not isinstance(by_place, dict) or not by_place:
        return None
    faults = next(iter(by_place.values()))
    return first_fault(faults).field if isinstance(faults, dict) else None


def frames_of(error: BaseException) -> list[str]:
    """Return where an exception came from. Its message is left out, since it may hold values."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def log_unexpected(error: BaseException) -> None:
    """Log an error that nobody foresaw, without its message."""
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < 5:
        causes.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    _log.error("unexpected_error", error=type(error).__name__, causes=causes, frames=frames_of(error))


def _unexpected(error: Exception) -> Any:
    propagates = current_app.config["PROPAGATE_EXCEPTIONS"]
    if propagates or (propagates is None and current_app.testing):
        raise error
    log_unexpected(error)
    return _render(ProblemError(RequestCode.INTERNAL_ERROR))
