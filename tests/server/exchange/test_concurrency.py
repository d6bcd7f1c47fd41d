"""Real threads against the real app, on both databases. Lock first, then read (rule 1)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import event

from server.database import DeadlockError
from server.exchange import pushing
from tests.support.office_checks import cash_of, count, outcome_of, rows
from tests.support.raw_tablet import a_household, a_tablet
from tests.support.small_office import COMMUNES


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all works in threads that start together; return their results in order."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        gate.wait(timeout=30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def a_busy_journal(tablet, households: int = 6) -> None:
    """Capture households with persons, enrolments and payments."""
    for number in range(households):
        household = tablet.household()
        person = tablet.person(household, national_id=f"0001900000{number:02d}")
        tablet.visit(household)
        tablet.payment(tablet.enrolment(person))


def test_one_batch_posted_twice_and_by_8_threads_at_once_has_one_effect_and_the_same_verdicts(office, tablet):
    """[R2.1] The same batch at once gets the original verdicts, on any worker."""
    a_busy_journal(tablet)
    content = tablet.request()
    answers = at_once([lambda: tablet.post(content)] * 8)
    assert {answer.status for answer in answers} == {200}
    first = answers[0].verdicts
    assert {verdict["verdict"] for verdict in first} == {"applied"}
    assert all(answer.verdicts == first for answer in answers)
    assert tablet.post(content).verdicts == first
    assert cash_of(office) == 6 * 300_000
    assert count(office, "entry") == len(tablet.journal)
    assert {json.loads(answer.json["ack"]["text"])["acked_seq"] for answer in answers} == {
        len(tablet.journal)
    }


def test_8_writers_with_crossing_references_leave_nothing_held_and_equal_credits(office):
    """[R1.3] Whatever a judgement reads is locked before, things that do not exist yet included.

    [L1] Names are locked before the rows that they stand for are read.
    """
    tablets = [a_tablet(office, ("an", "binh")[number % 2]) for number in range(8)]
    for _ in range(3):
        ids = [tablet.ids.new_id() for tablet in tablets]
        for number, tablet in enumerate(tablets):
            neighbour, after = ids[(number + 1) % 8], ids[(number + 2) % 8]
            tablet.visit(neighbour)
            tablet.append("household_registered", a_household(), ids[number])
            tablet.visit(after)
            person = tablet.person(national_id=f"00019000000{number % 3}")
            tablet.payment(tablet.enrolment(person))
        answers = at_once([tablet.sync for tablet in tablets])
        assert {answer.status for answer in answers} == {200}
    states = dict(rows(office, "SELECT state, count(*) FROM outcome GROUP BY state"))
    assert states == {"applied": 8 * 3 * 6}
    assert count(office, "held_wait") == 0
    counted = rows(
        office, "SELECT count(*) FROM credit WHERE indicator = 'voluntary_enrolled' AND state = 'counted'"
    )
    assert counted == [(3,)]
    assert cash_of(office) + cash_of(office, "binh") == 24 * 300_000


def test_the_same_entry_from_two_tablets_at_once_takes_effect_once(office, tablet):
    """[R1.3] An id that does not exist yet is locked before it is read."""
    other = a_tablet(office, "binh")
    household = tablet.household()
    other.journal.append(tablet.journal[0])
    answers = at_once([tablet.sync, other.sync])
    assert sorted(answer.decisions[0] for answer in answers) == ["applied", "duplicate"]
    assert outcome_of(office, household) == ("applied", None)


def test_payments_and_voids_of_one_enrolment_at_once_lose_no_amount(office):
    """[R1.3] Locked before it is read: two payments of one enrolment and the void of a third.

    [L2] Between rounds of names the order can differ; the retry settles it.
    """
    an, binh = a_tablet(office), a_tablet(office, "binh")
    person = an.person(national_id="000190000001")
    enrolment = an.enrolment(person)
    first = an.payment(enrolment, amount_vnd=100_000)
    an.sync()
    for _ in range(4):
        an.append("entry_voided", {"target": first, "reason": "nhầm"})
        first = an.payment(enrolment, amount_vnd=100_000)
        binh.payment(enrolment, amount_vnd=50_000)
        answers = at_once([an.sync, binh.sync])
        assert {answer.status for answer in answers} == {200}
    assert rows(office, "SELECT paid_vnd FROM enrolment") == [(300_000,)]
    paid = rows(
        office, "SELECT credited.state FROM credit AS credited WHERE indicator = 'voluntary_enrolled'"
    )
    assert paid == [("counted",)]


def test_a_rival_enrolment_and_a_payment_at_once_leave_equal_credits(office):
    an, binh = a_tablet(office), a_tablet(office, "binh")
    for number in range(4):
        number_text = f"00019000000{number}"
        promoter = {"kind": "officer", "id": office.officers[0]}
        enrolment = an.enrolment(an.person(national_id=number_text), promoter=promoter)
        an.sync()
        an.payment(enrolment)
        rival = binh.enrolment(binh.person(national_id=number_text), promoter=promoter)
        binh.payment(rival)
        assert {answer.status for answer in at_once([an.sync, binh.sync])} == {200}
    counted = rows(office, "SELECT count(*) FROM credit WHERE indicator = 'persuaded' AND state = 'counted'")
    assert counted == [(4,)]


def test_a_deadlock_is_decided_again_five_times_at_most(office, tablet, monkeypatch):
    """[R1.4] On a deadlock the batch is decided again, at most 5 times, then 503 `database_busy`."""
    tries = []
    locked = pushing.locked_installation

    def unlucky(connection, installation_id):
        tries.append(1)
        if len(tries) < losses:
            raise DeadlockError
        return locked(connection, installation_id)

    monkeypatch.setattr(pushing, "locked_installation", unlucky)
    losses = 5
    tablet.household()
    assert tablet.sync().decisions == ["applied"]
    assert len(tries) == 5
    tries.clear()
    losses = 100
    tablet.household()
    answer = tablet.sync()
    assert (answer.status, answer.code, len(tries)) == (503, "database_busy", 5)
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.undo()
    assert tablet.sync().decisions == ["applied"]


def test_what_needs_no_database_happens_before_the_write_lock(office, tablet, monkeypatch):
    """[R1.5] Parsing, hashing, the signature and sealing happen before the write lock is taken."""
    done = []
    seal = pushing.seal_entries

    def noting_seal(*arguments):
        done.append("sealed")
        return seal(*arguments)

    def note_begin(connection):
        if connection.get_execution_options().get("tungnha_writes", False):
            done.append("write")

    monkeypatch.setattr(pushing, "seal_entries", noting_seal)
    event.listen(office.runtime.transactions.engine, "begin", note_begin)
    try:
        tablet.household()
        assert tablet.post(tablet.request(), signature="AAAA").status == 401
        assert tablet.post(None, body=b"{").status == 400
        assert done == []
        assert tablet.sync().decisions == ["applied"]
    finally:
        event.remove(office.runtime.transactions.engine, "begin", note_begin)
    assert done[:2] == ["sealed", "write"]
    assert "sealed" not in done[1:]


def test_8_tablets_enrol_at_once_and_no_number_is_given_twice(office):
    from tests.support.raw_tablet import RawTablet

    codes = [office.enrolment_code("an") for _ in range(8)]
    tablets = [RawTablet(office) for _ in range(8)]
    pairs = list(zip(tablets, codes, strict=True))
    answers = at_once([lambda pair=pair: pair[0].enrol(pair[1]) for pair in pairs])
    assert {answer.status for answer in answers} == {200}
    assert sorted(tablet.number for tablet in tablets) == list(range(1, 9))


def test_one_code_used_by_8_tablets_at_once_enrols_one(office):
    from tests.support.raw_tablet import RawTablet

    code = office.enrolment_code("an")
    answers = at_once([lambda: RawTablet(office).enrol(code)] * 8)
    assert sorted(answer.status for answer in answers) == [200] + [403] * 7


def queries_of(office, work: Callable[[], Any]) -> int:
    """Return how many statements `work` sends to the database."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    engine = office.runtime.transactions.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(sent)


def test_the_number_of_statements_does_not_grow_with_the_batch(office, tablet):
    """Fast path: one query per table for everything a batch touches, one bulk insert per table."""

    def capture(number: int) -> None:
        for index in range(number):
            household = tablet.household()
            person = tablet.person(household, national_id=f"{index:012d}")
            visit = tablet.visit(household)
            tablet.payment(tablet.enrolment(person, visit=visit))

    capture(3)
    small = queries_of(office, tablet.sync)
    capture(100)
    large = queries_of(office, tablet.sync)
    assert large <= small + 12, (small, large)
    assert large <= 120, large
    assert COMMUNES
