"""The public page of a fund with 100,000 donations: asked for again and again, quiet and while gifts come."""

from __future__ import annotations

import http.client
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select

from schemas.rate_tables import published_rows
from server.audit.changes import Actor, Change, run_change
from server.bulk_rows import insert_rows
from server.funds.accounts import ANY
from server.funds.models import Donation, Fund
from server.funds.postings import door_settlement
from server.money.ledger import post
from server.money.models import LedgerLine
from server.money.rules import Line, arrival_lines
from server.office.actions import load_rates
from server.runtime import Runtime
from sync.clock import SystemClock
from tests.bench.office import area_key, served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.support.offices import open_runtime

_FUND = 7
_AGENTS = 40
_DAYS = 300
_ACTOR = Actor("job:bench")
_DAY_MS = 24 * 60 * 60 * 1000
_ROWS_A_CHANGE = 5_000


def measure(scale: Scale) -> Measures:
    """Fill a fund, then ask for its page: the very first time, unchanged, and after a gift each time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'office.sqlite3'}"
        set_up(url)
        with open_runtime(url, SystemClock()) as runtime:  # type: ignore[arg-type]
            _fill(runtime, scale.donations)
            scan_ms = _milliseconds(lambda: _scan(runtime))
            with served(url, folder) as server, _asking(server.address) as ask:
                alive = [_milliseconds(lambda: ask("/healthz")) for _ in range(scale.page_requests)]
                first_ms = _milliseconds(lambda: ask(f"/quy/{_FUND}"))
                quiet = [_milliseconds(lambda: ask(f"/quy/{_FUND}")) for _ in range(scale.page_requests)]
                moving = []
                for number in range(scale.page_requests):
                    _give(runtime, f"more-{number}")
                    moving.append(_milliseconds(lambda: ask(f"/quy/{_FUND}")))
    return {
        "median_ms": statistics.median(quiet),
        "p95_ms": _p95(quiet),
        "moving_median_ms": statistics.median(moving),
        "moving_p95_ms": _p95(moving),
        "first_ms": first_ms,
        "scan_ms": scan_ms,
        "alive_ms": statistics.median(alive),
    }


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


@contextmanager
def _asking(address: str) -> Iterator[Callable[[str], bytes]]:
    """Give what asks over one kept-alive connection."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)

    def ask(path: str) -> bytes:
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise AssertionError(f"{path} was answered with {answer.status}")
        return content

    with closing(connection):
        yield ask


def _scan(runtime: Runtime) -> None:
    """Sum the lines of the fund by day, as a page without memory would have to."""
    line = LedgerLine.__table__.c
    names = (line.account, line.step, line.business_day)
    statement = select(*names, func.count(), func.sum(line.credit_vnd)).where(line.fund == _FUND)
    with runtime.transactions.reading() as connection:
        connection.execute(statement.group_by(*names)).all()


def _fill(runtime: Runtime, donations: int) -> None:
    today = date.today()  # noqa: DTZ011 - the server of a benchmark lives in the machine's own time

    def found(change: Change) -> None:
        load_rates(change, published_rows())
        values: dict[str, Any] = dict.fromkeys((column.name for column in Fund.__table__.columns), "x")
        days = {"opens_on": today - timedelta(days=_DAYS), "closes_on": None, "distribution_ended_on": None}
        numbers = {"number": _FUND, "target_cards": 2500, "months": 3, "at_ms": 0}
        account = {"bank_bin": "970403", "bank_account": "0112345678"}
        change.insert(Fund.__table__, **{**values, **days, **numbers, **account})
        change.audit("bench_filled", "fund")

    run_change(runtime.transactions, _ACTOR, runtime.clock.now_ms(), found)
    now_ms = runtime.clock.now_ms()
    for start in range(0, donations, _ROWS_A_CHANGE):
        numbers = range(start, min(start + _ROWS_A_CHANGE, donations))
        rows = [_donation(number, donations, now_ms, today) for number in numbers]
        with runtime.transactions.writing() as connection:
            insert_rows(connection, Donation.__table__, rows)
            insert_rows(connection, LedgerLine.__table__, [line for row in rows for line in _lines(row)])


def _donation(number: int, donations: int, now_ms: int, today: date) -> dict[str, Any]:
    age_days = (donations - number) * _DAYS // donations
    values: dict[str, Any] = dict.fromkeys(column.name for column in Donation.__table__.columns)
    moment_ms = now_ms - age_days * _DAY_MS - 1000
    return values | {
        "entry_id": f"0191e2b4-0000-7000-8000-{number:012}",
        "worker_id": f"worker-{number % _AGENTS}",
        "fund": _FUND,
        "bucket": ANY,
        "donor_class": "benefactor",
        "sealed": "x" * 120,
        "method": "cash",
        "amount_vnd": 50_000 + number % 97 * 1000,
        "area_key": area_key(0),
        "upper_ms": moment_ms,
        "received_ms": moment_ms,
        "business_day": today - timedelta(days=age_days),
    }


def _lines(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    worker, amount_vnd = row["worker_id"], row["amount_vnd"]
    yield from _rows(row, "arrival", arrival_lines(worker, "cash", amount_vnd))
    yield from _rows(row, "settlement", door_settlement(worker, "cash", _FUND, ANY, amount_vnd))


def _rows(row: dict[str, Any], step: str, lines: tuple[Line, ...]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        yield {
            "entry_id": row["entry_id"],
            "step": step,
            "line_number": number,
            **{name: getattr(line, name) for name in Line.__dataclass_fields__},
            "business_day": row["business_day"],
            "posted_ms": row["received_ms"],
            "caused_by": "bench",
        }


def _give(runtime: Runtime, entry_id: str) -> None:
    today = date.today()  # noqa: DTZ011 - see _fill

    def work(change: Change) -> None:
        post(change, entry_id, "arrival", arrival_lines("worker-1", "cash", 50_000), today, "bench")
        settled = door_settlement("worker-1", "cash", _FUND, ANY, 50_000)
        post(change, entry_id, "settlement", settled, today, "bench")
        change.audit("bench_gave", "fund")

    run_change(runtime.transactions, _ACTOR, runtime.clock.now_ms(), work)


PART = Part(
    "public",
    "SQLite, one server process, one kept-alive connection; a fund with door donations over 300 days by 40"
    " agents; its page as HTML, unchanged, and with a further gift committed before each request",
    measure,
    repeats=False,
)
