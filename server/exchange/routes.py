"""The device API: one sync for everything, and enrolment."""

from __future__ import annotations

import gzip
from typing import Any

import msgspec
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from schemas.earlier import SyncRequestV1, lifted_request, lowered_outcome
from schemas.exchange import (
    PROTOCOL,
    SERVED_PROTOCOLS,
    EnrolmentRequest,
    EnrolmentResponse,
    SyncRequest,
    SyncResponse,
)
from schemas.signatures import (
    SIGNATURE_HEADER,
    KeyMalformedError,
    PublicKey,
    from_base64url,
    to_base64url,
)
from server.audit.changes import Actor, Change, run_change
from server.audit.queries import epoch_and_recovery
from server.devices.actions import Enrolled, enrol_installation
from server.devices.queries import durable_seq_of, installation_by_id, public_key_of
from server.devices.readmission import certified, certified_key, readmit_shown
from server.devices.rules import InstallationState
from server.errors import ProblemError, refuses
from server.exchange.acknowledgement import shown_acknowledgement, signed_acknowledgement
from server.exchange.authentication import verify_request
from server.exchange.body import inflate, parse_body, read_capped
from server.exchange.differing import report_differing
from server.exchange.epochs import have_epoch_above, readmit_by_certificate
from server.exchange.outcomes import outcomes_shown
from server.exchange.pulling import Pulled, granted_scopes, pull, standing_still
from server.exchange.pushing import SyncDone, SyncShown, receive_sync
from server.office.queries import workers_by_id
from server.runtime import Runtime, current_runtime
from sync.clock import ClockReading, local_day
from sync.codes import RequestCode
from sync.limits import LIMITS
from sync.pull import Cursor
from sync.push import Hole, JournalHead

_REFUSALS = (400, 401, 403, 409, 413, 415, 422, 503, 507)
# Below this, compressing costs more than it saves.
_GZIP_FROM_BYTES = 1024
_SYNC_REQUESTS = {1: SyncRequestV1(), PROTOCOL: SyncRequest()}
# Enrolment is the same in every version, but for an optional member of version 2.
_ENROLMENT_REQUESTS = dict.fromkeys(SERVED_PROTOCOLS, EnrolmentRequest())

blueprint = Blueprint("exchange", __name__, url_prefix="/api/v1", description="Tablets and the server")


def _body_documented(schema: type[Any]) -> dict[str, Any]:
    return {
        "security": [{"device_signature": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }


def _signed_body() -> bytes:
    if request.mimetype != "application/json":
        raise ProblemError(RequestCode.CONTENT_TYPE_UNSUPPORTED, field="Content-Type")
    body = read_capped(request.stream.read, request.content_length)
    return inflate(body, request.headers.get("Content-Encoding"))


def _json_response(body: bytes) -> Response:
    response = Response(body, content_type="application/json")
    if len(body) >= _GZIP_FROM_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        response = Response(gzip.compress(body, compresslevel=1), content_type="application/json")
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response


@blueprint.route("/sync")
class SyncView(MethodView):
    """One round trip: push, pull or both."""

    @blueprint.doc(**_body_documented(SyncRequest))
    @blueprint.response(200, SyncResponse)
    @refuses(blueprint, *_REFUSALS)
    def post(self) -> Response:
        """Deliver a run of the journal and fetch what changed."""
        runtime = current_runtime()
        inflated = _signed_body()
        body = parse_body(inflated, _SYNC_REQUESTS)
        body = lifted_request(body["protocol"], body)
        _authenticate(runtime, body, inflated)
        shown = _shown(runtime, body)
        done = receive_sync(runtime, shown)
        return _json_response(_answer(runtime, body, shown, done))


def _authenticate(runtime: Runtime, body: dict[str, Any], inflated: bytes) -> None:
    installation_id, header = body["installation"], request.headers.get(SIGNATURE_HEADER)
    with runtime.transactions.reading() as connection:
        key = public_key_of(connection, installation_id)
    if key is not None:
        verify_request(key, header, request.method, request.path, inflated)
        return
    content = certified(runtime.config.office_key.public, body["certificate"])
    if content is None or content["installation"] != installation_id:
        raise ProblemError(RequestCode.INSTALLATION_UNKNOWN, field="installation")
    verify_request(certified_key(content), header, request.method, request.path, inflated)
    readmit_by_certificate(runtime, content, body["certificate"])


def _shown(runtime: Runtime, body: dict[str, Any]) -> SyncShown:
    push, clock = body["push"], body["clock"]
    return SyncShown(
        installation_id=body["installation"],
        journal_head=JournalHead(**body["journal_head"]),
        clock=ClockReading(clock["wall_ms"], clock["boot"], clock["monotonic_ms"]),
        predecessor_id=body["predecessor"],
        app_version=request.headers.get("User-Agent", "")[:100] or None,
        last_ack=shown_acknowledgement(runtime.config.office_key, body["last_ack"], body["installation"]),
        hole=None if body["hole"] is None else Hole(**body["hole"]),
        first_seq=None if push is None else push["first_seq"],
        previous_digest=None if push is None else push["previous_digest"],
        entries=() if push is None else push["entries"],
    )


def _answer(runtime: Runtime, body: dict[str, Any], shown: SyncShown, done: SyncDone) -> bytes:
    """Return the response as JSON; rows are spliced in as stored."""
    with runtime.transactions.reading() as connection:
        installation = installation_by_id(connection, shown.installation_id)
        assert installation is not None
        epoch, recovering = epoch_and_recovery(connection)
        durable_seq = durable_seq_of(connection, shown.installation_id)
        outcomes = outcomes_shown(connection, installation.worker_id, done.verdicts, done.as_judged)
        pulled: Pulled | None = None
        have: list[Cursor] = []
        differing: set[str] = set()
        # Revocation stops reads at once, also when it came in the middle of this sync.
        if body["pull"] is not None and installation.state == InstallationState.ACTIVE:
            today = local_day(done.server_ms, runtime.config.time_zone)
            scopes = granted_scopes(connection, installation.worker_id, done.server_ms, today)
            have = [Cursor(item["scope"], item["epoch"], item["seq"]) for item in body["pull"]["have"]]
            if recovering and body["protocol"] == 1:
                pulled = standing_still(body["pull"]["have"], scopes)
            else:
                differing = set(body["pull"]["differing"]) & set(scopes)
                limit = body["pull"]["limit"]
                pulled = pull(connection, scopes, have, limit, body["protocol"], epoch, differing)
    if shown.last_ack is not None and shown.last_ack.epoch > epoch:
        # The office has forgotten a whole epoch; devices that heard of it would believe nothing older.
        have_epoch_above(runtime, shown.installation_id, shown.last_ack.epoch)
        return _answer(runtime, body, shown, done)
    report_differing(runtime, installation, have, differing)
    ack = signed_acknowledgement(
        runtime.config.office_key,
        shown.installation_id,
        done.acked,
        durable_seq=durable_seq,
        epoch=epoch,
        server_ms=done.server_ms,
    )
    grants: Any = None
    if body["pull"] is not None:
        grants = [] if pulled is None else [_grant_shown(grant) for grant in pulled.grants]
    content = {
        "ack": ack,
        "verdicts": [verdict.as_wire() for verdict in done.verdicts],
        "outcomes": [lowered_outcome(body["protocol"], outcome) for outcome in outcomes],
        "grants": grants,
        "recovering": recovering,
        "limits": LIMITS.as_wire(),
    }
    rows = b"" if pulled is None else ",".join(pulled.rows).encode()
    return b"".join((msgspec.json.encode(content)[:-1], b',"rows":[', rows, b"]}"))


def _grant_shown(grant: Any) -> dict[str, Any]:
    return {
        "scope": grant.scope,
        "epoch": grant.epoch,
        "head": grant.head,
        "count": grant.count,
        "sum": grant.sum,
    }


def _enrol(runtime: Runtime, change: Change, body: dict[str, Any], key: PublicKey) -> Enrolled:
    certificate = body["predecessor_certificate"]
    content = certified(runtime.config.office_key.public, certificate)
    if content is not None and content["installation"] == body["predecessor"]:
        # A restored office may have forgotten it; where it is known this changes nothing.
        readmit_shown(change, content, certificate)
    return enrol_installation(
        change,
        runtime.config.office_key,
        installation_id=body["installation"],
        code=body["code"],
        key=key,
        predecessor_id=body["predecessor"],
    )


@blueprint.route("/enrolments")
class EnrolmentView(MethodView):
    """A one-time code becomes a registered key."""

    @blueprint.doc(**_body_documented(EnrolmentRequest))
    @blueprint.response(200, EnrolmentResponse)
    @refuses(blueprint, *_REFUSALS)
    def post(self) -> Response:
        """Enrol an installation; signed with the key that it registers."""
        runtime = current_runtime()
        inflated = _signed_body()
        body = parse_body(inflated, _ENROLMENT_REQUESTS)
        try:
            key = PublicKey(from_base64url(body["public_key"]))
        except (ValueError, KeyMalformedError) as error:
            raise ProblemError(RequestCode.BODY_INVALID, field="public_key") from error
        header = request.headers.get(SIGNATURE_HEADER)
        verify_request(key, header, request.method, request.path, inflated)
        enrolled = run_change(
            runtime.transactions,
            Actor(f"installation:{body['installation']}"),
            runtime.clock.now_ms(),
            lambda change: _enrol(runtime, change, body, key),
        )
        with runtime.transactions.reading() as connection:
            worker = workers_by_id(connection, [enrolled.worker_id])[enrolled.worker_id]
        content = {
            "installation": body["installation"],
            "number": enrolled.number,
            "worker": {"id": worker.id, "name": worker.name},
            "certificate": enrolled.certificate,
            "office_public_key": to_base64url(runtime.config.office_key.public.spki),
            "receipt_url": runtime.config.receipt_url,
            "limits": LIMITS.as_wire(),
        }
        return _json_response(msgspec.json.encode(content))
