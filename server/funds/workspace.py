"""What doors bring to funds, within one change: loaded once, judged in memory, written at the end.

Of the handovers of an allocation the lowest (upper capture time, entry id) stands. Which one that is
may change with every arrival and every void, so it is settled once, when the change ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from server.audit.changes import Change
from server.funds.door_queries import (
    DOOR_TABLES,
    FundDays,
    HandoverState,
    allocated_nominations,
    allocations_handed,
    door_rows,
    fund_days,
    handovers_of,
    pools_among,
    rounds_won,
)
from server.funds.door_records import keep_row, put_donation
from server.funds.door_rows import DoorEntry
from server.funds.nominations import NominationStanding, NominationState, standing_decisions
from server.funds.office_queries import AllocationState, allocations_by_id
from server.funds.postings import FundStep, Lines, door_settlement, handover, remittance
from server.funds.records import put_allocation, put_nomination_state
from server.funds.rules import HandoverClaim, handover_step, standing_handover
from server.journals.actions import flag_outcomes, report_incident
from server.journals.queries import KnownEntry, known_entries, reported_entries
from server.money.ledger import post
from server.money.rules import reversed_lines
from server.office.queries import areas_by_key
from server.sealing import Sealer
from sync.codes import EntryCode, Flag
from sync.entry import Fault
from sync.judgement import Arrival
from sync.ports import IdSource

TWICE = "handed_over_twice"


@dataclass(slots=True)
class _Wanted:
    funds: set[int] = field(default_factory=set)
    pools: set[str] = field(default_factory=set)
    areas: set[str] = field(default_factory=set)
    allocations: set[str] = field(default_factory=set)
    nominations: set[str] = field(default_factory=set)
    voided: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Touched:
    """What made the handovers of an allocation be settled anew."""

    by_entry_id: str
    business_day: date


class FundsWorkspace:
    """Reads and changes of what doors bring to funds, within one change of state."""

    def __init__(
        self,
        change: Change,
        sealer: Sealer,
        ids: IdSource,
        known_of: Callable[[str], KnownEntry | None],
    ) -> None:
        self._change = change
        self._sealer = sealer
        self._ids = ids
        self._known_of = known_of
        self._wanted = _Wanted()
        self._days: dict[int, FundDays] = {}
        self._pools: set[str] = set()
        self._areas: set[str] = set()
        self._allocations: dict[str, AllocationState] = {}
        self._nominated: dict[str, tuple[NominationStanding, str | None]] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._handovers: dict[str, dict[str, HandoverState]] = {}
        self._stood: dict[str, str | None] = {}
        self._rounds: dict[str, int] = {}
        self._known: dict[str, KnownEntry] = {}
        self._reported: set[str] = set()
        self._touched: dict[str, _Touched] = {}

    def want(self, entry_id: str, body: Mapping[str, Any]) -> None:
        """Ask for what an entry names of the office before `load`."""
        wanted = self._wanted
        if "fund" in body:
            wanted.funds.add(body["fund"])
        if "pool" in body:
            wanted.pools.add(body["pool"])
            wanted.nominations.add(entry_id)
        if "allocation" in body:
            wanted.allocations.add(body["allocation"])
        restriction = body.get("restriction")
        if restriction is not None:
            (wanted.areas if restriction["kind"] == "area" else wanted.pools).add(restriction["key"])

    def want_void(self, kind: str, entry_id: str) -> None:
        """Ask for an entry of a door that may be taken back, before `load`."""
        self._wanted.voided.setdefault(kind, set()).add(entry_id)

    def wanted_names(self) -> Iterable[str]:
        """Return the names of the allocations that may be handed over, to be locked before `load`."""
        voided = self._wanted.voided.get("card_handed_over", set())
        # Which allocation a handover is of never changes, so this may be read before the lock.
        self._wanted.allocations |= allocations_handed(self._change.connection, voided)
        return [f"allocation:{allocation_id}" for allocation_id in self._wanted.allocations]

    def load(self) -> None:
        """Read everything wanted, one query a table."""
        connection, wanted = self._change.connection, self._wanted
        self._days = fund_days(connection, wanted.funds)
        self._pools = pools_among(connection, wanted.pools)
        if wanted.areas:
            self._areas = set(areas_by_key(connection, wanted.areas))
        for kind, ids in wanted.voided.items():
            if kind != "card_handed_over":
                self._rows |= door_rows(connection, kind, ids)
        if wanted.nominations:
            self._load_nominations(wanted.nominations)
        if wanted.allocations:
            self._load_handovers(wanted.allocations)

    def office_fault(self, body: Mapping[str, Any]) -> Fault | None:
        """Return the unknown office data that an entry of a door names, if any."""
        if "fund" in body and body["fund"] not in self._days:
            return Fault(EntryCode.FUND_UNKNOWN, "fund")
        if "pool" in body and body["pool"] not in self._pools:
            return Fault(EntryCode.POOL_UNKNOWN, "pool")
        if "allocation" in body and body["allocation"] not in self._allocations:
            return Fault(EntryCode.ALLOCATION_UNKNOWN, "allocation")
        restriction = body.get("restriction")
        if restriction is None:
            return None
        if restriction["kind"] == "area":
            is_known, code = restriction["key"] in self._areas, EntryCode.AREA_UNKNOWN
        else:
            is_known, code = restriction["key"] in self._pools, EntryCode.POOL_UNKNOWN
        return None if is_known else Fault(code, "restriction.key")

    def allocation(self, allocation_id: str) -> AllocationState:
        """Return an allocation that is known to exist."""
        return self._allocations[allocation_id]

    def day_flags(self, fund: int, day: date) -> tuple[Flag, ...]:
        """Return the flag of what is of a day on which its fund takes nothing."""
        return () if self._days[fund].is_open(day) else (Flag.FUND_NOT_OPEN,)

    def national_id_index(self, national_id: str) -> str:
        """Return the index under which a scanned number is found with its person."""
        return self._sealer.blind_index("national_id", national_id)

    def record_donation(self, arrival: Arrival) -> None:
        """Keep a donation whose money is settled."""
        put_donation(self._change, self._keep(arrival))

    def record_remittance(self, arrival: Arrival) -> None:
        """Keep a remittance: the cash leaves the agent's hands."""
        row = self._keep(arrival)
        self._post(
            row["entry_id"], FundStep.REMITTANCE, _carried(row), arrival.business_day, arrival.entry_id
        )

    def record_nomination(self, arrival: Arrival) -> None:
        """Keep a nomination; after a restore the office may have decided about it before it is back."""
        row = self._keep(arrival)
        put_nomination_state(self._change, _nomination(row), *self._nominated[arrival.entry_id])

    def record_handover(self, arrival: Arrival) -> tuple[Flag, ...]:
        """Keep a handover, and return the flag of one that does not stand."""
        row = self._keep(arrival)
        allocation_id = row["allocation_id"]
        state = HandoverState(arrival.entry_id, allocation_id, row["upper_ms"])
        self._handovers[allocation_id][arrival.entry_id] = state
        self._touched[allocation_id] = _Touched(arrival.entry_id, arrival.business_day)
        if self._standing(allocation_id) == arrival.entry_id:
            return ()
        return (Flag.HANDED_OVER_TWICE,)

    def settlement_of(self, donation_id: str) -> Lines:
        """Return what a donation was settled with."""
        row = self._rows[donation_id]
        return door_settlement(row["worker_id"], row["method"], row["fund"], row["bucket"], row["amount_vnd"])

    def void(self, kind: str, entry_id: str, arrival: Arrival) -> None:
        """Take an entry of a door back; `arrival` voids it. The ledger reverses a donation's money."""
        taken_back = {"voided_by": arrival.entry_id, "voided_on": arrival.business_day}
        self._change.update(DOOR_TABLES[kind], {"entry_id": entry_id}, **taken_back)
        if kind == "card_handed_over":
            self._void_handover(entry_id, arrival)
            return
        row = self._rows[entry_id] = self._rows[entry_id] | taken_back
        match kind:
            case "donation_received":
                put_donation(self._change, row)
            case "cash_remitted":
                lines = reversed_lines(_carried(row))
                self._post(entry_id, FundStep.VOID, lines, arrival.business_day, arrival.entry_id)
            case _:
                put_nomination_state(self._change, _nomination(row), NominationStanding.VOIDED)

    def finish(self) -> None:
        """Settle which handover of each touched allocation stands."""
        beaten: list[str] = []
        for allocation_id, touched in self._touched.items():
            self._settle_handovers(allocation_id, touched)
            standing = self._standing(allocation_id)
            beaten += [each.entry_id for each in self._unvoided(allocation_id) if each.entry_id != standing]
        self._report_beaten([entry_id for entry_id in beaten if entry_id not in self._reported])
        self._touched.clear()

    def _keep(self, arrival: Arrival) -> dict[str, Any]:
        entry = DoorEntry(
            arrival.entry_id,
            arrival.kind,
            arrival.worker_id,
            arrival.corrected,
            arrival.business_day,
            arrival.received_ms,
            arrival.body,
        )
        row = self._rows[arrival.entry_id] = keep_row(self._change, self._sealer, entry, arrival.area_key)
        return row

    def _load_nominations(self, ids: set[str]) -> None:
        connection = self._change.connection
        decisions = standing_decisions(connection, ids)
        allocated = allocated_nominations(connection, ids)
        for entry_id in ids:
            decision = decisions.get(entry_id)
            if entry_id in allocated:
                self._nominated[entry_id] = (NominationStanding.ALLOCATED, None)
            elif decision is not None:
                self._nominated[entry_id] = (NominationStanding(decision.decision), decision.code)
            else:
                self._nominated[entry_id] = (NominationStanding.WAITING, None)

    def _load_handovers(self, allocation_ids: set[str]) -> None:
        connection = self._change.connection
        self._allocations = allocations_by_id(connection, allocation_ids)
        found = handovers_of(connection, allocation_ids)
        self._handovers = {each: found.get(each, {}) for each in allocation_ids}
        self._stood = {each: self._standing(each) for each in allocation_ids}
        entry_ids = [entry_id for of in found.values() for entry_id in of]
        self._rounds = rounds_won(connection, entry_ids)
        self._known = known_entries(connection, entry_ids)
        self._reported = reported_entries(connection, TWICE, entry_ids)

    def _unvoided(self, allocation_id: str) -> list[HandoverState]:
        return [each for each in self._handovers[allocation_id].values() if each.voided_by is None]

    def _standing(self, allocation_id: str) -> str | None:
        claims = [HandoverClaim(each.entry_id, each.upper_ms) for each in self._unvoided(allocation_id)]
        return standing_handover(claims)

    def _void_handover(self, entry_id: str, arrival: Arrival) -> None:
        for allocation_id, of in self._handovers.items():
            if entry_id in of:
                old = of[entry_id]
                of[entry_id] = HandoverState(entry_id, allocation_id, old.upper_ms, arrival.entry_id)
                self._touched[allocation_id] = _Touched(arrival.entry_id, arrival.business_day)

    def _settle_handovers(self, allocation_id: str, touched: _Touched) -> None:
        before, after = self._stood[allocation_id], self._standing(allocation_id)
        if before == after:
            return
        allocation = self._allocations[allocation_id]
        lines = handover(allocation.fund, allocation.bucket)
        if before is not None:
            step = handover_step(FundStep.HANDOVER_LOST.value, self._rounds[before])
            self._post(before, step, reversed_lines(lines), touched.business_day, touched.by_entry_id)
        if after is not None:
            self._rounds[after] = self._rounds.get(after, 0) + 1
            step = handover_step(FundStep.HANDOVER.value, self._rounds[after])
            self._post(after, step, lines, touched.business_day, touched.by_entry_id)
        self._stood[allocation_id] = after
        self._allocations[allocation_id] = replace(allocation, is_handed_over=after is not None)
        put_allocation(self._change, self._allocations[allocation_id])

    def _report_beaten(self, entry_ids: list[str]) -> None:
        for entry_id in entry_ids:
            known = self._known_of(entry_id) or self._known[entry_id]
            report_incident(
                self._change,
                self._ids,
                TWICE,
                installation_id=known.installation_id,
                worker_id=known.worker_id,
                seq=known.seq,
                entry_id=entry_id,
            )
        self._reported.update(entry_ids)
        flag_outcomes(self._change, entry_ids, Flag.HANDED_OVER_TWICE)

    def _post(self, source_id: str, step: str, lines: Lines, day: date, caused_by: str) -> None:
        post(self._change, source_id, step, lines, day, caused_by)


def _carried(row: Mapping[str, Any]) -> Lines:
    return remittance(row["worker_id"], row["fund"], row["amount_vnd"])


def _nomination(row: Mapping[str, Any]) -> NominationState:
    return NominationState(**{name: row[name] for name in NominationState.__dataclass_fields__})
