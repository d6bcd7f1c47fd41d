"""Puts the server together: configuration, database, features, and what every request passes."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask_smorest import Api
from sqlalchemy import make_url
from werkzeug.middleware.proxy_fix import ProxyFix

from schemas.exchange import Problem
from schemas.signatures import SIGNATURE_HEADER
from server.acceptance import routes as acceptance_routes
from server.access import routes as access_routes
from server.access.wiring import cookie_name, install_access
from server.config import Config, read_config
from server.dashboard import routes as dashboard_routes
from server.dashboard.wiring import install_pages
from server.database import Transactions, db, prepare_engine
from server.declarations import routes as declarations_routes
from server.errors import PROBLEM_TYPE, install_error_handlers, log_unexpected
from server.exchange import routes as exchange_routes
from server.exports.routes import blueprint as exports_blueprint
from server.fund_statements import routes as fund_statements_routes
from server.health import blueprint as health_blueprint
from server.imports import routes as imports_routes
from server.office.queries import roles_held
from server.participants import routes as participants_routes
from server.public_ledger import routes as public_ledger_routes
from server.receipts import routes as receipts_routes
from server.request_log import configure_logging, install_request_log
from server.runtime import Runtime, install_runtime
from server.sealing import Sealer
from server.spreadsheets import FILE_BYTES_MOST
from server.treasury import routes as treasury_routes
from server.workbench import routes as workbench_routes
from sync.clock import Clock, SystemClock, VirtualClock
from sync.identifiers import ClockIds
from sync.limits import LIMITS

# A form of ours is a log-in or a decision; nothing comes near this.
_FORM_BYTES = 64 * 1024
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_A_YEAR_S = 365 * 24 * 60 * 60


class OfficeFlask(Flask):
    """Flask that never logs a path or an exception's message."""

    def log_exception(self, exc_info: Any) -> None:
        """Log where the error came from."""
        if exc_info[1] is not None:
            log_unexpected(exc_info[1])


class OfficeApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest with our errors: problem details, documented as such."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """Leave errors to `server.errors`."""

    def _register_responses(self) -> None:
        described = [(status.name, status.phrase) for status in HTTPStatus if status >= 400]
        for name, phrase in [*described, ("DEFAULT_ERROR", "Error")]:
            content = {PROBLEM_TYPE: {"schema": self.ERROR_SCHEMA}}
            response: dict[str, Any] = {"description": phrase, "content": content}
            self.spec.components.response(name, response, lazy=True)


def create_app(config: Config | None = None, clock: Clock | None = None) -> Flask:
    """Return the server's app. Raises ConfigurationError; opens no connection yet."""
    config = read_config() if config is None else config
    configure_logging()
    app = OfficeFlask("server")
    _configure(app, config)
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    prepare_engine(engine, config.busy_timeout_ms)
    runtime_clock = clock or _clock_of(config)
    sealer = Sealer(config.data_keys, config.current_data_key, config.index_key)
    runtime = Runtime(
        config=config,
        clock=runtime_clock,
        ids=ClockIds(runtime_clock),
        sealer=sealer,
        transactions=Transactions(engine, config.busy_timeout_ms, config.desk_journal, sealer),
    )
    install_runtime(app, runtime)
    install_error_handlers(app)
    install_request_log(app)
    # Before the form's token is read: that reads the whole form.
    app.before_request(_allow_sheets)
    install_access(app, roles_held)
    app.after_request(_secure)
    install_pages(app)
    _register_routes(app, config)
    if config.secure_cookies:
        # This server never speaks TLS itself: an https address means that one proxy stands before it.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    return app


# A server that vanishes (its machine, or a firewall between) says nothing: over TCP a thread would wait for
# a quarter of an hour. As long as a client waits for the next byte of an answer is long enough. Seconds,
# but for the first, which is in milliseconds and bounds what was sent and not acknowledged.
_POSTGRESQL_LINE = {
    "tcp_user_timeout": 20_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "connect_timeout": 10,
}


def _clock_of(config: Config) -> Clock:
    return SystemClock() if config.demo_clock is None else VirtualClock(config.demo_clock)


def _configure(app: Flask, config: Config) -> None:
    # One connection for each of gunicorn's 32 threads; messages of the database never hold values.
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": 32, "max_overflow": 8}
    url = make_url(config.database_url)
    if url.get_backend_name() == "sqlite":
        # Flask-SQLAlchemy would look for a relative path in its instance folder.
        url = url.set(database=str(Path(url.database or "tungnha.sqlite3").resolve()))
    else:
        options["pool_pre_ping"] = True
        # What the address says itself stands.
        options["connect_args"] = {
            name: value for name, value in _POSTGRESQL_LINE.items() if name not in url.query
        }
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=options,
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_NAME="tungnha_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        MAX_CONTENT_LENGTH=LIMITS.body_bytes,
        MAX_FORM_MEMORY_SIZE=_FORM_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        API_TITLE="Từng Nhà",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )


def _security_schemes(config: Config) -> dict[str, dict[str, str]]:
    """Return how callers of the API prove who they are, for its document."""
    return {
        "device_signature": {
            "type": "apiKey",
            "in": "header",
            "name": SIGNATURE_HEADER,
            "description": "ES256 (raw r||s, base64url) by the installation's key over context, method, path"
            ' and SHA-256 of the inflated body, as docs/protocol.md, "Signatures", has it',
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name(config),
            "description": "The session of a log-in at /login",
        },
        "form_token": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRFToken",
            "description": "The hidden field csrf_token of any form, beside the session",
        },
    }


def _register_routes(app: Flask, config: Config) -> None:
    api = OfficeApi(app)
    for name, scheme in _security_schemes(config).items():
        api.spec.components.security_scheme(name, scheme)
    for api_blueprint in (
        exchange_routes.blueprint,
        receipts_routes.api,
        public_ledger_routes.api,
        dashboard_routes.api_blueprint,
        acceptance_routes.api_blueprint,
        workbench_routes.api_blueprint,
    ):
        api.register_blueprint(api_blueprint)
    for blueprint in (
        access_routes.blueprint,
        health_blueprint,
        receipts_routes.pages,
        public_ledger_routes.pages,
        dashboard_routes.blueprint,
        workbench_routes.blueprint,
        acceptance_routes.blueprint,
        treasury_routes.blueprint,
        imports_routes.blueprint,
        participants_routes.blueprint,
        exports_blueprint,
        declarations_routes.blueprint,
        fund_statements_routes.blueprint,
    ):
        app.register_blueprint(blueprint)


def _allow_sheets() -> None:
    """Let a sheet be larger than any other request."""
    if request.endpoint == "imports.check":
        request.max_content_length = FILE_BYTES_MOST + _FORM_BYTES


def _secure(response: Response) -> Response:
    named = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - headers are no dict
    for name, value in _SECURITY_HEADERS.items():
        if name.lower() not in named:
            response.headers.add(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_A_YEAR_S}")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
