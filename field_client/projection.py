"""Records as this device sees them: own entries over pulled rows.

An own entry stays on top until the pulled rows are known to show it; what the server quarantined
is shown with its state and never edited further on. A record that no scope lists is folded from
the own entries alone, so that finished work stays visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from field_client.outbox import Outbox, OwnEntry
from field_client.replica import Replica
from field_client.store import Store
from schemas.names import search_key

# The member of a pulled record that names the last entry in its history: the base of an edit.
LAST_ENTRY_MEMBER = "last_entry"
_EDITABLE = ("household", "person")
_WAITING_STAGES = ("approved", "issued")
_OUT_OF_VIEW = ("quarantined", "voided", "answered")


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record, with `last_entry` as the base of an edit made now.

    `state` is "current", or that of the last own entry that the pulled rows do not show yet:
    "unsent", "delivered", "held", "quarantined", "voided".
    """

    record_type: str
    record_id: str
    fields: dict[str, Any]
    last_entry: str
    state: str


@dataclass(frozen=True, slots=True)
class ReturnedEntry:
    """An own entry that the office sent back. `name` is what it is known by there."""

    name: str
    entry: OwnEntry
    reason: str
    returned_ms: int


@dataclass(frozen=True, slots=True)
class WaitingCard:
    """A card that the office allocated and nobody has handed over yet, and whose it is."""

    allocation: RecordView
    full_name: str | None

    @property
    def is_issued(self) -> bool:
        """Return whether there is a card to hand over."""
        return bool(self.allocation.fields.get("stage") == "issued")


class Projection:
    """Reads views; never writes."""

    def __init__(self, store: Store, outbox: Outbox, replica: Replica) -> None:
        self._store = store
        self._outbox = outbox
        self._replica = replica

    def household(self, record_id: str) -> RecordView | None:
        """Return one household, or None when this device knows nothing of it."""
        return self._view("household", record_id)

    def person(self, record_id: str) -> RecordView | None:
        """Return one person, or None when this device knows nothing of them."""
        return self._view("person", record_id)

    def enrolment(self, record_id: str) -> RecordView | None:
        """Return one enrolment, or None when this device knows nothing of it."""
        return self._view("enrolment", record_id)

    def view(self, record_type: str, record_id: str) -> RecordView | None:
        """Return one record of any type."""
        return self._view(record_type, record_id)

    def views(self, record_type: str) -> list[RecordView]:
        """Return every record of a type in the order in which they were made (by id).

        Records that the office merged are shown as one: those that are a part of another record in
        view are left out here, and can be addressed all the same.
        """
        rows = self._store.connection.execute(
            "SELECT record_id FROM record WHERE record_type = ?1 UNION "
            "SELECT record_id FROM touch WHERE record_type = ?1 ORDER BY record_id",
            (record_type,),
        ).fetchall()
        views = {record_id: self._view(record_type, record_id) for (record_id,) in rows}
        found = {record_id: view for record_id, view in views.items() if view is not None}
        return [view for view in found.values() if view.fields.get("merged_into") not in found]

    def parts_of(self, record_type: str, record_id: str) -> list[str]:
        """Return the ids of the records that are shown as one with this one, itself first."""
        merged = self._replica.records(record_type) if record_type in _EDITABLE else {}
        parts = [record_id]
        for part in parts:
            # The list grows while it is walked: what is merged into a part is a part too.
            parts += [other for other, fields in merged.items() if fields.get("merged_into") == part]
        return parts

    def same_as(self, record_type: str, record_id: str) -> list[str]:
        """Return the ids of all records that are one with this one, whichever of them it is."""
        seen = {record_id}
        whole = record_id
        while (view := self._view(record_type, whole)) is not None:
            into = view.fields.get("merged_into")
            if into is None or into in seen:
                break
            seen.add(into)
            whole = into
        return self.parts_of(record_type, whole)

    def waiting_cards(self) -> list[WaitingCard]:
        """Return the cards that wait to be handed over in the scopes of this device, by their ids."""
        found = []
        for view in self.views("allocation"):
            stage = view.fields.get("stage")
            handed = self._outbox.entries_touching("handovers_of", view.record_id)
            if stage in _WAITING_STAGES and not any(entry.state not in _OUT_OF_VIEW for entry in handed):
                person = self._view("person", str(view.fields.get("person")))
                name = None if person is None else person.fields.get("full_name")
                found.append(WaitingCard(view, name))
        return found

    def visits_of(self, household: str) -> list[RecordView]:
        """Return the visits to a household and what is merged into it, own and pulled, oldest first."""
        households = self.parts_of("household", household)
        return [view for view in self.views("visit") if view.fields.get("household") in households]

    def similar(self, record_type: str, member: str, text: str) -> list[RecordView]:
        """Return records whose name equals `text` when case and diacritics are left out.

        The agent is warned at the door, before a duplicate is made.
        """
        key = search_key(text)
        views = self.views(record_type)
        return [view for view in views if search_key(str(view.fields.get(member) or "")) == key]

    def returned(self) -> list[ReturnedEntry]:
        """Return the own entries that the office sent back and that wait for an answer."""
        answered = {answer.body.get("target") for answer in self._open_answers()}
        found = []
        for entry in self._outbox.entries_in_state("quarantined"):
            name, outcome = self._outcome_of(entry)
            if outcome is not None and outcome.get("returned_ms") is not None and name not in answered:
                found.append(ReturnedEntry(name, entry, str(outcome["reason"]), int(outcome["returned_ms"])))
        return found

    def _open_answers(self) -> list[OwnEntry]:
        answers = self._outbox.entries_of_kind("return_answered")
        return [answer for answer in answers if answer.state != "quarantined"]

    def _outcome_of(self, entry: OwnEntry) -> tuple[str, dict[str, Any] | None]:
        """Return the name and pulled outcome of an entry: by its id, or by its bytes."""
        outcome = self._replica.record("outcome", entry.entry_id)
        if outcome is not None:
            return entry.entry_id, outcome
        row = self._store.connection.execute(
            "SELECT record_id FROM record WHERE record_type = 'outcome' AND instr(record_id, ?) > 0",
            (f"/{entry.sha256[:32]}",),
        ).fetchone()
        return (entry.entry_id, None) if row is None else (row[0], self._replica.record("outcome", row[0]))

    def resolve(self, record_type: str, text: str) -> str | None:
        """Return the one id that begins or ends with `text`, or None."""
        if len(text) < 4:
            return None
        rows = self._store.connection.execute(
            "SELECT record_id FROM record WHERE record_type = ?1 AND (instr(record_id, ?2) = 1 "
            "OR substr(record_id, -length(?2)) = ?2) UNION "
            "SELECT record_id FROM touch WHERE record_type = ?1 AND (instr(record_id, ?2) = 1 "
            "OR substr(record_id, -length(?2)) = ?2)",
            (record_type, text),
        ).fetchall()
        return str(rows[0][0]) if len(rows) == 1 else None

    def _view(self, record_type: str, record_id: str) -> RecordView | None:
        pulled = self._replica.record(record_type, record_id)
        own = self._outbox.entries_touching(record_type, record_id)
        if pulled is None and not any(entry.entry_id == record_id for entry in own):
            return None
        return _folded(record_type, record_id, pulled, own)


def _folded(
    record_type: str, record_id: str, pulled: dict[str, Any] | None, own: list[OwnEntry]
) -> RecordView:
    fields: dict[str, Any] = {}
    if pulled is not None and record_type not in _EDITABLE:
        # Facts never change, and the wire row of one leaves out what only its agent needs.
        fields = next((entry.body for entry in own if entry.entry_id == record_id), {})
    fields = fields | (pulled or {})
    last_entry = fields.get(LAST_ENTRY_MEMBER)
    state = "current"
    for entry in own:
        if pulled is not None and entry.reflected:
            continue
        if entry.state in _OUT_OF_VIEW:
            state = str(entry.state)
            if entry.entry_id != record_id or pulled is not None:
                continue
        elif entry.state is None or entry.state == "held":
            state = entry.state or ("delivered" if entry.acked else "unsent")
        body = entry.body
        fields |= body if entry.entry_id == record_id else _changes(body)
        if entry.state not in _OUT_OF_VIEW:
            last_entry = entry.entry_id
    if last_entry is None:
        in_view = [entry.entry_id for entry in own if entry.state not in _OUT_OF_VIEW]
        last_entry = in_view[-1] if in_view else record_id
    return RecordView(record_type, record_id, fields, last_entry, state)


def _changes(body: dict[str, Any]) -> dict[str, Any]:
    changes = body.get("set")
    return changes if isinstance(changes, dict) else {}
