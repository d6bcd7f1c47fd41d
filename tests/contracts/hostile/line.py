"""One connection to a server, written by hand: hostile requests need bytes that no library sends."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.contracts.hostile.lanes import Shot

CLOSED = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer; status 0 where the server hung up without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        """Return the JSON of the body, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def is_problem(self) -> bool:
        """Return whether it calls itself a problem of the contract."""
        return self.headers.get("content-type") == "application/problem+json"


_NOTHING = Heard(CLOSED, {}, b"")


class Line:
    """One connection, opened again whenever it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, shot: Shot) -> Heard:
        """Return the answer."""
        for is_fresh in (self._socket is None, True):
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer = self._exchange(self._socket, shot)
            # A kept connection may have timed out; a fresh one has not.
            if answer.status != CLOSED or is_fresh:
                return answer
        raise AssertionError("unreachable")

    def _exchange(self, line: socket.socket, shot: Shot) -> Heard:
        try:
            line.sendall(shot.raw if shot.raw is not None else _request_bytes(shot))
            if shot.raw is not None:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            # It may have answered and stopped reading; then the answer is still there.
            pass
        response = http.client.HTTPResponse(line, method=shot.method)
        try:
            response.begin()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return _NOTHING
        if response.will_close or shot.raw is not None:
            self.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return Heard(response.status, headers, body)


def _request_bytes(shot: Shot) -> bytes:
    lines = [f"{shot.method} {shot.path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in shot.headers.items()]
    if shot.body or shot.method != "GET":
        lines.append(f"Content-Length: {len(shot.body)}")
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + shot.body
