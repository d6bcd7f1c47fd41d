"""What is told about each request: one JSON line, and the counters of /metrics.

Both name the route's template, never its path, its query or any value: paths hold receipt tokens.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

from sync.clock import SystemClock

_log = structlog.get_logger("tungnha.requests")
# A duration is the machine's, also where the server lives in a virtual year.
_STOPWATCH = SystemClock()
_REGISTRY = "tungnha_metrics"
_QUIET_ROUTES = {"/healthz", "/readyz", "/metrics"}


class _StandardError:
    """Writes each line in one call to whatever standard error is at that moment."""

    def __init__(self, *_names: str) -> None:
        """Take no name: every line says what it is about."""

    def msg(self, message: str) -> None:
        """Write one line."""
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = msg


class _Templates(logging.Handler):
    """Tells what a library has to say without its values: no arguments, no traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line with the template of the message."""
        structlog.get_logger("tungnha.database").error("database_driver", what=str(record.msg))


def configure_logging(level: int = logging.INFO) -> None:
    """Let the process write JSON lines to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("event"),
            structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StandardError,
        cache_logger_on_first_use=False,
    )
    # Werkzeug's own lines hold whole paths.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # The pool's hold the driver's messages, whole tracebacks of them.
    pool = logging.getLogger("sqlalchemy.pool")
    pool.handlers, pool.propagate = [_Templates(logging.ERROR)], False


def install_request_log(app: Flask) -> None:
    """Log and count every request of `app`."""
    registry = CollectorRegistry()
    requests = Counter("tungnha_requests", "Requests answered.", ["route", "status"], registry=registry)
    seconds = Histogram("tungnha_request_seconds", "Time to answer.", ["route"], registry=registry)
    app.extensions[_REGISTRY] = registry

    def start() -> None:
        g.started_ms = _STOPWATCH.monotonic_ms()

    def finish(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "-"
        took_ms = _STOPWATCH.monotonic_ms() - g.get("started_ms", _STOPWATCH.monotonic_ms())
        requests.labels(route, str(response.status_code)).inc()
        seconds.labels(route).observe(took_ms / 1000)
        if route not in _QUIET_ROUTES:
            method = request.method if request.method.isalpha() and len(request.method) < 10 else "-"
            _log.info("request", route=route, method=method, status=response.status_code, ms=took_ms)
        return response

    app.before_request(start)
    app.after_request(finish)


def metrics_registry(app: Any) -> CollectorRegistry:
    """Return the counters of `app`."""
    registry: CollectorRegistry = app.extensions[_REGISTRY]
    return registry
