"""rxdb-server: the replication endpoint of RxDB over its in-memory storage. Nothing is durable."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from tests.bench.installing import node_peer
from tests.bench.parts import Measures, Part, Scale
from tests.bench.peers.job import JSON_HEADERS, PAGE_ROWS, Page, as_body, batches, push_and_pull, records
from tests.bench.processes import await_listener, free_port, program, running
from tests.bench.wire import Line, RefusedError, Reply, Request

# rxdb-server imports the last two and does not name them.
_PACKAGES = ("rxdb-server@15.22.0", "rxdb@15.39.0", "rxjs@7.8.1", "express@4.21.2", "cors@2.8.5")
_SCRIPT = "rxdb_server.mjs"
_ENDPOINT = "/visits/0"


def measure(scale: Scale) -> Measures:
    """Measure the replication endpoint as its clients use it."""
    installed = node_peer("rxdb-server", _PACKAGES)
    # Node looks for packages from where the script lies.
    script = shutil.copy(Path(__file__).with_name(_SCRIPT), installed / _SCRIPT)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        log = folder / "server.log"
        with running([program("node"), script, str(port)], folder, log) as process:
            await_listener(process, port, log)
            with Line(f"http://127.0.0.1:{port}") as line:
                return _measured(line, scale)


def _measured(line: Line, scale: Scale) -> Measures:
    documents = [{**record, "_deleted": False} for record in records(scale.records)]
    pushes = []
    for run in batches(documents, scale.large_batch):
        rows = [{"newDocumentState": document, "assumedMasterState": None} for document in run]
        pushes.append(Request("POST", f"{_ENDPOINT}/push", as_body(rows), JSON_HEADERS))
    return push_and_pull(line, pushes, _require_stored, _page_after("", 0), _read_page, scale.records)


def _page_after(record_id: str, written: object) -> Request:
    path = f"{_ENDPOINT}/pull?id={quote(record_id)}&lwt={written}&limit={PAGE_ROWS}"
    return Request("GET", path, None, JSON_HEADERS)


def _require_stored(reply: Reply) -> None:
    conflicts = json.loads(reply.body)
    if conflicts:
        raise RefusedError(f"{len(conflicts)} conflicts")


def _read_page(reply: Reply) -> Page:
    content = json.loads(reply.body)
    rows, checkpoint = len(content["documents"]), content["checkpoint"]
    return rows, _page_after(checkpoint["id"], checkpoint["lwt"]) if rows else None


PART = Part(
    "rxdb-server",
    "rxdb-server 15.22.0 with RxDB 15.39.0, memory storage (nothing durable), express, node, one process;"
    " no validation, no signature",
    measure,
)
