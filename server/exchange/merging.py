"""Duplicates merged, and taken apart again: edges between records, and the credits that follow them.

Facts keep the id that they addressed; only what they are unique over changes, for both contests.
"""

from __future__ import annotations

from collections.abc import Mapping

from server.exchange.batch import Batch
from server.exchange.intake import Candidate
from server.people.handlers import apply_person_amended
from server.people.queries import merged_record
from server.people.rules import IDENTIFYING_NUMBERS
from sync.codes import EntryCode
from sync.entry import Fault
from sync.judgement import Applied, Arrival, Refused, Ruling


def want_merge(batch: Batch, candidate: Candidate) -> None:
    """Ask for both clusters."""
    body = candidate.body
    batch.people.want_joining(body["record_type"], [body["from"], body["into"]])


def want_unmerge(batch: Batch, candidate: Candidate) -> None:
    """Ask for the cluster that is taken apart; who could change it has to lock the merge as well."""
    found = merged_record(batch.change.connection, candidate.body["merge"])
    if found is not None:
        record_type, record_id = found
        batch.merged[candidate.body["merge"]] = found
        batch.people.want_joining(record_type, [record_id])


def want_other_identity(batch: Batch, candidate: Candidate) -> None:
    """Ask for a person's whole cluster where an amendment may make it another identity."""
    if not set(candidate.body["set"]).isdisjoint(IDENTIFYING_NUMBERS):
        batch.people.want_joining("person", [candidate.body["person"]])


def apply_records_merged(batch: Batch, arrival: Arrival) -> Ruling:
    """Let a record be a part of another one; their facts contest as those of one."""
    record_type, from_id, into_id = (arrival.body[name] for name in ("record_type", "from", "into"))
    fault = batch.people.merge_fault(record_type, from_id, into_id)
    if fault is not None:
        return Refused(fault)
    before = _subjects(batch, record_type, from_id) | _subjects(batch, record_type, into_id)
    batch.people.merge(record_type, from_id, into_id, arrival.entry_id)
    _follow(batch, record_type, before)
    return Applied()


def apply_records_unmerged(batch: Batch, arrival: Arrival) -> Ruling:
    """Take a merge apart; every fact goes back to the contest of the record that it addressed."""
    found = batch.merged.get(arrival.body["merge"])
    if found is None:
        return Refused(Fault(EntryCode.NOT_MERGED, "merge"))
    record_type, record_id = found
    before = _subjects(batch, record_type, record_id)
    batch.people.unmerge(record_type, record_id)
    _follow(batch, record_type, before)
    return Applied()


def apply_person_amendment(batch: Batch, arrival: Arrival) -> Ruling:
    """Amend a person; when a number makes it another identity, its facts join that one's contests."""
    before = _subjects(batch, "person", arrival.body["person"])
    ruling = apply_person_amended(arrival, batch.people)
    _follow(batch, "person", before)
    return ruling


def _subjects(batch: Batch, record_type: str, record_id: str) -> dict[str, str]:
    """Return what the facts of each record of a cluster are unique over."""
    return {
        member: _subject(batch, record_type, member)
        for member in batch.people.cluster_of(record_type, record_id)
    }


def _subject(batch: Batch, record_type: str, record_id: str) -> str:
    if record_type == "person":
        return batch.people.identity_of(record_id)
    return batch.people.subject_of_household(record_id)


def _follow(batch: Batch, record_type: str, before: Mapping[str, str]) -> None:
    for record_id, old in before.items():
        new = _subject(batch, record_type, record_id)
        if new != old:
            batch.quotas.move_subject(old, new, batch.outreach.facts_of(record_id))
