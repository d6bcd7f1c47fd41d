"""Moving many households to another commune: one decision, in changes that no tablet waits long for.

Each household's move is a desk entry, so it is merged like any edit and outlives a restore. A change
holds few records, and touches the feeds of two communes: what tablets pull is one row a record and
scope, whatever the number of changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from server.access.permissions import Permission, roles_with
from server.audit.changes import Actor, Change, run_change
from server.audit.staged import is_anything_hidden
from server.exchange.desk import enter_all_at_desk
from server.office.queries import areas_by_key, areas_on, visible_areas
from server.people.queries import households_in
from server.runtime import Runtime
from sync.clock import local_day
from sync.scope import area_scope

# Households and the persons that go with them. SQLite's one writer is busy for well under a second.
RECORDS_A_CHANGE = 500


class MoveRefusedError(Exception):
    """Households cannot be moved like this; the message says why."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved, or would be, and in how many changes."""

    households: int
    persons: int
    changes: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    bodies: list[dict[str, object]]
    last_id: str
    persons: int


def move_households(
    runtime: Runtime,
    author: Actor,
    from_area: str,
    to_area: str,
    *,
    is_dry_run: bool = False,
    on_change: Callable[[Moved], None] = lambda _moved: None,
) -> Moved:
    """Move every household of one commune to another, with its persons.

    `author` is a worker who supervises or administers both, or an area above them.

    Visits, installs and enrolments stay where they happened. Interrupted, it goes on where it
    stopped when it is asked again. Raises MoveRefusedError and DeskRefusedError.
    """
    with runtime.transactions.reading() as connection:
        _require_communes(runtime, connection, from_area, to_area)
        _require_permission(runtime, connection, author, (from_area, to_area))
        if is_dry_run:
            return _added(list(_chunks(connection, from_area, to_area)))
    moved, after = Moved(0, 0, 0), ""
    while True:

        def work(change: Change, after: str = after) -> _Chunk | None:
            chunk = next(_chunks(change.connection, from_area, to_area, after), None)
            if chunk is None:
                change.audit("households_moved", from_area, to=to_area)
                return None
            enter_all_at_desk(runtime, change, "household_amended", chunk.bodies)
            change.audit("households_moved", from_area, to=to_area, households=len(chunk.bodies))
            return chunk

        chunk = run_change(runtime.transactions, author, runtime.clock.now_ms(), work)
        if chunk is None:
            return moved
        after = chunk.last_id
        done = _added([chunk])
        moved = Moved(
            moved.households + done.households, moved.persons + done.persons, moved.changes + done.changes
        )
        on_change(moved)


def _require_communes(runtime: Runtime, connection: Connection, from_area: str, to_area: str) -> None:
    today = local_day(runtime.clock.now_ms(), runtime.config.time_zone)
    if from_area == to_area:
        raise MoveRefusedError("the two areas are the same")
    old = areas_by_key(connection, [from_area]).get(from_area)
    if old is None or old.level != "commune":
        raise MoveRefusedError(f"{from_area} is no commune")
    if is_anything_hidden(connection, area_scope(from_area)):
        raise MoveRefusedError(f"{from_area}: an import into it has not come to its end")
    # Households may stand in a commune that is no more; they are moved to one of today.
    if to_area not in {area.key for area in areas_on(connection, today, "commune")}:
        raise MoveRefusedError(f"{to_area} is no commune of today")


def _require_permission(
    runtime: Runtime, connection: Connection, author: Actor, areas: tuple[str, str]
) -> None:
    # A command has no permission of its own. Merging, too, decides about many people's records at once.
    roles = roles_with(Permission.MERGE_RECORDS)
    may = visible_areas(connection, author.worker_id or "", runtime.clock.now_ms(), roles)
    if not all(may.allows(node.path) for node in areas_by_key(connection, areas).values()):
        raise MoveRefusedError("this account may not move households between these communes")


def _chunks(connection: Connection, from_area: str, to_area: str, after: str = "") -> Iterator[_Chunk]:
    """Yield what one change moves each: at most so many records, and at least one household."""
    while True:
        bodies: list[dict[str, object]] = []
        persons = 0
        for household, last_entry, members in households_in(connection, from_area, after, RECORDS_A_CHANGE):
            if bodies and len(bodies) + persons + 1 + members > RECORDS_A_CHANGE:
                break
            bodies.append({"household": household, "base": last_entry, "set": {"area": to_area}})
            persons, after = persons + members, household
        if not bodies:
            return
        yield _Chunk(bodies, after, persons)


def _added(chunks: list[_Chunk]) -> Moved:
    return Moved(
        households=sum(len(chunk.bodies) for chunk in chunks),
        persons=sum(chunk.persons for chunk in chunks),
        changes=len(chunks),
    )
