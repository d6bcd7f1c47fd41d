"""Enrolling, enrolling again, and what is carried over."""

from __future__ import annotations

import json

import pytest

from field_client.enrolment import AlreadyEnrolledError, OtherWorkerError
from field_client.exchange import RefusedError
from field_client.transport import AddressRefusedError, HttpTransport, LineDownError, NotOurServerError
from schemas.receipt_token import parse_receipt, receipt_link
from tests.field_client.fake_server import answer, problem


def test_a_code_makes_an_installation_with_a_certificate(field):
    client = field.enrolled()
    identity = client.identities.current()
    assert (identity.number, identity.worker_id, identity.predecessor) == (4807, "w1", None)
    assert json.loads(identity.certificate["text"])["kid"] == identity.key.kid
    with pytest.raises(AlreadyEnrolledError):
        client.enrol("https://office.example", field.server.new_code())


def test_a_lost_answer_is_asked_for_again_with_the_same_key(field):
    """[N3] A device remembers its new key and installation id before it sends the code."""
    client = field.client()
    code = field.server.new_code()
    field.server.lose_answers = 5
    with pytest.raises(LineDownError):
        client.enrol("https://office.example", code)
    client.close()
    again = field.client()
    again.enrol("https://office.example", code)
    assert len(field.server.installations) == 1


def test_a_wrong_code_is_refused_and_another_can_be_tried(field):
    client = field.client()
    with pytest.raises(RefusedError, match="enrolment_code_invalid"):
        client.enrol("https://office.example", "wrong")
    client.enrol("https://office.example", field.server.new_code())
    assert client.status().identity is not None


def test_a_certificate_for_another_key_is_refused(field, monkeypatch):
    """[N6] A device checks the certificate before it uses any of the answer."""
    client = field.client()
    other = field.enrolled("b")
    certificate = other.identities.current().certificate
    real = field.server._enrol

    def swapped(body, signature):
        content = json.loads(real(body, signature).body)
        return answer(content | {"certificate": certificate})

    monkeypatch.setattr(field.server, "_enrol", swapped)
    with pytest.raises(NotOurServerError):
        client.enrol("https://office.example", field.server.new_code())
    assert client.status().identity is None


def test_entries_are_carried_over_with_unchanged_bytes_in_order(field, a_household):
    """[R3.4] Every entry above `durable_seq`, in order, bytes unchanged; the predecessor is named.

    [E3] [R10.1] The same bytes at another position; nothing above `durable_seq` was purged.
    """
    client = field.enrolled()
    for number in range(6):
        a_household(client, str(number))
    old = client.identities.current()
    before = client.outbox.batch(old.installation, 1, 100, 10**7).entries
    field.server.durable_seq = 2
    client.sync()
    a_household(client, "sau")
    new = client.enrol_again(field.server.new_code())
    assert new.predecessor == old.installation
    assert new.installation != old.installation
    assert new.key.scalar != old.key.scalar
    after = client.outbox.batch(new.installation, 1, 100, 10**7)
    assert after.entries[:4] == before[2:]
    assert after.head.seq == 5
    field.server.durable_seq = 0
    report = client.sync()
    assert report.verdicts == {"duplicate": 4, "applied": 1}
    assert client.status().counts == {"applied": 7}
    assert field.server.requests[-1]["predecessor"] == old.installation
    assert field.server.requests[-1]["last_ack"] is None


def test_a_fenced_device_says_so_and_goes_on_recording(field, a_household):
    client = field.enrolled()
    field.server.installations[client.identities.current().installation].state = "fenced"
    a_household(client)
    with pytest.raises(Exception, match="installation_fenced"):
        client.sync()
    a_household(client)
    assert (client.status().stopped, client.status().unsent) == ("installation_fenced", 2)
    client.enrol_again(field.server.new_code())
    assert client.sync().is_clean
    assert client.status().stopped is None


def test_a_new_installation_starts_its_own_receipts_at_one(field, an_enrolment):
    client = field.enrolled()
    enrolment = an_enrolment(client)
    first = client.actions.collect_payment([(enrolment, 1)]).receipt
    new = client.enrol_again(field.server.new_code())
    second = client.actions.collect_payment([(enrolment, 2)]).receipt
    assert (first.installation_number, first.counter) == (4807, 1)
    assert (second.installation_number, second.counter) == (4808, 1)
    link = parse_receipt(second.token).content.link
    assert link == receipt_link(None, None, new.certificate["text"])
    void = client.actions.void_payment(first.payment_id, "thu nhầm")
    assert parse_receipt(void.token).content.refers == (4807, 1)


def test_nothing_is_carried_over_to_another_worker(field, a_household):
    """[R3.9] A code that turns out to be of another worker carries nothing over."""
    client = field.enrolled()
    a_household(client)
    with pytest.raises(OtherWorkerError):
        client.enrol_again(field.server.new_code("w2"))
    assert client.identities.current().worker_id == "w1"
    assert client.status().unsent == 1


def test_a_key_id_that_is_taken_makes_the_device_try_another_key(field):
    """[N4] The device makes another key and sends the same code again."""
    client = field.client()
    field.server.replies_instead = [problem(409, "key_id_taken")]
    client.enrol("https://office.example", field.server.new_code())
    assert client.status().identity.number == 4807


@pytest.mark.parametrize(
    "address",
    ["http://office.example", "ftp://office.example", "office.example", "https://", "https://a/?b=c"],
)
def test_an_address_without_tls_is_refused(address):
    """[W5] A client uses TLS, except on the machine itself."""
    with pytest.raises(AddressRefusedError):
        HttpTransport(address)


@pytest.mark.parametrize(
    "address", ["https://office.example/", "http://127.0.0.1:8000", "http://localhost:1/"]
)
def test_tls_or_this_machine_will_do(address):
    """[W5] A client uses TLS, except on the machine itself."""
    HttpTransport(address).close()
