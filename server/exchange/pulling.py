"""One pull: the caller's grants and rows, read in one snapshot (docs/protocol.md, "Pull")."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from schemas.earlier import lowered_outcome
from server.audit.queries import feed_rows, scope_heads
from server.office.queries import areas_on, assignments_of, commune_keys_under
from server.office.rules import RECORDING_ROLES, holds_at
from sync.feed import EMPTY_SUM
from sync.pull import Cursor, Grant, starting_points
from sync.scope import OFFICE, agent_scope, area_scope, organisation_scope


@dataclass(frozen=True, slots=True)
class Pulled:
    """Grants of this snapshot, and rows as JSON texts in the order to apply them."""

    grants: Sequence[Grant]
    rows: Sequence[str]


def granted_scopes(connection: Connection, worker_id: str, now_ms: int, today: date) -> list[str]:
    """Return the scopes that a worker's assignments of this moment open, sorted.

    Only roles that record at doors need people's names on a tablet: the others read pages.
    """
    scopes = {OFFICE, agent_scope(worker_id)}
    area_keys = set()
    for span in assignments_of(connection, [worker_id])[worker_id]:
        if span.role not in RECORDING_ROLES or not holds_at(span, now_ms):
            continue
        if span.area_key is not None:
            area_keys.add(span.area_key)
        elif span.organisation_key is not None:
            scopes.add(organisation_scope(span.organisation_key))
        else:
            scopes.update(area_scope(area.key) for area in areas_on(connection, today, "commune"))
    scopes.update(map(area_scope, commune_keys_under(connection, area_keys, today)))
    return sorted(scopes)


def standing_still(have: Sequence[Mapping[str, Any]], scopes: Collection[str]) -> Pulled:
    """Return what a device of version 1 holds as if it were all there is.

    It knows nothing of a recovering office and would drop what the restored server forgot.
    """
    held = [item for item in have if item["scope"] in scopes]
    grants = [Grant(item["scope"], item["epoch"], item["seq"], item["count"], item["sum"]) for item in held]
    return Pulled(grants, ())


def pull(
    connection: Connection,
    scopes: Sequence[str],
    have: Sequence[Cursor],
    limit: int,
    protocol: int,
    epoch: int,
    differing: Collection[str] = (),
) -> Pulled:
    """Return grants for `scopes` and at most `limit` rows after the cursors that the device has.

    Scopes that are `differing` are read from 0.
    """
    heads = scope_heads(connection, scopes)
    grants = [heads.get(scope) or Grant(scope, epoch, 0, 0, EMPTY_SUM) for scope in scopes]
    # A scope that was first stamped while an epoch began may say the one before.
    grants = [replace(grant, epoch=epoch) for grant in grants]
    stands = {grant.scope: (grant.epoch, grant.head) for grant in grants}
    points = starting_points(have, stands, differing)
    rows: list[str] = []
    for scope, after in points.items():
        if len(rows) >= limit:
            break
        rows += feed_rows(connection, scope, after, limit - len(rows))
    if protocol == 1:
        rows = list(map(_lowered, rows))
    return Pulled(grants, rows)


def _lowered(text: str) -> str:
    """Return a row as a device of version 1 reads it. Hashes are of the stored record all the same."""
    row = json.loads(text)
    if row["type"] != "outcome" or row["record"] is None:
        return text
    row["record"] = lowered_outcome(1, row["record"])
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
