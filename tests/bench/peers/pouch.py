"""PouchDB behind HTTP: pouchdb-server, and express-pouchdb with a newer PouchDB. Both on LevelDB."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.installing import node_peer
from tests.bench.parts import Measures, Part, Scale
from tests.bench.peers.job import JSON_HEADERS, PAGE_ROWS, Page, as_body, batches, push_and_pull, records
from tests.bench.processes import await_listener, free_port, program, running
from tests.bench.wire import Line, RefusedError, Reply, Request

_SERVER_PACKAGES = ("pouchdb-server@4.2.0",)
_EXPRESS_PACKAGES = ("express@4.21.2", "express-pouchdb@4.2.0", "pouchdb@9.0.0")
_SCRIPT = "express_pouchdb.cjs"


@contextmanager
def _line(command: list[str | Path], port: int, folder: Path) -> Iterator[Line]:
    log = folder / "server.log"
    with running([program("node"), *command], folder, log) as process:
        await_listener(process, port, log)
        with Line(f"http://127.0.0.1:{port}") as line:
            line.send(Request("PUT", "/visits", None, JSON_HEADERS))
            yield line


def measure_server(scale: Scale) -> Measures:
    """Measure pouchdb-server as its own command starts it."""
    installed = node_peer("pouchdb-server", _SERVER_PACKAGES)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        command: list[str | Path] = [installed / "node_modules" / "pouchdb-server" / "bin" / "pouchdb-server"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--dir", f"{folder}/", "--no-stdout-logs"]
        with _line(command, port, folder) as line:
            return _measured(line, scale)


def measure_express(scale: Scale) -> Measures:
    """Measure express-pouchdb in a server of a few lines."""
    installed = node_peer("express-pouchdb", _EXPRESS_PACKAGES)
    # Node looks for packages from where the script lies.
    script = shutil.copy(Path(__file__).with_name(_SCRIPT), installed / _SCRIPT)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        with _line([script, str(port), f"{folder}/"], port, folder) as line:
            return _measured(line, scale)


def _measured(line: Line, scale: Scale) -> Measures:
    documents: list[dict[str, Any]] = []
    for record in records(scale.records):
        document = {"_id": record.pop("id"), **record}
        documents.append(document)
    pushes = [
        Request("POST", "/visits/_bulk_docs", as_body({"docs": run}), JSON_HEADERS)
        for run in batches(documents, scale.large_batch)
    ]
    return push_and_pull(line, pushes, _require_stored, _page_after(0), _read_page, scale.records)


def _page_after(sequence: object) -> Request:
    path = f"/visits/_changes?include_docs=true&limit={PAGE_ROWS}&since={sequence}"
    return Request("GET", path, None, JSON_HEADERS)


def _require_stored(reply: Reply) -> None:
    for result in json.loads(reply.body):
        if not result.get("ok"):
            raise RefusedError(f"not stored: {result}")


def _read_page(reply: Reply) -> Page:
    content = json.loads(reply.body)
    rows = len(content["results"])
    return rows, _page_after(content["last_seq"]) if rows else None


SERVER = Part(
    "pouchdb-server",
    "pouchdb-server 4.2.0, LevelDB, node, one process; no validation, no signature",
    measure_server,
)
EXPRESS = Part(
    "express-pouchdb",
    "express-pouchdb 4.2.0 with PouchDB 9.0.0, LevelDB, node, one process; no validation, no signature",
    measure_express,
)
