"""What a device makes of an answer: whole or not at all, checked, and open to newer servers."""

from __future__ import annotations

import json

import cbor2
import pytest

from field_client import exchange
from field_client.exchange import ServerBusyError
from field_client.transport import NotOurServerError
from schemas.signatures import CERTIFICATE_CONTEXT, PrivateKey, sign_statement
from tests.field_client.fake_server import answer, problem


def test_members_that_are_not_known_are_ignored(field, a_household, monkeypatch):
    """[W3] A reader of a response ignores members that it does not know."""
    client = field.enrolled()
    a_household(client)
    real = field.server._sync

    def newer(body, signature):
        content = json.loads(real(body, signature).body)
        content["verdicts"][0] |= {"weather": "mưa"}
        return answer(content | {"weather": {"now": "nắng"}})

    monkeypatch.setattr(field.server, "_sync", newer)
    field.server.granted = {"office"}
    field.server.put("office", "weather", "w1", {"now": "nắng"})
    assert client.sync().is_clean
    assert client.status().counts == {"applied": 1}


def test_the_wait_doubles_with_each_attempt(field, monkeypatch):
    """[W7] At least `Retry-After`, plus a random time that doubles with each attempt."""
    longest = []
    monkeypatch.setattr(exchange.random, "uniform", lambda _least, most: longest.append(most) or most)
    client = field.enrolled()
    field.server.replies_instead = [problem(429, "rate_limited", retry_after="7")] * 9
    with pytest.raises(ServerBusyError):
        client.sync()
    assert longest == [1.0, 2.0, 4.0, 8.0]
    assert field.waits == [7 + each for each in longest]


@pytest.mark.parametrize("member", ["installation", "number", "worker", "kid", "predecessor", "signature"])
def test_a_certificate_that_names_something_else_is_refused(field, monkeypatch, member):
    """[N6] Signed by the office key; own installation, number, worker, kid and predecessor."""
    real = field.server._enrol

    def forged(body, signature):
        content = json.loads(real(body, signature).body)
        certified = json.loads(content["certificate"]["text"])
        key = PrivateKey.generate() if member == "signature" else field.server.office
        if member != "signature":
            certified[member] = 1 if member == "number" else "other"
        certificate = sign_statement(key, CERTIFICATE_CONTEXT, certified)
        return answer(content | {"certificate": certificate})

    client = field.client()
    monkeypatch.setattr(field.server, "_enrol", forged)
    with pytest.raises(NotOurServerError):
        client.enrol("https://office.example", field.server.new_code())
    assert client.status().identity is None


def test_an_answer_is_taken_in_whole_or_not_at_all(field, a_household, monkeypatch):
    """[A2] A device takes in an answer in one transaction."""
    client = field.enrolled()
    a_household(client)
    field.server.granted = {"office"}
    field.server.put("office", "area", "a1", {"name": "một"})
    monkeypatch.setattr(client.replica, "settle", lambda *_, **_more: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        client.sync()
    assert (client.status().unsent, client.status().counts) == (1, {"unsent": 1})
    assert client.replica.records("area") == client.replica.cursors() == {}
    monkeypatch.undo()
    assert client.sync().verdicts == {"applied": 1}


def test_a_newer_epoch_replaces_verdicts_and_is_read_from_the_beginning(field, a_household):
    """[R11.1] A newer epoch: every scope is read from 0, and its verdicts replace older ones."""
    client = field.enrolled()
    a_household(client)
    field.server.quarantine_kinds["household_registered"] = "area_unknown"
    field.server.granted = {"office"}
    field.server.put("office", "area", "a1", {"name": "một"})
    client.sync()
    assert client.status().counts == {"quarantined": 1}
    known = field.server.installations[client.identities.current().installation]
    known.raws.clear(), known.digests.clear(), known.verdicts.clear()
    field.server.entries, field.server.quarantine_kinds = {}, {}
    field.server.epoch = field.server.scopes["office"].epoch = 2
    a_household(client, "Thứ hai")
    report = client.sync()
    assert report.received == 1
    assert client.status().counts == {"applied": 2}


def test_a_token_holds_numbers_and_hashes_alone(field, an_enrolment):
    """[T1] A token holds no personal data."""
    client = field.enrolled()
    receipt = client.actions.collect_payment([(an_enrolment(client), 415_800)]).receipt
    number = int(receipt.token)
    token = number.to_bytes((number.bit_length() + 7) // 8, "big")
    payload = cbor2.loads(cbor2.loads(token[1:]).value[2])
    assert [type(each) for each in payload] == [int] * 7 + [bytes] * 2
    assert [len(each) for each in payload[7:]] == [8, 16]
    assert b"999188000001" not in token


def test_the_first_receipt_has_no_acknowledgement_to_link_to(field, an_enrolment):
    """[T5] `linked_ack` is null before the first acknowledgement."""
    client = field.enrolled()
    client.actions.collect_payment([(an_enrolment(client), 415_800)])
    (entry,) = client.outbox.entries_of_kind("receipt_issued")
    assert entry.body["linked_ack"] is None


def test_nothing_is_purged_while_nothing_is_durable(field, a_household):
    """[R10.1] The payload of an entry above `durable_seq` is not purged."""
    client = field.enrolled()
    a_household(client)
    installation = client.identities.current().installation
    before = client.outbox.batch(installation, 1, 10, 10**6).entries
    client.sync()
    field.clock.ms += 400 * 86_400_000
    client.sync()
    assert client.outbox.batch(installation, 1, 10, 10**6).entries == before
    assert before == field.server.journal_of(installation)
