"""gunicorn, configured from code: threads in few processes, quiet about what requests hold."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

from server.cli.office_app import calm_collector, configured_app, share_freed_memory
from server.runtime import runtime_of
from server.scheduler import start_jobs

# As long as a client waits for the whole of an answer.
_WHOLE_REQUEST_S = 180.0


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own messages without their arguments, which may hold paths with receipt tokens."""

    def warning(self, msg: str, *_args: Any, **_kwargs: Any) -> None:
        """Keep the template of the message."""
        self.error_log.warning("%s", msg)

    def error(self, msg: str, *_args: Any, **_kwargs: Any) -> None:
        """Keep the template of the message."""
        self.error_log.error("%s", msg)

    def exception(self, msg: str, *_args: Any, **_kwargs: Any) -> None:
        """Keep the template of the message, and no traceback: its last line may hold values."""
        self.error_log.error("%s", msg)


class _Body:
    """A request's body whose broken chunks read as a broken line: the sender's fault, a 400 of the app."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Raises OSError where the body breaks off."""
        return self._whole(self._body.read, size)

    def readline(self, size: int = -1) -> bytes:
        """Return the next line. Raises OSError where the body breaks off."""
        return self._whole(self._body.readline, size)

    def readlines(self, _hint: int = -1) -> list[bytes]:
        """Return the rest, line by line. Raises OSError where the body breaks off."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    @staticmethod
    def _whole(read: Callable[[int], bytes], size: int) -> bytes:
        try:
            return read(size)
        except ParseException as error:
            raise OSError("the body breaks off") from error


def reading_bodies_as_sent(app: WSGIApplication) -> WSGIApplication:
    """Return the app behind bodies whose framing may lie."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"])
        return app(environ, start_response)

    return answer


def _closed_already(graceful: bool = False) -> None:
    """Do nothing: the thread that served the connection has closed it."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threads that come back from connections which fell silent, or only drip.

    gunicorn waits without end for the rest of a request: as many half-open connections as there
    are threads would silence the server.
    """

    quiet_s = 20

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._handled_since: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection, in a thread."""
        wait = struct.pack("@ll", self.quiet_s, 0)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)
        since = self._handled_since[conn] = time.monotonic()
        try:
            keeps = super().handle(conn)
        finally:
            del self._handled_since[conn]
        if keeps is False:
            # Here and not in the loop that accepts, which gunicorn would let wait 2 s for each client
            # that does not close; one that was silent is not waited for at all.
            conn.close(graceful=time.monotonic() - since < self.quiet_s)
            conn.close = _closed_already
        return keeps

    def murder_pending(self) -> None:
        """End what takes too long as a whole; called once a second by the loop that accepts."""
        super().murder_pending()
        for conn, since in list(self._handled_since.items()):
            if time.monotonic() - since > _WHOLE_REQUEST_S:
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Make the app in the process that serves: no connection ever crosses a fork."""
        share_freed_memory()
        app = configured_app()
        if self.cfg.workers == 1:
            start_jobs(runtime_of(app))
        calm_collector()
        return reading_bodies_as_sent(app)


def serve_with_gunicorn(
    host: str, port: int, workers: int, threads: int, quiet_s: int, announce: Callable[[str, int], None]
) -> None:
    """Serve until a signal; `announce` is told host and port once the socket listens."""
    PatientWorker.quiet_s = quiet_s

    def announce_listener(arbiter: Any) -> None:
        announce(*arbiter.LISTENERS[0].sock.getsockname()[:2])

    shown = f"[{host}]" if ":" in host else host
    options = {
        "bind": f"{shown}:{port}",
        "workers": workers,
        "worker_class": PatientWorker,
        "threads": threads,
        # Argon2 and a large batch stay far below; a stuck worker is replaced after it.
        "timeout": 120,
        "graceful_timeout": 30,
        "keepalive": 5,
        "control_socket_disable": True,
        "loglevel": "warning",
        "logger_class": QuietLogger,
        "when_ready": announce_listener,
    }
    _Server(options).run()
