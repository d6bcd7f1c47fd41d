"""gunicorn, configured from code: threads in few processes, quiet about what requests hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from server.cli.office_app import calm_collector, configured_app
from server.runtime import runtime_of
from server.scheduler import start_jobs


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


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Make the app in the process that serves: no connection ever crosses a fork."""
        app = configured_app()
        if self.cfg.workers == 1:
            start_jobs(runtime_of(app))
        calm_collector()
        return app


def serve_with_gunicorn(
    host: str, port: int, workers: int, threads: int, announce: Callable[[str, int], None]
) -> None:
    """Serve until a signal; `announce` is told host and port once the socket listens."""

    def announce_listener(arbiter: Any) -> None:
        announce(*arbiter.LISTENERS[0].sock.getsockname()[:2])

    shown = f"[{host}]" if ":" in host else host
    options = {
        "bind": f"{shown}:{port}",
        "workers": workers,
        "worker_class": "gthread",
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
