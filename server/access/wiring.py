"""Lets every request pass the table of permissions before its route runs, and says who is logged in.

Access lies below the office, so that the wiring passes in how roles are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from flask import Flask, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy import Connection

from server.access.actions import note_seen, token_sha256
from server.access.permissions import ROUTES, RouteScope, Rule, roles_with
from server.access.queries import SessionView, session_of
from server.access.rules import CurrentAccount, RoleHeld, holds_any, is_live
from server.config import Config
from server.errors import ProblemError
from server.runtime import current_runtime
from sync.codes import RequestCode

RolesHeld = Callable[[Connection, str, int], Sequence[RoleHeld]]

_log = structlog.get_logger("tungnha.access")
_ROLES_HELD = "tungnha_roles_held"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
csrf = CSRFProtect()
# Counts per process: it only slows a flood. The real lock is counted in the database.
limiter = Limiter(get_remote_address, storage_uri="memory://")


class UndeclaredRouteError(Exception):
    """An endpoint is missing from the table of permissions."""


def install_access(app: Flask, roles_held: RolesHeld) -> None:
    """Guard every route of `app`; `roles_held` reads the roles that a worker holds at a time."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    app.extensions[_ROLES_HELD] = roles_held
    csrf.init_app(app)
    limiter.init_app(app)
    # No device route has a limit; to look for one costs a sync more than any of its statements.
    limiter.request_filter(_is_device_route)
    app.before_request(_guard)


def cookie_name(config: Config) -> str:
    """Return the name of the session cookie; the prefix ties it to the host, where TLS allows it."""
    return "__Host-tungnha_session" if config.secure_cookies else "tungnha_session"


def viewer() -> CurrentAccount | None:
    """Return who is logged in, or None; never asks the database."""
    found: CurrentAccount | None = g.get("account")
    return found


def current_account() -> CurrentAccount:
    """Return who is logged in. Raises ProblemError: not_logged_in."""
    found = viewer()
    if found is None:
        raise ProblemError(RequestCode.NOT_LOGGED_IN)
    return found


def _guard() -> None:
    if request.endpoint is None:
        return  # No route matched: Flask answers 404 or 405.
    rule = ROUTES.get(request.endpoint)
    if rule is None:
        _refuse_undeclared(request.endpoint)
    elif rule.scope is not RouteScope.DEVICE:
        _admit(rule)
        if request.method not in _SAFE_METHODS:
            _refuse_forged_form()


def _is_device_route() -> bool:
    rule = ROUTES.get(request.endpoint or "")
    return rule is not None and rule.scope is RouteScope.DEVICE


def _refuse_forged_form() -> None:
    try:
        csrf.protect()
    except CSRFError as error:
        raise ProblemError(RequestCode.CSRF_INVALID) from error


def _refuse_undeclared(endpoint: str) -> None:
    _log.error("undeclared_route", endpoint=endpoint)
    if current_app.testing:
        raise UndeclaredRouteError(endpoint)
    raise ProblemError(RequestCode.FORBIDDEN)


def _admit(rule: Rule) -> None:
    """Refuse who may not use a route with this rule; remember who is logged in."""
    if request.endpoint == "static":
        return
    account = _logged_in_account()
    g.account = account
    if rule.permission is None:
        return
    if account is None:
        raise ProblemError(RequestCode.NOT_LOGGED_IN)
    office_wide = rule.scope is RouteScope.OFFICE
    if not holds_any(account.held, roles_with(rule.permission), office_wide=office_wide):
        raise ProblemError(RequestCode.FORBIDDEN)


def _logged_in_account() -> CurrentAccount | None:
    runtime = current_runtime()
    token = request.cookies.get(cookie_name(runtime.config))
    if not token:
        return None
    now_ms = runtime.clock.now_ms()
    roles_held: RolesHeld = current_app.extensions[_ROLES_HELD]
    with runtime.transactions.reading() as connection:
        session = session_of(connection, token_sha256(token))
        if session is None or not _holds(session, now_ms):
            return None
        held = tuple(roles_held(connection, session.worker_id, now_ms))
    note_seen(runtime.transactions, now_ms, session)
    return CurrentAccount(session.account_id, session.worker_id, session.login, held)


def _holds(session: SessionView, now_ms: int) -> bool:
    return not session.is_disabled and is_live(session.opened_ms, session.seen_ms, now_ms)
