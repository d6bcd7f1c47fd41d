"""What travels of a fund to tablets: funds and pools to all, an allocation to its beneficiary's commune.

What has become of a nomination goes to the agent who made it.
"""

from __future__ import annotations

from server.audit.changes import Change
from server.funds.nominations import NominationStanding, NominationState
from server.funds.office_queries import AllocationState, FundState, PoolState
from server.funds.rules import Stage
from sync.scope import OFFICE, agent_scope, area_scope

# Nobody at a door has anything to do with what is not approved yet, or is no more.
_LISTED = frozenset({Stage.APPROVED, Stage.ISSUED, Stage.HANDED_OVER})


def put_fund(change: Change, fund: FundState) -> None:
    """Let every tablet know a fund as it is."""
    wire = {
        "number": fund.number,
        "name": fund.name,
        "name_en": fund.name_en,
        "opens_on": fund.opens_on.isoformat(),
        "closes_on": None if fund.closes_on is None else fund.closes_on.isoformat(),
    }
    change.put_record("fund", str(fund.number), wire, {OFFICE})


def put_pool(change: Change, pool: PoolState) -> None:
    """Let every tablet know a pool as it is."""
    wire = {"code": pool.code, "name": pool.name, "name_en": pool.name_en}
    change.put_record("pool", pool.code, wire, {OFFICE})


def put_allocation(change: Change, allocation: AllocationState) -> None:
    """Let the tablets of the beneficiary's commune know an allocation as it is, or no more."""
    if allocation.stage not in _LISTED:
        change.remove_record("allocation", allocation.id)
        return
    wire = {
        "person": allocation.person_id,
        "fund": allocation.fund,
        "pool": allocation.pool,
        "months": allocation.months,
        "stage": allocation.stage.value,
        "valid_from": None if allocation.valid_from is None else allocation.valid_from.isoformat(),
        "valid_to": None if allocation.valid_to is None else allocation.valid_to.isoformat(),
    }
    change.put_record("allocation", allocation.id, wire, {area_scope(allocation.area_key)})


def put_nomination_state(
    change: Change, nomination: NominationState, standing: NominationStanding, code: str | None = None
) -> None:
    """Let the tablets of who nominated somebody know what the office decided, and why."""
    wire = {
        "person": nomination.person_id,
        "fund": nomination.fund,
        "pool": nomination.pool,
        "state": standing.value,
        "code": code,
    }
    change.put_record("nomination", nomination.entry_id, wire, {agent_scope(nomination.worker_id)})
