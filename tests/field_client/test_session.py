"""One sync over a line that loses, refuses and lies."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3

import pytest

from field_client import session
from field_client.delivery import DeviceCopiedError, NotAcknowledgedError
from field_client.exchange import RefusedError, ServerBusyError
from field_client.session import LOCK_NAME, SyncRunningError
from field_client.transport import LineDownError, NotOurServerError, Reply
from schemas.signatures import ACKNOWLEDGEMENT_CONTEXT, PrivateKey, sign_statement
from tests.field_client.fake_server import answer, problem

AREA = "28249@2004-01-01"
SCOPE = f"area:{AREA}"


def test_one_round_trip_pushes_and_pulls(field, a_household):
    client = field.enrolled()
    household = a_household(client)
    field.server.granted = {SCOPE}
    field.server.put(SCOPE, "household", household, {"area": AREA, "head_name": "Trần Văn Hộ"})
    report = client.sync()
    assert (report.rounds, report.sent, report.received, report.is_clean) == (1, 1, 1, True)
    status = client.status()
    assert (status.unsent, status.last_sync_age_ms, status.counts) == (0, 0, {"applied": 1})


def test_the_last_acknowledgement_is_shown_back_verbatim(field, a_household):
    """[G1] Whoever holds a statement keeps `text` byte for byte and shows it verbatim."""
    client = field.enrolled()
    client.sync()
    shown = client.identities.standing(client.identities.current().installation).last_ack
    a_household(client)
    client.sync()
    assert field.server.requests[0]["last_ack"] is None
    assert field.server.requests[-1]["last_ack"] == shown
    assert field.server.requests[-1]["hole"] is None


def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(field, a_household):
    """[W7] Sending the same request again is always safe."""
    client = field.enrolled()
    a_household(client)
    field.server.lose_answers = 2
    report = client.sync()
    assert report.is_clean
    assert report.verdicts == {"applied": 1}
    assert len(field.waits) == 2
    assert all(0 <= wait <= 2 for wait in field.waits)


def test_a_request_that_is_sent_again_tells_the_clocks_of_its_own_sending(field, a_household):
    """[R8.1] A mark is where both clocks stood at one moment: waiting before the line does not blur it."""
    client = field.enrolled()
    a_household(client)
    client._sleep = lambda _seconds: setattr(field.clock, "ms", field.clock.ms + 60_000)
    field.server.lose_answers = 2
    client.sync()
    shown = [request["clock"]["monotonic_ms"] for request in field.server.requests]
    assert [later - shown[0] for later in shown] == [0, 60_000, 120_000]


def test_every_verdict_is_heard_although_a_lost_answer_is_asked_for_in_smaller_parts(
    field, a_household, monkeypatch
):
    """[A3] What was judged in an answer that got lost may be quarantined: it is asked for to the last."""
    client = field.enrolled()
    for _ in range(3):
        a_household(client)
    field.server.lose_answers = 99
    with pytest.raises(LineDownError):
        client.sync()
    field.server.lose_answers = 0
    narrow = dataclasses.replace(session.LIMITS, batch_entries=1)
    monkeypatch.setattr(session, "LIMITS", narrow)
    assert client.sync().is_clean
    assert client.status().counts == {"applied": 3}


def test_offline_is_an_error_that_keeps_everything(field, a_household):
    client = field.enrolled()
    a_household(client)
    field.server.lose_requests = 99
    with pytest.raises(LineDownError):
        client.sync()
    assert client.status().unsent == 1


def test_an_answer_lost_in_a_crash_is_recovered_by_the_next_sync(field, a_household):
    client = field.enrolled()
    a_household(client)

    def crash():
        raise KeyboardInterrupt

    field.server.before_answer = crash
    with pytest.raises(KeyboardInterrupt):
        client.sync()
    field.server.before_answer = None
    client.close()
    again = field.client()
    assert again.status().unsent == 1
    assert again.sync().verdicts == {"applied": 1}
    assert len(field.server.entries) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"content-type": "text/html"}, b"<html>Welcome to the hotel</html>"),
        Reply(200, {"content-type": "application/json"}, b"{}"),
        Reply(302, {"location": "http://portal/"}, b""),
        Reply(511, {"content-type": "text/html"}, b"log in"),
        Reply(404, {"content-type": "application/json"}, b"{}"),
        Reply(200, {"content-type": "application/json"}, b"[" * 100_000),
    ],
)
def test_a_captive_portals_answer_acknowledges_nothing(field, a_household, reply):
    """[W6] What does not follow the contract is somebody else's and acknowledges nothing."""
    client = field.enrolled()
    a_household(client)
    field.server.replies_instead = [reply]
    with pytest.raises(NotOurServerError):
        client.sync()
    assert client.status().unsent == 1


def forged(field, client, key, **changes):
    identity = client.identities.current()
    head = client.outbox.head()
    content = {
        "installation": identity.installation,
        "acked_seq": head.seq,
        "head": head.digest,
        "durable_seq": 0,
        "epoch": 1,
        "server_ms": 1,
    }
    ack = sign_statement(key, ACKNOWLEDGEMENT_CONTEXT, content | changes)
    members = {"ack": ack, "verdicts": [], "outcomes": [], "grants": None, "rows": []}
    limits = field.server.post  # keeps the reply's shape equal to the real one
    assert limits
    from sync.limits import LIMITS

    return answer(members | {"recovering": False, "limits": LIMITS.as_wire()})


def test_an_acknowledgement_signed_by_another_key_counts_for_nothing(field, a_household):
    """[A1] Delivered only on an acknowledgement signed by the office key."""
    client = field.enrolled()
    a_household(client)
    field.server.replies_instead = [forged(field, client, PrivateKey.generate())]
    with pytest.raises(NotAcknowledgedError):
        client.sync()
    assert client.status().unsent == 1


def test_an_acknowledgement_for_another_installation_counts_for_nothing(field, a_household):
    """[A1] Delivered only on an acknowledgement for this installation."""
    client = field.enrolled()
    a_household(client)
    other = "00000000-0000-4000-8000-000000000000"
    field.server.replies_instead = [forged(field, client, field.server.office, installation=other)]
    with pytest.raises(NotAcknowledgedError):
        client.sync()
    assert client.status().stopped is None


@pytest.mark.parametrize("changes", [{"acked_seq": 9}, {"head": "0" * 64}])
def test_an_acknowledged_journal_that_is_not_ours_means_a_copy(field, a_household, changes):
    """[A1] [R10.2] A device that hears an acked_seq beyond its own head, or another chain head, stops."""
    client = field.enrolled()
    a_household(client)
    field.server.replies_instead = [forged(field, client, field.server.office, **changes)]
    with pytest.raises(DeviceCopiedError):
        client.sync()
    assert client.status().stopped == "journal_forked"
    with pytest.raises(DeviceCopiedError):
        client.sync()
    assert client.status().unsent == 1


def test_a_gap_is_answered_by_sending_from_there(field, a_household):
    """[R4.2] The device resends from `expected_seq`."""
    client = field.enrolled()
    for _ in range(3):
        a_household(client)
    client.sync()
    known = field.server.installations[client.identities.current().installation]
    del known.raws[1:], known.digests[1:], known.verdicts[1:]
    field.server.entries = {}
    a_household(client)
    report = client.sync()
    assert report.is_clean
    assert len(known.raws) == 4


def test_a_gap_beyond_the_own_head_means_a_copy(field, a_household):
    """[R4.2] Where `expected_seq` is beyond the device's own head it is a copy."""
    client = field.enrolled()
    a_household(client)
    field.server.replies_instead = [problem(409, "journal_gap", expected_seq=9)]
    with pytest.raises(DeviceCopiedError):
        client.sync()
    assert (client.status().stopped, client.status().unsent) == ("journal_forked", 1)


def test_a_batch_that_is_too_large_is_halved_until_it_fits(field, a_household):
    """[R9.4] On `body_too_large` the client halves its batch and tries again."""
    client = field.enrolled()
    with client.recording():
        for _ in range(20):
            a_household(client)
    field.server.most_entries = 3
    report = client.sync()
    assert (report.sent, report.unsent) == (20, 0)
    assert len(field.server.journal_of(client.identities.current().installation)) == 20


def test_a_busy_server_is_waited_for_as_it_asks(field, a_household):
    """[W7] A client that hears 429 or 503 waits at least `Retry-After`."""
    client = field.enrolled()
    a_household(client)
    field.server.replies_instead = [
        problem(503, "database_busy", retry_after="7"),
        problem(429, "rate_limited"),
    ]
    assert client.sync().is_clean
    assert 7 <= field.waits[0] <= 8
    field.server.replies_instead = [problem(503, "database_busy")] * 9
    with pytest.raises(ServerBusyError):
        client.sync()


def test_a_refusal_names_its_code_and_keeps_everything(field, a_household):
    client = field.enrolled()
    a_household(client)
    field.server.replies_instead = [problem(401, "signature_invalid")]
    with pytest.raises(RefusedError, match="signature_invalid"):
        client.sync()
    assert (client.status().unsent, client.status().stopped) == (1, None)


def test_many_entries_go_in_batches_and_only_the_last_one_pulls(field, a_household):
    """[Q2] Batches as large as the limits allow, and the pull with the last of them."""
    client = field.enrolled()
    with client.recording():
        for _ in range(1201):
            a_household(client)
    seen = []
    report = client.sync(lambda phase, done, total: seen.append((phase, done, total)))
    assert report.rounds == 3
    assert [request["pull"] is not None for request in field.server.requests] == [False, False, True]
    assert seen == [("push", 500, 1201), ("push", 1000, 1201), ("push", 1201, 1201)]


def test_a_quarantined_entry_is_kept_with_its_code_and_the_sync_is_not_clean(field, a_household):
    client = field.enrolled()
    a_household(client)
    client.outbox.append_raw("payment_collected", {"amount": -1})
    field.server.quarantine_kinds["payment_collected"] = "amount_invalid"
    report = client.sync()
    assert (report.unsent, report.quarantined, report.is_clean) == (0, 1, False)
    entry = client.status().needs_person[0]
    assert (entry.kind, entry.code) == ("payment_collected", "amount_invalid")
    assert not client.sync().is_clean


def test_an_outcome_that_is_pulled_moves_the_entry_on_and_a_replay_does_not_move_it_back(field):
    """[R2.3] An old verdict does not overwrite a newer outcome that the device knows."""
    client = field.enrolled()
    entry = client.outbox.append_raw("visit_recorded", {"household": "?"})
    field.server.quarantine_kinds["visit_recorded"] = "field_invalid"
    field.server.granted = {"agent:w1"}
    client.sync()
    field.server.put("agent:w1", "outcome", entry.entry_id, {"state": "applied", "code": None, "field": None})
    assert client.sync().is_clean
    client.store.connection.execute("UPDATE installation SET acked_seq = 0")
    assert client.sync().verdicts == {"quarantined": 1}
    assert client.status().counts == {"applied": 1}


def test_one_process_syncs_at_a_time(field):
    """[Q2] A device does not run two syncs of one journal at once."""
    client = field.enrolled()
    other = sqlite3.connect(field.folder / "a" / LOCK_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SyncRunningError):
        client.sync()
    other.close()
    assert client.sync().is_clean


def copy_of(field, name="b"):
    shutil.copytree(field.folder / "a", field.folder / name)
    return field.client(name)


def test_a_copy_that_recorded_nothing_learns_that_it_is_a_copy(field, a_household):
    original = field.enrolled()
    a_household(original)
    original.sync()
    copy = copy_of(field)
    a_household(original)
    original.sync()
    with pytest.raises(DeviceCopiedError):
        copy.sync()


def test_clones_that_both_record_lose_nothing_and_double_nothing(field, a_household):
    original = field.enrolled()
    a_household(original, "chung")
    original.sync()
    copy = copy_of(field)
    a_household(original, "gốc")
    a_household(copy, "sao")
    original.sync()
    with pytest.raises(DeviceCopiedError):
        copy.sync()
    with pytest.raises(DeviceCopiedError):
        original.sync()
    for client in (original, copy):
        client.enrol_again(field.server.new_code())
        assert client.sync().is_clean
    names = [json.loads(raw)["body"]["head_name"] for raw in field.server.entries.values()]
    assert sorted(names) == ["chung", "gốc", "sao"]


def test_a_restored_server_is_sent_again_what_it_forgot(field, a_household):
    client = field.enrolled()
    for _ in range(4):
        a_household(client)
    client.sync()
    known = field.server.installations[client.identities.current().installation]
    del known.raws[2:], known.digests[2:], known.verdicts[2:]
    field.server.entries = {json.loads(raw)["id"]: raw for raw in known.raws}
    field.server.epoch = 2
    assert client.sync().is_clean
    assert len(known.raws) == 4


def test_an_acknowledgement_of_an_earlier_epoch_counts_for_nothing(field, a_household):
    """[R10.3] An acknowledgement of an earlier epoch than one heard of is ignored."""
    client = field.enrolled()
    field.server.epoch = 2
    client.sync()
    a_household(client)
    field.server.epoch = 1
    with pytest.raises(NotAcknowledgedError):
        client.sync()
    assert client.status().unsent == 1
