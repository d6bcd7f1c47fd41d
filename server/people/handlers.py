"""What entries about people do."""

from __future__ import annotations

from server.people.edits import Amendment
from server.people.rules import is_born_later
from server.people.workspace import PeopleWorkspace
from sync.codes import EntryCode, Flag
from sync.entry import Fault
from sync.journal import DESK
from sync.judgement import Applied, Arrival, Refused, Ruling


def apply_household_registered(arrival: Arrival, people: PeopleWorkspace) -> Ruling:
    """Put a household on the list."""
    people.register_household(arrival.entry_id, arrival.body)
    return Applied()


def apply_household_amended(arrival: Arrival, people: PeopleWorkspace) -> Ruling:
    """Set fields of a household."""
    body = arrival.body
    if not people.edits.has(body["household"], body["base"]):
        return Refused(Fault(EntryCode.REFERENCE_WRONG_KIND, "base"))
    found = people.amend_household(_edit_of(arrival), body["household"], body["set"])
    return Applied((Flag.CONFLICT,), merged=True) if found else Applied()


def apply_person_registered(arrival: Arrival, people: PeopleWorkspace) -> Ruling:
    """Put a person on the list."""
    if is_born_later(arrival.body["birth_date"], arrival.business_day):
        return Refused(Fault(EntryCode.BIRTH_DATE_IN_FUTURE, "birth_date"))
    is_shared = people.register_person(arrival.entry_id, arrival.body)
    return Applied((Flag.POSSIBLE_DUPLICATE,)) if is_shared else Applied()


def apply_person_amended(arrival: Arrival, people: PeopleWorkspace) -> Ruling:
    """Set fields of a person."""
    body = arrival.body
    if not people.edits.has(body["person"], body["base"]):
        return Refused(Fault(EntryCode.REFERENCE_WRONG_KIND, "base"))
    if is_born_later(body["set"].get("birth_date"), arrival.business_day):
        return Refused(Fault(EntryCode.BIRTH_DATE_IN_FUTURE, "set.birth_date"))
    found = people.amend_person(_edit_of(arrival), body["person"], body["set"])
    return Applied((Flag.CONFLICT,), merged=True) if found else Applied()


def apply_consent_recorded(arrival: Arrival, people: PeopleWorkspace) -> Ruling:
    """A person gave or withdrew their consent to a purpose."""
    body, order = arrival.body, (arrival.corrected.upper_ms, arrival.entry_id)
    people.record_consent(body["person"], body["purpose"], body["decision"], order)
    return Applied()


def _edit_of(arrival: Arrival) -> Amendment:
    is_decision = arrival.installation_id == DESK
    return Amendment(arrival.entry_id, arrival.body["base"], arrival.corrected.upper_ms, is_decision)
