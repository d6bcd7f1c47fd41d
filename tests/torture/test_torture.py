"""A small share of `make torture`: every part on few cycles, and a witness that forgets nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from field_client.transport import Reply
from schemas.signatures import ACKNOWLEDGEMENT_CONTEXT, PrivateKey, sign_statement
from sync.journal import chain, entry_sha256, genesis_digest
from tests.torture.checking import check
from tests.torture.hand import Hand
from tests.torture.parts import PARTS, run_part
from tests.torture.report import Row
from tests.torture.stage import staged
from tests.torture.witness import Witnesses, WitnessFile

SEED, CYCLES = 1, 4
INSTALLATION = "00000000-0000-4000-8000-000000000001"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "database"),
    [
        ("kills", "sqlite"),
        ("kills", "postgresql"),
        ("calls", "sqlite"),
        ("calls", "postgresql"),
        ("disk", "sqlite"),
        ("tablet", "sqlite"),
        ("lines", "sqlite"),
        ("writers", "sqlite"),
        ("writers", "postgresql"),
    ],
)
def test_nothing_is_lost_or_doubled_when(part, database):
    row = run_part(part, database, CYCLES, SEED)
    assert row.failures == []
    if row.not_run is not None:
        pytest.skip(f"NOT RUN ({row.not_run})")


def test_every_part_has_a_share_here():
    (mark,) = [each for each in test_nothing_is_lost_or_doubled_when.pytestmark if each.name == "parametrize"]
    assert {part for part, _database in mark.args[1]} == set(PARTS)


def an_answer(key: PrivateKey, raws: list[str], last: int) -> Reply:
    """An answer that acknowledges the first `last` entries, all of them applied."""
    digests = chain(genesis_digest(INSTALLATION), map(entry_sha256, raws))
    content = {"installation": INSTALLATION, "acked_seq": last, "head": digests[last - 1]}
    ack = sign_statement(key, ACKNOWLEDGEMENT_CONTEXT, content)
    verdicts = [{"seq": seq + 1, "verdict": "applied", "code": None} for seq in range(last)]
    return Reply(200, {}, json.dumps({"ack": ack, "verdicts": verdicts}).encode())


def a_request(raws: list[str], first_seq: int = 1) -> bytes:
    push = {"first_seq": first_seq, "entries": raws}
    return json.dumps({"installation": INSTALLATION, "push": push}).encode()


def test_a_witness_knows_what_was_acknowledged_also_when_its_last_line_is_torn(tmp_path):
    office, raws = PrivateKey.generate(), ["one", "two", "three"]
    witness = WitnessFile(tmp_path, "tablet-1")
    witness.sent(a_request(raws[:2]))
    witness.heard(an_answer(office, raws, 2))
    witness.sent(a_request(raws[1:], first_seq=2))
    witness.close()
    with (tmp_path / "tablet-1.witness").open("ab") as file:
        file.write(b'{"ack": {"te')
    testimony = Witnesses(tmp_path, office.public).read()
    assert testimony.acknowledged == 2
    assert [testimony.sent[INSTALLATION, seq] for seq in (1, 2, 3)] == raws
    assert testimony.heads_are_own() == []


def test_a_witness_takes_no_acknowledgement_of_somebody_elses(tmp_path):
    office, portal, raws = PrivateKey.generate(), PrivateKey.generate(), ["one"]
    witness = WitnessFile(tmp_path, "tablet-1")
    witness.sent(a_request(raws))
    witness.heard(an_answer(portal, raws, 1))
    witness.heard(Reply(200, {}, b"<!doctype html>"))
    witness.heard(Reply(500, {"content-type": "application/problem+json"}, b'{"code": "internal_error"}'))
    witness.heard(Reply(503, {"content-type": "application/problem+json"}, b'{"code": "database_busy"}'))
    testimony = Witnesses(tmp_path, office.public).read()
    assert (testimony.acknowledged, testimony.undeclared) == (0, 1)
    assert testimony.faults == ["503 without Retry-After"]


TAMPERED = {
    "DELETE FROM entry WHERE seq = 3": "lost",
    "UPDATE entry SET sha256 = 'other' WHERE seq = 3": "lost",
    "UPDATE entry SET verdict = 'held' WHERE seq = 3": "wrong",
    "UPDATE ledger_line SET debit_vnd = 2 * debit_vnd, credit_vnd = 2 * credit_vnd": "doubled",
    "UPDATE visit SET entry_id = 'other'": "doubled",
    "DELETE FROM visit": "wrong",
    "UPDATE outcome SET state = 'held' WHERE kind = 'visit_recorded'": "doubled",
}


@pytest.mark.slow
def test_the_check_sees_what_a_torture_could_do(tmp_path):
    """Each harm is done to a copy of a sound office, and found."""
    with staged("sqlite") as stage:
        stage.server.start()
        hand = Hand(stage, "hand")
        assert hand.send(hand.push(hand.door())).status == 200
        hand.close()
        stage.server.kill()
        sound = check(stage)
        assert (sound.acknowledged, sound.lost, sound.doubled, sound.wrong) == (5, [], [], [])
        for number, (statement, what) in enumerate(TAMPERED.items()):
            copy = tmp_path / f"{number}.sqlite3"
            with closing(sqlite3.connect(stage.file)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
                target.execute(statement)
                target.commit()
            assert getattr(check(stage, f"sqlite:///{copy}", is_thorough=False), what), statement


def test_a_row_fails_where_a_fault_did_not_fire_and_where_ci_cannot_run_it(monkeypatch):
    row = Row("part", "sqlite", acknowledged=1, wanted=frozenset({"kill"}))
    assert row.failures == ["did not fire: kill"]
    row.fired["kill"] += 1
    assert row.failures == []
    monkeypatch.setenv("CI", "false")
    row.not_run = "no strace"
    assert row.failures == []
    monkeypatch.setenv("CI", "true")
    assert row.failures == ["NOT RUN (no strace), and CI=true"]
