"""What a supervisor decides: corrections, returns, merges and their undoing, conflicts settled."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from server.audit.changes import Actor
from server.exchange.desk import DeskRefusedError, receive_desk_entry
from server.journals.views import entry_text
from server.recovery.jobs import replay_what_waits
from sync.journal import DESK
from tests.simulation import plan
from tests.simulation.agents import CAPTURES, at_a_door
from tests.simulation.events import sync_tablet
from tests.simulation.oracle.model import Entry
from tests.simulation.steps import Step
from tests.simulation.tablets import Tablet
from tests.simulation.violation import require_equal
from tests.simulation.world import POISON, World

_TEXTS = ("head_name", "full_name", "note")


def decide(world: World, fault: str, kind: str, body: dict[str, Any]) -> None:
    """Make a decision, and hold what becomes of it against the oracle."""
    runtime, author = world.server.runtime, Actor(f"account:{world.supervisor}", world.supervisor)
    captured = {"wall_ms": world.clock.now_ms(), "boot": DESK, "monotonic_ms": 0}
    raw = json.dumps({"id": "refused", "kind": kind, "captured": captured, "body": body})
    code = None
    try:
        verdict = receive_desk_entry(runtime, author, kind, body)
        with runtime.transactions.reading() as connection:
            raw = entry_text(connection, runtime.sealer, DESK, verdict.seq) or ""
    except DeskRefusedError as refusal:
        code = str(refusal.fault.code)
    world.note("  decided", kind, json.dumps(body, sort_keys=True), code or "")
    world.fire(fault if code is None else "decision_refused")
    found = world.oracle.decided(raw, world.supervisor, world.clock.now_ms())
    require_equal(code, found, "D2 how a decision is met", kind, body)


def _quarantined(world: World, step: Step) -> list[Entry]:
    """Return what is quarantined; where nothing is, a tablet delivers something bad first."""
    entries = world.oracle.judgement.entries
    found = [entry for entry in entries.values() if entry.state == "quarantined"]
    if not found:
        CAPTURES["bad_entry"][1](world, Step("bad_entry", (*step.numbers[:4], 1), step.salt))
        sync_tablet(world, step.pick(0, world.tablets), [])
        found = [entry for entry in world.oracle.judgement.entries.values() if entry.state == "quarantined"]
    return sorted(found, key=lambda entry: entry.entry_id)


def correct(world: World, step: Step) -> None:
    """Give a quarantined entry another body."""
    if step.numbers[2] % 3 == 0:
        _unsettled_money(world, step)
    # A receipt is what its token says; nobody types another one.
    found = [entry for entry in _quarantined(world, step) if entry.kind != "receipt_issued"]
    payments = [entry for entry in found if entry.kind == "payment_collected"]
    if not _enrolments(world):
        # A payment can only be for what somebody has enrolled in.
        found = [entry for entry in found if entry.kind != "payment_collected"]
    elif payments and step.numbers[2] % 3 == 0:
        found = payments
    if found:
        entry = step.pick(1, found)
        # A stand-in is no id that anything could refer to.
        if entry.kind == "household_registered" and "/" not in entry.entry_id and step.numbers[3] % 2:
            _let_something_wait(world, entry, step)
        body = {"target": entry.entry_id, "body": _corrected_body(world, entry, step)}
        decide(world, "entry_corrected", "entry_corrected", body)


def _let_something_wait(world: World, household: Entry, step: Step) -> None:
    """Let a visit be delivered to a household that the office does not let be one yet."""
    body = {"area": plan.COMMUNES[0], "household": household.entry_id, "disposition": "agreed"}

    def visit(_world: World, tablet: Tablet, _step: Step) -> None:
        tablet.client.outbox.append_raw("visit_recorded", body)

    at_a_door(visit)(world, Step("visit", (*step.numbers[:4], 1), step.salt))
    sync_tablet(world, step.pick(0, world.tablets), [])


def _enrolments(world: World) -> list[Entry]:
    entries = world.oracle.judgement.entries.values()
    return [one for one in entries if one.kind == "enrolment_recorded" and one.state == "applied"]


def _unsettled_money(world: World, step: Step) -> None:
    """Let there be an enrolment, and a payment that no rule lets through."""
    place = step.numbers[0] % len(world.tablets)
    if not _enrolments(world):
        CAPTURES["door"][1](world, Step("door", (place, step.numbers[1], 1, 0, 1), step.salt))
    CAPTURES["bad_entry"][1](world, Step("bad_entry", (place, 3 + step.numbers[3] % 2, 1, 0, 1), step.salt))
    sync_tablet(world, world.tablets[place], [])


def _corrected_body(world: World, entry: Entry, step: Step) -> dict[str, Any]:
    if entry.kind == "visit_recorded" and "household" not in entry.body:
        household, area = step.pick(2, world.known.households)
        return {"area": area, "household": household, "disposition": "agreed", "campaign": plan.DRIVE}
    if entry.kind == "household_registered" and entry.code == "area_unknown":
        return {"area": plan.COMMUNES[step.numbers[2] % 3], "head_name": "Đã sửa", "address": "1"}
    if entry.kind == "payment_collected":
        enrolment = step.pick(2, _enrolments(world))
        scheme, amount = enrolment.body["scheme"], enrolment.body["amount_due_vnd"]
        # Now and then another sum or method than the one that was posted: that is refused.
        amount = entry.posted_vnd if entry.posted_vnd and step.numbers[3] % 4 else amount
        method = entry.method if step.numbers[4] % 5 else "transfer"
        allocations = [{"enrolment": enrolment.entry_id, "amount_vnd": amount}]
        return {"payment": entry.entry_id, "scheme": scheme, "method": method, "allocations": allocations}
    clean = {name: "Đã sửa" for name in _TEXTS if entry.body.get(name) == POISON}
    return entry.body | clean


def send_back(world: World, step: Step) -> None:
    """Send a quarantined entry back to its agent, who often hears of it and answers."""
    found = _quarantined(world, step)
    if not found:
        return
    target = step.pick(1, found)
    body = {"target": target.entry_id, "reason": f"xem lại {step.numbers[2]}"}
    decide(world, "entry_returned", "entry_returned", body)
    places = [place for place, one in enumerate(world.tablets) if one.worker == target.worker]
    if places and step.numbers[3] % 2 and sync_tablet(world, world.tablets[places[0]], []):
        CAPTURES["answer"][1](world, Step("answer", (places[0], *step.numbers[1:3], 1, 1), step.salt))


def _twins(world: World, step: Step, record_type: str) -> tuple[str, str] | None:
    """Let one agent visit, enrol and bill the same people twice, as two records of one commune."""
    place = step.numbers[0] % len(world.tablets)
    for number in (0, 1):
        CAPTURES["door"][1](world, Step("door", (place, step.numbers[1], 1, 0, 1), step.salt + number))
    sync_tablet(world, world.tablets[place], [])
    known = world.known.persons if record_type == "person" else world.known.households
    (part, _), (whole, _) = known[-2:]
    records = world.oracle.judgement.people.records
    return (part, whole) if {part, whole} <= records.keys() else None


def merge(world: World, step: Step) -> None:
    """Merge two records, mostly two that facts are about and that lie in one commune."""
    record_type = step.pick(1, ("person", "person", "household"))
    twins = _twins(world, step, record_type) if step.numbers[2] % 2 else None
    part, whole = twins or _any_two(world, step, record_type)
    body = {"record_type": record_type, "from": part, "into": whole}
    decide(world, "records_merged", "records_merged", body)


def _any_two(world: World, step: Step, record_type: str) -> tuple[str, str]:
    people, judgement = world.oracle.judgement.people, world.oracle.judgement
    every = sorted(name for name, one in people.records.items() if one.record_type == record_type)
    about = {entry.body.get(record_type) for entry in judgement.entries.values() if entry.state == "applied"}
    busy = [name for name in every if name in about]
    chosen = busy if len(busy) > 1 and step.numbers[2] % 5 else every
    part = step.pick(3, chosen)
    near = [name for name in chosen if people.area_of(name) == people.area_of(part) and name != part]
    return part, step.pick(4, near or every)


def _merge_on(world: World, root: str) -> None:
    """Merge what others were merged into once more: a cluster of three."""
    people = world.oracle.judgement.people
    record_type = people.records[root].record_type
    for name, one in sorted(people.records.items()):
        if (
            one.record_type == record_type
            and people.root(name) != root
            and people.area_of(name) == people.area_of(root)
        ):
            body = {"record_type": record_type, "from": root, "into": name}
            decide(world, "records_merged", "records_merged", body)
            return


def unmerge(world: World, step: Step) -> None:
    """Undo a merge, perhaps one of just now, now and then one that is undone already."""
    people = world.oracle.judgement.people
    if not any(one.merged_by for one in people.records.values()):
        merge(world, step)
    merged = sorted(name for name, one in people.records.items() if one.merged_by)
    if merged and step.numbers[3] % 2:
        _merge_on(world, people.root(step.pick(1, merged)))
    entries = world.oracle.judgement.entries.values()
    merges = sorted(entry.entry_id for entry in entries if entry.kind == "records_merged")
    standing = sorted(
        one.merged_by for one in world.oracle.judgement.people.records.values() if one.merged_by
    )
    chosen = standing if standing and step.numbers[2] % 4 else merges
    if chosen:
        decide(world, "records_unmerged", "records_unmerged", {"merge": step.pick(1, chosen)})


def _open_conflicts(world: World) -> list[tuple[str, str]]:
    conflicts = world.oracle.judgement.people.conflicts
    return sorted((key[0], key[1]) for key, is_settled in conflicts.items() if not is_settled)


def settle_conflict(world: World, step: Step) -> None:
    """Say which value stands of a record that two agents changed without seeing each other."""
    if not _open_conflicts(world):
        CAPTURES["rival_edits"][1](world, Step("rival_edits", step.numbers, step.salt))
        for tablet in list(world.tablets):
            if tablet.client.outbox.unsent_count():
                sync_tablet(world, tablet, [])
    still_open = _open_conflicts(world)
    if not still_open:
        return
    record_id, name = step.pick(1, still_open)
    record = world.oracle.judgement.people.records[record_id]
    values = [edit.values[name] for edit in record.log if name in edit.values]
    # A decision on a page that was opened a while ago has not seen the newest edit.
    base = record.log[-1 if step.numbers[3] % 2 else step.numbers[4] % len(record.log)].entry_id
    body = {record.record_type: record_id, "base": base, "set": {name: step.pick(2, values)}}
    decide(world, "conflict_settled", f"{record.record_type}_amended", body)


def replay_waiting(world: World) -> None:
    """Run the job that tries again what a restore could not replay."""
    replay_what_waits(world.server.runtime)
    world.oracle.replay_waiting()


def run_jobs(world: World, _step: Step) -> None:
    """Run that job now."""
    replay_waiting(world)


DECISIONS: dict[str, tuple[int, Callable[[World, Step], None]]] = {
    "correct": (5, correct),
    "send_back": (4, send_back),
    "merge": (5, merge),
    "unmerge": (4, unmerge),
    "settle_conflict": (4, settle_conflict),
    "run_jobs": (1, run_jobs),
}
