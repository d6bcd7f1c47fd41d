"""Logging in and out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, session
from flask_babel import gettext as _

from server.access.actions import log_in, log_out
from server.access.rules import ABSOLUTE_MS
from server.access.wiring import cookie_name, current_account, limiter
from server.runtime import current_runtime

blueprint = Blueprint("access", __name__)
_MOST_LOGIN = 120


@blueprint.get("/login")
def login_page() -> Any:
    """Show the form."""
    return _form(request.args.get("next", ""))


@blueprint.post("/login")
@limiter.limit("30 per minute")
def login() -> Any:
    """Open a session, or show the form again without saying what was wrong."""
    runtime = current_runtime()
    name = request.form.get("login", "").strip().lower()
    following = request.form.get("next", "")
    opened = None
    if 0 < len(name) <= _MOST_LOGIN and "\x00" not in name:
        password = request.form.get("password", "")
        opened = log_in(runtime.transactions, runtime.clock.now_ms(), name, password)
    if opened is None:
        error = _("Tên đăng nhập hoặc mật khẩu không đúng, hoặc tài khoản đang tạm khoá.")
        return _form(following, login=name[:_MOST_LOGIN], error=error), 401
    # A token made before the log-in must not be good after it.
    session.clear()
    response = redirect(_own_path(following), 303)
    response.set_cookie(
        cookie_name(runtime.config),
        opened.token,
        max_age=ABSOLUTE_MS // 1000,
        secure=runtime.config.secure_cookies,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


@blueprint.post("/logout")
def logout() -> Any:
    """End the session."""
    runtime, account = current_runtime(), current_account()
    name = cookie_name(runtime.config)
    log_out(runtime.transactions, runtime.clock.now_ms(), request.cookies[name], account.account_id)
    session.clear()
    response = redirect("/login", 303)
    response.delete_cookie(
        name, path="/", secure=runtime.config.secure_cookies, httponly=True, samesite="Lax"
    )
    return response


def _form(following: str, **values: str) -> str:
    return render_template("access/login.html", next=_own_path(following), **values)


def _own_path(following: str) -> str:
    """Return `following` if it is a path of this server, else the first page."""
    is_path = following.startswith("/") and not following.startswith(("//", "/\\"))
    return following if is_path and following.isprintable() and "\\" not in following else "/"
