"""Routes for whoever keeps the server running: alive, ready, metrics."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from server.errors import ProblemError
from server.operations import readiness
from server.request_log import metrics_registry
from server.runtime import current_runtime
from sync.codes import RequestCode

blueprint = Blueprint("health", __name__)
_OWN_MACHINE = {"127.0.0.1", "::1"}


@blueprint.get("/healthz")
def alive() -> Any:
    """Answer that the process lives; touches nothing else."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
def ready() -> Any:
    """Answer whether the database can be read and has the newest tables; 503 otherwise."""
    state = readiness(current_runtime().transactions)
    return jsonify(database=state.database, migrations=state.migrations), 200 if state.is_ready else 503


@blueprint.get("/metrics")
def metrics() -> Any:
    """Answer the counters to this machine only; what a proxy passes on comes from elsewhere."""
    if request.remote_addr not in _OWN_MACHINE or "X-Forwarded-For" in request.headers:
        raise ProblemError(RequestCode.FORBIDDEN)
    return Response(generate_latest(metrics_registry(current_app)), content_type=CONTENT_TYPE_LATEST)
