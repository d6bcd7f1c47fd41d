"""Kinto, the Python sync server, in memory and on PostgreSQL."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.installing import python_peer
from tests.bench.on_postgres import durable_cluster
from tests.bench.parts import Measures, Part, Scale
from tests.bench.peers.job import JSON_HEADERS, PAGE_ROWS, Page, as_body, batches, push_and_pull, records
from tests.bench.processes import NotRunError, await_listener, free_port, last_lines, running
from tests.bench.wire import Line, RefusedError, Reply, Request

_REQUIREMENTS = ("kinto[postgresql]==26.5.0",)
_USUAL_BATCH = 25
# "bench:bench"; Kinto takes any pair and hashes it.
_HEADERS = JSON_HEADERS | {"Authorization": "Basic YmVuY2g6YmVuY2g="}
_COLLECTION = "/v1/buckets/office/collections/visits"
_MEMORY = """
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
"""
_POSTGRES = """
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {url}
kinto.cache_backend = kinto.core.cache.postgresql
kinto.cache_url = {url}
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {url}
"""
_SETTINGS = """
[app:main]
use = egg:kinto
kinto.userid_hmac_secret = bench
kinto.batch_max_requests = 500
kinto.bucket_create_principals = system.Authenticated
multiauth.policies = basicauth
multiauth.policy.basicauth.use = kinto.core.authentication.BasicAuthAuthenticationPolicy
{backends}
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = WARNING
formatter = plain
[formatter_plain]
format = %(levelname)s %(name)s %(message)s
"""


@contextmanager
def _served(backends: str, *, migrates: bool) -> Iterator[Line]:
    programs = python_peer("kinto", _REQUIREMENTS)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        log = folder / "kinto.log"
        settings = folder / "kinto.ini"
        settings.write_text(_SETTINGS.format(backends=backends, port=port))
        command = [programs / "kinto"]
        if migrates:
            with running([*command, "migrate", "--ini", settings], folder, folder / "migrate.log") as process:
                if process.wait() != 0:
                    raise NotRunError(f"kinto migrate: {last_lines(folder / 'migrate.log')}")
        started = [*command, "start", "--ini", settings, "--port", str(port)]
        with running(started, folder, log) as process:
            await_listener(process, port, log)
            with Line(f"http://127.0.0.1:{port}") as line:
                for path in ("/v1/buckets/office", _COLLECTION):
                    line.send(Request("PUT", path, b"{}", _HEADERS))
                yield line


def _measured(line: Line, count: int, batch: int) -> Measures:
    pushes = []
    for run in batches(records(count), batch):
        requests = [{"path": f"{_COLLECTION}/records/{item['id']}", "body": {"data": item}} for item in run]
        content = {"defaults": {"method": "PUT"}, "requests": requests}
        pushes.append(Request("POST", "/v1/batch", as_body(content), _HEADERS))
    first = Request("GET", f"{_COLLECTION}/records?_limit={PAGE_ROWS}", None, _HEADERS)
    return push_and_pull(line, pushes, _require_stored, first, _read_page, count)


def _require_stored(reply: Reply) -> None:
    for response in json.loads(reply.body)["responses"]:
        if response["status"] != 201:
            raise RefusedError(f"Kinto answered {response['status']}: {response['body']}")


def _read_page(reply: Reply) -> Page:
    rows = len(json.loads(reply.body)["data"])
    following = reply.headers.get("next-page")
    if following is None:
        return rows, None
    parts = urlsplit(following)
    return rows, Request("GET", f"{parts.path}?{parts.query}", None, _HEADERS)


def measure_memory(scale: Scale) -> Measures:
    """Measure the memory backend, in batches of 500 and in those of its default limit."""
    with _served(_MEMORY, migrates=False) as line:
        measures = _measured(line, scale.records, scale.large_batch)
    with _served(_MEMORY, migrates=False) as line:
        usual = _measured(line, scale.records, _USUAL_BATCH)
    return {
        **measures,
        "usual_push_per_s": usual["push_per_s"],
        "best_push_per_s": max(measures["push_per_s"], usual["push_per_s"]),
    }


def measure_postgres(scale: Scale) -> Measures:
    """Measure PostgreSQL with the settings that our own server gets."""
    with ExitStack() as stack:
        cluster = stack.enter_context(durable_cluster())
        database = cluster.new_database()
        url = f"postgresql://postgres@/{database}?host={cluster.folder}"
        line = stack.enter_context(_served(_POSTGRES.format(url=url), migrates=True))
        return _measured(line, scale.records, scale.large_batch)


MEMORY = Part(
    "kinto-memory",
    "Kinto 26.5.0, memory backends (nothing durable), waitress, one process; basicauth;"
    " batch_max_requests=500, and 25 a batch as by default",
    measure_memory,
)
POSTGRES = Part(
    "kinto-postgres",
    "Kinto 26.5.0, PostgreSQL backends on the cluster and settings of our own part; 500 a batch,"
    " one connection",
    measure_postgres,
)
