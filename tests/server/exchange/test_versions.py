"""Two wire versions side by side: what an older device sends is lifted, what it gets it understands."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from schemas.exchange import PROTOCOL, SERVED_PROTOCOLS
from server.audit.changes import Actor, run_change
from server.audit.models import OfficeState
from server.audit.queries import RECOVERING
from server.journals.actions import move_outcome
from server.journals.queries import known_entries
from sync.verdict import OutcomeState
from tests.support.office_checks import rows
from tests.support.raw_tablet import RawTablet, a_tablet, an_enrolment


@pytest.fixture
def old_tablet(office):
    """A tablet that speaks version 1."""
    tablet = RawTablet(office, protocol=1)
    assert tablet.enrol().status == 200
    return tablet


def answered(office, entry_id):
    """Let an entry have been sent back and answered."""

    def work(change):
        known = known_entries(change.connection, [entry_id])[entry_id]
        move_outcome(change, known, OutcomeState.ANSWERED, None)
        change.audit("answered", entry_id)

    runtime = office.runtime
    run_change(runtime.transactions, Actor("account:test"), runtime.clock.now_ms(), work)


def test_every_served_version_is_answered(office):
    """[V4] Versions are served side by side; each device gets answers that its version understands."""
    assert PROTOCOL in SERVED_PROTOCOLS
    for protocol in SERVED_PROTOCOLS:
        tablet = RawTablet(office, protocol=protocol)
        assert tablet.enrol().status == 200
        tablet.household()
        answer = tablet.sync(pull=True)
        assert (answer.status, answer.decisions) == (200, ["applied"])
        assert answer.json["recovering"] is False


def test_an_enrolment_of_version_1_counts_like_one_of_today(office, old_tablet):
    """[V3] A body of an earlier release is lifted to today's shape, whoever brings it."""
    person = old_tablet.person(old_tablet.household(), national_id="000190000001")
    body = {name: value for name, value in an_enrolment(person).items() if name != "from_month"}
    entry_id = old_tablet.append("enrolment_recorded", body | {"from_day": "2020-06-15"})
    assert old_tablet.sync().decisions == ["applied"] * 3
    found = rows(office, "SELECT from_day FROM enrolment WHERE entry_id = :id", id=entry_id)
    assert [str(day) for (day,) in found] == ["2020-06-01"]
    # An updated app still sends what it captured before.
    new_tablet = a_tablet(office)
    person = new_tablet.person(new_tablet.household(), national_id="000190000002")
    new_tablet.append("enrolment_recorded", body | {"person": person, "from_day": "2020-07-01"})
    assert new_tablet.sync().decisions == ["applied"] * 3


def test_members_of_version_2_are_refused_under_version_1(old_tablet):
    answer = old_tablet.sync(pull=True, protocol=2)
    assert answer.status == 200
    content = old_tablet.request(protocol=1, pull={"have": [], "limit": 10, "differing": []})
    assert old_tablet.post(content).code == "body_invalid"


def test_version_1_does_not_hear_of_states_that_it_does_not_know(office, old_tablet):
    """[V4] What version 1 cannot know reaches it as what it was before: quarantined."""
    entry_id = old_tablet.append("no_such_kind", {})
    assert old_tablet.sync().decisions == ["quarantined"]
    answered(office, entry_id)
    shown = {}
    for protocol in (1, 2):
        answer = old_tablet.sync(first_seq=1, pull=True, protocol=protocol)
        pulled = [row["record"]["state"] for row in answer.json["rows"] if row["id"] == entry_id]
        shown[protocol] = (pulled, [outcome["state"] for outcome in answer.json["outcomes"]])
    assert shown == {1: (["quarantined"], ["quarantined"]), 2: (["answered"], ["answered"])}


def test_version_1_stands_still_while_the_office_recovers(office, old_tablet):
    """[V5] A device of version 1 is shown what it holds as all there is while the office recovers."""
    old_tablet.household()
    first = old_tablet.sync(pull=True)
    have = [
        {"scope": grant["scope"], "epoch": grant["epoch"], "seq": grant["head"]}
        | {"count": grant["count"], "sum": grant["sum"]}
        for grant in first.json["grants"]
    ]
    with office.runtime.transactions.writing() as connection:
        connection.execute(insert(OfficeState), {"name": RECOVERING, "value": "1"})
    new_tablet = a_tablet(office)
    new_tablet.household()
    assert new_tablet.sync(pull=True).json["recovering"] is True
    old_tablet.household()
    second = old_tablet.sync(pull=True, have=have)
    assert (second.decisions, second.json["rows"]) == (["applied"], [])
    assert second.json["grants"] == [
        {name: value for name, value in item.items() if name != "seq"} | {"head": item["seq"]}
        for item in have
    ]
