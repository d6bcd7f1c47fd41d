"""The traces that broke an earlier draft of the protocol, each a story with real tablets.

Those with restored backups are in test_restore_traces.py, those with accepted periods in
test_acceptance.py; the ones about single rules stand beside their rule in tests/server/exchange.
"""

from __future__ import annotations

import json
import threading

import pytest

from field_client.delivery import DeviceCopiedError
from field_client.transport import HttpTransport, LineDownError
from server.exchange.jobs import expire_held_entries
from tests.support.at_the_door import a_paid_enrolment, clone_of
from tests.support.office_checks import cash_of, count, incidents, outcome_of, rows
from tests.support.small_office import COMMUNES, SERVER_URL


class DeafTransport(HttpTransport):
    """Delivers the request and loses the answer."""

    def post(self, path, body, signature):
        super().post(path, body, signature)
        raise LineDownError("cut")


def test_clone_pay_lost_response_re_enrol(office):
    """An honest carry-over must not be called an incident, nor its money counted twice."""
    client = office.tablet("an")
    client.sync()
    twin = clone_of(office, client)
    twin.actions.register_household(area=COMMUNES[1], head_name="Bản sao", address="2")
    assert twin.sync().is_clean
    a_paid_enrolment(client)
    hearing = client._transport
    client._transport = lambda url: DeafTransport(url, office.http())
    with pytest.raises(LineDownError):
        client.sync()
    client._transport = hearing
    with pytest.raises(DeviceCopiedError):
        client.sync()
    client.enrol_again(office.enrolment_code("an"))
    report = client.sync()
    assert report.is_clean
    assert cash_of(office) == 300_000
    assert incidents(office) == {"journal_forked": 1}
    assert rows(office, "SELECT state FROM receipt") == [("reconciled",)]


def test_a_lost_response_is_answered_again(office):
    client = office.tablet("an")
    a_paid_enrolment(client)
    hearing = client._transport
    client._transport = lambda url: DeafTransport(url, office.http())
    with pytest.raises(LineDownError):
        client.sync()
    client._transport = hearing
    report = client.sync()
    assert (report.is_clean, report.verdicts) == (True, {"applied": 5})
    assert cash_of(office) == 300_000


def test_a_receipt_is_carried_over_twice(office):
    """[R3.7] Receipt keys of all predecessors go on counting for carried entries."""
    client = office.tablet("an")
    a_paid_enrolment(client)
    for _ in range(2):
        client.enrol_again(office.enrolment_code("an"))
    assert client.sync().is_clean
    assert rows(office, "SELECT state, code FROM receipt") == [("reconciled", None)]


def test_clone_pay_pay(office):
    """Two honest receipts collide under one number: both are kept and judged one by one."""
    client = office.tablet("an")
    client.sync()
    twin = clone_of(office, client)
    mine, theirs = a_paid_enrolment(client), a_paid_enrolment(twin, "000190000002")
    assert mine.receipt.number == theirs.receipt.number
    assert client.sync().is_clean
    with pytest.raises(DeviceCopiedError):
        twin.sync()
    twin.enrol_again(office.enrolment_code("an"))
    twin.sync()
    states = rows(office, "SELECT state, code FROM receipt ORDER BY state")
    assert states == [("quarantined", "receipt_number_reused"), ("reconciled", None)]
    assert cash_of(office) == 600_000


def test_pay_quarantined(office):
    """Money first: what is quarantined is on the ledger all the same."""
    client = office.tablet("an")
    client.outbox.append_raw("payment_collected", {"allocations": [{"amount_vnd": 300_000}]})
    assert client.sync().quarantined == 1
    assert cash_of(office) == 300_000


def test_clone_claim_tamper(office):
    """A copy that claims an id with other bytes is an incident, and both are kept: nothing is dropped."""
    client = office.tablet("an")
    client.sync()
    twin = clone_of(office, client)
    household = client.actions.register_household(area=COMMUNES[1], head_name="Một", address="1")
    assert client.sync().is_clean
    installation = client.identities.current().installation
    captured = json.loads(client.outbox.batch(installation, 1, 1, 10_000).entries[0])
    assert captured["id"] == household
    captured["body"]["head_name"] = "Kẻ khác"
    twin.actions.register_household(area=COMMUNES[1], head_name="Hai", address="2")
    with pytest.raises(DeviceCopiedError):
        twin.sync()
    twin.outbox.append_text(json.dumps(captured, ensure_ascii=False))
    twin.enrol_again(office.enrolment_code("an"))
    report = twin.sync()
    assert (report.verdicts, report.quarantined) == ({"applied": 1, "quarantined": 1}, 1)
    assert incidents(office) == {"journal_forked": 1, "entry_id_reused": 1}
    assert rows(office, "SELECT head_name FROM household ORDER BY head_name") == [("Hai",), ("Một",)]
    assert count(office, "entry") == 3


def test_visit_expiry_register(office):
    """What was shown as quarantined after 30 days still waits, and is applied when its referent comes."""
    an, binh = office.tablet("an"), office.tablet("binh")
    household = an.actions.register_household(area=COMMUNES[1], head_name="Lê Văn Tám", address="1")
    visit = binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    assert binh.sync().verdicts == {"held": 1}
    office.clock.advance(days=31)
    assert expire_held_entries(office.runtime) == 1
    assert binh.sync().quarantined == 1
    assert outcome_of(office, visit) == ("quarantined", "held_too_long")
    assert an.sync().is_clean
    assert outcome_of(office, visit) == ("applied", None)
    assert binh.sync().is_clean


def test_a_registers_while_b_visits_at_the_same_moment(office):
    """Whoever comes first: the visit is never held for ever."""
    an, binh = office.tablet("an"), office.tablet("binh")
    pairs = []
    for number in range(6):
        household = an.actions.register_household(
            area=COMMUNES[1], head_name=f"Hộ {number}", address=str(number)
        )
        pairs.append(
            (
                household,
                binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1]),
            )
        )
    failures: list[BaseException] = []

    def run(home):
        try:
            with office.client_at(home) as client:
                client.sync()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [threading.Thread(target=run, args=(client.store.home,)) for client in (an, binh)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {outcome_of(office, visit) for _, visit in pairs} == {("applied", None)}


def test_a_registers_while_b_visits(office):
    an, binh = office.tablet("an"), office.tablet("binh")
    household = an.actions.register_household(area=COMMUNES[1], head_name="Lê Văn Tám", address="1")
    visit = binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    assert binh.sync().verdicts == {"held": 1}
    assert an.sync().is_clean
    assert outcome_of(office, visit) == ("applied", None)
    assert binh.sync().is_clean
    assert binh.outbox.entry(visit).state == "applied"


def test_amend_amend(office):
    """No conflict with oneself, before or after a sync."""
    client = office.tablet("an")
    household = client.actions.register_household(area=COMMUNES[1], head_name="Một", address="1")
    client.actions.amend_household(household, head_name="Hai")
    client.sync()
    client.actions.amend_household(household, head_name="Ba")
    client.actions.amend_household(household, head_name="Bốn")
    assert client.sync().is_clean
    assert rows(office, "SELECT head_name FROM household") == [("Bốn",)]
    assert count(office, "edit_conflict") == 0


def test_clone_sync(office):
    """What is acknowledged beyond its own head tells a copy that it is one."""
    client = office.tablet("an")
    client.sync()
    twin = clone_of(office, client)
    client.actions.register_household(area=COMMUNES[1], head_name="Một", address="1")
    client.sync()
    with pytest.raises(DeviceCopiedError):
        twin.sync()
    twin.actions.register_household(area=COMMUNES[1], head_name="Hai", address="2")
    twin.enrol_again(office.enrolment_code("an"))
    assert twin.sync().is_clean
    assert count(office, "household") == 2
    assert SERVER_URL
