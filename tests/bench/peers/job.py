"""The job that every peer is given: visits of about 350 bytes, 500 a batch up, 1,000 a page down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sync.clock import SystemClock
from sync.identifiers import ClockIds
from tests.bench.office import CAMPAIGN, area_key
from tests.bench.parts import Measures
from tests.bench.wire import Line, RefusedError, Reply, Request

JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
PAGE_ROWS = 1_000

Page = tuple[int, Request | None]


def records(count: int) -> list[dict[str, Any]]:
    """Return visits as a peer would store them: the members of an entry and its body, in one object."""
    ids = ClockIds(SystemClock())
    households = [ids.new_id() for _ in range(max(count // 5, 1))]
    return [
        {
            "id": ids.new_id(),
            "kind": "visit_recorded",
            "wall_ms": 1_790_000_000_000 + number,
            "boot": "0123456789abcdef",
            "monotonic_ms": 1_000_000 + number,
            "area": area_key(0),
            "household": households[number % len(households)],
            "disposition": "agreed",
            "note": "Gia chủ hẹn đến cuối tháng, đang chờ lương hưu",
            "campaign": CAMPAIGN,
        }
        for number in range(count)
    ]


def batches(items: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Yield runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def as_body(content: Any) -> bytes:
    """Return the bytes of a request."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def push_and_pull(
    line: Line,
    pushes: list[Request],
    require_stored: Callable[[Reply], None],
    first_page: Request,
    read_page: Callable[[Reply], Page],
    count: int,
) -> Measures:
    """Time the exchanges alone. Raises RefusedError where not every record is stored and comes back."""
    push_s = 0.0
    for request in pushes:
        reply = line.send(request)
        push_s += reply.seconds
        require_stored(reply)
    pull_s, pulled, page = 0.0, 0, first_page
    while True:
        reply = line.send(page)
        pull_s += reply.seconds
        rows, following = read_page(reply)
        pulled += rows
        if following is None:
            break
        page = following
    if pulled != count:
        raise RefusedError(f"{count} records were sent and {pulled} came back")
    return {"push_per_s": count / push_s, "pull_rows_per_s": pulled / pull_s}
