"""What entries of outreach do: store the fact, and let quotas count it."""

from __future__ import annotations

from server.outreach.rules import fact_of
from server.outreach.workspace import OutreachWorkspace
from server.people.workspace import PeopleWorkspace
from server.quotas.workspace import QuotaWorkspace
from sync.judgement import Applied, Arrival, Ruling

_APPLIED = Applied()


def apply_visit_recorded(
    arrival: Arrival, outreach: OutreachWorkspace, people: PeopleWorkspace, quotas: QuotaWorkspace
) -> Ruling:
    """A door was knocked at."""
    outreach.record_visit(arrival)
    quotas.add_fact(fact_of(arrival, people.subject_of_household(arrival.body["household"])))
    return _APPLIED


def apply_vssid_installed(
    arrival: Arrival, outreach: OutreachWorkspace, people: PeopleWorkspace, quotas: QuotaWorkspace
) -> Ruling:
    """The VssID app was declared, activated or seen in use."""
    outreach.record_install(arrival)
    quotas.add_fact(fact_of(arrival, people.identity_of(arrival.body["person"])))
    return Applied()


def apply_enrolment_recorded(
    arrival: Arrival, outreach: OutreachWorkspace, people: PeopleWorkspace, quotas: QuotaWorkspace
) -> Ruling:
    """A person enrolled in a scheme."""
    person_id = arrival.body["person"]
    flags = outreach.record_enrolment(arrival, people.household_of(person_id))
    quotas.add_fact(fact_of(arrival, people.identity_of(person_id)))
    return Applied(flags)
