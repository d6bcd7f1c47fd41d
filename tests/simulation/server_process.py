"""The office's server in this process: the real app over a real SQLite file, killed at will.

Requests go through the WSGI interface. Every statement that reaches SQLite is counted, so that a
fault strikes at a chosen one: the process dies (nothing after it is written, the transaction is
lost with it), the disk is full, or the database stays locked.
"""

from __future__ import annotations

import gzip
import io
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from flask import Flask
from sqlalchemy import event

from field_client.transport import Reply
from schemas.signatures import SIGNATURE_HEADER
from server.app import create_app
from server.config import read_config
from server.recovery.starting import catch_up_desk_journal
from server.runtime import Runtime, runtime_of
from tests.support.clocks import FakeClock
from tests.support.offices import office_environment

_SQLITE_ERRORS = {"disk_full": (13, "SQLITE_FULL"), "database_locked": (5, "SQLITE_BUSY")}


class ServerKilledError(BaseException):
    """The process is gone in the middle of a request. No `except Exception` survives kill -9."""


@dataclass
class StatementFault:
    """Strikes at the statement number `at` of the next request."""

    kind: str
    at: int
    has_struck: bool = False


class FaultyDisk:
    """What stands between the server and its file."""

    def __init__(self) -> None:
        self.fault: StatementFault | None = None
        self.is_dead = False

    def pass_statement(self) -> None:
        """Let one statement (or a commit) through, or strike."""
        if self.is_dead:
            raise ServerKilledError
        fault = self.fault
        if fault is None or fault.has_struck:
            return
        fault.at -= 1
        if fault.at >= 0:
            return
        fault.has_struck = True
        if fault.kind == "server_killed":
            self.is_dead = True
            raise ServerKilledError
        error = sqlite3.OperationalError(fault.kind)
        error.sqlite_errorcode, error.sqlite_errorname = _SQLITE_ERRORS[fault.kind]
        raise error


DISK = FaultyDisk()


class _Cursor(sqlite3.Cursor):
    def execute(self, *arguments: Any) -> Any:
        DISK.pass_statement()
        return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        DISK.pass_statement()
        return super().executemany(*arguments)


class _Connection(sqlite3.Connection):
    def cursor(self, *_factory: Any) -> Any:
        return super().cursor(_Cursor)

    def commit(self) -> None:
        DISK.pass_statement()
        super().commit()
        if DISK.fault is not None and DISK.fault.kind == "server_killed":
            # Between the commit and the answer: the one moment that decides who knows what.
            DISK.pass_statement()


class ServerProcess:
    """One server after another over one file. `restart` gives a process that knows nothing."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        self.path = path
        self._clock = clock
        self._config = read_config(office_environment(f"sqlite:///{path}"))
        # Making an app costs as much as several requests, so the processes of a history take turns.
        self._apps = [self._app(clock) for _ in range(2)]
        self.starts = 0

    def _app(self, clock: FakeClock) -> Flask:
        app = create_app(self._config, clock)
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        engine = runtime_of(app).transactions.engine

        @event.listens_for(engine, "do_connect")
        def _through_the_disk(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
            options["factory"] = _Connection

        return app

    @property
    def app(self) -> Flask:
        return self._apps[self.starts % len(self._apps)]

    @property
    def runtime(self) -> Runtime:
        return runtime_of(self.app)

    def restart(self) -> None:
        """End the process, as if killed, and start the next one, which catches up as `serve` does."""
        self.stop()
        self.starts += 1
        catch_up_desk_journal(self.runtime)

    def stop(self) -> None:
        """Let go of the file; what was not committed is lost."""
        for app in self._apps:
            runtime_of(app).transactions.engine.dispose()
            ids = runtime_of(app).ids
            # A new process knows of no id that an earlier one, or an earlier history, has made.
            ids.__init__(self._clock)  # type: ignore[misc]
        DISK.fault, DISK.is_dead = None, False

    def answer(self, path: str, body: bytes, signature: str) -> Reply:
        """Answer one request. Raises ServerKilledError."""
        sent = gzip.compress(body, compresslevel=1, mtime=0) if len(body) > 1024 else body
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(sent)),
            "HTTP_HOST": "localhost:8000",
            "HTTP_USER_AGENT": "tungnha-simulation",
            "HTTP_" + SIGNATURE_HEADER.upper().replace("-", "_"): signature,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(sent),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if sent is not body:
            environ["HTTP_CONTENT_ENCODING"] = "gzip"
        started: list[tuple[int, dict[str, str]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            started.append((int(status[:3]), {name.lower(): value for name, value in headers}))

        chunks = self.app(environ, start_response)
        content = b"".join(chunks)
        status, headers = started[-1]
        return Reply(status, headers, content)
