"""Giving a lost tablet up takes two people, who both leave a trace."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from server.audit.changes import Actor, run_change
from server.audit.models import AuditRow, DeskRecord
from server.devices.models import Installation
from server.devices.queries import installation_by_id, open_write_offs
from server.devices.write_offs import (
    WriteOffRefusedError,
    confirm_write_off,
    propose_write_off,
    recall_write_off,
    withdraw_write_off,
)
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import small_office

REASON = "Rơi xuống sông Tiền"
ONE, OTHER = Actor("account:one", "w-one"), Actor("account:other", "w-other")


@pytest.fixture
def office(any_database):
    with small_office(any_database) as office:
        yield office
    office.runtime.transactions.engine.dispose()


@pytest.fixture
def lost(office) -> str:
    return a_tablet(office).installation


def decide(office, actor: Actor, work, *arguments: str) -> str | None:
    """Run one step; return the code with which it is refused."""

    def step(change) -> None:
        if work is propose_write_off:
            work(change, office.runtime.ids, *arguments)
        else:
            work(change, *arguments)

    try:
        run_change(office.runtime.transactions, actor, office.clock.now_ms(), step)
    except WriteOffRefusedError as refusal:
        return refusal.code
    return None


def written_off_ms(office, installation: str) -> int | None:
    with office.runtime.transactions.reading() as connection:
        return installation_by_id(connection, installation).written_off_ms


def test_one_proposes_and_another_confirms(office, lost):
    assert decide(office, ONE, confirm_write_off, lost) == "not_proposed"
    assert decide(office, ONE, propose_write_off, lost, REASON) is None
    assert decide(office, OTHER, propose_write_off, lost, REASON) == "already_proposed"
    assert decide(office, ONE, confirm_write_off, lost) == "same_person"
    assert written_off_ms(office, lost) is None
    office.clock.advance(hours=1)
    assert decide(office, OTHER, confirm_write_off, lost) is None
    assert written_off_ms(office, lost) == office.clock.now_ms()
    assert decide(office, ONE, propose_write_off, lost, REASON) == "already_written_off"
    row, record = AuditRow.__table__.c, DeskRecord.__table__.c
    with office.runtime.transactions.reading() as connection:
        steps = select(row.chain, row.action).where(row.action.like("write_off%")).order_by(row.at_ms)
        assert [tuple(each) for each in connection.execute(steps)] == [
            (ONE.chain, "write_off_proposed"),
            (OTHER.chain, "write_off_confirmed"),
        ]
        kept = select(record.actor).where(record.kind == "installation_written_off")
        assert list(connection.scalars(kept)) == [OTHER.chain]


def test_a_proposal_can_be_taken_back_and_made_again(office, lost):
    decide(office, ONE, propose_write_off, lost, REASON)
    assert decide(office, OTHER, withdraw_write_off, lost) is None
    with office.runtime.transactions.reading() as connection:
        assert open_write_offs(connection, [lost]) == {}
    assert decide(office, OTHER, confirm_write_off, lost) == "not_proposed"
    assert decide(office, OTHER, propose_write_off, lost, REASON) is None
    assert decide(office, ONE, confirm_write_off, lost) is None


@pytest.mark.parametrize(("reason", "code"), [("", "reason_missing"), ("  mất   ", "reason_missing")])
def test_whoever_proposes_says_why(office, lost, reason, code):
    assert decide(office, ONE, propose_write_off, lost, reason) == code


def test_nobody_decides_about_the_own_tablet_or_one_that_is_not_there(office, lost):
    own = Actor("account:an", office.agents["an"])
    assert decide(office, own, propose_write_off, lost, REASON) == "own_tablet"
    decide(office, ONE, propose_write_off, lost, REASON)
    assert decide(office, own, confirm_write_off, lost) == "own_tablet"
    nobody = "00000000-0000-7000-8000-000000000000"
    assert decide(office, ONE, propose_write_off, nobody, REASON) == "not_found"


def test_a_restored_database_is_told_again(office, lost):
    decide(office, ONE, propose_write_off, lost, REASON)
    decide(office, OTHER, confirm_write_off, lost)
    then_ms = office.clock.now_ms()
    with office.runtime.transactions.writing() as connection:
        connection.execute(update(Installation).values(written_off_ms=None))
    office.change(lambda change: recall_write_off(change, lost, then_ms))
    assert written_off_ms(office, lost) == then_ms
