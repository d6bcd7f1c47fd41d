"""A pair of records called two persons or households, and called so no longer.

The mark is a row of the office: no tablet hears of it, nothing is computed from it but which pairs a
page lists, and a restore writes it again as it was, whether or not the records are back yet.
"""

from __future__ import annotations

from server.audit.changes import Change
from server.people.duplicates import are_one, distinct_mark, in_order
from server.people.models import DistinctPair
from server.people.rules import PairCode

_PAIR = DistinctPair.__table__


class DistinctionRefusedError(Exception):
    """A pair cannot be called two, or merged, as it stands; `code` says why."""

    def __init__(self, code: PairCode) -> None:
        super().__init__(code)
        self.code = code


def mark_distinct(change: Change, record_type: str, one_id: str, another_id: str) -> None:
    """Call two records two; where somebody has done so before, that decision stands.

    The caller has locked the desk. Raises DistinctionRefusedError (are_merged).
    """
    first_id, other_id = in_order(one_id, another_id)
    if are_one(change.connection, record_type, first_id, other_id):
        raise DistinctionRefusedError(PairCode.ARE_MERGED)
    if distinct_mark(change.connection, record_type, first_id, other_id) is not None:
        change.audit("records_distinct_already", first_id, other=other_id)
        return
    worker_id = change.actor.worker_id
    assert worker_id is not None, "a decision is somebody's"
    change.insert(
        _PAIR,
        record_type=record_type,
        first_id=first_id,
        other_id=other_id,
        decided_by=worker_id,
        decided_ms=change.now_ms,
    )
    change.audit("records_distinct", first_id, other=other_id, record_type=record_type)


def unmark_distinct(change: Change, record_type: str, one_id: str, another_id: str) -> bool:
    """Take the mark of a pair away; False where it has none, and then the caller says so."""
    first_id, other_id = in_order(one_id, another_id)
    found = distinct_mark(change.connection, record_type, first_id, other_id)
    if found is None:
        return False
    change.delete(_PAIR, {"record_type": record_type, "first_id": first_id, "other_id": other_id})
    change.audit(
        "records_distinct_undone",
        first_id,
        other=other_id,
        record_type=record_type,
        decided_by=found.decided_by,
        decided_ms=found.decided_ms,
    )
    return True


def require_not_distinct(change: Change, record_type: str, one_id: str, another_id: str) -> None:
    """Refuse to merge what was called two. Raises DistinctionRefusedError (marked_distinct)."""
    if distinct_mark(change.connection, record_type, one_id, another_id) is not None:
        raise DistinctionRefusedError(PairCode.MARKED_DISTINCT)
