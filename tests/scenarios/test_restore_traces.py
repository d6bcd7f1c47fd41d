"""The traces about restored backups that broke an earlier draft, each a story with real tablets."""

from __future__ import annotations

import json

import pytest

from field_client.delivery import DeviceCopiedError
from field_client.purging import PURGED_AFTER_MS
from field_client.transport import HttpTransport
from server.audit.actions import close_recovery
from server.devices.actions import start_epoch
from tests.support.at_the_door import a_household, a_paid_enrolment, clone_of
from tests.support.office_checks import cash_of, count, incidents, outcome_of, rows
from tests.support.restoring import backed_up, restored, restored_by_hand
from tests.support.small_office import COMMUNES

A_MONTH_MS = PURGED_AFTER_MS + 1


class KeepingTransport(HttpTransport):
    """Keeps the requests, so that they can be delivered once more."""

    def __init__(self, url, client, requests):
        super().__init__(url, client)
        self.requests = requests

    def post(self, path, body, signature):
        self.requests.append((path, body, signature))
        return super().post(path, body, signature)


def standing(client):
    return client.identities.standing(client.identities.current().installation)


def purged(client):
    return client.store.connection.execute(
        "SELECT count(*) FROM entry WHERE purged_ms IS NOT NULL"
    ).fetchone()[0]


def epoch_of(office):
    return rows(office, "SELECT value FROM office_state WHERE name = 'epoch'") or [("1",)]


def test_money_is_never_counted_twice_after_a_restore(office):
    """[R11.1] Backup, pay, sync, restore, sync: the tablet pushes again, and the money is there once."""
    client = office.tablet("an")
    first = a_paid_enrolment(client)
    client.sync()
    backup = backed_up(office, "old")
    second = a_paid_enrolment(client, "000190000002")
    assert client.sync().is_clean
    restored_by_hand(office, backup)
    assert cash_of(office) == 300_000
    assert client.sync().is_clean
    assert cash_of(office) == 600_000
    states = rows(office, "SELECT entry_id, state FROM receipt ORDER BY entry_id")
    assert [state for _, state in states] == ["reconciled", "reconciled"]
    for payment in (first, second):
        assert outcome_of(office, payment.payment_id) == ("applied", None)
    client.sync()
    assert cash_of(office) == 600_000


def test_the_server_starts_an_epoch_when_it_is_shown_what_it_forgot(office):
    """[R11.2] A tablet with nothing new to send shows an acknowledgement beyond the restored journal."""
    an, binh = office.tablet("an"), office.tablet("binh")
    binh.sync()
    backup = backed_up(office, "old")
    a_household(an)
    an.sync()
    restored_by_hand(office, backup)
    assert an.sync().is_clean
    assert epoch_of(office) == [("2",)]
    assert (standing(an).epoch, standing(an).acked_seq) == (2, 1)
    # Every feed is read again in the new epoch, by the other tablets too, and no other epoch begins.
    assert binh.sync().is_clean
    assert {held.epoch for held in binh.replica.cursors().values()} == {2}
    assert {held.epoch for held in an.replica.cursors().values()} == {2}
    assert len(binh.replica.records("household")) == 1
    assert an.sync().is_clean
    assert epoch_of(office) == [("2",)]
    assert incidents(office) == {"acknowledgement_forgotten": 1}


def test_an_epoch_that_a_restore_forgot_is_never_given_again(office):
    """[R11.2] Restored twice: a tablet that heard of epoch 2 hears of a later one, not of 1 or 2."""
    an, binh = office.tablet("an"), office.tablet("binh")
    binh.sync()
    backup = backed_up(office, "old")
    a_household(an)
    an.sync()
    restored_by_hand(office, backup)
    an.sync()
    binh.sync()
    restored_by_hand(office, backup)
    assert binh.sync().is_clean
    assert an.sync().is_clean
    assert (standing(an).epoch, standing(binh).epoch) == (3, 3)


def test_the_durable_mark_is_that_of_the_older_of_two_backups(office):
    """[R10.1] [R10.4] Capture, sync, two backups, sync, restore the older: nothing is lost."""
    client = office.tablet("an")
    a_household(client, "Một")
    client.sync()
    older = backed_up(office, "older")
    client.sync()
    assert standing(client).durable_seq == 0
    a_household(client, "Hai")
    client.sync()
    backed_up(office, "newer")
    office.clock.advance(ms=A_MONTH_MS)
    client.sync()
    assert (standing(client).durable_seq, purged(client)) == (1, 1)
    restored_by_hand(office, older)
    assert client.sync().is_clean
    assert count(office, "household") == 2
    assert "journal_hole" not in incidents(office)


def test_a_hole_is_declared_where_purged_entries_are_asked_for(office):
    """[R4.3] The same, one backup older: the loss is written down, and the journal goes on."""
    client = office.tablet("an")
    client.sync()
    oldest = backed_up(office, "oldest")
    lost = a_household(client, "Một")
    paid = a_paid_enrolment(client)
    client.sync()
    for name in ("older", "newer"):
        backed_up(office, name)
    office.clock.advance(ms=A_MONTH_MS)
    client.sync()
    # Household and persons are purged; the enrolment, the payment and its receipt never are.
    assert (standing(client).durable_seq, purged(client)) == (6, 3)
    later = a_household(client, "Hai")
    restored_by_hand(office, oldest)
    report = client.sync()
    assert report.unsent == 0
    assert rows(office, "SELECT from_seq, floor_seq FROM journal_hole") == [(1, 3)]
    assert incidents(office) == {"journal_hole": 1, "acknowledgement_forgotten": 1}
    assert outcome_of(office, later) == ("applied", None)
    assert outcome_of(office, lost) is None
    # The money of an enrolment whose person is lost is there all the same.
    assert cash_of(office) == 300_000
    assert outcome_of(office, paid.payment_id) == ("held", "reference_not_seen")
    assert client.sync().unsent == 0


def test_a_hole_up_to_the_head_of_the_journal_leaves_nothing_to_send(office):
    """[R4.3] Everything is purged: the hole stands beside a run without entries."""
    client = office.tablet("an")
    client.sync()
    oldest = backed_up(office, "oldest")
    a_household(client)
    client.sync()
    for name in ("older", "newer"):
        backed_up(office, name)
    office.clock.advance(ms=A_MONTH_MS)
    client.sync()
    assert purged(client) == 1
    restored_by_hand(office, oldest)
    assert client.sync().is_clean
    assert rows(office, "SELECT from_seq, floor_seq FROM journal_hole") == [(1, 1)]
    a_household(client, "Hai")
    assert client.sync().is_clean
    assert count(office, "household") == 1


def test_a_tablet_that_enrols_again_carries_everything_above_the_durable_mark(office):
    """[R3.4] Clone, backup, capture, sync, restore: what the backup lacks is carried over."""
    client = office.tablet("an")
    a_household(client, "Một")
    client.sync()
    twin = clone_of(office, client)
    backup = backed_up(office, "backup")
    a_paid_enrolment(client)
    client.sync()
    restored_by_hand(office, backup)
    twin.actions.register_household(area=COMMUNES[1], head_name="Bản sao", address="2")
    twin.sync()
    with pytest.raises(DeviceCopiedError):
        client.sync()
    client.enrol_again(office.enrolment_code("an"))
    assert client.sync().is_clean
    assert cash_of(office) == 300_000
    assert count(office, "household") == 3


def test_a_timely_fact_does_not_become_late_by_a_restore(office):
    """[R8.5] Acknowledge, restore, push again: what had arrived in time has arrived in time."""
    client = office.tablet("an")
    client.sync()
    backup = backed_up(office, "backup")
    office.clock.advance(hours=1)
    household = a_household(client)
    client.sync()
    arrived_ms = office.clock.now_ms()
    office.clock.advance(days=40)
    later = a_household(client, "Hai")
    restored_by_hand(office, backup)
    assert client.sync().is_clean
    found = dict(rows(office, "SELECT entry_id, received_ms FROM entry"))
    assert found == {household: arrived_ms, later: office.clock.now_ms()}
    flags = rows(office, "SELECT flags, upper_ms <= :arrived FROM entry ORDER BY seq", arrived=arrived_ms)
    assert [(json.loads(shown), bool(timely)) for shown, timely in flags] == [([], True), ([], False)]


def test_a_long_journal_is_timely_as_a_whole_though_it_arrives_in_parts(office):
    """[R8.5] The proof is shown once, with the first part, and is remembered for the others."""
    client = office.tablet("an")
    client.sync()
    backup = backed_up(office, "backup")
    with client.recording():
        for number in range(501):
            a_household(client, f"Hộ {number}")
    client.sync()
    arrived_ms = office.clock.now_ms()
    office.clock.advance(days=40)
    restored_by_hand(office, backup)
    assert client.sync().is_clean
    assert rows(office, "SELECT DISTINCT received_ms, flags FROM entry") == [(arrived_ms, "[]")]


def test_a_verdict_may_change_in_a_new_epoch_and_the_tablet_says_the_new_one(office):
    """[R2.1] [R2.4] Backup, register, restore: the same visit is held now, and the tablet hears it."""
    an, binh = office.tablet("an"), office.tablet("binh")
    binh.sync()
    an.sync()
    backup = backed_up(office, "backup")
    household = a_household(an)
    an.sync()
    visit = binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    binh.sync()
    assert binh.outbox.entry(visit).state == "applied"
    restored_by_hand(office, backup)
    binh.sync()
    assert outcome_of(office, visit) == ("held", "reference_not_seen")
    assert binh.outbox.entry(visit).state == "held"
    an.sync()
    assert binh.sync().is_clean
    assert binh.outbox.entry(visit).state == "applied"


def test_a_tablet_hears_again_what_an_older_backup_had_judged_otherwise(office):
    """[R2.5] Applied in epoch 1, held in epoch 2; then a backup of epoch 1 says applied again."""
    an, binh = office.tablet("an"), office.tablet("binh")
    binh.sync()
    before = backed_up(office, "before")
    household = a_household(an)
    an.sync()
    visit = binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    binh.sync()
    after = backed_up(office, "after")
    restored(office, before)
    binh.sync()
    assert binh.outbox.entry(visit).state == "held"
    restored(office, after)
    assert binh.sync().is_clean
    assert binh.outbox.entry(visit).state == "applied"


def test_what_two_backups_hold_is_not_sent_again(office):
    """[R2.5] A restore costs a tablet a push of what came after the older of the two, and no more."""
    client = office.tablet("an")
    a_household(client, "Lê Văn Tám")
    client.sync()
    backed_up(office, "older")
    newer = backed_up(office, "newer")
    a_household(client, "Lê Văn Chín")
    client.sync()
    assert standing(client).durable_seq == 1
    for _ in range(2):
        restored(office, newer)
        assert client.sync().sent == 1


def test_what_a_late_request_has_judged_otherwise_is_heard(office):
    """[R2.5] A visit was held and is applied: the request came again after the restore, unheard."""
    an, binh = office.tablet("an"), office.tablet("binh")
    household = a_household(an)
    backup = backed_up(office, "backup")
    visit = binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    requests = []
    line = binh._transport
    binh._transport = lambda url: KeepingTransport(url, office.http(), requests)
    binh.sync()
    binh._transport = line
    assert binh.outbox.entry(visit).state == "held"
    restored(office, backup)
    an.sync()
    line("http://localhost").post(*requests[0])
    assert outcome_of(office, visit) == ("applied", None)
    assert binh.sync().is_clean
    assert binh.outbox.entry(visit).state == "applied"


def test_what_waits_again_after_a_restore_says_why(office):
    """[R2.4] A visit was held, then applied; in the restored office it is held, for the same reason."""
    an, binh = office.tablet("an"), office.tablet("binh")
    household = a_household(an)
    visit = binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    binh.sync()
    backup = backed_up(office, "backup")
    an.sync()
    binh.sync()
    assert binh.outbox.entry(visit).state == "applied"
    restored_by_hand(office, backup)
    office.change(lambda change: start_epoch(change, 1))
    binh.sync()
    held = binh.outbox.entry(visit)
    assert (held.state, held.code, held.field) == ("held", "reference_not_seen", "household")


@pytest.mark.parametrize("is_carried", [False, True])
def test_a_tablet_that_enrols_again_forgets_outcomes_of_an_earlier_epoch(office, is_carried):
    """[R2.4] A visit that both backups hold was held, then applied; what is held again is not sent again.

    It stands only in a journal of before, or in the new one as a duplicate, which says nothing of it.
    """
    an, binh = office.tablet("an"), office.tablet("binh")
    household = a_household(an)
    visit = binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    binh.sync()
    if is_carried:
        binh.enrol_again(office.enrolment_code("binh"))
        binh.sync()
    for name in ("older", "newer"):
        backup = backed_up(office, name)
    binh.sync()
    assert standing(binh).durable_seq == 1
    an.sync()
    binh.sync()
    assert binh.outbox.entry(visit).state == "applied"
    restored(office, backup)
    if not is_carried:
        binh.enrol_again(office.enrolment_code("binh"))
    binh.sync()
    held = binh.outbox.entry(visit)
    assert (held.state, held.code, held.field) == ("held", "reference_not_seen", "household")
    an.sync()
    assert binh.sync().is_clean
    assert binh.outbox.entry(visit).state == "applied"


def test_nothing_leaves_a_tablet_while_the_office_recovers(office):
    """[R11.3] What the restored office has forgotten stays in sight until it is there again."""
    an, binh = office.tablet("an"), office.tablet("binh")
    backup = backed_up(office, "backup")
    household = a_household(an)
    an.sync()
    binh.sync()
    restored_by_hand(office, backup)
    # Bình's tablet has sent nothing: by itself it cannot know what the office lost.
    office.change(lambda change: start_epoch(change, 1))
    binh.sync()
    assert binh.replica.records("household").keys() == {household}
    an.sync()
    assert binh.sync().is_clean
    assert binh.replica.records("household").keys() == {household}
    office.change(close_recovery)
    assert binh.sync().is_clean
    assert binh.replica.records("household").keys() == {household}
