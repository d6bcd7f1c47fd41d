"""The journal: durable, all or nothing, within limits, and unreadable without its key."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import unicodedata
from pathlib import Path

import pytest

from field_client.client import FieldClient
from field_client.identity import NotEnrolledError
from field_client.outbox import CaptureRefusedError
from field_client.sealing import KeyFileError
from field_client.store import KEY_NAME, STORE_NAME, StoreError
from sync.codes import EntryCode
from sync.journal import chain, entry_sha256, genesis_digest

AREA = "28249@2004-01-01"
ROOT = Path(__file__).parents[2]


def test_an_entry_is_chained_to_the_one_before_it(field, a_household):
    client = field.enrolled()
    a_household(client, "Một")
    a_household(client, "Hai")
    installation = client.identities.current().installation
    batch = client.outbox.batch(installation, 1, 10, 1_000_000)
    digests = chain(genesis_digest(installation), [entry_sha256(raw) for raw in batch.entries])
    assert (batch.head.seq, batch.head.digest) == (2, digests[-1])
    content = json.loads(batch.entries[1])
    assert set(content) == {"id", "kind", "captured", "body"}
    assert content["body"]["head_name"] == "Hai"
    assert content["captured"]["boot"] == client.outbox.boot


def test_nothing_is_recorded_before_the_first_enrolment(field, a_household):
    client = field.client()
    with pytest.raises(NotEnrolledError):
        a_household(client)
    assert client.status().identity is None


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"area": "here"}, EntryCode.FIELD_INVALID, "area"),
        ({"head_name": "x" * 121}, EntryCode.TEXT_TOO_LONG, "head_name"),
        ({"head_name": "a\x00b"}, EntryCode.TEXT_HAS_NUL, "body.head_name"),
        ({"head_name": "a\ud800b"}, EntryCode.FIELD_INVALID, "body.head_name"),
        ({"members": 2.0}, EntryCode.FIELD_WRONG_TYPE, "members"),
        ({"head_name": "  "}, EntryCode.FIELD_MISSING, "head_name"),
        ({"colour": "blue"}, EntryCode.FIELD_UNKNOWN, "colour"),
    ],
)
def test_what_breaks_a_rule_is_refused_at_capture_with_its_field(field, changes, code, where):
    """[R9.3] Limits bind at capture; text that is not UTF-8 is refused there."""
    client = field.enrolled()
    body = {"area": AREA, "head_name": "Hộ", "address": "ấp 1"} | changes
    with pytest.raises(CaptureRefusedError) as refusal:
        client.actions.register_household(**body)
    assert (refusal.value.fault.code, refusal.value.fault.field) == (code, where)
    assert client.outbox.head().seq == 0


def test_a_birth_date_in_the_future_is_refused(field):
    client = field.enrolled()
    with pytest.raises(CaptureRefusedError) as refusal:
        client.actions.register_person(full_name="Bé", area=AREA, birth_date="2030-01-01")
    assert refusal.value.fault.code == EntryCode.BIRTH_DATE_IN_FUTURE


def test_text_typed_in_another_unicode_form_is_stored_in_nfc(field):
    client = field.enrolled()
    typed = unicodedata.normalize("NFD", "Nguyễn Thị Hường")
    household = client.actions.register_household(area=AREA, head_name=f" {typed} ", address="ấp 1")
    assert client.projection.household(household).fields["head_name"] == "Nguyễn Thị Hường"


def test_a_raw_append_takes_what_the_checks_would_refuse(field):
    client = field.enrolled()
    client.outbox.append_raw("payment_collected", {"amount": -5, "household": ["x"]})
    client.outbox.append_text("not even json")
    assert client.outbox.head().seq == 2


def test_a_group_of_actions_is_saved_whole_or_not_at_all(field, a_household):
    client = field.enrolled()

    class TripError(Exception):
        pass

    def record_and_trip():
        with client.recording():
            a_household(client)
            raise TripError

    with pytest.raises(TripError):
        record_and_trip()
    assert client.outbox.head().seq == 0
    with client.recording():
        a_household(client)
        with pytest.raises(CaptureRefusedError):
            client.actions.register_household(area="bad", head_name="x", address="y")
        a_household(client)
    assert client.outbox.head().seq == 2


def test_a_payment_without_its_receipt_is_never_left_behind(field, an_enrolment, monkeypatch):
    """[T4] `payment_collected` and `receipt_issued` are written in one transaction."""
    client = field.enrolled()
    enrolment = an_enrolment(client)
    before = client.outbox.head().seq

    def fail(*_args, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr(client.receipts, "_keep", fail)
    with client.recording(), pytest.raises(ZeroDivisionError):
        client.actions.collect_payment([(enrolment, 415_800)])
    assert client.outbox.head().seq == before
    assert client.receipts.receipts() == []


def test_the_key_file_must_be_the_owners_alone(field):
    client = field.enrolled()
    client.close()
    key = field.folder / "a" / KEY_NAME
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        field.client()


def test_a_store_without_its_key_is_not_given_a_new_one(field):
    field.enrolled().close()
    (field.folder / "a" / KEY_NAME).unlink()
    with pytest.raises(KeyFileError):
        field.client()


def test_a_store_of_a_newer_version_is_refused(field):
    field.enrolled().close()
    connection = sqlite3.connect(field.folder / "a" / STORE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        field.client()


def test_the_files_hold_nothing_personal_in_clear(field, an_enrolment):
    client = field.enrolled()
    client.actions.register_person(
        full_name="Phạm Thị Kín", area=AREA, national_id="999188123456", phone="0912345678"
    )
    enrolment = an_enrolment(client)
    receipt = client.actions.collect_payment([(enrolment, 415_800)]).receipt
    field.server.granted = {"agent:w1"}
    field.server.put(
        "agent:w1", "person", "p-1", {"full_name": "Đỗ Văn Mật", "insurance_number": "8765432109"}
    )
    client.sync()
    key = client.identities.current().key.scalar
    files = [path.read_bytes() for path in (field.folder / "a").iterdir() if path.name != KEY_NAME]
    content = b"".join(files)
    secrets = ["999188123456", "0912345678", "8765432109", "Phạm Thị Kín", "Đỗ Văn Mật", receipt.token]
    assert [text for text in secrets if text.encode() in content] == []
    assert key not in content
    assert b"person_registered" in content, "the scan does read the right files"


@pytest.mark.parametrize("moment", ["before", "inside", "after"])
def test_a_killed_process_leaves_a_whole_journal(field, moment):
    """[T4] A client killed at any step has each payment with its receipt, or neither."""
    field.enrolled().close()
    script = textwrap.dedent(
        f"""
        import os, sys
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from field_client.client import FieldClient
        client = FieldClient(Path({str(field.folder / "a")!r}))
        enrolment = client.outbox._ids.new_id()
        client.actions.collect_payment([(enrolment, 1000)], scheme="health")
        def die(*_): os.kill(os.getpid(), {int(signal.SIGKILL)})
        if {moment!r} == "before":
            client.outbox.append = die
        elif {moment!r} == "inside":
            client.receipts._keep = die
        client.actions.collect_payment([(enrolment, 2000)], scheme="health")
        die()
        """
    )
    process = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert process.returncode == -signal.SIGKILL
    client = field.client()
    expected = 4 if moment == "after" else 2
    assert client.outbox.head().seq == expected
    assert len(client.receipts.receipts()) == expected // 2
    counter = client.actions.collect_payment(
        [(client.outbox._ids.new_id(), 3000)], scheme="health"
    ).receipt.counter
    assert counter == expected // 2 + 1, "numbers stay gapless"
    report = client.sync()
    assert (report.sent, report.unsent) == (expected + 2, 0)


def test_two_processes_append_to_one_journal_without_a_gap(field):
    field.enrolled().close()
    script = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from field_client.client import FieldClient
        with FieldClient(Path({str(field.folder / "a")!r})) as client:
            for number in range(50):
                client.actions.register_household(area={AREA!r}, head_name=str(number), address="ấp 1")
        """
    )
    runs = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    client = field.client()
    assert client.outbox.head().seq == 100
    assert client.sync().verdicts == {"applied": 100}


def test_a_store_copied_with_its_key_opens(field, a_household):
    client = field.enrolled()
    a_household(client)
    client.close()
    assert os.name != "posix" or (field.folder / "a").stat().st_mode & 0o077 == 0
    with FieldClient(field.folder / "a", clock=field.clock) as again:
        assert again.outbox.head().seq == 1
