"""Decisions of the office's desk, for tests: a supervisor, and what they decide."""

from __future__ import annotations

from typing import Any

from server.audit.changes import Actor
from server.exchange.desk import DeskRefusedError, receive_desk_entry
from server.office.actions import assign_worker, register_worker
from sync.verdict import Verdict
from tests.support.small_office import SmallOffice


def a_supervisor(office: SmallOffice) -> Actor:
    """Return a supervisor of the whole office, as the actor of what they decide."""

    def work(change: Any) -> str:
        worker = register_worker(change, office.runtime.ids, "Đặng Văn Giám Sát")
        change.flush()
        assign_worker(change, office.runtime.ids, worker, "supervisor")
        return worker

    worker_id = office.change(work)
    return Actor(f"account:{worker_id}", worker_id)


def decide(office: SmallOffice, author: Actor, kind: str, **body: Any) -> Verdict:
    """Make a decision at the desk."""
    return receive_desk_entry(office.runtime, author, kind, body)


def refusal(office: SmallOffice, author: Actor, kind: str, **body: Any) -> tuple[str, str | None]:
    """Return the code and field with which a decision is refused."""
    try:
        receive_desk_entry(office.runtime, author, kind, body)
    except DeskRefusedError as error:
        return str(error.fault.code), error.fault.field
    raise AssertionError("the decision went through")
