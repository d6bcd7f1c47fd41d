"""Who holds a figure or a quota: the worker behind it, and its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from server.office.queries import areas_by_key, organisations_by_key, teams_by_id, workers_by_id

# Promoters who are workers; the others are households and entrants, whose names are personal.
_WORKER_PROMOTERS = ("officer", "hamlet_head")
# indicator, holder kind, holder
HolderKey = tuple[str, str, str]


def worker_of_holder(holder_kind: str, holder: str) -> str | None:
    """Return the worker that a holder is, or None for teams, areas, households and the like."""
    if holder_kind == "agent":
        return holder
    kind, separator, worker_id = holder.partition(":")
    is_worker = holder_kind == "promoter" and separator and kind in _WORKER_PROMOTERS
    return worker_id if is_worker else None


def holder_names(connection: Connection, keys: Iterable[HolderKey]) -> dict[tuple[str, str], str]:
    """Return the names of holders that have one; a household's or an entrant's is personal."""
    holders = {key[1:] for key in keys}
    workers = {worker_of_holder(*holder) for holder in holders} - {None}
    by_worker = workers_by_id(connection, [worker for worker in workers if worker is not None])
    ids = {
        kind: [holder for each, holder in holders if each == kind]
        for kind in ("team", "organisation", "area")
    }
    others: dict[str, Mapping[str, Any]] = {
        "team": teams_by_id(connection, ids["team"]),
        "organisation": organisations_by_key(connection, ids["organisation"]),
        "area": areas_by_key(connection, ids["area"]),
    }
    found = {}
    for kind, holder in holders:
        worker = worker_of_holder(kind, holder)
        view = by_worker.get(worker) if worker is not None else others.get(kind, {}).get(holder)
        if view is not None:
            found[kind, holder] = view.name
    return found
