"""Scopes as the real client lives through them: grants that come and go, revocation, sums that differ."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from server.devices.actions import revoke_installation
from server.office.actions import assign_worker, end_assignment
from sync.feed import EMPTY_SUM
from tests.support.office_checks import count, incidents, rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES

SCOPES = [f"area:{key}" for key in COMMUNES]


def households_in(client, commune: str, number: int) -> list[str]:
    """Register households and deliver them."""
    ids = [
        client.actions.register_household(area=commune, head_name=f"Hộ {each}", address="1")
        for each in range(number)
    ]
    client.sync()
    return ids


def assign(office, agent: str, area_key: str) -> str:
    ids, worker = office.runtime.ids, office.agents[agent]
    return office.change(
        lambda change: assign_worker(
            change, ids, worker, "agent", area_key=area_key, from_ms=office.clock.now_ms()
        )
    )


def revoke(office, installation: str) -> None:
    office.change(lambda change: revoke_installation(change, installation))


@contextmanager
def between_push_and_pull(office, work: Callable[[], None]):
    """Run `work` once a change of a sync has committed and before the answer's snapshot is taken."""
    engine, state = office.runtime.transactions.engine, {"written": False, "done": False}

    def note(connection) -> None:
        state["written"] |= bool(connection.get_execution_options().get("tungnha_writes"))

    def step_in(connection) -> None:
        is_reading = not connection.get_execution_options().get("tungnha_writes")
        if is_reading and state["written"] and not state["done"]:
            state["done"] = True
            work()

    event.listen(engine, "commit", note)
    event.listen(engine, "begin", step_in)
    try:
        yield
    finally:
        event.remove(engine, "commit", note)
        event.remove(engine, "begin", step_in)
    assert state["done"]


def test_a_new_grant_brings_that_scope_alone(office):
    """A new grant starts at 0 for that scope; what is held of the others is not sent again."""
    an, binh = office.tablet("an"), office.tablet("binh")
    households_in(an, COMMUNES[1], 3)
    households_in(an, COMMUNES[2], 4)
    binh.sync()
    cursors = binh.replica.cursors()
    assign(office, "binh", COMMUNES[2])
    report = binh.sync()
    assert (report.received, report.is_clean) == (4, True)
    assert binh.replica.cursors() == cursors | {SCOPES[2]: binh.replica.cursors()[SCOPES[2]]}
    assert len(binh.replica.records("household")) == 7


def test_a_grant_that_ends_takes_its_scope_along_and_nothing_unsent(office):
    """[P6] A scope that is no longer granted is dropped; unsent entries are never purged."""
    an, binh = office.tablet("an"), office.tablet("binh")
    households_in(an, COMMUNES[2], 2)
    assignment = assign(office, "binh", COMMUNES[2])
    binh.sync()
    office.clock.advance(hours=1)
    own = binh.actions.register_household(area=COMMUNES[2], head_name="Chưa gửi", address="2")
    office.clock.advance(hours=1)
    office.change(lambda change: end_assignment(change, assignment, office.clock.now_ms()))
    office.clock.advance(hours=1)
    assert binh.sync().is_clean
    assert binh.replica.records("household") == {}
    assert SCOPES[2] not in binh.replica.cursors()
    assert binh.outbox.entry(own).state == "applied"
    assert count(office, "household") == 3


def test_a_revocation_between_push_and_pull_stops_the_pull(office):
    """[P7] [R6.5] Reads stop at once: what was pushed before stays valid, and nothing is read."""
    an, binh = office.tablet("an"), a_tablet(office, "binh")
    households_in(an, COMMUNES[1], 2)
    binh.household()
    with between_push_and_pull(office, lambda: revoke(office, binh.installation)):
        answer = binh.sync(pull=True)
    assert answer.decisions == ["applied"]
    assert (answer.json["grants"], answer.json["rows"]) == ([], [])


def test_a_revocation_in_the_middle_of_a_long_pull_stops_it(office):
    an, binh = office.tablet("an"), a_tablet(office, "binh")
    households_in(an, COMMUNES[1], 5)
    first = binh.sync(pull=True, limit=2)
    assert len(first.json["rows"]) == 2
    revoke(office, binh.installation)
    last = first.json["rows"][-1]
    have = [{"scope": last["scope"], "epoch": 1, "seq": last["seq"], "count": 0, "sum": EMPTY_SUM}]
    second = binh.sync(pull=True, have=have)
    assert (second.json["grants"], second.json["rows"]) == ([], [])


def test_a_revoked_tablet_drains_into_quarantine_and_then_purges(office):
    """[P7] Once its outbox is empty; its own journal stays, and its cash is on the ledger."""
    an, binh = office.tablet("an"), office.tablet("binh")
    households_in(an, COMMUNES[1], 2)
    binh.sync()
    assert len(binh.replica.records("household")) == 2
    own = binh.actions.register_household(area=COMMUNES[1], head_name="Sau thu hồi", address="2")
    revoke(office, binh.identities.current().installation)
    report = binh.sync()
    assert (report.unsent, report.quarantined, report.is_clean) == (0, 1, False)
    assert rows(office, "SELECT state, code FROM outcome WHERE entry_id = :id", id=own) == [
        ("quarantined", "installation_revoked")
    ]
    assert (binh.replica.cursors(), binh.replica.records("household")) == ({}, {})
    assert binh.store.connection.execute("SELECT count(*) FROM record").fetchone() == (0,)
    assert binh.outbox.entry(own).code == "installation_revoked"


def test_a_record_that_leaves_all_scopes_of_a_device_leaves_the_device(office):
    """[P5] And stays where another scope of the device lists it."""
    an, binh = office.tablet("an"), office.tablet("binh")
    gone, kept = households_in(an, COMMUNES[1], 2)
    binh.sync()
    an.actions.amend_household(gone, area=COMMUNES[0])
    an.sync()
    assert binh.sync().is_clean
    assert list(binh.replica.records("household")) == [kept]
    assert an.sync().is_clean
    assert an.replica.record("household", gone)["area"] == COMMUNES[0]


def forget_a_row(client) -> None:
    """Lose a pulled row as a bug or a bad disk would: the sum no longer is the server's."""
    client.store.connection.execute(
        "DELETE FROM listed WHERE record_type = 'household' AND record_id = "
        "(SELECT min(record_id) FROM listed WHERE record_type = 'household')"
    )
    client.store.connection.execute(
        "UPDATE cursor SET row_count = row_count - 1, row_sum = ? WHERE scope = ?", (EMPTY_SUM, SCOPES[1])
    )


def test_a_sum_that_differs_heals_in_the_same_sync_and_the_office_hears_of_it(office):
    """[S3] [S4] Refetched from 0, that scope alone; one incident."""
    an, binh = office.tablet("an"), office.tablet("binh")
    households_in(an, COMMUNES[1], 3)
    binh.sync()
    cursors = binh.replica.cursors()
    forget_a_row(binh)
    report = binh.sync()
    assert (report.is_clean, report.received, report.differing_scopes) == (True, 3, [])
    assert binh.replica.cursors() == cursors
    assert len(binh.replica.records("household")) == 3
    head = cursors[SCOPES[1]]
    assert rows(office, "SELECT kind, detail FROM incident") == [
        ("scope_differed", f"{SCOPES[1]} {head.epoch}:{head.seq}")
    ]


def pull_of(*scopes: str, seq: int, differing: list[str]) -> dict:
    have = [{"scope": scope, "epoch": 1, "seq": seq, "count": 9, "sum": EMPTY_SUM} for scope in scopes]
    return {"have": have, "limit": 1000, "differing": differing}


def test_a_difference_is_counted_once_at_each_head(office):
    """[S4] Once for an installation, scope, epoch and position, however often it is said."""
    tablet = a_tablet(office)
    tablet.household()
    tablet.sync()
    for seq in (1, 1, 0):
        answer = tablet.post(
            tablet.request(protocol=2, pull=pull_of(SCOPES[1], seq=seq, differing=[SCOPES[1]]))
        )
        assert [row["seq"] for row in answer.json["rows"] if row["scope"] == SCOPES[1]] == [1]
    assert incidents(office) == {"scope_differed": 2}


@pytest.mark.parametrize("scope", [SCOPES[0], "agent:somebody", "organisation:x"])
def test_a_scope_that_is_not_granted_cannot_differ(office, scope):
    """[S4] Scopes that are not granted are passed over, and never read."""
    binh = a_tablet(office, "binh")
    households_in(office.tablet("an"), COMMUNES[0], 2)
    answer = binh.post(binh.request(protocol=2, pull=pull_of(scope, seq=0, differing=[scope])))
    assert scope not in {row["scope"] for row in answer.json["rows"]}
    assert incidents(office) == {}


def test_a_revoked_tablet_reports_no_difference(office):
    tablet = a_tablet(office)
    revoke(office, tablet.installation)
    answer = tablet.post(tablet.request(protocol=2, pull=pull_of(SCOPES[1], seq=0, differing=[SCOPES[1]])))
    assert (answer.json["rows"], incidents(office)) == ([], {})
