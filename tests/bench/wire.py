"""One kept-alive connection on loopback, the same for every server measured.

The standard library's client: it costs the two shared cores least, and nothing but the exchange is timed.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_DEADLINE_S = 300
# gunicorn and node close what is idle for 5 s.
_IDLE_S = 2.0


class RefusedError(Exception):
    """A server answered something else than 2xx, so what was timed was not the job."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request made before the stopwatch starts."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came, not inflated; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Line:
    """A connection to `address` (`http://host:port`). One thread at a time."""

    def __init__(self, address: str) -> None:
        self.address = address
        parts = urlsplit(address)
        self._http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_DEADLINE_S)
        self._used_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def try_to_send(self, request: Request) -> Reply:
        """Return the answer, whatever its status. Raises OSError or HTTPException when none came."""
        if time.monotonic() - self._used_s > _IDLE_S:
            self._http.close()
        started = time.perf_counter()
        try:
            response = self._asked(request)
        except http.client.RemoteDisconnected:
            # A server lets go of a line that was idle while this machine had no time for either of us.
            self._http.close()
            response = self._asked(request)
        body = response.read()
        seconds = time.perf_counter() - started
        self._used_s = time.monotonic()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, body, seconds)

    def _asked(self, request: Request) -> http.client.HTTPResponse:
        self._http.request(request.method, request.path, request.body, dict(request.headers))
        return self._http.getresponse()

    def send(self, request: Request) -> Reply:
        """Return the answer. Raises RefusedError unless it is 2xx."""
        reply = self.try_to_send(request)
        if not 200 <= reply.status < 300:
            raise RefusedError(
                f"{request.method} {request.path.partition('?')[0]}: {reply.status} {reply.body[:300]!r}"
            )
        return reply
