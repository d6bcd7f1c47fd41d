"""What a push reads before it judges: every name locked first, then one query per table.

The names are of entries, present or missing, of numbers that make two persons one, and of the
subjects of contests (docs/protocol.md, rule 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.rates import is_first_member
from server.exchange.batch import Batch
from server.exchange.intake import (
    Candidate,
    corrected_candidate,
    held_candidate,
    referred_ids,
    stand_in_id,
)
from server.exchange.storing import Position
from server.journals.actions import lock_names
from server.journals.queries import KnownEntry, known_entries, stored_entries, waiting_entry_ids
from server.quotas.queries import subjects_of_facts
from server.sealing import Sealer


def lock_and_know(
    batch: Batch,
    sealer: Sealer,
    positions: Sequence[Position],
    candidates: Sequence[Candidate],
    worker_id: str,
) -> list[Candidate]:
    """Lock the batch's names, read what is known of them, and find the held entries it frees."""
    connection = batch.change.connection
    own_ids = {item.incoming.shown_id for item in positions if item.incoming.shown_id is not None}
    nameless = _stand_ins(worker_id, positions, {})
    names = own_ids | referred_ids(candidates) | nameless
    lock_names(connection, _names_of(batch, names, candidates))
    batch.known.update(known_entries(connection, names))
    taken = _stand_ins(worker_id, positions, batch.known) - names
    lock_names(connection, _names_of(batch, taken, ()))
    batch.known.update(known_entries(connection, taken))
    for incoming in (position.incoming for position in positions):
        if incoming.shown_id is None:
            continue
        known = batch.known.get(incoming.shown_id)
        # What only uses an id again is not the entry of that id.
        if known is None or known.sha256 == incoming.sha256:
            batch.texts.setdefault(incoming.shown_id, incoming.raw)
    held: dict[str, Candidate] = {}
    found, frontier = _read_corrections(batch, sealer, candidates), own_ids
    while found or frontier:
        more = ({item.entry_id for item in found} | referred_ids(found)) - names
        lock_names(connection, _names_of(batch, more, found))
        batch.known.update(known_entries(connection, more))
        names |= more
        held.update({item.entry_id: item for item in found})
        frontier = frontier | {item.entry_id for item in found}
        waiting = waiting_entry_ids(connection, frontier) - held.keys()
        stored = stored_entries(connection, sealer, waiting)
        batch.texts.update({item.entry_id: item.raw for item in stored.values()})
        found = [item for item in map(held_candidate, stored.values()) if item is not None]
        frontier = set()
    return list(held.values())


def _read_corrections(batch: Batch, sealer: Sealer, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Read the entries that the office corrects, with their new bodies; their ids are locked."""
    bodies = {
        item.body["target"]: item.body["body"] for item in candidates if item.kind.name == "entry_corrected"
    }
    if not bodies:
        return []
    stored = stored_entries(batch.change.connection, sealer, bodies)
    batch.texts.update({item.entry_id: item.raw for item in stored.values()})
    batch.corrections = {
        entry_id: corrected_candidate(entry, bodies[entry_id]) for entry_id, entry in stored.items()
    }
    return [item for item in batch.corrections.values() if isinstance(item, Candidate)]


def load_workspaces(batch: Batch, sealer: Sealer, candidates: Sequence[Candidate]) -> None:
    """Load the workspaces, each once; subjects of contests are locked before quotas read."""
    connection = batch.change.connection
    lock_names(connection, [f"entry:{person_id}" for person_id in batch.people.moving_members()])
    joining = _lock_clusters(batch)
    batch.people.load()
    batch.outreach.want_first_members(_households_of_first_members(batch, candidates))
    batch.outreach.want_facts_of(joining["person"])
    batch.outreach.want_visits_of(joining["household"])
    subjects = batch.people.subjects_of([(item.entry_id, item.body) for item in candidates])
    subjects |= {
        batch.people.subject_of_household(item.body["household"])
        for item in candidates
        if item.kind.name == "visit_recorded"
    }
    lock_names(connection, (f"subject:{subject}" for subject in subjects))
    batch.money.load()
    paid: set[str] = set()
    for candidate in candidates:
        payment = None
        if candidate.kind.name == "entry_voided":
            payment = batch.money.payment(candidate.body["target"])
        if payment is not None:
            paid.update(enrolment for enrolment, _ in payment.allocations)
    lock_names(connection, [f"entry:{enrolment}" for enrolment in paid])
    batch.outreach.want_enrolments(paid)
    batch.outreach.load()
    payments = {
        item.body["payment"] for item in candidates if item.kind.name == "receipt_issued"
    } - batch.texts.keys()
    stored = stored_entries(connection, sealer, payments)
    batch.texts.update({entry_id: item.raw for entry_id, item in stored.items()})
    lock_names(connection, [*batch.receipts.wanted_names(), *batch.funds.wanted_names()])
    batch.funds.load()
    batch.receipts.load()
    fact_ids = batch.outreach.loaded_fact_ids() | {
        item.body["target"] for item in candidates if item.kind.name == "entry_voided"
    }
    # A payment or a void may touch contests of people whom no entry of this batch names; until
    # such a contest is locked, its facts may move to another one.
    while paid_for := set(subjects_of_facts(connection, fact_ids).values()) - subjects:
        lock_names(connection, [f"subject:{subject}" for subject in paid_for])
        subjects |= paid_for
    batch.quotas.want_subjects(subjects)
    batch.quotas.want_facts(fact_ids)
    batch.quotas.load()


def _names_of(batch: Batch, entry_ids: Iterable[str], candidates: Iterable[Candidate]) -> Iterator[str]:
    """Yield the names of ids and of candidates' numbers: hashed only where names are locked at all."""
    for entry_id in entry_ids:
        yield f"entry:{entry_id}"
    for candidate in candidates:
        yield from batch.people.number_names(candidate.body)


def _households_of_first_members(batch: Batch, candidates: Sequence[Candidate]) -> set[str]:
    """Return the households in which somebody may enrol as the first member; persons are loaded."""
    fresh = {
        item.entry_id: item.body["household"] for item in candidates if item.kind.name == "person_registered"
    }
    found: set[str] = set()
    for item in candidates:
        if item.kind.name == "enrolment_recorded" and is_first_member(item.body):
            person = batch.people.person(item.body["person"])
            household = fresh.get(item.body["person"]) if person is None else person.household_id
            found |= set() if household is None else {household}
    return found


def _lock_clusters(batch: Batch) -> dict[str, set[str]]:
    """Lock every record of the clusters whose identity may change, and return their ids by type.

    Who merges locks all records of both clusters, so that a cluster whose records are locked stays.
    """
    locked: dict[str, set[str]] = {}
    for record_type in ("household", "person"):
        found: set[str] = set()
        while more := batch.people.joining_members(record_type) - found:
            lock_names(batch.change.connection, [f"entry:{record_id}" for record_id in more])
            found |= more
        locked[record_type] = found
    return locked


def _stand_ins(worker_id: str, positions: Sequence[Position], known: Mapping[str, KnownEntry]) -> set[str]:
    """Return the stand-in ids of entries that have no id, or whose id is known for other bytes."""
    found = set()
    for position in positions:
        incoming = position.incoming
        rival = known.get(incoming.shown_id) if incoming.shown_id is not None else None
        if incoming.shown_id is None or (rival is not None and rival.sha256 != incoming.sha256):
            found.add(stand_in_id(worker_id, incoming))
    return found
