"""One signed request and its answer, with patience: backs off with jitter, honours Retry-After."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from field_client.transport import LineDownError, NotOurServerError, Reply, Transport
from schemas.exchange import Problem
from schemas.signatures import PrivateKey, request_message, to_base64url
from sync.codes import RequestCode

# The last two come from a proxy whose server is down for the moment.
_WAIT_STATUSES = (429, 503, 502, 504)
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
# Longer than this and the agent should not be kept waiting: sync again later.
_LONGEST_ASKED_WAIT_S = 300.0
ATTEMPTS = 5


class RefusedError(Exception):
    """The server refused the request as a whole and stored nothing of it."""

    def __init__(self, code: str, problem: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.problem = problem


class ServerBusyError(Exception):
    """The server asked to come back later, and went on doing so."""


class Exchanger:
    """Posts signed JSON for one key. `sleep` takes seconds."""

    def __init__(self, transport: Transport, key: PrivateKey, sleep: Callable[[float], None]) -> None:
        self._transport = transport
        self._key = key
        self._sleep = sleep

    def post(self, path: str, content_now: Callable[[], Mapping[str, Any]], schema: Schema) -> dict[str, Any]:
        """Return the loaded answer to what `content_now` gives.

        It is asked anew for each attempt: a request tells the clocks at its sending (rule 8), and
        one that was sent again with old ones would date everything captured after it too late.
        Raises LineDownError, NotOurServerError, ServerBusyError, RefusedError.
        """
        for attempt in range(1, ATTEMPTS + 1):
            body = json.dumps(content_now(), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
            signature = to_base64url(self._key.sign(request_message("POST", path, body)))
            try:
                reply = self._transport.post(path, body, signature)
            except LineDownError:
                if attempt == ATTEMPTS:
                    raise
                self._wait(attempt, None)
                continue
            if reply.status in {200, 201}:
                return _loaded(reply, schema)
            problem = _problem(reply)
            if reply.status not in _WAIT_STATUSES:
                raise RefusedError(problem["code"], problem)
            if attempt < ATTEMPTS:
                self._wait(attempt, reply.headers.get("retry-after"))
        raise ServerBusyError

    def _wait(self, attempt: int, retry_after: str | None) -> None:
        longest_s = min(_FIRST_WAIT_S * 2.0 ** (attempt - 1), _LONGEST_WAIT_S)
        is_seconds = retry_after is not None and re.fullmatch(r"[0-9]{1,9}", retry_after)
        asked_s = float(retry_after or 0) if is_seconds else 0.0
        if asked_s > _LONGEST_ASKED_WAIT_S:
            raise ServerBusyError
        # Full jitter, above what was asked for: five hundred tablets must not come back together.
        self._sleep(asked_s + random.uniform(0.0, longest_s))  # noqa: S311 - no secret


def _loaded(reply: Reply, schema: Schema) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(json.loads(reply.body))
    except (ValueError, RecursionError, ValidationError) as error:
        raise NotOurServerError("the answer does not follow the contract") from error
    return loaded


def _problem(reply: Reply) -> dict[str, Any]:
    if not reply.headers.get("content-type", "").startswith("application/problem+json"):
        if reply.status in _WAIT_STATUSES:
            return {"code": str(RequestCode.DATABASE_BUSY)}
        raise NotOurServerError(f"status {reply.status} without a problem")
    return _loaded(reply, Problem())
